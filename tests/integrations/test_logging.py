"""The standard library's logging, and structlog, into Logfire."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.trace import ReadableSpan

import logfire
from logfire._internal import errors
from logfire.integrations.structlog import LogfireProcessor
from logfire.testing import TestExporter

pytestmark = pytest.mark.usefixtures('configured')


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """A logger with our handler and no other."""
    logger = logging.getLogger('farm.herd')
    handler = logfire.LogfireLoggingHandler()
    logger.addHandler(handler)
    logger.setLevel(1)
    logger.propagate = False
    yield logger
    logger.removeHandler(handler)


def only(exporter: TestExporter) -> ReadableSpan:
    (log,) = exporter.exported_spans
    return log


def attributes(log: ReadableSpan) -> dict[str, Any]:
    return dict(log.attributes or {})


def test_the_structlog_processor_has_two_names() -> None:
    """The module calls it as the published SDK's does."""
    assert LogfireProcessor is logfire.StructlogProcessor


def test_a_record_becomes_a_log(exporter: TestExporter, logger: logging.Logger) -> None:
    """The format is the template, the text the message; arguments, extras, logger and place are attributes."""
    logger.info('counted %d %s', 3, 'sheep', extra={'herd': {'name': 'north'}})
    assert exporter.exported_spans_as_dict(include_instrumentation_scope=True, parse_json_attributes=True) == snapshot(
        [
            {
                'name': 'counted %d %s',
                'context': {'trace_id': 1, 'span_id': 1, 'is_remote': False},
                'parent': None,
                'start_time': 1000000000,
                'end_time': 1000000000,
                'instrumentation_scope': 'logfire.stdlib.logging',
                'attributes': {
                    'logfire.span_type': 'log',
                    'logfire.level_num': 9,
                    'logfire.msg_template': 'counted %d %s',
                    'logfire.msg': 'counted 3 sheep',
                    'code.filepath': 'test_logging.py',
                    'code.lineno': 123,
                    'code.function': 'test_a_record_becomes_a_log',
                    'herd': {'name': 'north'},
                    'logfire.logger_name': 'farm.herd',
                    'logfire.logging_args': [3, 'sheep'],
                    'logfire.json_schema': {
                        'type': 'object',
                        'properties': {
                            'herd': {'type': 'object'},
                            'logfire.logger_name': {},
                            'logfire.logging_args': {'type': 'array', 'x-python-datatype': 'tuple'},
                        },
                    },
                },
            }
        ]
    )


def test_the_arguments_of_a_mapping_are_attributes(exporter: TestExporter, logger: logging.Logger) -> None:
    """Named arguments of the format are attributes of those names; braces are no fields."""
    logger.info('counted %(what)s {all}', {'what': 'sheep'})
    log = attributes(only(exporter))
    assert (log['logfire.msg_template'], log['logfire.msg'], log['what']) == (
        'counted %(what)s {all}',
        'counted sheep {all}',
        'sheep',
    )
    assert 'logfire.logging_args' not in log


def test_a_record_may_bring_its_own_template(exporter: TestExporter, logger: logging.Logger) -> None:
    """An extra `logfire.msg_template` names the log instead of the record's format."""
    logger.info('counted 3', extra={'logfire.msg_template': 'counted {found}'})
    assert only(exporter).name == 'counted {found}'
    assert attributes(only(exporter))['logfire.msg'] == 'counted 3'


@pytest.mark.parametrize(
    ('level', 'number'),
    [
        (1, 1),
        (5, 3),
        (10, 5),
        (11, 5),
        (12, 5),
        (19, 9),
        (15, 7),
        (20, 9),
        (25, 11),
        (30, 13),
        (35, 15),
        (40, 17),
        (45, 19),
        (50, 21),
        (60, 60),
    ],
)
def test_levels_are_those_of_opentelemetry(
    exporter: TestExporter, logger: logging.Logger, level: int, number: int
) -> None:
    """Levels keep their order, those between the named ones too."""
    logger.log(level, 'counted')
    assert attributes(only(exporter))['logfire.level_num'] == number


