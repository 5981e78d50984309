"""Log records over OTLP: OpenTelemetry's queue and encoder, and an outbox of ours."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult

from logfire._internal.exporters.draining import Draining, Queue
from logfire._internal.exporters.otlp_session import OutboxSession


class OutboxLogExporter(LogRecordExporter):
    """Puts log records into an outbox, encoded by OpenTelemetry's exporter, whose options `options` are."""

    def __init__(self, session: OutboxSession, **options: Any) -> None:
        # Its module has a private name; the name it is registered under for OTEL_LOGS_EXPORTER is public.
        (entry_point,) = entry_points(group='opentelemetry_logs_exporter', name='otlp_proto_http')
        self.queue = Queue(session.outbox)
        self._session = session
        self._exporter: LogRecordExporter = entry_point.load()(session=session, **options)
        session.outbox.prime = lambda: self.export(())

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        self.queue.leave(len(batch))
        self._session.accept_each(batch, self._exporter.export)
        return LogRecordExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 10_000) -> bool:
        return self.queue.outbox.flush(timeout_millis / 1_000)

    def shutdown(self) -> None:
        self._session.shut_down()
        self._exporter.shutdown()


class OutboxLogProcessor(BatchLogRecordProcessor, Draining):
    """OpenTelemetry's batch processor, whose flush waits until all is delivered."""

    def __init__(self, exporter: OutboxLogExporter) -> None:
        super().__init__(exporter)
        self._queue = exporter.queue
        self._is_shut_down = False
        self.outbox = self._queue.outbox

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        if not self._is_shut_down:
            self._queue.enter()
        super().on_emit(log_record)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._queue.flush(super().force_flush, timeout_millis)

    def shutdown(self) -> None:
        self.finish(30_000)

    def finish(self, timeout_millis: int) -> None:
        self._is_shut_down = True
        self._queue.shutdown(super().shutdown, timeout_millis)
