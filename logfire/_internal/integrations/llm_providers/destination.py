"""Where an instrumentation's spans and measurements go, and whose settings hold for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from opentelemetry import metrics, trace

from logfire._internal.config.configuration import GLOBAL_CONFIG
from logfire._internal.config.defaults import DefaultAdvancedOptions
from logfire._internal.main import DEFAULT_LOGFIRE_INSTANCE

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from logfire._internal.config.settings import Advanced
    from logfire._internal.main import Logfire


class Settings(Protocol):
    """The settings that an instrumentation reads at each call: they may be configured anew."""

    @property
    def clock(self) -> Callable[[], int]: ...
    @property
    def advanced(self) -> Advanced: ...
    @property
    def collects_metrics(self) -> bool: ...
    @property
    def has_metric_reader(self) -> bool: ...


class Destination:
    """What an instrumentation asks of it."""

    def __init__(
        self,
        tracer_provider: TracerProvider,
        meter_provider: MeterProvider,
        settings: Settings,
        tags: Sequence[str] = (),
    ) -> None:
        self.tracer_provider: Final = tracer_provider
        self.meter_provider: Final = meter_provider
        self.settings: Final = settings
        self.tags: Final = tags


class _NoSettings:
    """Those of plain OpenTelemetry providers: nothing of ours is configured there.

    Whether somebody reads the metrics cannot be asked of a meter provider: it is taken that somebody does.
    """

    collects_metrics = True
    has_metric_reader = True

    def __init__(self) -> None:
        self.clock: Callable[[], int] = time.time_ns
        self.advanced: Advanced = DefaultAdvancedOptions()


def logfire_destination(logfire: Logfire) -> Destination:
    """A `Logfire` instance: what `logfire.configure()` set up, then and later."""
    config = logfire.config
    return Destination(config.tracer_provider, config.meter_provider, config, logfire.tags)


def opentelemetry_destination(
    tracer_provider: TracerProvider | None, meter_provider: MeterProvider | None
) -> Destination:
    """The given providers, and OpenTelemetry's global ones for those that are None.

    Where these are what `logfire.configure()` made, its settings hold.
    """
    tracer_provider = trace.get_tracer_provider() if tracer_provider is None else tracer_provider
    meter_provider = metrics.get_meter_provider() if meter_provider is None else meter_provider
    if tracer_provider is GLOBAL_CONFIG.tracer_provider and meter_provider is GLOBAL_CONFIG.meter_provider:
        return logfire_destination(DEFAULT_LOGFIRE_INSTANCE)
    return Destination(tracer_provider, meter_provider, _NoSettings())
