"""Spans and logs that other libraries make with OpenTelemetry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import _logs, trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.trace import SpanKind, Status, StatusCode

import logfire

if TYPE_CHECKING:
    from tests.compat.observation import Scene


def case_spans(scene: Scene) -> None:
    scene.configure()
    tracer = trace.get_tracer('lib', '1')
    with tracer.start_as_current_span('plain', attributes={'a': 1, 'list': [1, 2]}):
        logfire.info('within')
    with logfire.span('ours'), tracer.start_as_current_span('child', kind=SpanKind.SERVER) as span:
        span.set_attribute('x', 'y')
        span.add_event('met', {'who': 'dog'})


def case_failures(scene: Scene) -> None:
    scene.configure()
    tracer = trace.get_tracer('lib')
    try:
        with tracer.start_as_current_span('raises'):
            raise ValueError('bad')
    except ValueError:
        pass
    with tracer.start_as_current_span('status') as span:
        span.set_status(Status(StatusCode.ERROR, 'no'))
    with tracer.start_as_current_span('level', attributes={'logfire.level_num': 17}):
        pass
    with tracer.start_as_current_span('late level') as span:
        span.set_attribute('logfire.level_num', 21)
    with tracer.start_as_current_span('recorded') as span:
        span.record_exception(KeyError('k'))
    with logfire.span('ours') as ours:
        ours.set_status(StatusCode.ERROR, 'broken')
    with logfire.span('has a level', _level='warn') as ours:
        ours.set_status(StatusCode.ERROR)


def case_http(scene: Scene) -> None:
    scene.configure()
    tracer = trace.get_tracer('opentelemetry.instrumentation.lib')
    cases: list[tuple[str, SpanKind, dict[str, Any]]] = [
        (
            'GET',
            SpanKind.CLIENT,
            {'http.method': 'GET', 'http.url': 'http://farm.test/sheep?a=1', 'http.status_code': 200},
        ),
        ('GET', SpanKind.CLIENT, {'http.request.method': 'GET', 'url.full': 'http://farm.test/sheep?a=1'}),
        (
            'POST /sheep/{id}',
            SpanKind.SERVER,
            {'http.method': 'POST', 'http.route': '/sheep/{id}', 'http.target': '/sheep/1'},
        ),
        ('GET', SpanKind.SERVER, {'http.request.method': 'GET', 'url.path': '/sheep', 'url.query': 'a=1&b=2'}),
        (
            'GET',
            SpanKind.CLIENT,
            {'http.method': 'GET', 'http.url': 'http://farm.test/a?password=hunter2&b=' + 'x' * 30},
        ),
        ('GET', SpanKind.CLIENT, {'http.method': 'GET', 'http.url': 'http://farm.test', 'http.status_code': 404}),
        ('GET', SpanKind.SERVER, {'http.request.method': 'GET', 'url.path': '/', 'http.response.status_code': 404}),
        ('GET', SpanKind.SERVER, {'http.request.method': 'GET', 'url.path': '/', 'http.response.status_code': 500}),
        ('GET', SpanKind.INTERNAL, {'http.method': 'GET', 'http.target': '/', 'http.status_code': 500}),
        ('own name', SpanKind.CLIENT, {'http.method': 'GET', 'http.url': 'http://farm.test/a'}),
        ('SELECT', SpanKind.CLIENT, {'db.system': 'sqlite', 'db.statement': 'SELECT name FROM sheep WHERE id = 1'}),
    ]
    for name, kind, attributes in cases:
        with tracer.start_as_current_span(name, kind=kind, attributes=attributes):
            pass


def case_logs(scene: Scene) -> None:
    scene.configure()
    log = _logs.get_logger('lib')
    log.emit(LogRecord(timestamp=1, severity_number=SeverityNumber.WARN, body='careful', attributes={'a': 1}))
    log.emit(LogRecord(timestamp=1, body={'a': ['b']}, attributes={'password': 'hunter2'}, event_name='met'))
    with logfire.span('around'):
        log.emit(LogRecord(timestamp=1, severity_number=SeverityNumber.ERROR, severity_text='ERR', body='within'))


def case_suppressed(scene: Scene) -> None:
    scene.configure()
    tracer = trace.get_tracer('lib')
    with logfire.suppress_instrumentation():
        with tracer.start_as_current_span('dropped'):
            logfire.info('log')
            with logfire.span('span'):
                pass
        logfire.metric_counter('dropped').add(1)
    with tracer.start_as_current_span('kept'):
        pass
