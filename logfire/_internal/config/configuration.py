"""The configuration in use, and `logfire.configure()`, which replaces it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final, Literal

from logfire._internal import forks, lifecycle
from logfire._internal.config.defaults import DefaultAdvancedOptions
from logfire._internal.config.settings import Settings, ignores_no_config
from logfire._internal.config.tracers import ProxyTracerProvider
from logfire._internal.context import set_distributed_tracing
from logfire._internal.deadline import DeadlineRunner
from logfire._internal.errors import Guard
from logfire._internal.forks import ForkSafeLock
from logfire._internal.scrubbing import NOOP_SCRUBBER, Scrubber
from logfire._internal.stack_info import warn_user
from logfire.exceptions import LogfireNotConfiguredWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from opentelemetry.sdk.trace import SpanProcessor
    from typing_extensions import Unpack

    from logfire._internal.config.loggers import ProxyLoggerProvider
    from logfire._internal.config.meters import ProxyMeterProvider
    from logfire._internal.config.options import AdvancedOptions, CodeSource, ConsoleOptions, MetricsOptions
    from logfire._internal.config.pipeline import Pipeline
    from logfire._internal.config.settings import Advanced, Keywords
    from logfire._internal.exporters.processors import SpanPipeline
    from logfire._internal.levels import LevelName
    from logfire._internal.main import Logfire
    from logfire._internal.sampling import SamplingOptions
    from logfire._internal.scrubbing_options import ScrubbingOptions

REPLACED_TIMEOUT_MILLIS: Final = 3_000
"""How long a new configuration waits for the one it replaces to export what it holds."""

EXIT_TIMEOUT_MILLIS: Final = 10_000
"""How long the exit of the interpreter waits for what is not exported yet."""

FLUSH_SHARE: Final = 0.7
"""The part of a shutdown's time that exporting may take; in the rest is written down or reported what is left."""


