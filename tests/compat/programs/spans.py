"""Spans and what is done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanKind, StatusCode

import logfire

if TYPE_CHECKING:
    from tests.compat.observation import Scene


def case_nested(scene: Scene) -> None:
    scene.configure()
    with logfire.span('counting {what}', what='sheep', herd={'name': 'north', 'size': [1, 2]}):
        logfire.info('counted {n}', n=1)
        with logfire.span('resting', _level='debug'):
            pass
        with logfire.span('done', _tags=['a', 'b', 'a'], _span_name='end', _level='warn'):
            pass


def case_settings(scene: Scene) -> None:
    scene.configure()
    with logfire.span('first') as first:
        pass
    assert first.context is not None
    attributes: dict[str, Any] = {'a.b': 1}
    with logfire.span(
        'second {a.b}', _links=[(first.context, {'why': 'because'})], _span_kind=SpanKind.CLIENT, **attributes
    ) as span:
        print(span.message, '|', span.message_template, '|', span.tags, span.is_recording())
        span.set_attribute('late', {'x': (1, None)})
        span.set_attributes({'more': 1.5, 'late': 'replaced'})
        span.set_level('notice')
        span.tags = ('x', 'y', 'x')
        span.message = 'another {message}'
        print(span.message, '|', span.tags)
        span.add_link(first.context, {'n': 2})
        context = span.get_span_context()
        print(context == span.context)
    print(span.is_recording())
    span.set_attribute('after', 1)
    span.set_level('error')


def case_not_entered(scene: Scene) -> None:
    scene.configure()
    span = logfire.span('waiting {x}', x=1)
    print(span.message, span.tags)
    span.set_attribute('early', True)
    span.set_level('warn')
    with span:
        print(span.is_recording())


def case_error_level(scene: Scene) -> None:
    scene.configure()
    with logfire.span('failing', _level='error'):
        pass
    with logfire.span('failing later') as span:
        span.set_level('fatal')
    with logfire.span('number') as span:
        span.set_level(18)


def case_exceptions(scene: Scene) -> None:
    scene.configure()
    try:
        with logfire.span('outer'), logfire.span('inner', x=1):
            raise ValueError('wrong {x}')
    except ValueError:
        pass
    with logfire.span('records') as span:
        try:
            raise KeyError('k')
        except KeyError as exc:
            span.record_exception(exc, {'where': 'here'}, escaped=False)
            span.record_exception(exc, timestamp=5, escaped=True)


def case_cause(scene: Scene) -> None:
    scene.configure()
    try:
        with logfire.span('outer'):
            try:
                raise OSError(2, 'gone')
            except OSError as exc:
                raise RuntimeError('lost') from exc
    except RuntimeError:
        pass


def case_of_opentelemetry(scene: Scene) -> None:
    scene.configure()
    with logfire.span('a') as span:
        span.add_event('met', {'who': 'dog'})
        span.update_name('renamed')
        span.set_status(StatusCode.ERROR, 'broken')
        print(span.name, span.kind, span.parent, dict(span.attributes or {}).get('logfire.msg'))
    print(span.status.status_code, span.start_time, span.end_time, len(span.events), span.links)


def case_reentered(scene: Scene) -> None:
    scene.configure()
    span = logfire.span('twice')
    with span:
        pass
    with span:
        logfire.info('within')


def case_underscores(scene: Scene) -> None:
    scene.configure()
    for method in (logfire.span, logfire.info):
        try:
            method('a', _private=1)
        except ValueError:
            print('ValueError')


def case_ended_by_hand(scene: Scene) -> None:
    scene.configure()
    span = logfire.span('by hand')
    with span:
        span.end()
        logfire.info('after')
    logfire.info('outside')
