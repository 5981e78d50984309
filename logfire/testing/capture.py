"""Everything that a test captured, and a plain view of metrics."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logfire.testing.exporters import TestExporter, TestLogExporter

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader


@dataclass
class CaptureLogfire:
    """What the `capfire` fixture gives to a test."""

    exporter: TestExporter
    """Every span and log."""
    metrics_reader: InMemoryMetricReader
    """Every metric."""
    log_exporter: TestLogExporter
    """Every log record of the OpenTelemetry logs API."""

    def get_collected_metrics(self) -> list[dict[str, Any]]:
        """The metrics measured so far, as plain data."""
        return get_collected_metrics(self.metrics_reader)


def get_collected_metrics(metrics_reader: InMemoryMetricReader) -> list[dict[str, Any]]:
    """The metrics that a reader of `logfire.configure(metrics=MetricsOptions(additional_readers=[...]))` collected.

    One dictionary per metric, with the keys of OpenTelemetry's JSON form: `name`, `description`, `unit`, `data`.
    Metrics of OpenTelemetry about itself are left out.
    """
    data = metrics_reader.get_metrics_data()
    if data is None:
        return []
    return [
        metric
        for resource_metrics in json.loads(data.to_json())['resource_metrics']
        for scope_metrics in resource_metrics['scope_metrics']
        for metric in scope_metrics['metrics']
        if not metric['name'].startswith('otel.sdk.')
    ]