class LogfireConfig:
    """One configuration and what it is made of.

    The providers are made once and follow every later `configure()`. Only `configure()`, `shutdown()` and `reset()`
    write the attributes; others read them.
    """

    def __init__(self) -> None:
        self._lock = ForkSafeLock(reentrant=True)
        self._runner = DeadlineRunner('logfire-flush')
        self._meter_provider: ProxyMeterProvider | None = None
        self._logger_provider: ProxyLoggerProvider | None = None
        self._span_pipeline: SpanPipeline | None = None
        self._pipeline: Pipeline | None = None
        self.tracer_provider: Final = ProxyTracerProvider()
        self._set_defaults()

    def _set_defaults(self) -> None:
        self.initialized: bool = False
        self.min_level: int = 0
        self.inspect_arguments: bool = False
        self.scrubber: Scrubber = NOOP_SCRUBBER
        self.has_metric_reader: bool = False
        self.collects_metrics: bool = False
        self.add_baggage_to_attributes: bool = True
        self.distributed_tracing: bool | None = None
        self.advanced: Advanced = DefaultAdvancedOptions()
        self.clock: Callable[[], int] = time.time_ns

    # The APIs of metrics and logs are loaded when they are first used.

    @property
    def meter_provider(self) -> ProxyMeterProvider:
        """Always the same object; its meters follow every configuration."""
        with self._lock:
            if self._meter_provider is None:
                from logfire._internal.config.meters import ProxyMeterProvider

                self._meter_provider = ProxyMeterProvider()
            return self._meter_provider

    @property
    def logger_provider(self) -> ProxyLoggerProvider:
        """Always the same object; its loggers follow every configuration."""
        with self._lock:
            if self._logger_provider is None:
                from logfire._internal.config.loggers import ProxyLoggerProvider

                self._logger_provider = ProxyLoggerProvider()
            return self._logger_provider

    def configure(self, **keywords: Unpack[Keywords]) -> None:
        """Replace the configuration; the keywords are those of `logfire.configure()` apart from `local`.

        What the replaced one still holds is exported before this returns, within `REPLACED_TIMEOUT_MILLIS`.

        Raises:
            LogfireConfigError: A value is not allowed. Nothing has been changed.
        """
        settings = Settings(keywords)
        from logfire._internal.config.pipeline import new_pipeline
        from logfire._internal.exporters.processors import SpanPipeline

        with self._lock:
            if self._span_pipeline is None:
                self._span_pipeline = SpanPipeline(self._runner)
            replaced = self._pipeline
            pipeline = self._pipeline = new_pipeline(settings, self._span_pipeline, self._runner)
            pipeline.prepare(self._runner)
            pipeline.open()
            self.min_level = settings.min_level
            self.inspect_arguments = settings.inspect_arguments
            self.scrubber = settings.scrubber
            self.has_metric_reader = bool(pipeline.metric_readers)
            self.collects_metrics = self.has_metric_reader or pipeline.span_metrics is not None
            self.add_baggage_to_attributes = settings.add_baggage_to_attributes
            self.distributed_tracing = settings.distributed_tracing
            self.advanced = settings.advanced
            self.clock = _guarded(settings.advanced.ns_timestamp_generator)
            self.tracer_provider.use(pipeline.tracer_provider, clock=self.clock)
            self.meter_provider.use(pipeline.meter_provider, span_metrics=pipeline.span_metrics)
            self.logger_provider.use(pipeline.logger_provider)
            self.initialized = True
            _open_configs.add(self)
        if _is_child_of_multiprocessing():
            lifecycle.watch_end_of_child()
        if replaced is not None:
            replaced.shutdown(self._runner, REPLACED_TIMEOUT_MILLIS / 1_000, keep=pipeline)

    def warn_if_not_initialized(self) -> None:
        """Warn, once per process, that nothing is recorded until `logfire.configure()` is called."""
        global _warned
        if self.initialized or _warned:
            return
        _warned = True
        if ignores_no_config():
            return
        warn_user(
            'Nothing is recorded until `logfire.configure()` has been called. If that is intended, set the environment '
            'variable LOGFIRE_IGNORE_NO_CONFIG=1, or `ignore_no_config = true` in [tool.logfire] of pyproject.toml.',
            LogfireNotConfiguredWarning,
        )

    def force_flush(self, timeout_millis: int = 3_000) -> bool:
        """Export what is held.

        Args:
            timeout_millis: How long to wait at most, in milliseconds.

        Returns:
            Whether everything was exported in time. What was not is still being worked on.
        """
        return self._flush(timeout_millis / 1_000)

    def _flush(self, timeout_seconds: float, *, drain: bool = False) -> bool:
        deadline = time.monotonic() + timeout_seconds
        handed_over = lifecycle.before_flush(timeout_seconds)
        pipeline = self._pipeline
        if pipeline is None:
            return handed_over
        left = max(0.0, deadline - time.monotonic())
        return pipeline.force_flush(self._runner, left, drain=drain) and handed_over

    def shutdown(self, timeout_millis: int = 30_000, flush: bool = True) -> bool:
        """Stop recording for good, or until `configure()` is called again. Further use is harmless and records nothing.

        Args:
            timeout_millis: How long to wait at most, in milliseconds.
            flush: Whether to wait for what is held to be exported first.

        Returns:
            Whether it was done in time. What was not is still being worked on.
        """
        deadline = time.monotonic() + timeout_millis / 1_000
        flushed = self._flush(timeout_millis / 1_000 * FLUSH_SHARE, drain=True) if flush else True
        with self._lock:
            pipeline, self._pipeline = self._pipeline, None
            if pipeline is None:
                return flushed
            _open_configs.discard(self)
            self.tracer_provider.use(None)
            self.meter_provider.use(None)
            self.logger_provider.use(None)
            pipeline.close()
        return pipeline.shutdown(self._runner, max(0.0, deadline - time.monotonic())) and flushed

    def begin_child(self) -> None:
        """Go on in a process that was just forked from the one that was configured."""
        if self._pipeline is not None:
            self._pipeline = pipeline = self._pipeline.in_child()
            self.tracer_provider.replace(pipeline.tracer_provider)
            self.logger_provider.replace(pipeline.logger_provider)
            pipeline.prepare(self._runner)

    def reset(self) -> None:
        """Shut down and be as before the first `configure()`: for tests, so that none sees another's configuration."""
        global _warned
        self.shutdown()
        with self._lock:
            for provider in (self.tracer_provider, self.meter_provider, self.logger_provider):
                provider.unsuppress_scopes()
            self.meter_provider.forget_observables()
            self._set_defaults()
            _warned = False


