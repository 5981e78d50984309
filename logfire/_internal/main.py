"""`Logfire`, the object behind the public API. Every method is a few lines that delegate."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, overload

from opentelemetry.trace import SpanContext, SpanKind
from opentelemetry.util.types import Attributes
from typing_extensions import LiteralString, ParamSpec

from logfire._internal import errors
from logfire._internal.config.configuration import GLOBAL_CONFIG, LogfireConfig
from logfire._internal.levels import LevelName, level_number
from logfire._internal.log import ExcInfo, emit_log
from logfire._internal.message import checked_level, unique_tags
from logfire._internal.span import NOOP_SPAN, LogfireSpan, new_span
from logfire.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackT, Counter, Histogram, UpDownCounter

    from logfire._internal.config.instruments import ProxyGauge, ProxyMeter
    from logfire._internal.config.tracers import ProxyTracer
    from logfire._internal.integrations.http_clients import (
        AiohttpClientRequestHook,
        AiohttpClientResponseHook,
        RequestsRequestHook,
        RequestsResponseHook,
    )
    from logfire._internal.integrations.llm_providers.azure_ai_inference import AzureAIInferenceTarget

_P = ParamSpec('_P')
_R = TypeVar('_R')

_SCOPE: Final = 'logfire'

_TRACE: Final = level_number('trace')
_DEBUG: Final = level_number('debug')
_INFO: Final = level_number('info')
_NOTICE: Final = level_number('notice')
_WARN: Final = level_number('warn')
_ERROR: Final = level_number('error')
_FATAL: Final = level_number('fatal')

_CREATE = 'create a span'


class Logfire:
    """Makes spans, logs and metrics, with tags and a scope of its own. `logfire.info(...)` and the like use a default.

    Others come from `with_tags` and `with_settings`, or from `logfire.configure(local=True)`. A library makes one for a
    scope of its own, which follows the configuration of the program: `Logfire(otel_scope='my-library')`.
    """

    def __init__(
        self,
        config: LogfireConfig = GLOBAL_CONFIG,
        *,
        tags: Sequence[str] = (),
        console_log: bool = True,
        otel_scope: str = _SCOPE,
    ) -> None:
        self.config = config
        self.tags: tuple[str, ...] = unique_tags(tags)
        self.console_log = console_log
        self.otel_scope = otel_scope

    @functools.cached_property
    def tracer(self) -> ProxyTracer:
        """The OpenTelemetry tracer of this instance's scope. It follows later `logfire.configure()` calls."""
        return self.config.tracer_provider.get_tracer(self.otel_scope, VERSION)

    @functools.cached_property
    def meter(self) -> ProxyMeter:
        """The OpenTelemetry meter of this instance's scope. It follows later `logfire.configure()` calls."""
        return self.config.meter_provider.get_meter(self.otel_scope, VERSION)

    def span(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _span_name: str | None = None,
        _level: LevelName | int | None = None,
        _links: Sequence[tuple[SpanContext, Attributes]] = (),
        _span_kind: SpanKind = SpanKind.INTERNAL,
        **attributes: Any,
    ) -> LogfireSpan:
        """A span: what is done inside the `with` statement is timed and shown as one.

        ```py
        with logfire.span('counting {what}', what='sheep') as span:
            span.set_attribute('count', 12)
        ```

        Args:
            msg_template: The message, as a `str.format` template filled from the attributes, or as an f-string.
            _tags: Tags, added to those of this instance.
            _span_name: The span's name, by which spans are grouped; the template if None.
            _level: The span's level; it has none if None. Below `min_level` the span is not made.
            _links: Spans to link to, by their `context`, each with what to say of the link.
            _span_kind: OpenTelemetry's kind of span.
            attributes: Anything. What OpenTelemetry has no type for is kept as JSON.

        Raises:
            ValueError: The name of an attribute begins with an underscore.
        """
        _check_names(attributes)
        level = None if _level is None else checked_level(_level)
        if self.records(level):
            try:
                return new_span(
                    self,
                    msg_template,
                    attributes,
                    tags=_tags,
                    name=_span_name,
                    level=level,
                    links=_links,
                    kind=_span_kind,
                    frame=sys._getframe(1),
                )
            except Exception as fault:
                errors.handle(_CREATE, fault)
        return cast('LogfireSpan', NOOP_SPAN)

    def trace(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Log what is only of use when looking for a fault, in great detail.

        ```py
        logfire.trace('counted {what}', what='sheep')
        ```

        Args:
            msg_template: The message, as a `str.format` template filled from the attributes, or as an f-string.
            _tags: Tags, added to those of this instance.
            _exc_info: An exception to tell with it; True is the one being handled.
            attributes: Anything. What OpenTelemetry has no type for is kept as JSON.

        Raises:
            ValueError: The name of an attribute begins with an underscore.
        """
        _check_names(attributes)
        if self.records(_TRACE):
            emit_log(self, _TRACE, msg_template, attributes, tags=_tags, exc_info=_exc_info, frame=sys._getframe(1))

    def debug(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Log what is of use when looking for a fault.

        ```py
        logfire.debug('counted {what}', what='sheep')
        ```

        Args:
            msg_template: The message, as a `str.format` template filled from the attributes, or as an f-string.
            _tags: Tags, added to those of this instance.
            _exc_info: An exception to tell with it; True is the one being handled.
            attributes: Anything. What OpenTelemetry has no type for is kept as JSON.

        Raises:
            ValueError: The name of an attribute begins with an underscore.
        """
        _check_names(attributes)
        if self.records(_DEBUG):
            emit_log(self, _DEBUG, msg_template, attributes, tags=_tags, exc_info=_exc_info, frame=sys._getframe(1))

    def info(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Log what happened, in the ordinary course.

        ```py
        logfire.info('counted {what}', what='sheep')
        ```

        Args:
            msg_template: The message, as a `str.format` template filled from the attributes, or as an f-string.
            _tags: Tags, added to those of this instance.
            _exc_info: An exception to tell with it; True is the one being handled.
            attributes: Anything. What OpenTelemetry has no type for is kept as JSON.

        Raises:
            ValueError: The name of an attribute begins with an underscore.
        """
        _check_names(attributes)
        if self.records(_INFO):
            emit_log(self, _INFO, msg_template, attributes, tags=_tags, exc_info=_exc_info, frame=sys._getframe(1))

    def notice(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Log what happened, and is out of the ordinary without being a fault.

        ```py
        logfire.notice('counted {what}', what='sheep')
        ```

        Args:
            msg_template: The message, as a `str.format` template filled from the attributes, or as an f-string.
            _tags: Tags, added to those of this instance.
            _exc_info: An exception to tell with it; True is the one being handled.
            attributes: Anything. What OpenTelemetry has no type for is kept as JSON.

        Raises:
            ValueError: The name of an attribute begins with an underscore.
        """
        _check_names(attributes)
        if self.records(_NOTICE):
            emit_log(self, _NOTICE, msg_template, attributes, tags=_tags, exc_info=_exc_info, frame=sys._getframe(1))

    def warn(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Log what may be a fault, or lead to one.

        ```py
        logfire.warn('counted {what}', what='sheep')
        ```

        Args:
            msg_template: The message, as a `str.format` template filled from the attributes, or as an f-string.
            _tags: Tags, added to those of this instance.
            _exc_info: An exception to tell with it; True is the one being handled.
            attributes: Anything. What OpenTelemetry has no type for is kept as JSON.

        Raises:
            ValueError: The name of an attribute begins with an underscore.
        """
        _check_names(attributes)
        if self.records(_WARN):
            emit_log(self, _WARN, msg_template, attributes, tags=_tags, exc_info=_exc_info, frame=sys._getframe(1))

    def warning(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Log what may be a fault, or lead to one; the same as `warn`.

        ```py
        logfire.warning('counted {what}', what='sheep')
        ```

        Args:
            msg_template: The message, as a `str.format` template filled from the attributes, or as an f-string.
            _tags: Tags, added to those of this instance.
            _exc_info: An exception to tell with it; True is the one being handled.
            attributes: Anything. What OpenTelemetry has no type for is kept as JSON.

        Raises:
            ValueError: The name of an attribute begins with an underscore.
        """
        _check_names(attributes)
        if self.records(_WARN):
            emit_log(self, _WARN, msg_template, attributes, tags=_tags, exc_info=_exc_info, frame=sys._getframe(1))

    def error(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Log a fault; the work at hand failed.

        ```py
        logfire.error('counted {what}', what='sheep')
        ```

        Args:
            msg_template: The message, as a `str.format` template filled from the attributes, or as an f-string.
            _tags: Tags, added to those of this instance.
            _exc_info: An exception to tell with it; True is the one being handled.
            attributes: Anything. What OpenTelemetry has no type for is kept as JSON.

        Raises:
            ValueError: The name of an attribute begins with an underscore.
        """
        _check_names(attributes)
        if self.records(_ERROR):
            emit_log(self, _ERROR, msg_template, attributes, tags=_tags, exc_info=_exc_info, frame=sys._getframe(1))

    def exception(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = True,
        **attributes: Any,
    ) -> None:
        """Log the exception being handled, at the level error.

        ```py
        logfire.exception('could not count {what}', what='sheep')
        ```

        Args:
            msg_template: The message, as a `str.format` template filled from the attributes, or as an f-string.
            _tags: Tags, added to those of this instance.
            _exc_info: An exception to tell with it; True (the default) is the one being handled.
            attributes: Anything. What OpenTelemetry has no type for is kept as JSON.

        Raises:
            ValueError: The name of an attribute begins with an underscore.
        """
        _check_names(attributes)
        if self.records(_ERROR):
            emit_log(self, _ERROR, msg_template, attributes, tags=_tags, exc_info=_exc_info, frame=sys._getframe(1))

    def fatal(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Log a fault that ends the program, or a part of it.

        ```py
        logfire.fatal('counted {what}', what='sheep')
        ```

        Args:
            msg_template: The message, as a `str.format` template filled from the attributes, or as an f-string.
            _tags: Tags, added to those of this instance.
            _exc_info: An exception to tell with it; True is the one being handled.
            attributes: Anything. What OpenTelemetry has no type for is kept as JSON.

        Raises:
            ValueError: The name of an attribute begins with an underscore.
        """
        _check_names(attributes)
        if self.records(_FATAL):
            emit_log(self, _FATAL, msg_template, attributes, tags=_tags, exc_info=_exc_info, frame=sys._getframe(1))

    def log(
        self,
        level: LevelName | int,
        msg_template: str,
        attributes: dict[str, Any] | None = None,
        tags: Sequence[str] | None = None,
        exc_info: ExcInfo = False,
        console_log: bool | None = None,
    ) -> None:
        """Log at a level that is only known when it happens, or with attributes whose names are.

        Args:
            level: The level, by name or number. What is neither warns, and is taken as error.
            msg_template: The message, as a `str.format` template filled from the attributes, or as an f-string.
            attributes: Names, which may begin with an underscore here, and values of any kind.
            tags: Tags, added to those of this instance.
            exc_info: An exception to tell with it; True is the one being handled.
            console_log: Whether the console shows it; None is as this instance does.
        """
        number = checked_level(level)
        if self.records(number):
            emit_log(
                self,
                number,
                msg_template,
                attributes or {},
                tags=tags,
                exc_info=exc_info,
                console_log=console_log,
                frame=sys._getframe(1),
                argument=1,
            )

    @overload
    def instrument(
        self,
        msg_template: LiteralString | None = None,
        *,
        span_name: str | None = None,
        extract_args: bool | Iterable[str] = True,
        record_return: bool = False,
        allow_generator: bool = False,
        new_trace: bool = False,
        level: LevelName | int | None = None,
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]: ...

    @overload
    def instrument(self, msg_template: Callable[_P, _R], /) -> Callable[_P, _R]: ...

    def instrument(
        self,
        msg_template: Callable[_P, _R] | LiteralString | None = None,
        *,
        span_name: str | None = None,
        extract_args: bool | Iterable[str] = True,
        record_return: bool = False,
        allow_generator: bool = False,
        new_trace: bool = False,
        level: LevelName | int | None = None,
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _R]] | Callable[_P, _R]:
        """Decorate a function, so that each call of it is a span. Coroutine functions and generators too.

        ```py
        @logfire.instrument('counting {what}')
        def count(what: str) -> int: ...
        ```

        Put it below `@classmethod` and `@staticmethod`.

        Args:
            msg_template: The message, as a template filled from the arguments; `Calling module.function` if None.
            span_name: The spans' name; the template if None.
            extract_args: Whether the arguments become attributes; or the names of those that do.
            record_return: Whether what the function returns becomes the attribute `return`. Not for generators.
            allow_generator: Do not warn that the span of a generator lasts, and is current, until the generator ends.
            new_trace: Begin a new trace with each call, linked to the span that was current.
            level: The spans' level; they have none if None. Below `min_level` none are made.
        """
        from logfire._internal.traced_function import Tracing

        if callable(msg_template):
            return Tracing(self).decorate(msg_template)
        return Tracing(
            self,
            template=msg_template,
            span_name=span_name,
            extract_args=extract_args,
            record_return=record_return,
            allow_generator=allow_generator,
            new_trace=new_trace,
            level=None if level is None else checked_level(level),
        ).decorate

    def with_tags(self, *tags: str) -> Logfire:
        """An instance that adds these tags to every span and log it makes, after this one's.

        Args:
            tags: The tags. One that this instance has already is not repeated.
        """
        return self.with_settings(tags=tags)

    def with_settings(
        self, *, tags: Sequence[str] = (), console_log: bool | None = None, custom_scope_suffix: str | None = None
    ) -> Logfire:
        """An instance with other settings.

        Args:
            tags: Tags to add to every span and log, after this one's.
            console_log: Whether the console shows its logs; None is as this one.
            custom_scope_suffix: Its OpenTelemetry scope is `logfire.` and this; None is the scope of this one.
        """
        return Logfire(
            self.config,
            tags=unique_tags(self.tags, tags),
            console_log=self.console_log if console_log is None else console_log,
            otel_scope=self.otel_scope if custom_scope_suffix is None else f'{_SCOPE}.{custom_scope_suffix}',
        )

    def force_flush(self, timeout_millis: int = 3_000) -> bool:
        """Export everything that has ended.

        Args:
            timeout_millis: How long to wait for it, in milliseconds.

        Returns:
            Whether all was exported in time.
        """
        return self.config.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: int = 30_000, flush: bool = True) -> bool:
        """Shut all exporters down. Spans and logs made afterwards go nowhere.

        This happens by itself when the interpreter exits.

        Args:
            timeout_millis: How long to wait for it, in milliseconds.
            flush: Whether to export what has ended first.

        Returns:
            Whether all was done in time.
        """
        return self.config.shutdown(timeout_millis, flush)

    def suppress_instrumentation(self) -> AbstractContextManager[None]:
        """While this context manager is entered, no spans, logs or metrics of instrumentations are made.

        It is OpenTelemetry's own, so OpenTelemetry instrumentations heed it as well.
        """
        from opentelemetry.instrumentation.utils import suppress_instrumentation

        return suppress_instrumentation()

    def suppress_scopes(self, *scopes: str) -> None:
        """Drop the spans, metrics and log records of OpenTelemetry scopes from now on.

        Args:
            scopes: The scopes' names: mostly the module name of an instrumentation,
                `opentelemetry.instrumentation.requests`.
        """
        self.config.tracer_provider.suppress_scopes(*scopes)
        self.config.meter_provider.suppress_scopes(*scopes)
        self.config.logger_provider.suppress_scopes(*scopes)

    def metric_counter(self, name: str, *, unit: str = '', description: str = '') -> Counter:
        """A counter: a sum that only grows, such as requests served.

        Args:
            name: The metric's name.
            unit: What is counted or measured in, such as `By` or `s` (UCUM).
            description: What it says, for people.
        """
        return self.meter.create_counter(name, unit, description)

    def metric_histogram(self, name: str, *, unit: str = '', description: str = '') -> Histogram:
        """A histogram: how values are spread, such as the durations of requests.

        Args:
            name: The metric's name.
            unit: What is counted or measured in, such as `By` or `s` (UCUM).
            description: What it says, for people.
        """
        return self.meter.create_histogram(name, unit, description)

    def metric_gauge(self, name: str, *, unit: str = '', description: str = '') -> ProxyGauge:
        """A gauge: a value at a time that is set, such as a temperature.

        Args:
            name: The metric's name.
            unit: What is counted or measured in, such as `By` or `s` (UCUM).
            description: What it says, for people.
        """
        return self.meter.create_gauge(name, unit, description)

    def metric_up_down_counter(self, name: str, *, unit: str = '', description: str = '') -> UpDownCounter:
        """An up-down counter: a sum that grows and shrinks, such as users logged in.

        Args:
            name: The metric's name.
            unit: What is counted or measured in, such as `By` or `s` (UCUM).
            description: What it says, for people.
        """
        return self.meter.create_up_down_counter(name, unit, description)

    def metric_counter_callback(
        self, name: str, *, callbacks: Sequence[CallbackT], unit: str = '', description: str = ''
    ) -> None:
        """A counter whose sum is asked for when metrics are collected.

        Args:
            name: The metric's name.
            callbacks: Each is called with OpenTelemetry's `CallbackOptions` and gives `Observation`s.
            unit: What is counted or measured in, such as `By` or `s` (UCUM).
            description: What it says, for people.
        """
        self.meter.create_observable_counter(name, callbacks, unit, description)

    def metric_gauge_callback(
        self, name: str, callbacks: Sequence[CallbackT], *, unit: str = '', description: str = ''
    ) -> None:
        """A gauge whose value is asked for when metrics are collected.

        Args:
            name: The metric's name.
            callbacks: Each is called with OpenTelemetry's `CallbackOptions` and gives `Observation`s.
            unit: What is counted or measured in, such as `By` or `s` (UCUM).
            description: What it says, for people.
        """
        self.meter.create_observable_gauge(name, callbacks, unit, description)

    def metric_up_down_counter_callback(
        self, name: str, callbacks: Sequence[CallbackT], *, unit: str = '', description: str = ''
    ) -> None:
        """An up-down counter whose sum is asked for when metrics are collected.

        Args:
            name: The metric's name.
            callbacks: Each is called with OpenTelemetry's `CallbackOptions` and gives `Observation`s.
            unit: What is counted or measured in, such as `By` or `s` (UCUM).
            description: What it says, for people.
        """
        self.meter.create_observable_up_down_counter(name, callbacks, unit, description)

    def instrument_azure_ai_inference(
        self,
        azure_ai_inference_client: AzureAIInferenceTarget | None = None,
        *,
        suppress_other_instrumentation: bool = True,
        capture_content: bool | None = None,
    ) -> AbstractContextManager[None]:
        """Make a span of every call of Azure AI Inference clients: chat completions, embeddings and image embeddings.

        Sync and async clients, streams too. What the caller gets is unchanged.

        Args:
            azure_ai_inference_client: A client, a client class, or several of them; None is every client, those made
                before too.
            suppress_other_instrumentation: Whether OpenTelemetry instrumentations of the HTTP library below make no
                spans meanwhile.
            capture_content: Whether prompts, replies, tools and the texts of errors are recorded. None asks
                `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, and they are unless it says no.

        Returns:
            A context manager that undoes it when left. It need not be entered: then it holds for good.
        """
        from logfire._internal.integrations.llm_providers.azure_ai_inference import instrument_azure_ai_inference

        return instrument_azure_ai_inference(
            self,
            azure_ai_inference_client,
            suppress_other_instrumentation=suppress_other_instrumentation,
            capture_content=capture_content,
        )

    def instrument_requests(
        self,
        excluded_urls: str | None = None,
        request_hook: RequestsRequestHook | None = None,
        response_hook: RequestsResponseHook | None = None,
        **kwargs: Any,
    ) -> None:
        """Make a span of every HTTP request of the library `requests`, by OpenTelemetry's instrumentation of it.

        The sync Azure AI Inference clients send their requests with it; while
        `instrument_azure_ai_inference(suppress_other_instrumentation=True)` is in force it makes no spans for those.

        Args:
            excluded_urls: Regular expressions, separated by commas, of URLs whose requests make no spans.
            request_hook: Called with the span and the `requests.PreparedRequest` when the span has started.
            response_hook: Called with the span, the request and the `requests.Response` before the span ends.
            kwargs: What else `RequestsInstrumentor().instrument()` takes.

        Raises:
            RuntimeError: A package is missing; the message says how to install it (extra `requests`).
        """
        from logfire._internal.integrations.http_clients import instrument_requests

        instrument_requests(
            self, excluded_urls=excluded_urls, request_hook=request_hook, response_hook=response_hook, **kwargs
        )

    def instrument_aiohttp_client(
        self,
        *,
        capture_headers: bool = False,
        request_hook: AiohttpClientRequestHook | None = None,
        response_hook: AiohttpClientResponseHook | None = None,
        **kwargs: Any,
    ) -> None:
        """Make a span of every HTTP request of the client of `aiohttp`, by OpenTelemetry's instrumentation of it.

        The async Azure AI Inference clients send their requests with it; while
        `instrument_azure_ai_inference(suppress_other_instrumentation=True)` is in force it makes no spans for those.
        Sessions that exist already stay as they are.

        Args:
            capture_headers: Whether the headers of requests and responses are recorded, as `http.request.header.NAME`
                and `http.response.header.NAME`. Keys, tokens and cookies among them are scrubbed.
            request_hook: Called with the span and the `aiohttp.TraceRequestStartParams` when the span has started.
            response_hook: Called with the span and the `aiohttp.TraceRequestEndParams`, or
                `aiohttp.TraceRequestExceptionParams`, before the span ends.
            kwargs: What else `AioHttpClientInstrumentor().instrument()` takes.

        Raises:
            RuntimeError: A package is missing; the message says how to install it (extra `aiohttp-client`).
            TypeError: A keyword asks for the bodies, which are not recorded.
        """
        from logfire._internal.integrations.http_clients import instrument_aiohttp_client

        instrument_aiohttp_client(
            self, capture_headers=capture_headers, request_hook=request_hook, response_hook=response_hook, **kwargs
        )

    def records(self, level: int | None) -> bool:
        """Whether something of this level is made at all; warns, once, before anything is configured."""
        config = self.config
        if not config.initialized:
            config.warn_if_not_initialized()
            return False
        return level is None or level >= config.min_level


def _check_names(attributes: dict[str, Any]) -> None:
    # They are kept for our own parameters, so that a new one never changes what a user's attribute means.
    for name in attributes:
        if name.startswith('_'):
            raise ValueError(f'Attribute names cannot start with an underscore, as {name!r} does.')


DEFAULT_LOGFIRE_INSTANCE: Final = Logfire()
"""The instance behind `logfire.span()`, `logfire.info()` and the like."""
