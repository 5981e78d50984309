"""Batches as they are sent, and their halves."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from logfire._internal.exporters.batch import LOGS, METRICS, TRACES, Batch, Signal

REQUESTS: dict[str, Any] = {
    'traces': ExportTraceServiceRequest,
    'logs': ExportLogsServiceRequest,
    'metrics': ExportMetricsServiceRequest,
}


def request(signal: Signal, *resources: list[list[str]]) -> Any:
    """A request with scopes of items of these names, by resource."""
    by_resource, by_scope, items = signal.levels
    made = REQUESTS[signal.name]()
    for resource in resources:
        added = getattr(made, by_resource).add()
        added.schema_url = 'kept'
        for scope in resource:
            holder = getattr(added, by_scope).add()
            for name in scope:
                item = getattr(holder, items).add()
                if signal is LOGS:
                    item.severity_text = name
                else:
                    item.name = name
    return made


@pytest.mark.parametrize('signal', [TRACES, LOGS, METRICS], ids=lambda signal: signal.name)
@pytest.mark.parametrize(
    ('encoding', 'encode', 'decode'),
    [('', bytes, bytes), ('gzip', gzip.compress, gzip.decompress), ('deflate', zlib.compress, zlib.decompress)],
)
def test_halves_hold_everything_once(
    signal: Signal, encoding: str, encode: Callable[[bytes], bytes], decode: Callable[[bytes], bytes]
) -> None:
    """The halves of a batch hold its items in order, under their own resource and scope, and nothing empty."""
    whole = request(signal, [['a', 'b'], ['c']], [['d', 'e']])
    batch = Batch(7, 5, encoding, encode(whole.SerializeToString()))
    first, second = batch.halves(signal)
    assert decode(first.body) == request(signal, [['a', 'b']]).SerializeToString()
    assert decode(second.body) == request(signal, [['c']], [['d', 'e']]).SerializeToString()
    assert [(half.stamp, half.items, half.encoding) for half in (first, second)] == [(7, 2, encoding), (7, 3, encoding)]


def test_rejected_items_are_read_from_every_answer() -> None:
    """Each signal's answer has its own way to say how much was not taken."""
    answers: list[tuple[Signal, Any]] = [
        (TRACES, ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=1))),
        (LOGS, ExportLogsServiceResponse(partial_success=ExportLogsPartialSuccess(rejected_log_records=2))),
        (METRICS, ExportMetricsServiceResponse(partial_success=ExportMetricsPartialSuccess(rejected_data_points=3))),
    ]
    assert [signal.rejected(answer.SerializeToString()) for signal, answer in answers] == [1, 2, 3]
    assert TRACES.rejected(b'') == 0
    with pytest.raises(ValueError, match='not an OTLP response'):
        TRACES.rejected(b'<html>')
