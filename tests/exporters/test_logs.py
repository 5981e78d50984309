"""What happens to every log record of OpenTelemetry's logs API."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor

import logfire
from logfire._internal import errors
from logfire._internal.config.configuration import GLOBAL_CONFIG
from logfire._internal.config.options import AdvancedOptions
from logfire.testing import TestLogExporter, TimeGenerator


class BrokenProcessor(LogRecordProcessor):
    """Fails on every record."""

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        raise RuntimeError('broken')

    def shutdown(self) -> None:
        pass

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


@pytest.fixture
def log_exporter() -> TestLogExporter:
    return TestLogExporter(TimeGenerator())


def configure(*processors: LogRecordProcessor, **keywords: Any) -> None:
    logfire.configure(
        console=False, send_to_logfire=False, advanced=AdvancedOptions(log_record_processors=processors), **keywords
    )


def emit(body: Any, **attributes: Any) -> None:
    GLOBAL_CONFIG.logger_provider.get_logger('test').emit(body=body, attributes=attributes)


def test_records_are_scrubbed(log_exporter: TestLogExporter) -> None:
    """A secret in a record's text or attributes reaches no exporter."""
    configure(SimpleLogRecordProcessor(log_exporter))
    emit('the password is hunter2', cookie='crumbs')
    (record,) = log_exporter.exported_logs_as_dicts()
    assert record['body'] == "[Scrubbed due to 'password']"
    assert record['attributes']['cookie'] == "[Scrubbed due to 'cookie']"


def test_scrubbing_can_be_turned_off(log_exporter: TestLogExporter) -> None:
    """With `scrubbing=False` records are exported as they are."""
    configure(SimpleLogRecordProcessor(log_exporter), scrubbing=False)
    emit('the password is hunter2')
    assert log_exporter.exported_logs_as_dicts()[0]['body'] == 'the password is hunter2'


def test_a_processor_that_fails_disturbs_nobody(
    log_exporter: TestLogExporter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The fault of a user's processor is reported, and the other processors and the user's program go on."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr(errors, '_counts', {})
    configure(BrokenProcessor(), SimpleLogRecordProcessor(log_exporter))
    emit('hello')
    assert len(log_exporter.get_finished_logs()) == 1
    assert 'could not hand a log record to a log record processor' in caplog.text


class RecordingProcessor(LogRecordProcessor):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        self.told.append('emit')

    def shutdown(self) -> None:
        self.told.append('shutdown')

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        self.told.append('flush')
        return True


def test_flush_and_shutdown_through_opentelemetrys_provider() -> None:
    """Code that flushes or shuts down the global provider reaches the processors; later records go nowhere."""
    processor = RecordingProcessor()
    configure(processor)
    provider = GLOBAL_CONFIG.logger_provider
    emit('before')
    assert provider.force_flush(10_000)
    logger = provider.get_logger('test')
    provider.shutdown()
    logger.emit(body='late')
    assert processor.told == ['emit', 'flush', 'shutdown']
    processor.told.clear()
    GLOBAL_CONFIG.shutdown()
    assert 'emit' not in processor.told
