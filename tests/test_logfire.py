"""The methods of `Logfire`: logs, settings, metrics; spans and `instrument` have files of their own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import StatusCode

import logfire
from logfire._internal import errors
from logfire._internal.config.configuration import GLOBAL_CONFIG
from logfire.exceptions import LogfireNotConfiguredWarning
from logfire.testing import TestExporter, TestLogExporter, get_collected_metrics


@pytest.fixture(autouse=True)
def configured(config_kwargs: dict[str, Any]) -> None:
    """The usual configuration, and f-strings are taken apart, as they are by default from Python 3.11."""
    logfire.configure(**config_kwargs, inspect_arguments=True)


METHODS: dict[Callable[..., None], int] = {
    logfire.trace: 1,
    logfire.debug: 5,
    logfire.info: 9,
    logfire.notice: 10,
    logfire.warn: 13,
    logfire.warning: 13,
    logfire.error: 17,
    logfire.exception: 17,
    logfire.fatal: 21,
}


def ended(exporter: TestExporter) -> list[ReadableSpan]:
    """The spans and logs that were exported, without the copies that announce spans still running."""
    return [
        span for span in exporter.exported_spans if (span.attributes or {}).get('logfire.span_type') != 'pending_span'
    ]


def only(exporter: TestExporter) -> ReadableSpan:
    """The one span or log that was exported."""
    (span,) = ended(exporter)
    return span


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_log_is_a_span_of_no_duration_whose_attributes_come_in_a_fixed_order(exporter: TestExporter) -> None:
    """A log tells its level, template and message, then where it was made, then the user's attributes and tags."""
    logfire.info('counted {what}', what='sheep', found=[1, 2], _tags=['farm'])
    assert exporter.exported_spans_as_dict() == snapshot(
        [
            {
                'name': 'counted {what}',
                'context': {'trace_id': 1, 'span_id': 1, 'is_remote': False},
                'parent': None,
                'start_time': 1000000000,
                'end_time': 1000000000,
                'attributes': {
                    'logfire.span_type': 'log',
                    'logfire.level_num': 9,
                    'logfire.msg_template': 'counted {what}',
                    'logfire.msg': 'counted sheep',
                    'code.filepath': 'test_logfire.py',
                    'code.function': 'test_a_log_is_a_span_of_no_duration_whose_attributes_come_in_a_fixed_order',
                    'code.lineno': 123,
                    'what': 'sheep',
                    'found': '[1,2]',
                    'logfire.json_schema': '{"type":"object","properties":{"what":{},"found":{"type":"array"}}}',
                    'logfire.tags': ('farm',),
                },
            }
        ]
    )
    assert list(attributes(only(exporter))) == snapshot(
        [
            'logfire.span_type',
            'logfire.level_num',
            'logfire.msg_template',
            'logfire.msg',
            'code.filepath',
            'code.function',
            'code.lineno',
            'what',
            'found',
            'logfire.json_schema',
            'logfire.tags',
        ]
    )


@pytest.mark.parametrize(
    ('method', 'level'),
    METHODS.items(),
)
def test_each_level_has_a_method(exporter: TestExporter, method: Callable[..., None], level: int) -> None:
    """Each method logs at its level, with template, attributes, tags and exception; error and above is a failure."""
    exception = KeyError('wool')
    name = 'Dolly'
    method(f'counted {name}', herd=3, _tags=['farm'], _exc_info=exception)
    log = only(exporter)
    assert log.name == 'counted {name}'
    assert attributes(log).items() >= {'logfire.level_num': level, 'name': 'Dolly', 'herd': 3}.items()
    assert attributes(log)['logfire.tags'] == ('farm',)
    assert [event.name for event in log.events] == ['exception']
    assert (log.status.status_code is StatusCode.ERROR) == (level >= 17)
    with pytest.raises(ValueError, match='_herd'):
        method('counted', _herd=3)