def test_an_exception_is_told(exporter: TestExporter, logger: logging.Logger) -> None:
    """`logger.exception` makes a failed log with the exception."""
    try:
        raise ValueError('lost')
    except ValueError:
        logger.exception('could not count')
    log = only(exporter)
    assert [event.name for event in log.events] == ['exception']
    assert log.status.description == 'ValueError: lost'


def test_an_odd_record_is_told_as_it_is(exporter: TestExporter, logger: logging.Logger) -> None:
    """A message that is no text, or a record made by hand, is no trouble."""
    logger.info({'found': 3})
    record = logger.makeRecord('farm', 20, 'farm.py', 3, 'counted', (), None)
    logger.handle(record)
    first, second = exporter.exported_spans
    assert first.name == "{'found': 3}"
    assert 'code.function' not in attributes(second)


def test_arguments_that_do_not_fit_are_handled_as_logging_does(
    exporter: TestExporter, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong call of the logger does not raise: the standard library's note of it goes to the standard error."""
    record = logging.makeLogRecord({'msg': 'counted %d %d', 'args': (3,), 'levelno': 20})
    logfire.LogfireLoggingHandler().handle(record)
    assert exporter.exported_spans == []
    assert 'not enough arguments for format string' in capsys.readouterr().err


def test_a_fault_of_ours_does_not_stop_logging(
    exporter: TestExporter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where we fail, the logger's caller goes on, and the standard error stays clean."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr('logfire.integrations.logging.emit_log', None)
    logfire.LogfireLoggingHandler().handle(logging.makeLogRecord({'msg': 'counted', 'levelno': 20}))
    assert exporter.exported_spans == []
    assert capsys.readouterr().err == ''


def test_levels_below_the_handler_s_or_the_configuration_s_are_dropped(
    exporter: TestExporter, config_kwargs: dict[str, Any], logger: logging.Logger
) -> None:
    """`level` of the handler and `min_level` both drop; a dropped record is not even formatted."""
    logger.handlers[0].setLevel('WARNING')
    logger.info('dropped')
    logfire.configure(**config_kwargs, min_level='error')
    logger.warning('dropped %d')
    logger.error('kept')
    assert [log.name for log in exporter.exported_spans] == ['kept']


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def test_records_of_exporting_go_to_the_fallback(exporter: TestExporter) -> None:
    """What is logged while instrumentation is suppressed is not recorded, but goes to the fallback handler."""
    fallback = Kept()
    handler = logfire.LogfireLoggingHandler(fallback=fallback)
    record = logging.makeLogRecord({'msg': 'counted', 'levelno': 20})
    with logfire.suppress_instrumentation():
        handler.handle(record)
    assert fallback.records == [record]
    assert exporter.exported_spans == []
    handler.handle(record)
    assert fallback.records == [record]
    assert only(exporter).name == 'counted'
    default = logfire.LogfireLoggingHandler().fallback
    assert isinstance(default, logging.StreamHandler)
    assert default.stream is sys.stderr  # pyright: ignore[reportUnknownMemberType] - the handler's own type is generic.


def test_a_handler_can_log_through_an_instance_and_fill_attributes(exporter: TestExporter) -> None:
    """A handler uses the instance it is given; a subclass may change scope and attributes."""

    class Handler(logfire.LogfireLoggingHandler):
        custom_scope_suffix = 'farm'

        def fill_attributes(self, record: logging.LogRecord) -> dict[str, Any]:
            return {**super().fill_attributes(record), 'extra': 1}

    handler = Handler(level='INFO', logfire_instance=logfire.with_tags('farm'))
    assert handler.level == logging.INFO
    handler.handle(logging.makeLogRecord({'msg': 'counted', 'levelno': 20}))
    log = only(exporter)
    assert attributes(log).items() >= {'logfire.tags': ('farm',), 'extra': 1}.items()
    assert log.instrumentation_scope is not None
    assert log.instrumentation_scope.name == 'logfire.farm'


def test_an_event_of_structlog_becomes_a_log(exporter: TestExporter) -> None:
    """The event is the message, as it stands; its other values are attributes; it is passed on unchanged."""
    event = {'event': 'counted {all}', 'level': 'warning', 'timestamp': 'now', 'found': [3]}
    processor = logfire.StructlogProcessor()
    assert processor(None, 'warning', event) is event
    assert list(event) == ['event', 'level', 'timestamp', 'found']
    assert exporter.exported_spans_as_dict(include_instrumentation_scope=True, parse_json_attributes=True) == snapshot(
        [
            {
                'name': 'counted {all}',
                'context': {'trace_id': 1, 'span_id': 1, 'is_remote': False},
                'parent': None,
                'start_time': 1000000000,
                'end_time': 1000000000,
                'instrumentation_scope': 'logfire.structlog',
                'attributes': {
                    'logfire.span_type': 'log',
                    'logfire.level_num': 13,
                    'logfire.msg_template': 'counted {all}',
                    'logfire.msg': 'counted {all}',
                    'code.filepath': 'test_logging.py',
                    'code.function': 'test_an_event_of_structlog_becomes_a_log',
                    'code.lineno': 123,
                    'found': [3],
                    'logfire.json_schema': {'type': 'object', 'properties': {'found': {'type': 'array'}}},
                    'logfire.disable_console_log': True,
                },
            }
        ]
    )


@pytest.mark.parametrize(
    ('event', 'name', 'level'),
    [
        ({}, 'structlog event', 9),
        ({'event': 3, 'level': 'critical'}, '3', 21),
        ({'event': 'lost', 'level': 'exception'}, 'lost', 17),
    ],
)
def test_events_of_structlog_without_text_or_with_its_own_levels(
    exporter: TestExporter, event: dict[str, Any], name: str, level: int
) -> None:
    """An event without a name or level has one all the same; structlog's own levels are known."""
    logfire.StructlogProcessor()(None, 'info', event)
    assert (only(exporter).name, attributes(only(exporter))['logfire.level_num']) == (name, level)


def test_an_event_of_structlog_tells_its_exception(exporter: TestExporter) -> None:
    """`exc_info` of an event is told on the log."""
    logfire.StructlogProcessor()(None, 'error', {'event': 'lost', 'level': 'error', 'exc_info': ValueError('wool')})
    assert only(exporter).status.description == 'ValueError: wool'


def test_structlog_logs_can_be_shown_on_our_console_too(exporter: TestExporter) -> None:
    """`console_log=True` lets the console show them; the instance's tags are theirs."""
    processor = logfire.StructlogProcessor(console_log=True, logfire_instance=logfire.with_tags('farm'))
    processor(None, 'info', {'event': 'counted'})
    assert 'logfire.disable_console_log' not in attributes(only(exporter))
    assert attributes(only(exporter))['logfire.tags'] == ('farm',)


def test_events_of_structlog_below_min_level_are_passed_on_only(
    exporter: TestExporter, config_kwargs: dict[str, Any]
) -> None:
    """A dropped event still reaches structlog's other processors."""
    logfire.configure(**config_kwargs, min_level='error')
    event: dict[str, Any] = {'event': 'counted', 'level': 'info'}
    assert logfire.StructlogProcessor()(None, 'info', event) is event
    assert exporter.exported_spans == []


def test_a_fault_of_ours_does_not_stop_structlog(exporter: TestExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where we fail, the event is passed on."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr('logfire.integrations.structlog.emit_log', None)
    event: dict[str, Any] = {'event': 'counted'}
    assert logfire.StructlogProcessor()(None, 'info', event) is event
