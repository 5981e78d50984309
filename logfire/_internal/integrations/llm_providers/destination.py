"""Where an instrumentation's spans and measurements go, and whose settings hold for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from opentelemetry import metrics, trace

from logfire._internal.config.configuration import GLOBAL_CONFIG
from logfire._internal.main import DEFAULT_LOGFIRE_INSTANCE

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from logfire._internal.exception_callback import ExceptionCallback
    from logfire._internal.main import Logfire


class Destination(Protocol):
    """What an instrumentation asks of it. The settings are read at each call: they may be configured anew."""

    @property
    def tracer_provider(self) -> TracerProvider: ...
    @property
    def meter_provider(self) -> MeterProvider: ...
    @property
    def tags(self) -> Sequence[str]: ...
    @property
    def clock(self) -> Callable[[], int]: ...
    @property
    def unguarded_clock(self) -> Callable[[], int]: ...
    @property
    def exception_callback(self) -> ExceptionCallback | None: ...
    @property
    def collects_metrics(self) -> bool: ...
    @property
    def has_metric_reader(self) -> bool: ...


class LogfireDestination:
    """A `Logfire` instance: what `logfire.configure()` set up, then and later."""

    def __init__(self, logfire: Logfire) -> None:
        self._config = logfire.config
        self.tracer_provider: TracerProvider = logfire.config.tracer_provider
        self.meter_provider: MeterProvider = logfire.config.meter_provider
        self.tags: Sequence[str] = logfire.tags

    @property
    def clock(self) -> Callable[[], int]:
        return self._config.clock

    @property
    def unguarded_clock(self) -> Callable[[], int]:
        return self._config.advanced.ns_timestamp_generator

    @property
    def exception_callback(self) -> ExceptionCallback | None:
        return self._config.advanced.exception_callback

    @property
    def collects_metrics(self) -> bool:
        return self._config.collects_metrics

    @property
    def has_metric_reader(self) -> bool:
        return self._config.has_metric_reader


class ProviderDestination:
    """Plain OpenTelemetry providers: nothing of ours is configured there.

    Whether somebody reads the metrics cannot be asked of a meter provider: it is taken that somebody does.
    """

    tags: Sequence[str] = ()
    exception_callback: ExceptionCallback | None = None
    collects_metrics: bool = True
    has_metric_reader: bool = True

    def __init__(self, tracer_provider: TracerProvider, meter_provider: MeterProvider) -> None:
        self.tracer_provider = tracer_provider
        self.meter_provider = meter_provider
        self.clock: Callable[[], int] = time.time_ns
        self.unguarded_clock = self.clock


def opentelemetry_destination(
    tracer_provider: TracerProvider | None, meter_provider: MeterProvider | None
) -> Destination:
    """The given providers, and OpenTelemetry's global ones for those that are None.

    Where these are what `logfire.configure()` made, its settings hold.
    """
    tracer_provider = trace.get_tracer_provider() if tracer_provider is None else tracer_provider
    meter_provider = metrics.get_meter_provider() if meter_provider is None else meter_provider
    if tracer_provider is GLOBAL_CONFIG.tracer_provider and meter_provider is GLOBAL_CONFIG.meter_provider:
        return LogfireDestination(DEFAULT_LOGFIRE_INSTANCE)
    return ProviderDestination(tracer_provider, meter_provider)
