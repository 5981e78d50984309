"""The tracer provider that can be given out before anything is configured, and follows every later configuration.

A tracer obtained from it at any time forwards to what is configured now: non-recording spans before
`logfire.configure()`, and the newest configuration after each call of it. With the default clock the spans are
OpenTelemetry's own, unwrapped.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from opentelemetry import trace
from opentelemetry.context import Context, get_current
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, Tracer
from opentelemetry.util.types import Attributes, AttributeValue

from logfire._internal import errors
from logfire._internal.attributes import SPAN_TYPE
from logfire._internal.forks import ForkSafeLock
from logfire._internal.suppression import is_suppressed

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider as SDKTracerProvider

_SPAN_TYPE_ONLY: Final[Mapping[str, AttributeValue]] = {SPAN_TYPE: 'span'}

_START: Final = 'start an OpenTelemetry span'

_Function = TypeVar('_Function', bound=Callable[..., Any])


class ProxyTracerProvider(trace.TracerProvider):
    """OpenTelemetry's tracer provider of the newest configuration, behind an object that stays the same."""

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._provider: trace.TracerProvider = trace.NoOpTracerProvider()
        self._sdk_provider: SDKTracerProvider | None = None
        self._clock: Callable[[], int] | None = None
        self._added: list[SpanProcessor] = []
        self._tracers: weakref.WeakSet[ProxyTracer] = weakref.WeakSet()
        self._suppressed_scopes: frozenset[str] = frozenset()

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> ProxyTracer:
        """A tracer for a scope; see OpenTelemetry's `TracerProvider.get_tracer`."""
        tracer = ProxyTracer(
            instrumenting_module_name,
            lambda provider: provider.get_tracer(
                instrumenting_module_name, instrumenting_library_version, schema_url, attributes
            ),
        )
        with self._lock:
            self._tracers.add(tracer)
            self._bind(tracer)
        return tracer

    def use(self, provider: SDKTracerProvider | None, *, clock: Callable[[], int] = time.time_ns) -> None:
        """Forward to `provider` from now on, timing with `clock` (nanoseconds); None is non-recording spans."""
        with self._lock:
            self._sdk_provider = provider
            self._provider = provider or trace.NoOpTracerProvider()
            self._added = []
            self._clock = None if clock is time.time_ns else clock
            for tracer in self._tracers:
                self._bind(tracer)

    def replace(self, provider: SDKTracerProvider) -> None:
        """Forward to `provider`, which stands for the present one: with the processors that were added to that."""
        with self._lock:
            for processor in self._added:
                provider.add_span_processor(processor)
            self._sdk_provider = self._provider = provider
            for tracer in self._tracers:
                self._bind(tracer)

    def suppress_scopes(self, *scopes: str) -> None:
        """Make the spans of these scopes non-recording, in tracers already given out too."""
        with self._lock:
            self._suppressed_scopes = self._suppressed_scopes.union(scopes)
            for tracer in self._tracers:
                self._bind(tracer)

    def unsuppress_scopes(self) -> None:
        """Suppress no scope any more."""
        with self._lock:
            self._suppressed_scopes = frozenset()
            for tracer in self._tracers:
                self._bind(tracer)

    def _bind(self, tracer: ProxyTracer) -> None:
        suppressed = tracer.scope in self._suppressed_scopes
        tracer.bind(trace.NoOpTracerProvider() if suppressed else self._provider, self._clock)

    # What code that finds this as the global provider does with OpenTelemetry's own.

    @property
    def resource(self) -> Resource:
        """The resource of the configured provider; an empty one before `logfire.configure()`."""
        from opentelemetry.sdk.resources import Resource

        return Resource.get_empty() if self._sdk_provider is None else self._sdk_provider.resource

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Add a processor to the configured provider; the next `logfire.configure()` starts without it.

        It gets the spans as they are: unlike `additional_span_processors` of `configure()`, they are not scrubbed.
        """
        if self._sdk_provider is not None:
            self._sdk_provider.add_span_processor(span_processor)
            self._added.append(span_processor)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Export what is held; whether it was done in time."""
        return self._sdk_provider is None or self._sdk_provider.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """Shut the configured provider down; spans ended afterwards go nowhere."""
        if self._sdk_provider is not None:
            self._sdk_provider.shutdown()


