"""Metrics over OTLP: OpenTelemetry's reader and encoder, and an outbox of ours."""

from __future__ import annotations

import functools
import time
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData, PeriodicExportingMetricReader

from logfire._internal.exporters.draining import Draining
from logfire._internal.exporters.otlp_session import OutboxSession


class OutboxMetricExporter(OTLPMetricExporter):
    """OpenTelemetry's exporter, with options `options`, whose requests go into an outbox."""

    def __init__(self, session: OutboxSession, **options: Any) -> None:
        super().__init__(session=session, **options)
        self.outbox = session.outbox
        self._outbox_session = session
        session.outbox.prime = lambda: self.export(MetricsData([]))

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        count = sum(
            len(scope.metrics) for resource in metrics_data.resource_metrics for scope in resource.scope_metrics
        )
        if not self._outbox_session.accept(count, functools.partial(self._encode, metrics_data)):
            self._outbox_session.lose_unencodable(count)
        return MetricExportResult.SUCCESS

    def _encode(self, metrics_data: MetricsData) -> None:
        super().export(metrics_data)  # pyright: ignore[reportUnknownMemberType] - OpenTelemetry's **kwargs are untyped.

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        self._outbox_session.shut_down()
        super().shutdown(timeout_millis)  # pyright: ignore[reportUnknownMemberType] - its **kwargs are untyped.


class OutboxMetricReader(PeriodicExportingMetricReader, Draining):
    """OpenTelemetry's reader, whose flush waits until all is delivered."""

    def __init__(self, exporter: OutboxMetricExporter) -> None:
        super().__init__(exporter)
        self.outbox = exporter.outbox

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        deadline = time.monotonic() + timeout_millis / 1_000
        lost = self.outbox.lost_so_far
        flushed = super().force_flush(timeout_millis)
        return flushed and self.outbox.flush(deadline - time.monotonic(), lost_before=lost)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        self.finish(timeout_millis)

    def finish(self, timeout_millis: float) -> None:
        deadline = time.monotonic() + timeout_millis / 1_000
        super().shutdown(timeout_millis)  # pyright: ignore[reportUnknownMemberType] - the same.
        self.outbox.close(deadline - time.monotonic())
