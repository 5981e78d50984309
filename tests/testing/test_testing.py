"""What `logfire.testing` gives to tests of instrumented code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, SpanContext

import logfire
from logfire import testing
from logfire._internal.config.configuration import GLOBAL_CONFIG
from logfire.testing import (
    CaptureLogfire,
    IncrementalIdGenerator,
    SeededRandomIdGenerator,
    TestExporter,
    TestLogExporter,
    TimeGenerator,
    get_collected_metrics,
)


def test_time_advances_a_second_a_reading() -> None:
    """The clock of a test starts where it is told, and goes one second further at each reading."""
    clock = TimeGenerator()
    assert (clock(), clock(), clock.ns_time) == (1_000_000_000, 2_000_000_000, 2_000_000_000)
    assert TimeGenerator(5)() == 1_000_000_005


def test_ids_count_up() -> None:
    """Incremental ids count traces and spans apart, and can begin again."""
    ids = IncrementalIdGenerator()
    assert [ids.generate_trace_id(), ids.generate_span_id(), ids.generate_span_id()] == [1, 1, 2]
    assert repr(ids) == 'IncrementalIdGenerator()'
    ids.reset_trace_span_ids()
    assert (ids.generate_trace_id(), ids.generate_span_id()) == (1, 1)


def test_seeded_ids_are_the_same_in_each_run() -> None:
    """The same seed gives the same ids, apart from the time a trace id begins with; no seed gives others."""

    def ids(seed: int | None) -> list[int]:
        generator = SeededRandomIdGenerator(seed, _ms_timestamp_generator=lambda: 0x123)
        return [generator.generate_trace_id(), generator.generate_span_id(), generator.generate_trace_id()]

    assert ids(7) == ids(7)
    assert ids(7) != ids(8)
    assert ids(None) != ids(None)
    assert [trace_id >> 80 for trace_id in (ids(7)[0], ids(7)[2])] == [0x123, 0x123]
    assert all(0 < span_id < 1 << 64 for span_id in (ids(seed)[1] for seed in range(20)))
    # As in the published SDK, whose users have such ids in their snapshots.
    assert SeededRandomIdGenerator().generate_span_id() == 0x629F6FBED82C07CD
    assert repr(SeededRandomIdGenerator(7)) == 'SeededRandomIdGenerator(seed=7)'


def test_trace_ids_begin_with_the_time() -> None:
    """Trace ids made later sort later, to the millisecond."""
    assert SeededRandomIdGenerator().generate_trace_id() >> 80 > 1_700_000_000_000


@pytest.fixture
def tracer(configured: object) -> trace.Tracer:
    return trace.get_tracer('scope')


CODE: dict[str, Any] = {'code.filepath': '/srv/shop/cart.py', 'code.lineno': 7, 'code.function': 'Cart.add'}


def test_a_span_as_plain_data(tracer: trace.Tracer, exporter: TestExporter) -> None:
    """A span is shown with its ids, times, attributes, links and events; what differs between runs is made equal."""
    parent = SpanContext(15, 16, is_remote=True, trace_flags=trace.TraceFlags(1))
    context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
    given: dict[str, Any] = {**CODE, 'logfire.exception.fingerprint': 'abc', 'logfire.msg': 'hi', 'd': '{"a":1}'}
    links = [Link(SpanContext(9, 8, is_remote=False), {'why': 'so'})]
    with tracer.start_as_current_span('span', context, attributes=given, links=links) as span:
        span.add_event('event', {'exception.stacktrace': 'Traceback\n  at\nValueError: x\n', 'n': 1})
        span.add_event('plain', {'n': 2})
        span.add_event('bare')
    assert exporter.exported_spans_as_dict() == snapshot(
        [
            {
                'name': 'span',
                'context': {'trace_id': 15, 'span_id': 1, 'is_remote': False},
                'parent': {'trace_id': 15, 'span_id': 16, 'is_remote': True},
                'start_time': 1000000000,
                'end_time': 5000000000,
                'attributes': {
                    'code.filepath': 'cart.py',
                    'code.lineno': 123,
                    'code.function': 'add',
                    'logfire.exception.fingerprint': '0000000000000000000000000000000000000000000000000000000000000000',
                    'logfire.msg': 'hi',
                    'd': '{"a":1}',
                    'logfire.span_type': 'span',
                },
                'links': [{'context': {'trace_id': 9, 'span_id': 8, 'is_remote': False}, 'attributes': {'why': 'so'}}],
                'events': [
                    {
                        'name': 'event',
                        'timestamp': 2000000000,
                        'attributes': {'exception.stacktrace': 'ValueError: x', 'n': 1},
                    },
                    {'name': 'plain', 'timestamp': 3000000000, 'attributes': {'n': 2}},
                    {'name': 'bare', 'timestamp': 4000000000},
                ],
            }
        ]
    )
    shown = exporter.exported_spans_as_dict(
        fixed_line_number=None,
        strip_filepaths=False,
        _strip_function_qualname=False,
        parse_json_attributes=True,
        include_instrumentation_scope=True,
    )[0]
    assert {key: shown['attributes'][key] for key in CODE} == CODE
    assert shown['attributes']['d'] == {'a': 1}
    assert shown['instrumentation_scope'] == 'scope'
    assert exporter.exported_spans_as_dict(fixed_line_number=99)[0]['attributes']['code.lineno'] == 99


def test_a_resource_as_plain_data(tracer: trace.Tracer, exporter: TestExporter) -> None:
    """The resource is shown when asked for, with what differs between runs made equal."""
    tracer.start_span('span').end()
    (shown,) = exporter.exported_spans_as_dict(include_resources=True)
    attributes = shown['resource']['attributes']
    fixed = {'service.instance.id': '0' * 32, 'telemetry.sdk.version': '0.0.0', 'process.pid': 1234}
    assert {key: attributes[key] for key in fixed} == fixed
    assert attributes['service.name'] == 'unknown_service'


def test_pending_spans_are_shown_when_asked_for(tracer: trace.Tracer, exporter: TestExporter) -> None:
    """The copies that announce running spans are kept, and left out of the view unless asked for."""
    tracer.start_span('span')
    assert exporter.exported_spans_as_dict() == []
    (shown,) = exporter.exported_spans_as_dict(_include_pending_spans=True)
    assert shown['attributes']['logfire.span_type'] == 'pending_span'


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('[1]', [1]),
        ('{"a":"{}"}', {'a': '{}'}),
        (' {"a":1}', ' {"a":1}'),
        ('"x"', '"x"'),
        ('[1', '[1'),
        ('null', 'null'),
    ],
)
def test_json_attributes_are_parsed(text: str, shown: Any, tracer: trace.Tracer, exporter: TestExporter) -> None:
    """When asked for, JSON objects and arrays are shown as what they hold, and other text as it is."""
    tracer.start_span('span', attributes={'value': text}).end()
    (span,) = exporter.exported_spans_as_dict(parse_json_attributes=True)
    assert span['attributes']['value'] == shown
    assert exporter.exported_spans_as_dict()[0]['attributes']['value'] == text


def test_an_exporter_can_forget(tracer: trace.Tracer, exporter: TestExporter) -> None:
    """After `clear` an exporter holds nothing."""
    tracer.start_span('span').end()
    exporter.clear()
    assert exporter.exported_spans == []


def test_log_records_as_plain_data(capfire: CaptureLogfire) -> None:
    """A log record of OpenTelemetry's logs API is shown with its text, severity, attributes and place."""
    logger = GLOBAL_CONFIG.logger_provider.get_logger('scope')
    with logfire.span('span'):
        logger.emit(
            body='hello',
            severity_number=SeverityNumber.INFO,
            severity_text='INFO',
            attributes={**CODE, 'j': '{"a":1}'},
            timestamp=5,
        )
    logger.emit(body={'a': 1})
    assert capfire.log_exporter.exported_logs_as_dicts() == snapshot(
        [
            {
                'body': 'hello',
                'severity_number': 9,
                'severity_text': 'INFO',
                'attributes': {'code.filepath': 'cart.py', 'code.lineno': 123, 'code.function': 'add', 'j': '{"a":1}'},
                'timestamp': 2000000000,
                'observed_timestamp': 3000000000,
                'trace_id': 1,
                'span_id': 1,
                'trace_flags': 1,
            },
            {
                'body': {'a': 1},
                'severity_number': None,
                'severity_text': None,
                'attributes': {},
                'timestamp': 5000000000,
                'observed_timestamp': 6000000000,
                'trace_id': 0,
                'span_id': 0,
                'trace_flags': 0,
            },
        ]
    )
    shown = capfire.log_exporter.exported_logs_as_dicts(
        fixed_line_number=None,
        strip_filepaths=False,
        include_resources=True,
        include_instrumentation_scope=True,
        _strip_function_qualname=False,
        parse_json_attributes=True,
    )[0]
    assert shown['attributes'] == {**CODE, 'j': {'a': 1}}
    assert (shown['instrumentation_scope'], shown['resource']['attributes']['process.pid']) == ('scope', 1234)
    capfire.log_exporter.clear()
    assert capfire.log_exporter.get_finished_logs() == ()