@pytest.mark.parametrize(
    'method', ['trace', 'debug', 'info', 'notice', 'warn', 'warning', 'error', 'exception', 'fatal']
)
def test_a_fault_of_ours_does_not_reach_a_log_call(
    exporter: TestExporter, method: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where we fail to make a log, the caller goes on, and the fault is reported."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr('logfire._internal.log.new_message', fail)
    assert getattr(logfire, method)('counted') is None
    assert ended(exporter) == []


def fail(*args: object, **kwargs: object) -> None:
    raise RuntimeError('a fault of ours')


def test_log_takes_any_level_and_any_attribute_name(exporter: TestExporter) -> None:
    """`log` is for levels and attribute names that are only known when it runs."""
    name = 'Dolly'
    logfire.log('notice', 'counted {what}', {'what': 'sheep', '_private': 1}, ['farm'])
    logfire.log(11, f'counted {name}')
    first, second = ended(exporter)
    assert (
        attributes(first).items()
        >= {
            'logfire.level_num': 10,
            'logfire.msg': 'counted sheep',
            '_private': 1,
            'logfire.tags': ('farm',),
        }.items()
    )
    assert attributes(second).items() >= {'logfire.level_num': 11, 'logfire.msg_template': 'counted {name}'}.items()


def test_an_unknown_level_warns_and_is_an_error(exporter: TestExporter) -> None:
    """A wrong level does not stop the caller: the log is made, as an error."""
    level: Any = 'loud'
    with pytest.warns(UserWarning, match="Invalid level 'loud'"):
        logfire.log(level, 'counted')
    assert attributes(only(exporter))['logfire.level_num'] == 17


def test_a_fault_of_ours_does_not_reach_log(exporter: TestExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where we fail to make a log, the caller goes on."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr('logfire._internal.log.new_message', fail)
    logfire.log('info', 'counted')
    assert ended(exporter) == []


def handled() -> ValueError:
    try:
        raise ValueError('lost')
    except ValueError as exc:
        return exc


def test_exc_info_is_an_exception_a_triple_or_true(exporter: TestExporter) -> None:
    """An exception can be given itself, as `sys.exc_info()`, or as True for the one being handled."""
    try:
        raise ValueError('lost')
    except ValueError as exc:
        logfire.info('one', _exc_info=exc)
        logfire.info('two', _exc_info=sys.exc_info())
        logfire.info('three', _exc_info=True)
        logfire.exception('four')
    for log in ended(exporter):
        (event,) = log.events
        assert event.attributes is not None
        assert event.attributes['exception.message'] == 'lost'
        assert event.attributes['exception.escaped'] == 'False'
        assert 'in test_exc_info' in str(event.attributes['exception.stacktrace'])


@pytest.mark.parametrize('exc_info', [False, None, True, (None, None, None)])
def test_a_log_without_an_exception_has_no_event(exporter: TestExporter, exc_info: Any) -> None:
    """Where nothing is being handled there is nothing to tell."""
    logfire.info('one', _exc_info=exc_info)
    assert only(exporter).events == ()


def test_the_status_of_an_error_tells_its_exception(exporter: TestExporter) -> None:
    """A log of level error is a failure; an exception describes it. A lower level is none, whatever it tells."""
    logfire.error('one')
    logfire.error('two', _exc_info=handled())
    logfire.warn('three', _exc_info=handled())
    assert [(log.status.status_code.name, log.status.description) for log in ended(exporter)] == [
        ('ERROR', None),
        ('ERROR', 'ValueError: lost'),
        ('UNSET', None),
    ]


def test_the_clock_is_read_once_for_a_log_and_once_for_its_exception(exporter: TestExporter) -> None:
    """A log's two times are one reading; its exception has a later one."""
    logfire.info('one')
    logfire.info('two', _exc_info=handled())
    first, second = ended(exporter)
    assert first.start_time == first.end_time
    assert second.start_time == second.end_time
    assert second.start_time is not None
    assert first.start_time is not None
    assert second.start_time - first.start_time == 1_000_000_000
    assert second.events[0].timestamp - second.start_time == 1_000_000_000


def test_min_level_drops_what_is_below(exporter: TestExporter, config_kwargs: dict[str, Any]) -> None:
    """Logs below `min_level`, and spans whose level is, are not made; spans without a level are."""
    logfire.configure(**config_kwargs, min_level='warn')
    for method in METHODS:
        method('some')
    logfire.log('info', 'dropped')
    with logfire.span('dropped', _level='info'):
        logfire.error('kept')
    with logfire.span('kept as well'):
        pass
    assert [(span.name, attributes(span).get('logfire.level_num')) for span in ended(exporter)] == [
        ('some', 13),
        ('some', 13),
        ('some', 17),
        ('some', 17),
        ('some', 21),
        ('kept', 17),
        ('kept as well', None),
    ]
    assert [span.parent for span in ended(exporter)] == [None] * 7
    exporter.clear()
    logfire.configure(**config_kwargs, min_level=22)
    for method in METHODS:
        method('dropped')
    assert ended(exporter) == []


def test_tags_of_the_instance_come_first_and_once(exporter: TestExporter) -> None:
    """Tags are those of the instance, then those of the call, each once."""
    farm = logfire.with_tags('farm', 'sheep').with_tags('sheep', 'wool')
    farm.info('one')
    farm.info('two', _tags=['milk', 'farm'])
    with farm.span('three', _tags=('milk',)):
        pass
    logfire.info('four')
    assert [attributes(span).get('logfire.tags') for span in ended(exporter)] == [
        ('farm', 'sheep', 'wool'),
        ('farm', 'sheep', 'wool', 'milk'),
        ('farm', 'sheep', 'wool', 'milk'),
        None,
    ]


def test_the_scope_names_who_made_it(exporter: TestExporter) -> None:
    """The OpenTelemetry scope is `logfire`, or `logfire.` and the suffix asked for, with our version."""
    logfire.info('one')
    farm = logfire.with_settings(custom_scope_suffix='farm')
    farm.with_tags('wool').info('two')
    farm.with_settings(custom_scope_suffix='shop').info('three')
    scopes = [span.instrumentation_scope for span in ended(exporter)]
    assert [scope and (scope.name, scope.version) for scope in scopes] == [
        ('logfire', logfire.VERSION),
        ('logfire.farm', logfire.VERSION),
        ('logfire.shop', logfire.VERSION),
    ]


def test_a_library_makes_its_own_instance(exporter: TestExporter) -> None:
    """`Logfire(otel_scope=...)`, as libraries write it when they are imported, follows the program's configuration."""
    logfire.Logfire(otel_scope='my-library', tags=['mine']).info('x')
    scope = only(exporter).instrumentation_scope
    assert scope is not None
    assert scope.name == 'my-library'
    assert attributes(only(exporter))['logfire.tags'] == ('mine',)


def test_logs_can_be_kept_from_the_console(exporter: TestExporter) -> None:
    """An instance, or a single call, says whether the console shows its logs; a call is stronger."""
    quiet = logfire.with_settings(console_log=False)
    logfire.info('shown')
    quiet.info('hidden')
    quiet.with_tags('farm').info('hidden')
    quiet.log('info', 'shown', console_log=True)
    logfire.log('info', 'hidden', console_log=False)
    quiet.with_settings(console_log=True).info('shown')
    for log in ended(exporter):
        assert attributes(log).get('logfire.disable_console_log') == (True if log.name == 'hidden' else None)


def test_a_secret_in_a_message_is_told(exporter: TestExporter) -> None:
    """What was scrubbed from the message stands in `logfire.scrubbed`, with what was scrubbed from the attributes."""
    logfire.info('said {words}', words='my password is wool')
    log = attributes(only(exporter))
    assert log['logfire.msg'] == "said [Scrubbed due to 'password']"
    assert json.loads(log['logfire.scrubbed']) == [
        {'path': ['message', 'words'], 'matched_substring': 'password'},
        {'path': ['attributes', 'words'], 'matched_substring': 'password'},
    ]


def test_a_ready_made_message_is_taken_as_it_is(exporter: TestExporter) -> None:
    """An attribute `logfire.msg` is the message; the template is not filled, and it is no attribute of the user's."""
    logfire.log('info', 'counted {missing}', {'logfire.msg': 'counted {all}', 'what': 'sheep'})
    log = attributes(only(exporter))
    assert (log['logfire.msg_template'], log['logfire.msg']) == ('counted {missing}', 'counted {all}')
    assert log['logfire.json_schema'] == '{"type":"object","properties":{"what":{}}}'


def test_fstrings_are_only_taken_apart_where_that_is_allowed(
    exporter: TestExporter, config_kwargs: dict[str, Any]
) -> None:
    """With `inspect_arguments=False` an f-string is the text that Python made of it."""
    logfire.configure(**config_kwargs, inspect_arguments=False)
    name = 'Dolly'
    logfire.info(f'counted {name}')
    assert attributes(only(exporter))['logfire.msg_template'] == 'counted Dolly'


def test_an_attribute_given_stands_over_one_of_the_fstring(exporter: TestExporter) -> None:
    """Attributes of the call come first and win; those of the f-string follow."""
    name, age = 'Dolly', 6
    logfire.info(f'counted {name} {age}', name='Polly')
    log = attributes(only(exporter))
    assert (log['logfire.msg'], log['name'], log['age']) == ('counted Polly 6', 'Polly', 6)
    exporter.clear()
    logfire.info(f'counted {name}', herd=1)
    assert [key for key in attributes(only(exporter)) if key in ('name', 'herd')] == ['herd', 'name']


def test_nothing_happens_before_configure_but_one_warning() -> None:
    """Without `configure()`, the body runs and nothing is recorded; one warning says so, and what to do."""
    GLOBAL_CONFIG.reset()
    ran = False
    with pytest.warns(LogfireNotConfiguredWarning, match=r'logfire\.configure\(\)'):
        logfire.info('one')
    with logfire.span('two') as span:
        ran = True
        span.set_attribute('found', 3)
        span.message = 'three'
    assert ran
    assert span.is_recording() is False


def test_an_instance_follows_a_later_configure(exporter: TestExporter, config_kwargs: dict[str, Any]) -> None:
    """An instance made before a second `configure()` goes where that one says."""
    farm = logfire.with_tags('farm')
    farm.info('one')
    second = TestExporter()
    config_kwargs['additional_span_processors'] = [SimpleSpanProcessor(second)]
    logfire.configure(**config_kwargs)
    farm.info('two')
    assert [span.name for span in ended(exporter)] == ['one']
    assert [span.name for span in ended(second)] == ['two']


def test_nothing_is_made_while_instrumentation_is_suppressed(exporter: TestExporter) -> None:
    """Within `suppress_instrumentation()` there are no spans and logs; afterwards there are."""
    with logfire.suppress_instrumentation():
        logfire.info('one')
        with logfire.span('two') as span:
            assert not span.is_recording()
    logfire.info('three')
    assert [span.name for span in ended(exporter)] == ['three']


def test_scopes_can_be_suppressed(exporter: TestExporter) -> None:
    """The spans of a suppressed scope are not made, by tracers given out earlier either; other scopes go on."""
    tracer = trace.get_tracer('suppressed.farm')
    logfire.suppress_scopes('suppressed.farm', 'suppressed.shop')
    tracer.start_span('one').end()
    trace.get_tracer('suppressed.shop').start_span('two').end()
    trace.get_tracer('mill').start_span('three').end()
    assert [span.name for span in ended(exporter)] == ['three']


def test_metrics_and_log_records_of_a_suppressed_scope_are_dropped(config_kwargs: dict[str, Any]) -> None:
    """Suppressing a scope holds for its metrics and its OpenTelemetry log records too."""
    reader = InMemoryMetricReader()
    records = TestLogExporter(config_kwargs['advanced'].ns_timestamp_generator)
    config_kwargs['metrics'] = logfire.MetricsOptions(additional_readers=[reader])
    processors = [SimpleLogRecordProcessor(records)]
    config_kwargs['advanced'] = replace(config_kwargs['advanced'], log_record_processors=processors)
    logfire.configure(**config_kwargs)
    logfire.suppress_scopes('suppressed.mill')
    for scope in ('suppressed.mill', 'mill'):
        metrics.get_meter(scope).create_counter(scope).add(1)
        _logs.get_logger(scope).emit(_logs.LogRecord(body=scope))
    assert [metric['name'] for metric in get_collected_metrics(reader)] == ['mill']
    assert [record.log_record.body for record in records.get_finished_logs()] == ['mill']


def test_flush_and_shutdown_are_those_of_the_configuration(
    exporter: TestExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`force_flush` and `shutdown` pass on how long they may take, and whether they were done."""
    calls: list[tuple[object, ...]] = []

    def force_flush(timeout_millis: int) -> bool:
        calls.append(('flush', timeout_millis))
        return True

    def shutdown(timeout_millis: int, flush: bool) -> bool:
        calls.append(('shutdown', timeout_millis, flush))
        return False

    with monkeypatch.context() as patch:
        patch.setattr(GLOBAL_CONFIG, 'force_flush', force_flush)
        patch.setattr(GLOBAL_CONFIG, 'shutdown', shutdown)
        assert logfire.force_flush()
        assert logfire.force_flush(5)
        assert not logfire.shutdown()
        assert not logfire.shutdown(7, flush=False)
    assert calls == [('flush', 3_000), ('flush', 5), ('shutdown', 30_000, True), ('shutdown', 7, False)]


def observe(options: metrics.CallbackOptions) -> Iterable[metrics.Observation]:
    return [metrics.Observation(4, {'kind': 'ewe'})]


def test_every_kind_of_metric_is_measured(config_kwargs: dict[str, Any]) -> None:
    """Counters, histograms and gauges, set by the user or asked for, arrive with name, unit and description."""
    reader = InMemoryMetricReader()
    config_kwargs['metrics'] = logfire.MetricsOptions(additional_readers=[reader])
    logfire.configure(**config_kwargs)
    logfire.metric_counter('born', unit='{sheep}', description='Lambs').add(2)
    logfire.metric_up_down_counter('grazing', unit='{sheep}', description='Out').add(-1)
    logfire.metric_histogram('weight', unit='kg', description='Weights').record(50)
    logfire.metric_gauge('oldest', unit='a', description='Age').set(9)
    logfire.metric_counter_callback('shorn', callbacks=[observe], unit='{sheep}', description='Shorn')
    logfire.metric_up_down_counter_callback('inside', [observe], unit='{sheep}', description='In')
    logfire.metric_gauge_callback('youngest', [observe], unit='a', description='Age')
    found = {
        metric['name']: (
            metric['unit'],
            metric['description'],
            metric['data'].get('is_monotonic'),
            metric['data']['data_points'][0].get('value', metric['data']['data_points'][0].get('sum')),
        )
        for metric in get_collected_metrics(reader)
    }
    assert found == {
        'born': ('{sheep}', 'Lambs', True, 2),
        'grazing': ('{sheep}', 'Out', False, -1),
        'weight': ('kg', 'Weights', None, 50),
        'oldest': ('a', 'Age', None, 9),
        'shorn': ('{sheep}', 'Shorn', True, 4),
        'inside': ('{sheep}', 'In', False, 4),
        'youngest': ('a', 'Age', None, 4),
    }


def test_a_local_instance_leaves_the_global_one_alone(exporter: TestExporter, config_kwargs: dict[str, Any]) -> None:
    """What an instance of `configure(local=True)` makes goes where that says, and nowhere else."""
    second = TestExporter()
    config_kwargs['additional_span_processors'] = [SimpleSpanProcessor(second)]
    local = logfire.configure(**config_kwargs, local=True)
    local.info('one')
    logfire.info('two')
    assert [span.name for span in ended(second)] == ['one']
    assert [span.name for span in ended(exporter)] == ['two']


def test_logfire_info_lists_versions() -> None:
    """`logfire_info()` names our version, Python's, and those of OpenTelemetry packages."""
    lines = logfire.logfire_info().splitlines()
    assert lines[0] == f'logfire="{logfire.VERSION}"'
    assert lines[2] == f'python="{sys.version}"'
    assert any(line.startswith('opentelemetry-sdk="1.') for line in lines)
    assert not any(line.startswith('pytest=') for line in lines)


def test_instrumenting_azure_ai_inference_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The method hands instance, clients and settings to the instrumentation, and returns what undoes it."""
    calls: list[tuple[object, ...]] = []

    def instrument(instance: logfire.Logfire, target: object, **settings: object) -> str:
        calls.append((instance.tags, target, settings))
        return 'undo'

    module = 'logfire._internal.integrations.llm_providers.azure_ai_inference'
    monkeypatch.setattr(f'{module}.instrument_azure_ai_inference', instrument)
    client: Any = object()
    undo: Any = logfire.with_tags('farm').instrument_azure_ai_inference(client, capture_content=False)
    assert undo == 'undo'
    assert calls == [(('farm',), client, {'suppress_other_instrumentation': True, 'capture_content': False})]


def test_a_message_without_end_is_cut(exporter: TestExporter) -> None:
    """Of a message, and of its template, a million characters are kept."""
    logfire.info('x' * (2**20 + 1_000))
    logfire.info('y' * 2**20 + ' {name}', name='sheep')
    for span in ended(exporter):
        found = attributes(span)
        assert 2**20 <= len(found['logfire.msg']) < 2**20 + 100
        assert 2**20 <= len(found['logfire.msg_template']) < 2**20 + 100
