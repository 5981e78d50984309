"""Exporters that send over HTTP by OTLP: to Logfire for each token, and to where OpenTelemetry's variables point.

Loaded only when there is somewhere to send to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from logfire._internal.exporters.otlp_endpoints import has_otlp_endpoint
from logfire._internal.exporters.otlp_secrets import headers_withheld, new_session
from logfire.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk._logs.export import LogRecordExporter
    from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricExporter
    from opentelemetry.sdk.trace.export import SpanExporter

_REGION_URLS: Final = {
    'us': 'https://logfire-us.pydantic.dev',
    'eu': 'https://logfire-eu.pydantic.dev',
}
_DEFAULT_REGION: Final = 'us'
_TOKEN: Final = re.compile(r'pylf_v[0-9]+_(?P<region>[a-z]+)_')


@dataclass(frozen=True)
class OTLPExporters:
    """What sends to one place; None for a signal that does not go there."""

    spans: SpanExporter | None
    metrics: MetricExporter | None
    logs: LogRecordExporter | None
    shows_live_work: bool
    """Whether spans still running are announced there."""


def new_otlp_exporters(tokens: Sequence[str], base_url: str | None, *, metrics: bool) -> list[OTLPExporters]:
    """The exporters for every place that is configured.

    Args:
        tokens: The Logfire tokens; each is a place of its own.
        base_url: Root URL of the Logfire backend; None is that of each token's region.
        metrics: Whether metrics are sent at all.
    """
    places = [_to_logfire(token, base_url or region_url(token), metrics=metrics) for token in tokens]
    with headers_withheld():
        plain = _to_plain_otlp(metrics=metrics)
    return places if plain is None else [*places, plain]


def region_url(token: str) -> str:
    """Root URL of the Logfire backend that issued a token; that of the first region for a token that does not say."""
    match = _TOKEN.match(token)
    return _REGION_URLS.get(match['region'] if match else _DEFAULT_REGION, _REGION_URLS[_DEFAULT_REGION])


def _to_logfire(token: str, base_url: str, *, metrics: bool) -> OTLPExporters:
    common: dict[str, Any] = {
        'headers': {'Authorization': token, 'User-Agent': f'logfire/{VERSION}'},
        'compression': Compression.Gzip,
    }
    return OTLPExporters(
        spans=OTLPSpanExporter(f'{base_url}/v1/traces', session=new_session(), **common),
        metrics=_metric_exporter(
            endpoint=f'{base_url}/v1/metrics',
            session=new_session(),
            preferred_temporality=_delta_temporality(),
            **common,
        )
        if metrics
        else None,
        logs=_log_exporter(endpoint=f'{base_url}/v1/logs', session=new_session(), **common),
        shows_live_work=True,
    )


def _to_plain_otlp(*, metrics: bool) -> OTLPExporters | None:
    spans = OTLPSpanExporter(session=new_session()) if has_otlp_endpoint('TRACES') else None
    metric = _metric_exporter(session=new_session()) if metrics and has_otlp_endpoint('METRICS') else None
    logs = _log_exporter(session=new_session()) if has_otlp_endpoint('LOGS') else None
    if spans is None and metric is None and logs is None:
        return None
    return OTLPExporters(spans=spans, metrics=metric, logs=logs, shows_live_work=False)


def _metric_exporter(**options: Any) -> MetricExporter:
    # Loads the metrics SDK, which those without metrics do without.
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter(**options)


def _log_exporter(**options: Any) -> LogRecordExporter:
    # Its module has a private name; the name it is registered under for OTEL_LOGS_EXPORTER is public.
    (entry_point,) = entry_points(group='opentelemetry_logs_exporter', name='otlp_proto_http')
    return entry_point.load()(**options)


def _delta_temporality() -> dict[type, AggregationTemporality]:
    """What the Logfire backend wants: changes of what only grows and of distributions, the state of everything else."""
    from opentelemetry.sdk import metrics
    from opentelemetry.sdk.metrics.export import AggregationTemporality

    return {
        metrics.Counter: AggregationTemporality.DELTA,
        metrics.ObservableCounter: AggregationTemporality.DELTA,
        metrics.Histogram: AggregationTemporality.DELTA,
        metrics.UpDownCounter: AggregationTemporality.CUMULATIVE,
        metrics.ObservableUpDownCounter: AggregationTemporality.CUMULATIVE,
        metrics.ObservableGauge: AggregationTemporality.CUMULATIVE,
    }
