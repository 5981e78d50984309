"""`logfire.testing`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from opentelemetry import _logs
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

import logfire
from logfire.testing import (
    IncrementalIdGenerator,
    SeededRandomIdGenerator,
    TestExporter,
    TestLogExporter,
    TimeGenerator,
)

if TYPE_CHECKING:
    from tests.compat.observation import Scene


def case_generators(scene: Scene) -> None:
    ids = IncrementalIdGenerator()
    print(ids.generate_span_id(), ids.generate_span_id(), ids.generate_trace_id())
    ids.reset_trace_span_ids()
    print(ids.generate_span_id(), ids.generate_trace_id(), ids)
    clock = TimeGenerator(ns_time=5)
    print(clock(), clock(), TimeGenerator()())
    for seed in (0, 1):
        seeded = SeededRandomIdGenerator(seed=seed)
        print(f'{seeded.generate_span_id():x}', f'{seeded.generate_trace_id():032x}'[12:])
    seeded = SeededRandomIdGenerator(seed=None)
    print(seeded.generate_span_id() != seeded.generate_span_id())


def case_span_exporter(scene: Scene) -> None:
    exporter = TestExporter()
    scene.configure(additional_span_processors=[SimpleSpanProcessor(exporter)])
    with logfire.span('a', x=[1]) as span:
        logfire.info('b')
        assert span.context is not None
        span.add_link(span.context)
    try:
        with logfire.span('c'):
            raise ValueError('bad')
    except ValueError:
        pass
    views = (
        exporter.exported_spans_as_dict(),
        exporter.exported_spans_as_dict(fixed_line_number=None, strip_filepaths=False, _strip_function_qualname=False),
        exporter.exported_spans_as_dict(include_resources=True, include_instrumentation_scope=True),
        exporter.exported_spans_as_dict(_include_pending_spans=True, parse_json_attributes=True),
    )
    for view in views:
        for shown in view:
            if 'resource' in shown:
                shown['resource'] = shown['resource']['attributes']['service.name']
            print(json.dumps(shown))
    other = TestExporter()
    print(other.export(exporter.exported_spans).name, len(other.exported_spans))
    exporter.clear()
    print(exporter.exported_spans, exporter.force_flush(), exporter.shutdown())


def case_log_exporter(scene: Scene) -> None:
    exporter = TestLogExporter(ns_timestamp_generator=TimeGenerator())
    scene.configure(
        console=False, advanced=logfire.AdvancedOptions(log_record_processors=[SimpleLogRecordProcessor(exporter)])
    )
    _logs.get_logger('lib').emit(LogRecord(body='hello', attributes={'code.lineno': 3, 'x': '[1]'}))
    print(len(exporter.get_finished_logs()), exporter.force_flush())
    for view in (
        exporter.exported_logs_as_dicts(),
        exporter.exported_logs_as_dicts(
            fixed_line_number=None,
            strip_filepaths=False,
            include_instrumentation_scope=True,
            _strip_function_qualname=False,
            parse_json_attributes=True,
        ),
        exporter.exported_logs_as_dicts(include_resources=True),
    ):
        for shown in view:
            shown.pop('resource', None)
            print(json.dumps(shown))
    other = TestLogExporter(TimeGenerator())
    print(other.export(exporter.get_finished_logs()).name, len(other.get_finished_logs()))
    exporter.clear()
    exporter.shutdown()
    print(exporter.get_finished_logs())
