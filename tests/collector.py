"""A collector that speaks OTLP over HTTP on the loopback interface, keeps what it is sent, and misbehaves as told."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Answer:
    """What the collector does with one request that it has read."""

    status: int = 200
    body: bytes = b''
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    fault: Literal['', 'reset', 'garbage', 'cut', 'trickle', 'hang'] = ''
    """`reset` closes the connection without an answer, `garbage` answers what is not HTTP, `cut` closes in the middle
    of the body, `trickle` sends the body without an end, a byte at a time, `hang` waits until the collector is left."""


OK = Answer()


@dataclass(frozen=True)
class Delivery:
    """One request that the collector was sent."""

    path: str
    headers: Mapping[str, str]
    """The keys in lower case."""
    body: bytes
    """Decompressed."""
    answer: Answer

    def spans(self) -> list[Span]:
        return [
            span
            for resource_spans in ExportTraceServiceRequest.FromString(self.body).resource_spans
            for scope_spans in resource_spans.scope_spans
            for span in scope_spans.spans
        ]


class Collector:
    """Answers each export with the next of `answers`, then with `answer`, unless `largest` says that it is too large.

    While `silent` is set it reads requests and does not answer them; a `refusing` one refuses connections until
    `listen()`. Every wait in it is bounded: leaving the `with` block lets go of those who wait for an answer.
    """

    def __init__(
        self,
        *,
        status: int = 200,
        silent: bool = False,
        refusing: bool = False,
        answers: Iterable[Answer] = (),
        largest: int | None = None,
        port: int = 0,
    ) -> None:
        self.answer = Answer(status)
        self.answers = deque(answers)
        self.largest = largest
        """The most bytes that it takes in one request; more is answered with 413."""
        self.deliveries: list[Delivery] = []
        self._changed = threading.Condition()
        self._release = threading.Event()
        self._speak = threading.Event()
        if not silent:
            self._speak.set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers['Content-Length']))
                headers = {key.lower(): value for key, value in self.headers.items()}
                if headers.get('content-encoding') == 'gzip':
                    body = gzip.decompress(body)
                answer = collector._choose(self.path, headers, body)
                collector._speak.wait(60)
                try:
                    self._give(answer)
                except OSError:
                    self.close_connection = True  # The other side has had enough.

            def _give(self, answer: Answer) -> None:
                if answer.fault == 'hang':
                    collector._release.wait(60)
                if answer.fault == 'reset':
                    # Closed at once, so that the other side sees a reset.
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                if answer.fault == 'garbage':
                    self.wfile.write(b'\x00\xff garbage\r\n\r\n')
                if answer.fault in ('reset', 'garbage'):
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                is_partial = answer.fault in ('cut', 'trickle')
                self.send_header('Content-Length', str(len(answer.body) + 100_000 * is_partial))
                self.end_headers()
                self.wfile.write(answer.body)
                self.close_connection = is_partial
                while answer.fault == 'trickle' and not collector._release.wait(0.001):
                    self.wfile.write(b'.')
                    self.wfile.flush()

            def log_message(self, format: str, *args: object) -> None:
                pass  # Nothing on the standard error output of the tests.

        self._server = ThreadingHTTPServer(('127.0.0.1', port), Handler, bind_and_activate=False)
        self._server.daemon_threads = True
        self._server.allow_reuse_address = True
        self._server.server_bind()
        self._refuses = refusing
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={'poll_interval': 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self._server.server_port}'

    @property
    def status(self) -> int:
        """What it answers once `answers` are used up."""
        return self.answer.status

    @status.setter
    def status(self, status: int) -> None:
        self.answer = Answer(status)

    def listen(self) -> None:
        """Take connections, which were refused so far."""
        self._refuses = False
        self._server.server_activate()
        self._thread.start()

    def hush(self) -> None:
        """Read requests and do not answer them."""
        self._speak.clear()

    def speak(self) -> None:
        """Answer, which was silent so far."""
        self._speak.set()

    def __enter__(self) -> Collector:
        if not self._refuses:
            self.listen()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._release.set()
        self._speak.set()
        if not self._refuses:
            self._server.shutdown()
        self._server.server_close()

    def _choose(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        with self._changed:
            answer = self.answers.popleft() if self.answers else self.answer
            if self.largest is not None and len(body) > self.largest:
                answer = Answer(413)
            self.deliveries.append(Delivery(path, headers, body, answer))
            self._changed.notify_all()
            return answer

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so that changes with a request; a minute at most."""
        with self._changed:
            assert self._changed.wait_for(is_so, 60)

    def sent_to(self, path: str) -> list[Delivery]:
        """What was sent to paths that end like this."""
        with self._changed:
            return [delivery for delivery in self.deliveries if delivery.path.endswith(path)]

    def spans(self) -> list[Span]:
        """Every span that was sent, the copies that announce running ones included."""
        return [span for delivery in self.sent_to('/v1/traces') for span in delivery.spans()]

    def taken(self) -> list[str]:
        """The names of the spans that it said it took, in the order in which they came."""
        deliveries = [delivery for delivery in self.sent_to('/v1/traces') if delivery.answer.status == 200]
        return [span.name for delivery in deliveries if not delivery.answer.fault for span in delivery.spans()]

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
