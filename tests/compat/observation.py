"""Run one program and write down, as JSON, everything that came of it: `python observation.py PROGRAM OUTPUT`.

It runs in an environment where either package may be installed as `logfire`, so that it uses of it what is public, and
of this project nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import io
import json
import logging
import os
import re
import sys
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

import logfire
from logfire.testing import IncrementalIdGenerator, TestExporter, TimeGenerator

CONSOLES: dict[str, dict[str, Any]] = {
    'show-parents': {},
    'show-parents colour': {'colors': 'always'},
    'show-parents verbose': {'verbose': True},
    'simple': {'span_style': 'simple'},
    'indented': {'span_style': 'indented'},
    'indented colour verbose': {'span_style': 'indented', 'colors': 'always', 'verbose': True},
}
"""The consoles that each case is shown on."""

_FRAME = re.compile(r'^ *File "(?P<file>[^"]*)", line \d+')


class Scene:
    """What a case is given: `configure()`, and all that was exported since."""

    def __init__(self, console: dict[str, Any]) -> None:
        self.console_text = io.StringIO()
        self.spans = TestExporter()
        self._reader: InMemoryMetricReader | None = None
        self.clock = TimeGenerator()
        self.logs = InMemoryLogRecordExporter()
        self._console = console

    def configure(self, **keywords: Any) -> logfire.Logfire:
        """`logfire.configure()`, with exporters, a console, ids and a clock that this scene reads.

        Options that are given keep what they say beside that.
        """
        console = keywords.get('console') or logfire.ConsoleOptions()
        advanced = keywords.get('advanced') or logfire.AdvancedOptions()
        metrics = keywords.get('metrics') or logfire.MetricsOptions()
        if keywords.get('console') is not False:
            keywords['console'] = dataclasses.replace(
                console, **{'colors': 'never', 'output': self.console_text, **self._console}
            )
        if keywords.get('metrics') is not False:
            # One for each configuration: the one before is shut down.
            self._reader = InMemoryMetricReader()
            keywords['metrics'] = dataclasses.replace(
                metrics, additional_readers=[*metrics.additional_readers, self._reader]
            )
        keywords['advanced'] = dataclasses.replace(
            advanced,
            id_generator=IncrementalIdGenerator(),
            ns_timestamp_generator=self.clock,
            log_record_processors=[*advanced.log_record_processors, SimpleLogRecordProcessor(self.logs)],
        )
        processors = [*keywords.pop('additional_span_processors', ()), SimpleSpanProcessor(self.spans)]
        settings: dict[str, Any] = {
            'send_to_logfire': False,
            'service_name': 'farm',
            'service_version': '1',
            'inspect_arguments': True,
            'additional_span_processors': processors,
        }
        return logfire.configure(**{**settings, **keywords})

    def observed(self) -> dict[str, Any]:
        """All that was exported."""
        spans = self.spans.exported_spans
        return {
            'spans': [_span(span) for span in spans],
            'resource': dict(sorted(spans[0].resource.attributes.items())) if spans else {},
            'logs': [_log(record) for record in self.logs.get_finished_logs()],
            'metrics': _metrics(self._reader) if self._reader else [],
        }


Case = Callable[[Scene], None]


def _span(span: ReadableSpan) -> dict[str, Any]:
    scope = span.instrumentation_scope
    return {
        'name': span.name,
        'trace': span.context.trace_id if span.context else None,
        'id': span.context.span_id if span.context else None,
        'parent': span.parent and {'id': span.parent.span_id, 'remote': span.parent.is_remote},
        'kind': span.kind.name,
        'start': span.start_time,
        'end': span.end_time,
        'status': [span.status.status_code.name, _readable(span.status.description)],
        'scope': scope and scope.name,
        'attributes': _attributes(span.attributes),
        'links': [
            {
                'trace': link.context.trace_id,
                'id': link.context.span_id,
                'attributes': _attributes(link.attributes),
            }
            for link in span.links
        ],
        'events': [
            {'name': event.name, 'time': event.timestamp, 'attributes': _attributes(event.attributes)}
            for event in span.events
        ],
    }


def _log(record: ReadableLogRecord) -> dict[str, Any]:
    log = record.log_record
    return {
        'body': log.body,
        'event': log.event_name,
        'severity': [log.severity_number.value if log.severity_number else None, log.severity_text],
        'time': log.timestamp,
        'trace': log.trace_id,
        'id': log.span_id,
        'scope': record.instrumentation_scope and record.instrumentation_scope.name,
        'attributes': _attributes(log.attributes),
    }


def _attributes(attributes: Any) -> dict[str, Any]:
    given: Mapping[str, Any] = attributes or {}
    return {key: _readable(value) for key, value in given.items()}


def _readable(value: Any) -> Any:
    return _without_foreign_frames(value) if isinstance(value, str) and 'Traceback (most' in value else value


def _metrics(reader: InMemoryMetricReader) -> list[dict[str, Any]]:
    """The metrics of the scopes that programs make; those of OpenTelemetry about itself are not ours to compare."""
    data = reader.get_metrics_data()
    return (
        []
        if data is None
        else [
            {'scope': scope['scope']['name'], **metric}
            for resource in json.loads(data.to_json())['resource_metrics']
            for scope in resource['scope_metrics']
            for metric in scope['metrics']
            if not metric['name'].startswith('otel.sdk.')
        ]
    )


def _without_foreign_frames(text: str) -> str:
    """A traceback without the frames of installed packages: those show the source of whichever package runs."""
    kept: list[str] = []
    skipping = False
    for line in text.splitlines():
        frame = _FRAME.match(line)
        if frame:
            file = frame['file']
            skipping = 'site-packages' in file or os.path.dirname(logfire.__file__) in file
        elif not line.startswith('    '):
            skipping = False
        if not skipping:
            kept.append(line)
    return '\n'.join(kept)


def _plain_category(category: type[Warning]) -> str:
    """The nearest class of Python's own: classes of warnings are named by whoever warns."""
    return next(cls.__name__ for cls in category.__mro__ if cls.__module__ == 'builtins')


