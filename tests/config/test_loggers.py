"""Loggers of OpenTelemetry's logs API that can be had before anything is configured, and follow every configuration."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from opentelemetry._logs import Logger, LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

from logfire._internal.config.loggers import ProxyLoggerProvider


def new_sdk_provider(exporter: InMemoryLogRecordExporter) -> LoggerProvider:
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    return provider


def bodies(exporter: InMemoryLogRecordExporter) -> list[Any]:
    return [log.log_record.body for log in exporter.get_finished_logs()]


def test_a_logger_had_early_follows_every_configuration() -> None:
    """A logger drops records before the first configuration, and then emits where the newest one says."""
    provider = ProxyLoggerProvider()
    logger = provider.get_logger('test')
    logger.emit(body='before')
    first, second = InMemoryLogRecordExporter(), InMemoryLogRecordExporter()
    provider.use(new_sdk_provider(first))
    logger.emit(body='first')
    provider.use(new_sdk_provider(second))
    logger.emit(LogRecord(body='second'))
    provider.use(None)
    logger.emit(body='after')
    assert (bodies(first), bodies(second)) == (['first'], ['second'])


def test_everything_given_reaches_the_record() -> None:
    """A logger's and a record's arguments arrive as they were given."""
    exporter = InMemoryLogRecordExporter()
    provider = ProxyLoggerProvider()
    provider.use(new_sdk_provider(exporter))
    logger = provider.get_logger('scope', '1.2', 'https://schema.example', {'scope.key': 1})
    logger.emit(body={'a': 1}, severity_number=SeverityNumber.WARN, severity_text='WARN', attributes={'b': 2})
    (log,) = exporter.get_finished_logs()
    record = log.log_record
    assert (record.body, record.severity_number, record.severity_text) == ({'a': 1}, SeverityNumber.WARN, 'WARN')
    assert dict(record.attributes or {}) == {'b': 2}
    scope = log.instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.version, scope.schema_url) == ('scope', '1.2', 'https://schema.example')
    assert dict(scope.attributes or {}) == {'scope.key': 1}


class AskedLogger(Logger):
    """Says whether it is enabled, as OpenTelemetry's newer loggers do."""

    def emit(self, *args: Any, **fields: Any) -> None:
        raise NotImplementedError

    def enabled(self, **record: Any) -> bool:
        return record == {'severity_number': SeverityNumber.ERROR}


class OlderLogger:
    """Is not asked, as OpenTelemetry's older loggers are not."""


@pytest.mark.parametrize(('logger', 'answers'), [(AskedLogger('test'), [True, False]), (OlderLogger(), [True, True])])
def test_a_logger_tells_whether_a_record_would_go_anywhere(logger: Any, answers: list[bool]) -> None:
    """Code that asks before it makes a record gets the answer of the configured logger, yes where it has none."""

    class Provider(LoggerProvider):
        def get_logger(self, *args: Any, **kwargs: Any) -> Any:
            return logger

    provider = ProxyLoggerProvider()
    provider.use(Provider(shutdown_on_exit=False))
    proxy = provider.get_logger('test')
    severities = (SeverityNumber.ERROR, SeverityNumber.INFO)
    assert [proxy.enabled(severity_number=severity) for severity in severities] == answers


def test_loggers_nobody_holds_are_let_go() -> None:
    """A library that asks for a logger at each call costs no memory."""
    provider = ProxyLoggerProvider()
    logger = weakref.ref(provider.get_logger('test'))
    gc.collect()
    assert logger() is None


def test_a_scope_can_be_suppressed() -> None:
    """The records of a suppressed scope are dropped, whenever its logger was made."""
    exporter = InMemoryLogRecordExporter()
    provider = ProxyLoggerProvider()
    provider.use(new_sdk_provider(exporter))
    early = provider.get_logger('noisy')
    provider.suppress_scopes('noisy')
    for logger in (early, provider.get_logger('noisy'), provider.get_logger('quiet')):
        logger.emit(body=logger.scope)
    assert bodies(exporter) == ['quiet']


def test_as_the_global_provider_it_serves_code_that_knows_opentelemetrys() -> None:
    """What others do with the global provider works: a processor of theirs, flush and shutdown."""
    exporter = InMemoryLogRecordExporter()
    provider = ProxyLoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    assert provider.force_flush()
    provider.shutdown()
    provider.use(LoggerProvider(shutdown_on_exit=False))
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger('test').emit(body='seen')
    assert bodies(exporter) == ['seen']
    assert provider.force_flush(1_000)
    provider.shutdown()
