"""A collector that speaks OTLP over HTTP on the loopback interface and keeps what it is sent, decoded."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Delivery:
    """One request that the collector was sent."""

    path: str
    headers: Mapping[str, str]
    """The keys in lower case."""
    body: bytes
    """Decompressed."""


class Collector:
    """Answers every export with `status`; while `silent` is set it reads requests and does not answer them.

    Every wait in it is bounded: leaving the `with` block lets go of those who wait for an answer.
    """

    def __init__(self, *, status: int = 200, silent: bool = False) -> None:
        self.status = status
        self.deliveries: list[Delivery] = []
        self._lock = threading.Lock()
        self._answer = threading.Event()
        if not silent:
            self._answer.set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers['Content-Length']))
                headers = {key.lower(): value for key, value in self.headers.items()}
                if headers.get('content-encoding') == 'gzip':
                    body = gzip.decompress(body)
                with collector._lock:
                    collector.deliveries.append(Delivery(self.path, headers, body))
                collector._answer.wait(60)
                self.send_response(collector.status)
                self.send_header('Content-Length', '0')
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass  # Nothing on the standard error output of the tests.

        self._server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={'poll_interval': 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self._server.server_port}'

    def __enter__(self) -> Collector:
        self._thread.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._answer.set()
        self._server.shutdown()
        self._server.server_close()

    def sent_to(self, path: str) -> list[Delivery]:
        """What was sent to paths that end like this."""
        with self._lock:
            return [delivery for delivery in self.deliveries if delivery.path.endswith(path)]

    def spans(self) -> list[Span]:
        """Every span that was sent, the copies that announce running ones included."""
        return [
            span
            for delivery in self.sent_to('/v1/traces')
            for resource_spans in ExportTraceServiceRequest.FromString(delivery.body).resource_spans
            for scope_spans in resource_spans.scope_spans
            for span in scope_spans.spans
        ]

    def metrics(self) -> dict[str, Metric]:
        """The last of each metric that was sent, by name."""
        return {
            metric.name: metric
            for delivery in self.sent_to('/v1/metrics')
            for resource_metrics in ExportMetricsServiceRequest.FromString(delivery.body).resource_metrics
            for scope_metrics in resource_metrics.scope_metrics
            for metric in scope_metrics.metrics
        }

    def log_bodies(self) -> list[str]:
        """The text of every log record that was sent."""
        return [
            record.body.string_value
            for delivery in self.sent_to('/v1/logs')
            for resource_logs in ExportLogsServiceRequest.FromString(delivery.body).resource_logs
            for scope_logs in resource_logs.scope_logs
            for record in scope_logs.log_records
        ]


def attribute(span: Span, key: str) -> str | None:
    """A string attribute of a span that was sent."""
    return next((each.value.string_value for each in span.attributes if each.key == key), None)
