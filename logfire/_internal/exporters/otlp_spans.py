"""Spans over OTLP: OpenTelemetry's queue and encoder, and an outbox of ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from logfire._internal.exporters.draining import Draining, Queue
from logfire._internal.exporters.otlp_session import OutboxSession


class OutboxSpanExporter(SpanExporter):
    """Puts spans into an outbox, encoded by OpenTelemetry's exporter, whose options `options` are."""

    def __init__(self, session: OutboxSession, **options: Any) -> None:
        self.queue = Queue(session.outbox)
        self._session = session
        self._exporter = OTLPSpanExporter(session=session, **options)
        session.outbox.prime = lambda: self.export(())

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.queue.leave(len(spans))
        self._session.accept_each(spans, self._exporter.export)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._session.shut_down()
        self._exporter.shutdown()


class OutboxSpanProcessor(BatchSpanProcessor, Draining):
    """OpenTelemetry's batch processor, whose flush waits until all is delivered."""

    def __init__(self, exporter: OutboxSpanExporter) -> None:
        super().__init__(exporter)
        self._queue = exporter.queue
        self._is_shut_down = False
        self.outbox = self._queue.outbox

    def on_end(self, span: ReadableSpan) -> None:
        # What is not sampled does not enter the queue.
        if not self._is_shut_down and span.context is not None and span.context.trace_flags.sampled:
            self._queue.enter()
        super().on_end(span)

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        return self._queue.flush(super().force_flush, 30_000 if timeout_millis is None else timeout_millis)

    def shutdown(self) -> None:
        self.finish(30_000)

    def finish(self, timeout_millis: int) -> None:
        self._is_shut_down = True
        self._queue.shutdown(super().shutdown, timeout_millis)