def run_case(case: Case, console: dict[str, Any]) -> dict[str, Any]:
    """Run a case on one console; what came of it."""
    scene = Scene(console)
    printed = io.StringIO()
    raised: str | None = None
    with (
        warnings.catch_warnings(record=True) as caught,
        contextlib.redirect_stdout(printed),
    ):
        warnings.simplefilter('always')
        try:
            case(scene)
        except Exception as exc:
            traceback.print_exc()
            raised = type(exc).__name__
        logfire.force_flush()
    return {
        **scene.observed(),
        'console': scene.console_text.getvalue().splitlines(),
        'printed': printed.getvalue().splitlines(),
        'warnings': [f'{_plain_category(one.category)} at {one.filename}:{one.lineno}' for one in caught],
        'raised': raised,
    }


def observe(program: Path) -> dict[str, Any]:
    """Run each case of a program on each console; all but the console lines is of the first."""
    spec = importlib.util.spec_from_file_location(program.stem, program)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[program.stem] = module
    spec.loader.exec_module(module)
    cases: dict[str, Case] = {name: case for name, case in vars(module).items() if name.startswith('case_')}
    # What can be done but once in a process is shown on one console.
    once = getattr(module, 'ONCE', False)
    observed: dict[str, Any] = {}
    for name, case in cases.items():
        first: dict[str, Any] = {}
        consoles: dict[str, list[str]] = {}
        for title, console in islice(CONSOLES.items(), 1 if once else None):
            result = run_case(case, console)
            consoles[title] = result.pop('console')
            first = first or result
        observed[name.removeprefix('case_')] = {**first, 'console': consoles}
    return observed


def main(program: str, output: str) -> None:
    """Observe a program and write it down, with the places whose names differ between environments."""
    logging.getLogger('opentelemetry').setLevel(logging.CRITICAL)  # It tells of exporters that were shut down.
    path = Path(program).resolve()
    places = {
        '<programs>': str(path.parent),
        '<logfire>': os.path.dirname(logfire.__file__),
        '<packages>': sysconfig.get_path('purelib'),
        '<stdlib>': sysconfig.get_path('stdlib'),
        '<environment>': sys.prefix,
    }
    Path(output).write_text(json.dumps({'places': places, 'cases': observe(path)}, default=repr), encoding='utf-8')


if __name__ == '__main__':
    main(*sys.argv[1:])