def test_a_log_exporter_stays_readable() -> None:
    """Flushing and shutting down take nothing away."""
    exporter = TestLogExporter(TimeGenerator())
    assert exporter.force_flush()
    assert exporter.shutdown() is None


def test_metrics_as_plain_data() -> None:
    """Metrics are shown one by one, without those of OpenTelemetry about itself."""
    reader = InMemoryMetricReader()
    assert get_collected_metrics(reader) == []
    meter = MeterProvider([reader], shutdown_on_exit=False).get_meter('scope')
    meter.create_counter('count', '1', 'how many').add(3, {'a': 1})
    meter.create_counter('otel.sdk.something').add(1)
    (metric,) = get_collected_metrics(reader)
    assert (metric['name'], metric['unit'], metric['description']) == ('count', '1', 'how many')
    (point,) = metric['data']['data_points']
    assert (point['value'], point['attributes']) == (3, {'a': 1})


def test_capfire_captures_everything(capfire: CaptureLogfire) -> None:
    """The fixture configures: spans, logs and metrics of a test are in it, with ids and times that never change."""
    with logfire.span('hello {name}', name='world'):
        GLOBAL_CONFIG.meter_provider.get_meter('scope').create_counter('count').add(2)
    (span,) = capfire.exporter.exported_spans_as_dict()
    assert span['attributes']['logfire.msg'] == 'hello world'
    assert (span['context']['span_id'], span['start_time'], span['end_time']) == (1, 1_000_000_000, 2_000_000_000)
    assert [metric['name'] for metric in capfire.get_collected_metrics()] == ['count']


