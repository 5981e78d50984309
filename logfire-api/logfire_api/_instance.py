"""`Logfire` where there is none: spans, logs and metrics that are not made."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, ParamSpec, TypeAlias, TypeVar, overload

from logfire_api._options import (
    AdvancedOptions,
    CodeSource,
    ConsoleOptions,
    MetricsOptions,
    SamplingOptions,
    ScrubbingOptions,
)
from logfire_api._span import NOOP_SPAN, LevelName, LogfireSpan
from logfire_api._version import VERSION

_P = ParamSpec('_P')
_R = TypeVar('_R')

_ExcTuple: TypeAlias = 'tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]'
ExcInfo: TypeAlias = 'bool | BaseException | _ExcTuple | None'
Callback: TypeAlias = Callable[[Any], Iterable[Any]] | Generator[Iterable[Any], Any, None]
"""A callback of OpenTelemetry, which may be absent."""


class Counter:
    """A sum that only grows, of nothing."""

    def add(self, amount: float, attributes: Mapping[str, Any] | None = None, context: Any = None) -> None:
        """Would add to the sum."""


class UpDownCounter(Counter):
    """A sum that grows and shrinks, of nothing."""


class Histogram:
    """How values are spread that are not kept."""

    def record(self, amount: float, attributes: Mapping[str, Any] | None = None, context: Any = None) -> None:
        """Would record a value."""


class Gauge:
    """A value at a time, which is not kept."""

    def set(self, amount: float, attributes: Mapping[str, Any] | None = None, context: Any = None) -> None:
        """Would set the value."""


class Observable:
    """A metric that is never asked for its value."""


class Tracer:
    """Stands for OpenTelemetry's tracer."""

    def start_span(
        self,
        name: str,
        context: Any = None,
        kind: Any = None,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[Any] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> LogfireSpan:
        """A span that records nothing."""
        return NOOP_SPAN

    @contextmanager
    def start_as_current_span(
        self,
        name: str,
        context: Any = None,
        kind: Any = None,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[Any] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Generator[LogfireSpan, None, None]:
        """A context manager, or a decorator, of a span that records nothing."""
        yield NOOP_SPAN


class Meter:
    """Stands for OpenTelemetry's meter."""

    def create_counter(self, name: str, unit: str = '', description: str = '') -> Counter:
        """A metric that measures nothing."""
        return Counter()

    def create_up_down_counter(self, name: str, unit: str = '', description: str = '') -> UpDownCounter:
        """A metric that measures nothing."""
        return UpDownCounter()

    def create_histogram(
        self,
        name: str,
        unit: str = '',
        description: str = '',
        *,
        explicit_bucket_boundaries_advisory: Sequence[float] | None = None,
    ) -> Histogram:
        """A metric that measures nothing."""
        return Histogram()

    def create_gauge(self, name: str, unit: str = '', description: str = '') -> Gauge:
        """A metric that measures nothing."""
        return Gauge()

    def create_observable_counter(
        self, name: str, callbacks: Sequence[Callback] | None = None, unit: str = '', description: str = ''
    ) -> Observable:
        """A metric whose callbacks are never called."""
        return Observable()

    def create_observable_up_down_counter(
        self, name: str, callbacks: Sequence[Callback] | None = None, unit: str = '', description: str = ''
    ) -> Observable:
        """A metric whose callbacks are never called."""
        return Observable()

    def create_observable_gauge(
        self, name: str, callbacks: Sequence[Callback] | None = None, unit: str = '', description: str = ''
    ) -> Observable:
        """A metric whose callbacks are never called."""
        return Observable()


class Logfire:
    """Makes spans, logs and metrics that go nowhere."""

    def __init__(
        self, config: Any = None, *, tags: Sequence[str] = (), console_log: bool = True, otel_scope: str = 'logfire'
    ) -> None:
        self.config: Any = config
        self.tags: tuple[str, ...] = tuple(tags)
        self.console_log: bool = console_log
        self.otel_scope: str = otel_scope

    @property
    def tracer(self) -> Tracer:
        """A tracer whose spans record nothing."""
        return Tracer()

    @property
    def meter(self) -> Meter:
        """A meter whose metrics measure nothing."""
        return Meter()

    def span(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _span_name: str | None = None,
        _level: LevelName | int | None = None,
        _links: Sequence[tuple[Any, Mapping[str, Any] | None]] = (),
        _span_kind: Any = None,
        **attributes: Any,
    ) -> LogfireSpan:
        """A span that records nothing."""
        return NOOP_SPAN

    def trace(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Would log at the level trace."""

    def debug(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Would log at the level debug."""

    def info(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Would log at the level info."""

    def notice(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Would log at the level notice."""

    def warn(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Would log at the level warn."""

    def warning(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Would log at the level warning."""

    def error(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Would log at the level error."""

    def exception(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = True,
        **attributes: Any,
    ) -> None:
        """Would log at the level error, with the exception being handled."""

    def fatal(
        self,
        msg_template: str,
        /,
        *,
        _tags: Sequence[str] | None = None,
        _exc_info: ExcInfo = False,
        **attributes: Any,
    ) -> None:
        """Would log at the level fatal."""

    def log(
        self,
        level: LevelName | int,
        msg_template: str,
        attributes: dict[str, Any] | None = None,
        tags: Sequence[str] | None = None,
        exc_info: ExcInfo = False,
        console_log: bool | None = None,
    ) -> None:
        """Would log at a level that is only known when it happens."""

    @overload
    def instrument(
        self,
        msg_template: str | None = None,
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
        msg_template: Callable[_P, _R] | str | None = None,
        *,
        span_name: str | None = None,
        extract_args: bool | Iterable[str] = True,
        record_return: bool = False,
        allow_generator: bool = False,
        new_trace: bool = False,
        level: LevelName | int | None = None,
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _R]] | Callable[_P, _R]:
        """Decorate a function, which is returned as it is."""
        return msg_template if callable(msg_template) else _unchanged

    def with_tags(self, *tags: str) -> Logfire:
        """This instance."""
        return self

    def with_settings(
        self, *, tags: Sequence[str] = (), console_log: bool | None = None, custom_scope_suffix: str | None = None
    ) -> Logfire:
        """This instance."""
        return self

    def force_flush(self, timeout_millis: int = 3_000) -> bool:
        """Export what there is, which is nothing: True."""
        return True

    def shutdown(self, timeout_millis: int = 30_000, flush: bool = True) -> bool:
        """Shut down what there is, which is nothing: True."""
        return True

    def suppress_instrumentation(self) -> AbstractContextManager[None]:
        """A context manager in which no instrumentation would record."""
        return nullcontext()

    def suppress_scopes(self, *scopes: str) -> None:
        """Would drop what is made in OpenTelemetry scopes."""

    def metric_counter(self, name: str, *, unit: str = '', description: str = '') -> Counter:
        """A metric that measures nothing."""
        return Counter()

    def metric_histogram(self, name: str, *, unit: str = '', description: str = '') -> Histogram:
        """A metric that measures nothing."""
        return Histogram()

    def metric_gauge(self, name: str, *, unit: str = '', description: str = '') -> Gauge:
        """A metric that measures nothing."""
        return Gauge()

    def metric_up_down_counter(self, name: str, *, unit: str = '', description: str = '') -> UpDownCounter:
        """A metric that measures nothing."""
        return UpDownCounter()

    def metric_counter_callback(
        self, name: str, *, callbacks: Sequence[Callback], unit: str = '', description: str = ''
    ) -> None:
        """Would measure by callbacks, which are never called."""

    def metric_gauge_callback(
        self, name: str, callbacks: Sequence[Callback], *, unit: str = '', description: str = ''
    ) -> None:
        """Would measure by callbacks, which are never called."""

    def metric_up_down_counter_callback(
        self, name: str, callbacks: Sequence[Callback], *, unit: str = '', description: str = ''
    ) -> None:
        """Would measure by callbacks, which are never called."""

    def instrument_azure_ai_inference(
        self,
        azure_ai_inference_client: Any = None,
        *,
        suppress_other_instrumentation: bool = True,
        capture_content: bool | None = None,
    ) -> AbstractContextManager[None]:
        """A context manager; clients stay as they are."""
        return nullcontext()

    def instrument_requests(
        self,
        excluded_urls: str | None = None,
        request_hook: Callable[..., None] | None = None,
        response_hook: Callable[..., None] | None = None,
        **kwargs: Any,
    ) -> None:
        """Would make a span of every HTTP request of `requests`."""

    def instrument_aiohttp_client(
        self,
        *,
        capture_headers: bool = False,
        request_hook: Callable[..., None] | None = None,
        response_hook: Callable[..., None] | None = None,
        **kwargs: Any,
    ) -> None:
        """Would make a span of every HTTP request of the client of `aiohttp`."""

    def records(self, level: int | None) -> bool:
        """Whether something of this level is made at all: it is not."""
        return False


def _unchanged(function: Callable[_P, _R]) -> Callable[_P, _R]:
    return function


DEFAULT_LOGFIRE_INSTANCE: Final = Logfire()


def configure(
    *,
    local: bool = False,
    send_to_logfire: bool | Literal['if-token-present'] | None = None,
    token: str | list[str] | None = None,
    service_name: str | None = None,
    service_version: str | None = None,
    environment: str | None = None,
    resource_attributes: Mapping[str, Any] | None = None,
    console: ConsoleOptions | Literal[False] | None = None,
    config_dir: Path | str | None = None,
    additional_span_processors: Sequence[Any] | None = None,
    metrics: MetricsOptions | Literal[False] | None = None,
    scrubbing: ScrubbingOptions | Literal[False] | None = None,
    inspect_arguments: bool | None = None,
    sampling: SamplingOptions | None = None,
    min_level: int | LevelName | None = None,
    add_baggage_to_attributes: bool = True,
    code_source: CodeSource | None = None,
    distributed_tracing: bool | None = None,
    advanced: AdvancedOptions | None = None,
    **others: Any,
) -> Logfire:
    """Configure nothing.

    Args: those of `logfire.configure()`, and any others that another version of it has.

    Returns:
        The instance that makes nothing.
    """
    return DEFAULT_LOGFIRE_INSTANCE


def add_non_user_code_prefix(path: str | Path) -> None:
    """Would count the code under a path as not the user's."""


def logfire_info() -> str:
    """What to tell of an installation when reporting a fault: that `logfire` is not installed."""
    return f'logfire is not installed\nlogfire-api="{VERSION}"'
