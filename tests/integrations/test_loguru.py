"""loguru into Logfire."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import loguru
import pytest
from inline_snapshot import snapshot

import logfire
from logfire._internal import errors
from logfire.integrations.loguru import LogfireHandler, _templates
from logfire.testing import TestExporter

pytestmark = pytest.mark.usefixtures('configured')


@pytest.fixture
def logger() -> Iterator[loguru.Logger]:
    """loguru's logger, with our handler and no other."""
    loguru.logger.configure(handlers=[logfire.loguru_handler()])
    yield loguru.logger
    loguru.logger.remove()


def told(exporter: TestExporter) -> list[tuple[Any, Any]]:
    """The template and the message of each log."""
    return [
        (log['attributes']['logfire.msg_template'], log['attributes']['logfire.msg'])
        for log in exporter.exported_spans_as_dict()
    ]


def test_a_message_becomes_a_log(exporter: TestExporter, logger: loguru.Logger) -> None:
    """The string in the call is the template, the text the message; what was bound and the place are attributes."""
    logger.bind(herd={'name': 'north'}).info('counted {n}', n=3)
    assert exporter.exported_spans_as_dict(include_instrumentation_scope=True, parse_json_attributes=True) == snapshot(
        [
            {
                'name': 'counted {n}',
                'context': {'trace_id': 1, 'span_id': 1, 'is_remote': False},
                'parent': None,
                'start_time': 1000000000,
                'end_time': 1000000000,
                'instrumentation_scope': 'logfire.loguru',
                'attributes': {
                    'logfire.span_type': 'log',
                    'logfire.level_num': 9,
                    'logfire.msg_template': 'counted {n}',
                    'logfire.msg': 'counted 3',
                    'code.filepath': 'test_loguru.py',
                    'code.function': 'test_a_message_becomes_a_log',
                    'code.lineno': 123,
                    'logfire.logger_name': 'tests.integrations.test_loguru',
                    'herd': {'name': 'north'},
                    'n': 3,
                    'logfire.json_schema': {
                        'type': 'object',
                        'properties': {'logfire.logger_name': {}, 'herd': {'type': 'object'}, 'n': {}},
                    },
                },
            }
        ]
    )


def test_the_template_is_the_string_in_the_call(exporter: TestExporter, logger: loguru.Logger) -> None:
    """Where the message can have come of it, and again at the next call from the same place."""
    for n in (1, 2):
        logger.info('counted {n}', n=n)
    logger.log('INFO', '{} of {{sheep}} {}', 3, 'north')
    logger.opt(colors=True).info('<red>red</red> {x}', x=1)
    logger.info('{x} and {y}', x='a', y='b and c')
    logger.info('no {field')
    logger.opt(colors=True).info('<red>no</red> {field')
    assert told(exporter) == [
        ('counted {n}', 'counted 1'),
        ('counted {n}', 'counted 2'),
        ('{} of {{sheep}} {}', '3 of {sheep} north'),
        ('red 1', 'red 1'),
        ('{x} and {y}', 'a and b and c'),
        ('no {field', 'no {field'),
        ('no {field', 'no {field'),
    ]


def test_few_places_are_remembered(
    exporter: TestExporter, logger: loguru.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that makes code as it runs does not fill the memory."""
    monkeypatch.setattr('logfire.integrations.loguru._REMEMBERED', 2)
    for n in range(5):
        exec(compile('logger.info("x")', f'made-{n}.py', 'exec'), {'logger': logger})
    assert len(exporter.exported_spans) == 5
    assert len(_templates) <= 2


def test_other_templates_are_the_message(exporter: TestExporter, logger: loguru.Logger) -> None:
    """A string that is not written in the call cannot be known: the message stands for it."""
    template, name, log = 'x={x}', 'Ann', logger.info
    logger.info(template, x=1)
    logger.info(f'hello {name}')
    log('x={x}', x=2)
    logger.patch(lambda record: record.update(message='patched')).info('a{x}b{x}c', x=1)
    logger.patch(lambda record: record.update(message='abc')).info('a{x}bb{x}bc', x=1)
    logger.patch(lambda record: record.update(message='a')).info('a{x}a', x=1)
    logger.patch(lambda record: record.update(message='a-c')).info('a{x}b{x}c', x=1)
    eval('logger.info("of {no} file", no=1)', {'logger': logger})
    messages = ['x=1', 'hello Ann', 'x=2', 'patched', 'abc', 'a', 'a-c', 'of 1 file']
    assert told(exporter) == [(message, message) for message in messages]


def test_code_is_not_inspected_if_that_is_off(
    exporter: TestExporter, logger: loguru.Logger, config_kwargs: dict[str, Any]
) -> None:
    """`inspect_arguments=False` is obeyed: the message stands for the template."""
    logfire.configure(**config_kwargs, inspect_arguments=False)
    logger.info('x={x}', x=1)
    assert told(exporter) == [('x=1', 'x=1')]


def test_another_thread_may_write_the_logs(exporter: TestExporter) -> None:
    """With `enqueue=True` the call is not at hand any more: the message stands for the template."""
    loguru.logger.configure(handlers=[{**logfire.loguru_handler(), 'enqueue': True}])
    loguru.logger.info('x={x}', x=1)
    loguru.logger.complete()
    loguru.logger.remove()
    assert told(exporter) == [('x=1', 'x=1')]


def test_levels_and_exceptions(exporter: TestExporter, logger: loguru.Logger, config_kwargs: dict[str, Any]) -> None:
    """loguru's numbers are logging's; an exception is told with the log; what is below `min_level` is not made."""
    logfire.configure(**config_kwargs, min_level='notice')
    logger.info('dropped')
    logger.success('yes')
    logger.warning('careful')
    try:
        raise ValueError('bad')
    except ValueError:
        logger.exception('could not')
    logger.critical('end')
    logs = exporter.exported_spans_as_dict()
    assert [log['attributes']['logfire.level_num'] for log in logs] == [11, 13, 17, 21]
    (event,) = logs[2]['events']
    assert event['attributes']['exception.message'] == 'bad'


def test_an_instance_may_be_given(exporter: TestExporter) -> None:
    """The sink can be made by hand, for an instance with tags."""
    number = loguru.logger.add(LogfireHandler(logfire_instance=logfire.with_tags('bridge')), format='{message}')
    loguru.logger.info('tagged')
    loguru.logger.remove(number)
    assert exporter.exported_spans_as_dict()[0]['attributes']['logfire.tags'] == ('bridge',)


def test_without_loguru_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the command that installs it."""
    monkeypatch.delitem(sys.modules, 'loguru')
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)  # type: ignore[reportUnknownLambdaType]
    with pytest.raises(RuntimeError, match='pip install loguru'):
        logfire.loguru_handler()


def test_a_fault_of_ours_stays_ours(
    exporter: TestExporter, logger: loguru.Logger, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """If the template cannot be found for a fault of ours, the log is made without; loguru is told of none."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr('executing.Source.executing', None)
    logger.info('x={x}', x=1)
    assert told(exporter) == [('x=1', 'x=1')]
    assert 'Logging error' not in capfd.readouterr().err