def _guarded(clock: Callable[[], int]) -> Callable[[], int]:
    """The clock, held so that a fault of the user's goes no further; the system's own as it is."""
    if clock is time.time_ns:
        return clock
    from logfire._internal.config.generators import guarded_clock

    return guarded_clock(clock)


_BEGIN_CHILD: Final = Guard('go on recording in a forked child')

_warned = False
_globals_are_set = False
_globals_lock: Final = ForkSafeLock()

# Those with something to shut down when the interpreter exits.
_open_configs: Final[set[LogfireConfig]] = set()

GLOBAL_CONFIG: Final = LogfireConfig()
"""The configuration of `logfire.configure()` and of OpenTelemetry's global providers."""


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
    additional_span_processors: Sequence[SpanProcessor] | None = None,
    metrics: MetricsOptions | Literal[False] | None = None,
    scrubbing: ScrubbingOptions | Literal[False] | None = None,
    inspect_arguments: bool | None = None,
    sampling: SamplingOptions | None = None,
    min_level: int | LevelName | None = None,
    add_baggage_to_attributes: bool = True,
    code_source: CodeSource | None = None,
    distributed_tracing: bool | None = None,
    advanced: AdvancedOptions | None = None,
) -> Logfire:
    """Configure what is recorded and where it goes. Call it once, when your program starts; a later call replaces it.

    What is not given (None or empty) is read from the environment, then from `[tool.logfire]` of `pyproject.toml`,
    then has the
    default. Without a token or an OpenTelemetry endpoint nothing leaves the process: the console is the view.

    Args:
        local: Return an instance with a configuration of its own, and leave the global one and OpenTelemetry's alone.
        send_to_logfire: Whether to send to Logfire. The default `'if-token-present'` sends if there is a token; True
            requires one. `LOGFIRE_SEND_TO_LOGFIRE`.
        token: The write token of a Logfire project, or several to send to each. It says which region to send to.
            Never read from a file. `LOGFIRE_TOKEN`, where several are separated by commas.
        service_name: What this program is called. `LOGFIRE_SERVICE_NAME`, `OTEL_SERVICE_NAME`.
        service_version: The version that runs; without one the git revision of the working directory.
            `LOGFIRE_SERVICE_VERSION`, `OTEL_SERVICE_VERSION`.
        environment: Such as `production` or `staging`. `LOGFIRE_ENVIRONMENT`.
        resource_attributes: More OpenTelemetry attributes that describe this process. They stand over
            `OTEL_RESOURCE_ATTRIBUTES` and under the keywords above.
        console: How to show spans and logs on the console; False shows none. `LOGFIRE_CONSOLE`,
            `LOGFIRE_CONSOLE_COLORS`, `LOGFIRE_CONSOLE_SPAN_STYLE`, `LOGFIRE_CONSOLE_INCLUDE_TIMESTAMP`,
            `LOGFIRE_CONSOLE_INCLUDE_TAGS`, `LOGFIRE_CONSOLE_VERBOSE`, `LOGFIRE_CONSOLE_MIN_LOG_LEVEL`.
        config_dir: Where `pyproject.toml` is; the working directory by default. `LOGFIRE_CONFIG_DIR`.
        additional_span_processors: OpenTelemetry span processors that get every span, scrubbed.
        metrics: Where metrics go and how they are aggregated; False records none.
        scrubbing: What to remove from what is recorded besides the built-in patterns; False removes nothing.
        inspect_arguments: Take f-strings apart, so that `f'hello {name}'` records `name`. On by default from Python
            3.11. `LOGFIRE_INSPECT_ARGUMENTS`.
        sampling: Which traces to keep. `LOGFIRE_TRACE_SAMPLE_RATE`, `OTEL_TRACES_SAMPLER_ARG`.
        min_level: Logs below this level, and spans given a lower one, are not recorded. `LOGFIRE_MIN_LEVEL`.
        add_baggage_to_attributes: Record the OpenTelemetry baggage as attributes of every span.
        code_source: Where the source code of this program is.
        distributed_tracing: Whether to continue traces that requests from elsewhere carry. Unset continues them and
            warns once. `LOGFIRE_DISTRIBUTED_TRACING`.
        advanced: What few programs need.

    Returns:
        The instance that is configured.

    Raises:
        LogfireConfigError: A value is not allowed; the message says which, where it came from and what is allowed.
            Nothing has been changed.
    """
    from logfire._internal.main import DEFAULT_LOGFIRE_INSTANCE, Logfire

    config = LogfireConfig() if local else GLOBAL_CONFIG
    config.configure(
        send_to_logfire=send_to_logfire,
        token=token,
        service_name=service_name,
        service_version=service_version,
        environment=environment,
        resource_attributes=resource_attributes,
        console=console,
        config_dir=config_dir,
        additional_span_processors=additional_span_processors,
        metrics=metrics,
        scrubbing=scrubbing,
        inspect_arguments=inspect_arguments,
        sampling=sampling,
        min_level=min_level,
        add_baggage_to_attributes=add_baggage_to_attributes,
        code_source=code_source,
        distributed_tracing=distributed_tracing,
        advanced=advanced,
    )
    if local:
        return Logfire(config)
    _set_opentelemetry_globals()
    set_distributed_tracing(GLOBAL_CONFIG.distributed_tracing)
    return DEFAULT_LOGFIRE_INSTANCE


