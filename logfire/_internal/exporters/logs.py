"""What happens to every log record of OpenTelemetry's logs API between OpenTelemetry and the configured exporters."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord

from logfire._internal.attributes import all_carried, carried
from logfire._internal.deadline import DeadlineRunner
from logfire._internal.errors import Guard
from logfire._internal.exporters.processors import flush_jobs
from logfire._internal.scrubbing import Scrubber

_SCRUB_GUARD: Final = Guard('scrub a log record')
_EMIT_GUARD: Final = Guard('hand a log record to a log record processor')


def _carried(log_record: ReadWriteLogRecord) -> ReadWriteLogRecord:
    """The record with its texts as OTLP carries them: a lone surrogate would cost the whole batch."""
    record = log_record.log_record
    attributes, body = all_carried(record.attributes), carried(record.body)
    if attributes == dict(record.attributes or {}) and body == record.body:
        return log_record
    # A copy keeps whatever else a record has, in this release of OpenTelemetry and the next.
    new_record = copy.copy(record)
    new_record.attributes = attributes
    new_record.body = body
    return replace(log_record, log_record=new_record)


class LogPipeline(LogRecordProcessor):
    """Scrubs each record once and hands it to every processor; one that fails disturbs neither user nor others."""

    def __init__(self, processors: Sequence[LogRecordProcessor], *, scrubber: Scrubber, runner: DeadlineRunner) -> None:
        self.processors = tuple(processors)
        self._scrubber = scrubber
        self._runner = runner

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        # A record that cannot be scrubbed is not exported.
        with _SCRUB_GUARD:
            scrubbed = self._scrubber.scrub_log(_carried(log_record))
            for processor in self.processors:
                with _EMIT_GUARD:
                    processor.on_emit(scrubbed)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush every processor; whether all did in time."""
        return self._runner.run(flush_jobs(self.processors, timeout_millis), timeout_millis / 1_000)

    def shutdown(self) -> None:
        """Shut every processor down, within OpenTelemetry's own 30 seconds; later records go nowhere."""
        processors, self.processors = self.processors, ()
        self._runner.run([each.shutdown for each in processors], 30.0)
