"""The meter provider that can be given out before anything is configured, and follows every later configuration.

Its instruments forward to those of what is configured now; observable ones are made again in each configuration.
Without a reader they forward to OpenTelemetry's no-op instruments. They are loaded with the first meter.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from opentelemetry import metrics
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.util.types import Attributes

from logfire._internal.forks import ForkSafeLock

if TYPE_CHECKING:
    from typing import Protocol

    from opentelemetry.sdk.metrics import MeterProvider as SDKMeterProvider

    from logfire._internal.config.instruments import ProxyMeter
    from logfire._internal.exporters.span_metrics import SpanMetrics

    class Bindable(Protocol):
        """An instrument."""

        scope: str

        def bind(self, provider: metrics.MeterProvider, span_metrics: SpanMetrics | None) -> None: ...


class ProxyMeterProvider(metrics.MeterProvider):
    """OpenTelemetry's meter provider of the newest configuration, behind an object that stays the same."""

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._provider: metrics.MeterProvider = NoOpMeterProvider()
        self._sdk_provider: SDKMeterProvider | None = None
        self._span_metrics: SpanMetrics | None = None
        # Observable instruments are kept for good, as OpenTelemetry does: callers drop what `create_observable_…`
        # returns.
        self._observables: list[Bindable] = []
        self._instruments: weakref.WeakSet[Bindable] = weakref.WeakSet()
        self._suppressed_scopes: frozenset[str] = frozenset()

    def get_meter(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> ProxyMeter:
        """A meter for a scope; see OpenTelemetry's `MeterProvider.get_meter`."""
        from logfire._internal.config.instruments import ProxyMeter

        return ProxyMeter(
            self,
            lambda provider: provider.get_meter(name, version, schema_url, attributes),
            name,
            version,
            schema_url,
        )

    def forget_observables(self) -> None:
        """Leave the observable instruments made so far out of later configurations: for tests."""
        with self._lock:
            self._observables.clear()

    def use(self, provider: SDKMeterProvider | None, *, span_metrics: SpanMetrics | None = None) -> None:
        """Forward to `provider` from now on, and to `span_metrics` what counters and histograms measure."""
        with self._lock:
            self._sdk_provider = provider
            self._provider = provider or NoOpMeterProvider()
            self._span_metrics = span_metrics
            self._bind_all()

    def suppress_scopes(self, *scopes: str) -> None:
        """Drop the measurements of these scopes, of instruments already made too."""
        with self._lock:
            self._suppressed_scopes = self._suppressed_scopes.union(scopes)
            self._bind_all()

    def unsuppress_scopes(self) -> None:
        """Suppress no scope any more."""
        with self._lock:
            self._suppressed_scopes = frozenset()
            self._bind_all()

    def add(self, instrument: Bindable, *, observable: bool = False) -> None:
        """Point an instrument just made at what is configured, now and later."""
        with self._lock:
            if observable:
                self._observables.append(instrument)
            self._instruments.add(instrument)
            self._bind(instrument)

    def _bind_all(self) -> None:
        for instrument in list(self._instruments):
            self._bind(instrument)

    def _bind(self, instrument: Bindable) -> None:
        suppressed = instrument.scope in self._suppressed_scopes
        if suppressed:
            instrument.bind(NoOpMeterProvider(), None)
        else:
            instrument.bind(self._provider, self._span_metrics)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Export what is held; whether it was done in time."""
        return self._sdk_provider is None or self._sdk_provider.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000) -> None:
        """Shut the configured provider down; later measurements are dropped."""
        if self._sdk_provider is not None:
            self._sdk_provider.shutdown(timeout_millis)
