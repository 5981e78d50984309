"""Exporters that send over HTTP by OTLP: to Logfire for each token, and to where OpenTelemetry's variables point.

Loaded only when there is somewhere to send to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.otlp.proto.http import Compression

from logfire._internal.exporters.backlog import MemoryLimits
from logfire._internal.exporters.backoff import Backoff
from logfire._internal.exporters.batch import LOGS, METRICS, TRACES, Signal
from logfire._internal.exporters.disk_buffer import DiskBuffer
from logfire._internal.exporters.otlp_endpoints import has_otlp_endpoint
from logfire._internal.exporters.otlp_secrets import headers_withheld
from logfire._internal.exporters.otlp_session import OutboxSession
from logfire._internal.exporters.otlp_spans import OutboxSpanExporter
from logfire._internal.exporters.outbox import Outbox
from logfire.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import AggregationTemporality

    from logfire._internal.exporters.otlp_logs import OutboxLogExporter
    from logfire._internal.exporters.otlp_metrics import OutboxMetricExporter

TIMEOUT: Final = 10.0
"""How long the Logfire backend may take for each step of a request, in seconds."""

_REGION_URLS: Final = {
    'us': 'https://logfire-us.pydantic.dev',
    'eu': 'https://logfire-eu.pydantic.dev',
}
_DEFAULT_REGION: Final = 'us'
_TOKEN: Final = re.compile(r'pylf_v[0-9]+_(?P<region>[a-z]+)_')


@dataclass(frozen=True)
class BufferLimits:
    """What is kept of what cannot be delivered, for each signal and place."""

    memory: MemoryLimits
    folder: Path | None
    """Where more is kept, for all of them; None is nowhere."""
    folder_size: int
    """In bytes."""

    def new_outbox(self, signal: Signal) -> Outbox:
        """An outbox of its own for one signal and place."""
        disk = DiskBuffer(self.folder, self.folder_size) if self.folder is not None else None
        return Outbox(signal, self.memory, disk, backoff=Backoff)


@dataclass(frozen=True)
class OTLPExporters:
    """What sends to one place; None for a signal that does not go there."""

    spans: OutboxSpanExporter | None
    metrics: OutboxMetricExporter | None
    logs: OutboxLogExporter | None
    shows_live_work: bool
    """Whether spans still running are announced there."""


def new_otlp_exporters(
    tokens: Sequence[str], base_url: str | None, limits: BufferLimits, *, metrics: bool
) -> list[OTLPExporters]:
    """The exporters for every place that is configured.

    Args:
        tokens: The Logfire tokens; each is a place of its own.
        base_url: Root URL of the Logfire backend; None is that of each token's region.
        limits: What is kept of what cannot be delivered.
        metrics: Whether metrics are sent at all.
    """
    places = [_to_logfire(token, base_url or region_url(token), limits, metrics=metrics) for token in tokens]
    with headers_withheld():
        plain = _to_plain_otlp(limits, metrics=metrics)
    return places if plain is None else [*places, plain]


def region_url(token: str) -> str:
    """Root URL of the Logfire backend that issued a token; that of the first region for a token that does not say."""
    match = _TOKEN.match(token)
    return _REGION_URLS.get(match['region'] if match else _DEFAULT_REGION, _REGION_URLS[_DEFAULT_REGION])


def _to_logfire(token: str, base_url: str, limits: BufferLimits, *, metrics: bool) -> OTLPExporters:
    headers = {'Authorization': token, 'User-Agent': f'logfire/{VERSION}'}
    # All that OpenTelemetry's variables would else say of the collector they are meant for.
    common: dict[str, Any] = {'headers': headers, 'compression': Compression.Gzip, 'timeout': TIMEOUT}

    def session(signal: Signal) -> OutboxSession:
        return OutboxSession(limits.new_outbox(signal), headers)

    return OTLPExporters(
        spans=OutboxSpanExporter(session(TRACES), endpoint=f'{base_url}/v1/traces', **common),
        metrics=_metric_exporter(
            session(METRICS),
            endpoint=f'{base_url}/v1/metrics',
            preferred_temporality=_delta_temporality(),
            **common,
        )
        if metrics
        else None,
        logs=_log_exporter(session(LOGS), endpoint=f'{base_url}/v1/logs', **common),
        shows_live_work=True,
    )


def _to_plain_otlp(limits: BufferLimits, *, metrics: bool) -> OTLPExporters | None:
    def session(signal: Signal) -> OutboxSession:
        return OutboxSession(limits.new_outbox(signal))

    spans = OutboxSpanExporter(session(TRACES)) if has_otlp_endpoint('TRACES') else None
    metric = _metric_exporter(session(METRICS)) if metrics and has_otlp_endpoint('METRICS') else None
    logs = _log_exporter(session(LOGS)) if has_otlp_endpoint('LOGS') else None
    if spans is None and metric is None and logs is None:
        return None
    return OTLPExporters(spans=spans, metrics=metric, logs=logs, shows_live_work=False)


def _metric_exporter(session: OutboxSession, **options: Any) -> OutboxMetricExporter:
    # Loads the metrics SDK, which those without metrics do without.
    from logfire._internal.exporters.otlp_metrics import OutboxMetricExporter

    return OutboxMetricExporter(session, **options)


def _log_exporter(session: OutboxSession, **options: Any) -> OutboxLogExporter:
    # Loads the logs SDK.
    from logfire._internal.exporters.otlp_logs import OutboxLogExporter

    return OutboxLogExporter(session, **options)


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