PLUGIN_TESTS = """
import logfire

def test_one(capfire):
    logfire.info('one')
    assert [span['name'] for span in capfire.exporter.exported_spans_as_dict()] == ['one']

def test_two():
    from logfire._internal.config.configuration import GLOBAL_CONFIG
    assert not GLOBAL_CONFIG.initialized
"""


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


def test_capfire_needs_no_import(tmp_path: Path) -> None:
    """A project that has the package installed has the fixture; the test after it is not configured by it."""
    tmp_path.joinpath('test_user.py').write_text(PLUGIN_TESTS, encoding='utf-8')
    done = python('-m', 'pytest', '-q', '-p', 'no:cacheprovider', cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert '2 passed' in done.stdout


def test_the_plugin_loads_nothing_heavy(tmp_path: Path) -> None:
    """A test run that does not use the fixture does not even import the package."""
    tmp_path.joinpath('test_user.py').write_text(
        'import sys\n\ndef test_it():\n'
        "    assert 'logfire_pytest_plugin' in sys.modules\n"
        "    assert 'logfire' not in sys.modules\n",
        encoding='utf-8',
    )
    # Plugins of others, which load what they like, are left out.
    code = "import os, pytest, sys; os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'; sys.exit(pytest.main())"
    done = python('-c', code, '-q', '-p', 'no:cacheprovider', '-p', 'logfire_pytest_plugin', cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_everything_is_there_without_pytest(tmp_path: Path) -> None:
    """The exporters and generators serve where pytest is not installed."""
    code = """
import sys
sys.modules['pytest'] = None
from logfire import testing
for name in testing.__all__:
    if name != 'capfire':
        assert getattr(testing, name).__doc__, name
"""
    done = python('-c', code, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, '')


def test_names_that_are_not_there_are_not_there() -> None:
    """The module shows what it has and nothing else."""
    assert {*testing.__all__} <= {*dir(testing)}
    missing: Any = testing
    with pytest.raises(AttributeError, match=r"module 'logfire\.testing' has no attribute 'nothing'"):
        _ = missing.nothing
    assert testing.capfire is not None


def test_exporters_are_no_tests() -> None:
    """pytest does not collect the exporters for the `Test` in their names."""
    assert TestExporter.__test__ is TestLogExporter.__test__ is False
    assert SimpleSpanProcessor(TestExporter())
