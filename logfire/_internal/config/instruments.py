"""Meters and instruments that forward to what their provider says: the ones of `ProxyMeterProvider`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from opentelemetry import metrics
from opentelemetry.context import Context
from opentelemetry.metrics import (
    CallbackT,
    Counter,
    Histogram,
    Meter,
    NoOpMeterProvider,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
)
from opentelemetry.util.types import Attributes

from logfire._internal import errors

if TYPE_CHECKING:
    from logfire._internal.config.meters import ProxyMeterProvider
    from logfire._internal.exporters.span_metrics import SpanMetrics

_MEASURE: Final = 'record a measurement'

_InstrumentT = TypeVar('_InstrumentT')


class _Forward(Generic[_InstrumentT]):
    """What an instrument forwards to, and how to make that anew in another provider."""

    def __init__(self, scope: str, name: str, new: Callable[[metrics.MeterProvider], _InstrumentT]) -> None:
        self.scope = scope
        self.name = name
        self._new = new
        self._target = new(NoOpMeterProvider())
        self._span_metrics: SpanMetrics | None = None

    def bind(self, provider: metrics.MeterProvider, span_metrics: SpanMetrics | None) -> None:
        self._span_metrics = span_metrics
        self._target = self._new(provider)


class ProxyCounter(_Forward[Counter], Counter):
    """A counter that its provider points at what is configured."""

    def add(self, amount: float, attributes: Attributes = None, context: Context | None = None) -> None:
        try:
            self._target.add(amount, attributes, context)
        except Exception as fault:
            errors.handle(_MEASURE, fault)
        if self._span_metrics is not None:
            self._span_metrics.record(self.name, amount, attributes, context)


class ProxyUpDownCounter(_Forward[UpDownCounter], UpDownCounter):
    """An up-down counter that its provider points at what is configured."""

    def add(self, amount: float, attributes: Attributes = None, context: Context | None = None) -> None:
        try:
            self._target.add(amount, attributes, context)
        except Exception as fault:
            errors.handle(_MEASURE, fault)


class ProxyHistogram(_Forward[Histogram], Histogram):
    """A histogram that its provider points at what is configured."""

    def record(self, amount: float, attributes: Attributes = None, context: Context | None = None) -> None:
        try:
            self._target.record(amount, attributes, context)
        except Exception as fault:
            errors.handle(_MEASURE, fault)
        if self._span_metrics is not None:
            self._span_metrics.record(self.name, amount, attributes, context)


class _Gauge(Protocol):
    """OpenTelemetry's gauge, which its API exports under a private name only."""

    def set(self, amount: float, attributes: Attributes = None, context: Context | None = None) -> None: ...


class ProxyGauge(_Forward[_Gauge]):
    """A gauge that its provider points at what is configured."""

    def set(self, amount: float, attributes: Attributes = None, context: Context | None = None) -> None:
        """Set the current value."""
        try:
            self._target.set(amount, attributes, context)
        except Exception as fault:
            errors.handle(_MEASURE, fault)


class _ProxyObservableCounter(_Forward[ObservableCounter], ObservableCounter): ...


class _ProxyObservableUpDownCounter(_Forward[ObservableUpDownCounter], ObservableUpDownCounter): ...


class _ProxyObservableGauge(_Forward[ObservableGauge], ObservableGauge): ...


class ProxyMeter(Meter):
    """A meter whose instruments follow every configuration."""

    def __init__(
        self,
        provider: ProxyMeterProvider,
        new_meter: Callable[[metrics.MeterProvider], Meter],
        name: str,
        version: str | None,
        schema_url: str | None,
    ) -> None:
        super().__init__(name, version, schema_url)
        self._provider = provider
        self._new_meter = new_meter

    def create_counter(self, name: str, unit: str = '', description: str = '') -> ProxyCounter:
        """A counter; see OpenTelemetry's `Meter.create_counter`."""
        new_meter = self._new_meter
        instrument = ProxyCounter(self.name, name, lambda p: new_meter(p).create_counter(name, unit, description))
        self._provider.add(instrument)
        return instrument

    def create_up_down_counter(self, name: str, unit: str = '', description: str = '') -> ProxyUpDownCounter:
        """An up-down counter; see OpenTelemetry's `Meter.create_up_down_counter`."""
        new_meter = self._new_meter
        instrument = ProxyUpDownCounter(
            self.name, name, lambda p: new_meter(p).create_up_down_counter(name, unit, description)
        )
        self._provider.add(instrument)
        return instrument

    def create_histogram(
        self,
        name: str,
        unit: str = '',
        description: str = '',
        *,
        explicit_bucket_boundaries_advisory: Sequence[float] | None = None,
    ) -> ProxyHistogram:
        """A histogram; see OpenTelemetry's `Meter.create_histogram`."""
        new_meter = self._new_meter
        instrument = ProxyHistogram(
            self.name,
            name,
            lambda p: new_meter(p).create_histogram(
                name, unit, description, explicit_bucket_boundaries_advisory=explicit_bucket_boundaries_advisory
            ),
        )
        self._provider.add(instrument)
        return instrument

    # The API exports its gauge under a private name only.
    def create_gauge(  # pyright: ignore[reportIncompatibleMethodOverride] - see above.
        self, name: str, unit: str = '', description: str = ''
    ) -> ProxyGauge:
        """A gauge; see OpenTelemetry's `Meter.create_gauge`."""
        new_meter = self._new_meter
        instrument = ProxyGauge(self.name, name, lambda p: new_meter(p).create_gauge(name, unit, description))
        self._provider.add(instrument)
        return instrument

    def create_observable_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = '', description: str = ''
    ) -> ObservableCounter:
        """A counter that is asked for its value; see OpenTelemetry's `Meter.create_observable_counter`."""
        new_meter = self._new_meter
        instrument = _ProxyObservableCounter(
            self.name, name, lambda p: new_meter(p).create_observable_counter(name, callbacks, unit, description)
        )
        self._provider.add(instrument, observable=True)
        return instrument

    def create_observable_up_down_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = '', description: str = ''
    ) -> ObservableUpDownCounter:
        """An up-down counter that is asked for its value; see OpenTelemetry's own."""
        new_meter = self._new_meter
        instrument = _ProxyObservableUpDownCounter(
            self.name,
            name,
            lambda p: new_meter(p).create_observable_up_down_counter(name, callbacks, unit, description),
        )
        self._provider.add(instrument, observable=True)
        return instrument

    def create_observable_gauge(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = '', description: str = ''
    ) -> ObservableGauge:
        """A gauge that is asked for its value; see OpenTelemetry's `Meter.create_observable_gauge`."""
        new_meter = self._new_meter
        instrument = _ProxyObservableGauge(
            self.name, name, lambda p: new_meter(p).create_observable_gauge(name, callbacks, unit, description)
        )
        self._provider.add(instrument, observable=True)
        return instrument