def _set_opentelemetry_globals() -> None:
    """Make our providers OpenTelemetry's, once; what somebody else set before stays."""
    global _globals_are_set
    with _globals_lock:
        if _globals_are_set:
            return
        _globals_are_set = True
        from opentelemetry import _logs, metrics, trace

        # Until somebody sets one, OpenTelemetry gives out stand-ins of its API package.
        if _is_of(trace.get_tracer_provider(), trace.__name__):
            trace.set_tracer_provider(GLOBAL_CONFIG.tracer_provider)
        if _is_of(metrics.get_meter_provider(), metrics.__name__):
            metrics.set_meter_provider(GLOBAL_CONFIG.meter_provider)
        if _is_of(_logs.get_logger_provider(), _logs.__name__):
            _logs.set_logger_provider(GLOBAL_CONFIG.logger_provider)


def _is_of(provider: object, package: str) -> bool:
    return f'{type(provider).__module__}.'.startswith(f'{package}.')


def _is_child_of_multiprocessing() -> bool:
    multiprocessing = sys.modules.get('multiprocessing')
    # While such a process imports the main module, it has a name already, but no parent yet.
    return multiprocessing is not None and multiprocessing.current_process().name != 'MainProcess'


def _for_each_open(stop: Callable[[LogfireConfig, int], object]) -> None:
    deadline = time.monotonic() + EXIT_TIMEOUT_MILLIS / 1_000
    for config in list(_open_configs):
        stop(config, max(0, int((deadline - time.monotonic()) * 1_000)))


def _begin_child() -> None:
    for config in list(_open_configs):
        with _BEGIN_CHILD:
            config.begin_child()
    if _open_configs:
        lifecycle.watch_end_of_child()


lifecycle.on_exit(lambda: _for_each_open(LogfireConfig.shutdown), last=True)
lifecycle.on_end_of_child(lambda: _for_each_open(LogfireConfig.force_flush))
forks.in_child(_begin_child, last=True)
