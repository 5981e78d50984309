"""A batch of telemetry as it is sent: one encoded OTLP request."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from google.protobuf.message import Message


@dataclass(frozen=True)
class Signal:
    """One kind of telemetry, and how OTLP names its parts."""

    name: str
    noun: str
    """What its items are called in a report."""
    levels: tuple[str, str, str]
    """The fields that lead from a request to its items."""

    def new_request(self) -> Message:
        """An empty request."""
        # Each is loaded with the first batch that has to be read, which is seldom.
        if self is TRACES:
            from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

            return ExportTraceServiceRequest()
        if self is LOGS:
            from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

            return ExportLogsServiceRequest()
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        return ExportMetricsServiceRequest()

    def rejected(self, response: bytes) -> int:
        """How many items the collector's answer says it did not take.

        Raises:
            ValueError: It is no answer that OTLP knows.
        """
        from google.protobuf.message import DecodeError
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

        try:
            if self is TRACES:
                return ExportTraceServiceResponse.FromString(response).partial_success.rejected_spans
            if self is LOGS:
                return ExportLogsServiceResponse.FromString(response).partial_success.rejected_log_records
            return ExportMetricsServiceResponse.FromString(response).partial_success.rejected_data_points
        except DecodeError:
            raise ValueError('not an OTLP response') from None


TRACES: Final = Signal('traces', 'spans', ('resource_spans', 'scope_spans', 'spans'))
LOGS: Final = Signal('logs', 'log records', ('resource_logs', 'scope_logs', 'log_records'))
METRICS: Final = Signal('metrics', 'metrics', ('resource_metrics', 'scope_metrics', 'metrics'))


@dataclass(frozen=True)
class Batch:
    """An encoded request, and how many spans, log records or metrics are in it.

    A stamp is unique in its process and grows: batches are delivered in the order of their stamps.
    """

    stamp: int
    items: int
    encoding: str
    """What the body is compressed with: `gzip`, `deflate` or nothing."""
    body: bytes

    def halves(self, signal: Signal) -> tuple[Batch, Batch]:
        """Two batches with the first and the other half of the items."""
        content = _DECODERS[self.encoding](self.body)
        middle = self.items // 2
        first, second = (signal.new_request() for _ in range(2))
        first.ParseFromString(content)
        second.ParseFromString(content)
        _keep(first, signal, range(middle))
        _keep(second, signal, range(middle, self.items))
        encode = _ENCODERS[self.encoding]
        return (
            replace(self, items=middle, body=encode(first.SerializeToString())),
            replace(self, items=self.items - middle, body=encode(second.SerializeToString())),
        )


def _keep(request: Message, signal: Signal, wanted: range) -> None:
    """Remove all items but those with these numbers, and what has become empty."""
    by_resource, by_scope, items = signal.levels
    number = 0
    resources = getattr(request, by_resource)
    for resource in resources:
        scopes = getattr(resource, by_scope)
        for scope in scopes:
            held = getattr(scope, items)
            count = len(held)
            begin, end = (min(max(bound - number, 0), count) for bound in (wanted.start, wanted.stop))
            del held[end:]
            del held[:begin]
            number += count
        _remove_empty(scopes, items)
    _remove_empty(resources, by_scope)


def _remove_empty(messages: Any, field: str) -> None:
    for index in reversed(range(len(messages))):
        if not getattr(messages[index], field):
            del messages[index]


def _same(body: bytes) -> bytes:
    return body


ENCODINGS: Final[Sequence[str]] = ('', 'gzip', 'deflate')
_DECODERS: Final[Mapping[str, Callable[[bytes], bytes]]] = dict(
    zip(ENCODINGS, (_same, gzip.decompress, zlib.decompress), strict=True)
)
_ENCODERS: Final[Mapping[str, Callable[[bytes], bytes]]] = dict(
    zip(ENCODINGS, (_same, gzip.compress, zlib.compress), strict=True)
)