class ProxyTracer(Tracer):
    """A tracer that its provider points at what is configured."""

    def __init__(self, scope: str, new_tracer: Callable[[trace.TracerProvider], Tracer]) -> None:
        self.scope = scope
        self._new_tracer = new_tracer
        self._tracer: Tracer = trace.NoOpTracer()
        self._clock: Callable[[], int] | None = None

    def bind(self, provider: trace.TracerProvider, clock: Callable[[], int] | None) -> None:
        """Forward to a tracer of `provider` from now on; `clock` is None for OpenTelemetry's own."""
        self._tracer = self._new_tracer(provider)
        self._clock = clock

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        """Start a span; see OpenTelemetry's `Tracer.start_span`. Non-recording while instrumentation is suppressed."""
        if is_suppressed(get_current()):
            return _not_recording(context)
        return self.start_own_span(
            name, context, kind, _typed(attributes), links, start_time, record_exception, set_status_on_exception
        )

    def start_own_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        """The same for a span of ours: its attributes say of which type it is, and nothing is suppressed."""
        clock = self._clock
        try:
            span = self._tracer.start_span(
                name,
                context,
                kind,
                attributes,
                links,
                clock() if clock is not None and start_time is None else start_time,
                record_exception,
                set_status_on_exception,
            )
        except Exception as fault:  # A sampler of the user's, say.
            errors.handle(_START, fault)
            return _not_recording(context)
        if clock is None or not span.is_recording():
            return span
        return ClockedSpan(
            span, clock, record_exception=record_exception, set_status_on_exception=set_status_on_exception
        )

    def start_as_current_span(  # pyright: ignore[reportIncompatibleMethodOverride] - the API's own is a private type.
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> CurrentSpan:
        """Start a span and make it current, as a context manager or decorator; see OpenTelemetry's own."""
        return CurrentSpan(
            lambda: trace.use_span(
                self.start_span(
                    name,
                    context,
                    kind,
                    attributes,
                    links,
                    start_time,
                    record_exception,
                    set_status_on_exception,
                ),
                end_on_exit,
                record_exception,
                set_status_on_exception,
            )
        )


class CurrentSpan(contextlib.ContextDecorator, AbstractContextManager[Span]):
    """Starts a span on entering and makes it current until left; decorates functions and coroutine functions too.

    As a context manager it serves once, as OpenTelemetry's own does; as a decorator it makes a span for each call.
    """

    def __init__(self, new_scope: Callable[[], AbstractContextManager[Span]]) -> None:
        self._new_scope = new_scope
        self._scope: AbstractContextManager[Span] | None = None

    def __enter__(self) -> Span:
        self._scope = self._new_scope()
        return self._scope.__enter__()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        scope, self._scope = self._scope, None
        return scope.__exit__(exc_type, exc_value, traceback) if scope is not None else None

    def __call__(self, function: _Function) -> _Function:
        new_scope = self._new_scope
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def traced_coroutine(*args: Any, **kwargs: Any) -> Any:
                with new_scope():
                    return await function(*args, **kwargs)

            return traced_coroutine  # pyright: ignore[reportReturnType] - the same signature, by `wraps`.

        @functools.wraps(function)
        def traced(*args: Any, **kwargs: Any) -> Any:
            with new_scope():
                return function(*args, **kwargs)

        return traced  # pyright: ignore[reportReturnType] - the same signature, by `wraps`.


class ClockedSpan(Span):
    """A span that reads a clock of the user's where OpenTelemetry would read the system's.

    Used only when such a clock is configured. What it does not define (`name`, `attributes`, ...) is read from the
    span within.
    """

    def __init__(
        self, span: Span, clock: Callable[[], int], *, record_exception: bool, set_status_on_exception: bool
    ) -> None:
        self._span = span
        self._clock = clock
        self._record_exception = record_exception
        self._set_status_on_exception = set_status_on_exception

    def __getattr__(self, name: str) -> Any:
        return getattr(self._span, name)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        if isinstance(exc_val, Exception) and self.is_recording():
            if self._record_exception:
                self.record_exception(exc_val)
            if self._set_status_on_exception:
                self.set_status(Status(StatusCode.ERROR, f'{type(exc_val).__name__}: {exc_val}'))
        self.end()

    def end(self, end_time: int | None = None) -> None:
        self._span.end(self._clock() if end_time is None and self.is_recording() else end_time)

    def get_span_context(self) -> SpanContext:
        return self._span.get_span_context()

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        self._span.set_attributes(attributes)

    def set_attribute(self, key: str, value: Any) -> None:
        self._span.set_attribute(key, value)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        self._span.add_event(name, attributes, self._clock() if timestamp is None else timestamp)

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        self._span.add_link(context, attributes)

    def update_name(self, name: str) -> None:
        self._span.update_name(name)

    def is_recording(self) -> bool:
        return self._span.is_recording()

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        self._span.set_status(status, description)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        self._span.record_exception(exception, attributes, self._clock() if timestamp is None else timestamp, escaped)


def _not_recording(context: Context | None) -> Span:
    """A span that records nothing and stands for the present one: its children are those of that."""
    return NonRecordingSpan(trace.get_current_span(context).get_span_context())


def _typed(attributes: Attributes) -> Mapping[str, AttributeValue]:
    """The attributes, saying that this is a span where the caller, another instrumentation, did not."""
    if not attributes:
        return _SPAN_TYPE_ONLY
    return attributes if SPAN_TYPE in attributes else {**attributes, SPAN_TYPE: 'span'}
