"""Spans as a user holds them."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import threading
import weakref
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

import logfire
from logfire._internal import errors
from logfire._internal.config.configuration import GLOBAL_CONFIG
from logfire._internal.main import DEFAULT_LOGFIRE_INSTANCE
from logfire._internal.span import _open_spans
from logfire.testing import TestExporter, TimeGenerator

pytestmark = pytest.mark.usefixtures('configured')


@pytest.fixture(autouse=True)
def no_logged_errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """OpenTelemetry logs wrong use (a context detached elsewhere, an ended span set): no test may cause it."""
    yield
    records = caplog.get_records('call')
    assert [record.getMessage() for record in records if record.name.startswith('opentelemetry')] == []


def ended(exporter: TestExporter) -> list[ReadableSpan]:
    """The spans and logs that were exported, without the copies that announce spans still running."""
    return [
        span for span in exporter.exported_spans if (span.attributes or {}).get('logfire.span_type') != 'pending_span'
    ]


def only(exporter: TestExporter) -> ReadableSpan:
    (span,) = ended(exporter)
    return span


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_span_has_its_attributes_in_a_fixed_order(exporter: TestExporter) -> None:
    """A span says where it was made, then the user's attributes, then its message, tags, level and what it is."""
    with logfire.span('count {what}', what='sheep', found=[1, 2], _tags=['farm'], _level='notice'):
        pass
    assert exporter.exported_spans_as_dict() == snapshot(
        [
            {
                'name': 'count {what}',
                'context': {'trace_id': 1, 'span_id': 1, 'is_remote': False},
                'parent': None,
                'start_time': 1000000000,
                'end_time': 2000000000,
                'attributes': {
                    'code.filepath': 'test_span.py',
                    'code.function': 'test_a_span_has_its_attributes_in_a_fixed_order',
                    'code.lineno': 123,
                    'what': 'sheep',
                    'found': '[1,2]',
                    'logfire.msg_template': 'count {what}',
                    'logfire.msg': 'count sheep',
                    'logfire.json_schema': '{"type":"object","properties":{"what":{},"found":{"type":"array"}}}',
                    'logfire.tags': ('farm',),
                    'logfire.level_num': 10,
                    'logfire.span_type': 'span',
                },
            }
        ]
    )
    assert list(attributes(only(exporter))) == snapshot(
        [
            'code.filepath',
            'code.function',
            'code.lineno',
            'what',
            'found',
            'logfire.msg_template',
            'logfire.msg',
            'logfire.json_schema',
            'logfire.tags',
            'logfire.level_num',
            'logfire.span_type',
        ]
    )


def test_a_span_starts_on_entering_and_ends_on_leaving(exporter: TestExporter) -> None:
    """Making a span starts nothing; inside it is current; afterwards what was current before is again."""
    span = logfire.span('count')
    assert span.context is None
    assert span.get_span_context() is None
    assert not span.is_recording()
    with span as entered:
        assert entered is span
        assert span.is_recording()
        assert trace.get_current_span().get_span_context() == span.context == span.get_span_context()
        logfire.info('found')
    assert not span.is_recording()
    assert not trace.get_current_span().get_span_context().is_valid
    assert span.context is not None
    log, counted = ended(exporter)
    assert log.parent == counted.context == span.context
    assert counted.parent is None


def test_name_kind_and_links_are_those_asked_for(exporter: TestExporter) -> None:
    """A span's name, kind and links can be given, and links added, before and after it starts."""
    with logfire.span('first') as first:
        pass
    assert first.context is not None
    exporter.clear()
    span = logfire.span(
        'count {what}', what='sheep', _span_name='count', _span_kind=SpanKind.CLIENT, _links=[(first.context, {'a': 1})]
    )
    span.add_link(first.context, {'b': 2})
    with span:
        span.add_link(first.context)
    exported = only(exporter)
    assert (exported.name, exported.kind) == ('count', SpanKind.CLIENT)
    assert [link.context for link in exported.links] == [first.context] * 3
    assert [dict(link.attributes or {}) for link in exported.links] == [{'a': 1}, {'b': 2}, {}]


def test_attributes_set_late_are_kept_with_their_shape(exporter: TestExporter) -> None:
    """What is set inside a span is encoded as what is given at its start, and `logfire.json_schema` covers it."""
    with logfire.span('count', what='sheep', found=[1]) as span:
        span.set_attribute('found', {'ewes': 3})
        span.set_attributes({'price': 1.5, 'names': ('Dolly', 'Polly'), 'none': None})
        span.set_attributes({})
        with pytest.warns(UserWarning, match='wool'):
            span.set_attribute('wool', 2**70)
    exported = attributes(only(exporter))
    assert {key: value for key, value in exported.items() if not key.startswith(('logfire.', 'code.'))} == snapshot(
        {
            'what': 'sheep',
            'found': '{"ewes":3}',
            'price': 1.5,
            'names': '["Dolly","Polly"]',
            'none': 'null',
            'wool': '1180591620717411303424',
        }
    )
    assert json.loads(exported['logfire.json_schema']) == {
        'type': 'object',
        'properties': {
            'what': {},
            'found': {'type': 'object'},
            'price': {},
            'names': {'type': 'array', 'x-python-datatype': 'tuple'},
            'none': {'type': 'null'},
            'wool': {},
        },
    }


def test_a_span_given_no_attributes_has_no_schema(exporter: TestExporter) -> None:
    """`logfire.json_schema` is there when the user gave or set attributes, not otherwise."""
    with logfire.span('one'):
        pass
    with logfire.span('two') as span:
        span.set_attribute('found', 3)
    assert [attributes(span).get('logfire.json_schema') for span in ended(exporter)] == [
        None,
        '{"type":"object","properties":{"found":{}}}',
    ]


def test_what_is_set_before_entering_goes_with_the_span(exporter: TestExporter) -> None:
    """A span that is not entered yet takes attributes, message, tags and level, and has them from its start."""
    span = logfire.span('count', what='sheep')
    span.set_attribute('found', [3])
    span.message = 'counted'
    span.tags = ['farm', 'farm']
    span.set_level('warn')
    with span:
        assert (span.message, span.tags, span.message_template) == ('counted', ('farm',), 'count')
        assert dict(span.attributes).items() >= {'found': '[3]', 'logfire.level_num': 13}.items()
    exported = attributes(only(exporter))
    assert exported['logfire.msg'] == 'counted'
    assert exported['logfire.tags'] == ('farm',)
    assert exported['logfire.json_schema'] == snapshot(
        '{"type":"object","properties":{"what":{},"found":{"type":"array"}}}'
    )


def test_message_tags_and_level_can_be_replaced(exporter: TestExporter) -> None:
    """Inside, the message is replaced as it stands, tags replace the former ones, and the level is the last one set."""
    with logfire.with_tags('farm').span('count {what}', what='sheep', _level='info') as span:
        assert (span.message, span.message_template, span.tags) == ('count sheep', 'count {what}', ('farm',))
        span.message = 'counted {all}'
        span.tags += ('wool', 'farm')
        span.set_level(3)
        assert (span.message, span.tags) == ('counted {all}', ('farm', 'wool'))
    exported = attributes(only(exporter))
    assert (exported['logfire.msg'], exported['logfire.msg_template']) == ('counted {all}', 'count {what}')
    assert exported['logfire.tags'] == ('farm', 'wool')
    assert exported['logfire.level_num'] == 3


def test_an_unknown_level_warns_and_is_an_error(exporter: TestExporter) -> None:
    """A wrong level does not stop the caller."""
    level: Any = 'loud'
    with pytest.warns(UserWarning, match="Invalid level 'loud'"), logfire.span('one', _level=level):
        pass
    with logfire.span('two') as span, pytest.warns(UserWarning, match="Invalid level 'loud'"):
        span.set_level(level)
    assert [attributes(span)['logfire.level_num'] for span in ended(exporter)] == [17, 17]


def test_a_level_of_error_is_a_failure(exporter: TestExporter) -> None:
    """A span that ends at level error or above has the status ERROR, unless the user set a status."""
    with logfire.span('one', _level='error'):
        pass
    with logfire.span('two') as span:
        span.set_level('fatal')
    with logfire.span('three', _level='error') as span:
        span.set_level('warn')
    with logfire.span('four', _level='error') as span:
        span.set_status(Status(StatusCode.ERROR, 'eaten'))
    assert [(span.status.status_code.name, span.status.description) for span in ended(exporter)] == [
        ('ERROR', None),
        ('ERROR', None),
        ('UNSET', None),
        ('ERROR', 'eaten'),
    ]


def test_setting_after_the_end_does_nothing(exporter: TestExporter) -> None:
    """Whatever is set on an ended span is dropped, and the span goes on telling what it was."""
    with logfire.span('count', _tags=['farm']) as span:
        span.set_attribute('found', 3)
    (before,) = exporter.exported_spans_as_dict()
    assert span.context is not None
    span.message = 'late'
    span.tags = ['late']
    span.set_level('fatal')
    span.set_attribute('late', 1)
    span.set_attributes({'late': 1})
    span.add_link(span.context)
    span.record_exception(ValueError('late'))
    assert (span.message, span.tags) == ('count', ('farm',))
    assert exporter.exported_spans_as_dict() == [before]


def test_ending_and_entering_twice_is_harmless(exporter: TestExporter, clock: TimeGenerator) -> None:
    """A span starts once and ends once, at the first leaving or `end()`; the time can be given."""
    span = logfire.span('count')
    span.end()
    span.__exit__(None, None, None)
    with span, span:
        span.end(77_000_000_000)
        assert not trace.get_current_span().get_span_context().is_valid
        span.end(99)
    with span:
        assert not trace.get_current_span().get_span_context().is_valid
    read = clock.ns_time
    span.__exit__(ValueError, ValueError('late'), None)
    assert clock.ns_time == read
    assert only(exporter).end_time == 77_000_000_000
    assert only(exporter).events == ()


def test_a_span_ended_before_it_was_entered_starts_on_entering(exporter: TestExporter) -> None:
    """Ending what has not started does nothing: the span can still be used."""
    span = logfire.span('count')
    span.end()
    with span:
        assert span.is_recording()
    assert only(exporter).name == 'count'


def test_what_an_opentelemetry_span_has_is_there(exporter: TestExporter) -> None:
    """Names that are OpenTelemetry's reach its span; before it starts they are neutral. Other names are none."""
    span = logfire.span('count')
    assert (span.name, span.parent, span.events) == ('', None, ())
    span.add_event('too early')
    with span:
        assert span.name == 'count'
        span.add_event('found', {'what': 'sheep'})
        span.update_name('counted')
        with pytest.raises(AttributeError):
            _ = span.no_such_thing
        with pytest.raises(AttributeError):
            getattr(span, '_readable_span')  # noqa: B009 - private to OpenTelemetry, so no attribute for a type checker.
    assert only(exporter).name == 'counted'
    assert [event.name for event in only(exporter).events] == ['found']


def test_the_twin_below_min_level_has_the_same_surface(exporter: TestExporter, config_kwargs: dict[str, Any]) -> None:
    """A span that is dropped can be used as any other, and leaves no trace; exceptions pass through it."""
    logfire.configure(**config_kwargs, min_level='info')
    with logfire.span('count {what}', what='sheep', _level='debug') as span:
        span.message = 'counted'
        span.tags = ['farm']
        span.set_level('fatal')
        span.set_attribute('found', 3)
        span.set_attributes({'found': 3})
        span.add_link(trace.INVALID_SPAN_CONTEXT)
        span.record_exception(ValueError('lost'))
        span.add_event('found')
        assert (span.message, span.message_template, span.tags, span.name) == ('', '', (), '')
        assert (span.context, span.get_span_context(), span.is_recording()) == (None, None, False)
        span.end()
    with pytest.raises(ValueError, match='lost'), logfire.span('count', _level='debug'):
        raise ValueError('lost')
    assert ended(exporter) == []


def test_the_twin_can_do_all_that_a_span_can() -> None:
    """Every public name of `LogfireSpan` is also one of its twin, so a dropped span never breaks its user."""
    from logfire._internal.span import NOOP_SPAN

    names = [name for name in dir(logfire.LogfireSpan) if not name.startswith('_')]
    assert len(names) >= 12
    assert [name for name in names if not hasattr(NOOP_SPAN, name)] == []


def test_spans_nest_across_awaits_and_tasks(exporter: TestExporter) -> None:
    """Each task has its own current span; a task's first span is a child of the one where the task was made."""

    async def worker(name: str) -> None:
        with logfire.span(name):
            await asyncio.sleep(0)
            logfire.info(f'in {name}')

    async def main() -> None:
        with logfire.span('main'):
            await asyncio.gather(worker('one'), worker('two'))

    asyncio.run(main())
    by_name = {span.name: span for span in ended(exporter)}
    for name in ('one', 'two'):
        assert by_name[name].parent == by_name['main'].context
    logs = [span for span in ended(exporter) if attributes(span)['logfire.span_type'] == 'log']
    assert {attributes(log)['logfire.msg']: log.parent for log in logs} == {
        'in one': by_name['one'].context,
        'in two': by_name['two'].context,
    }


def test_a_span_can_be_left_in_another_context(exporter: TestExporter) -> None:
    """Left elsewhere than entered, a span ends; what is current there stays current, and nothing is logged."""
    span = logfire.span('count')
    contextvars.copy_context().run(span.__enter__)
    with logfire.span('other') as other:
        span.__exit__(None, None, None)
        assert trace.get_current_span().get_span_context() == other.context
    thread_span = logfire.span('thread')
    thread = threading.Thread(target=thread_span.__enter__)
    thread.start()
    thread.join()
    thread_span.__exit__(None, None, None)
    assert [span.name for span in ended(exporter)] == ['count', 'other', 'thread']
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_span_left_in_a_copy_of_its_context_is_not_current_there(exporter: TestExporter) -> None:
    """Left in a task that inherited it, a span is not current there any more."""
    span = logfire.span('count')

    def leave() -> bool:
        span.__exit__(None, None, None)
        return trace.get_current_span().get_span_context().is_valid

    def enter_and_leave() -> bool:
        span.__enter__()
        return contextvars.copy_context().run(leave)

    assert contextvars.copy_context().run(enter_and_leave) is False
    assert only(exporter).name == 'count'


def test_an_outer_span_left_first_leaves_the_inner_one_current(exporter: TestExporter) -> None:
    """Leaving spans in the wrong order does not take the inner one away."""
    outer, inner = logfire.span('outer'), logfire.span('inner')

    def run() -> None:
        outer.__enter__()
        inner.__enter__()
        outer.__exit__(None, None, None)
        logfire.info('still inside')
        inner.__exit__(None, None, None)

    contextvars.copy_context().run(run)
    by_name = {span.name: span for span in ended(exporter)}
    assert by_name['still inside'].parent == by_name['inner'].context


def test_an_abandoned_async_generator_ends_its_span_quietly(exporter: TestExporter) -> None:
    """A span inside an asynchronous generator that is dropped is ended by the event loop, in another context."""

    async def count() -> AsyncGenerator[int, None]:
        with logfire.span('count'):
            yield 1
            yield 2

    async def main() -> None:
        async for _ in count():
            break

    asyncio.run(main())
    assert [span.name for span in ended(exporter)] == ['count']


def test_an_exception_that_leaves_is_told_and_passes_on(exporter: TestExporter) -> None:
    """The caller gets the very exception; the spans have an escaped event, status ERROR, level error.

    The outermost has the fingerprint too."""
    exception = ValueError('lost')
    with pytest.raises(ValueError, match='lost') as caught, logfire.span('outer'), logfire.span('inner', _level='info'):
        raise exception
    assert caught.value is exception
    assert exporter.exported_spans_as_dict() == snapshot(
        [
            {
                'name': 'inner',
                'context': {'trace_id': 1, 'span_id': 3, 'is_remote': False},
                'parent': {'trace_id': 1, 'span_id': 1, 'is_remote': False},
                'start_time': 2000000000,
                'end_time': 4000000000,
                'attributes': {
                    'code.filepath': 'test_span.py',
                    'code.function': 'test_an_exception_that_leaves_is_told_and_passes_on',
                    'code.lineno': 123,
                    'logfire.msg_template': 'inner',
                    'logfire.msg': 'inner',
                    'logfire.span_type': 'span',
                    'logfire.level_num': 17,
                },
                'events': [
                    {
                        'name': 'exception',
                        'timestamp': 3000000000,
                        'attributes': {
                            'exception.type': 'ValueError',
                            'exception.message': 'lost',
                            'exception.stacktrace': 'ValueError: lost',
                            'exception.escaped': 'True',
                        },
                    }
                ],
            },
            {
                'name': 'outer',
                'context': {'trace_id': 1, 'span_id': 1, 'is_remote': False},
                'parent': None,
                'start_time': 1000000000,
                'end_time': 6000000000,
                'attributes': {
                    'code.filepath': 'test_span.py',
                    'code.function': 'test_an_exception_that_leaves_is_told_and_passes_on',
                    'code.lineno': 123,
                    'logfire.msg_template': 'outer',
                    'logfire.msg': 'outer',
                    'logfire.span_type': 'span',
                    'logfire.level_num': 17,
                    'logfire.exception.fingerprint': '0000000000000000000000000000000000000000000000000000000000000000',
                },
                'events': [
                    {
                        'name': 'exception',
                        'timestamp': 5000000000,
                        'attributes': {
                            'exception.type': 'ValueError',
                            'exception.message': 'lost',
                            'exception.stacktrace': 'ValueError: lost',
                            'exception.escaped': 'True',
                        },
                    }
                ],
            },
        ]
    )
    for span in ended(exporter):
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, 'ValueError: lost')


@pytest.mark.parametrize('exception', [KeyboardInterrupt(), SystemExit(3), asyncio.CancelledError(), GeneratorExit()])
def test_exceptions_that_are_no_errors_are_told_too(exporter: TestExporter, exception: BaseException) -> None:
    """What stops a program or a task is told on the span that it leaves, and passes on."""
    with pytest.raises(type(exception)) as caught, logfire.span('count'):
        raise exception
    assert caught.value is exception
    (event,) = only(exporter).events
    assert event.attributes is not None
    assert str(event.attributes['exception.type']).endswith(type(exception).__name__)


def test_an_exception_that_stays_is_only_an_event(exporter: TestExporter) -> None:
    """`record_exception` tells of an exception without making the span a failure, at the time given or the clock's."""
    with logfire.span('count') as span:
        span.record_exception(ValueError('lost'), {'herd': 1})
        span.record_exception(ValueError('found'), timestamp=7)
    exported = only(exporter)
    assert exported.status.status_code is StatusCode.UNSET
    assert 'logfire.level_num' not in attributes(exported)
    assert [(event.timestamp, event.attributes and event.attributes.get('herd')) for event in exported.events] == [
        ((exported.start_time or 0) + 1_000_000_000, 1),
        (7, None),
    ]


def test_recording_on_a_span_that_has_not_started_is_a_mistake() -> None:
    """An exception cannot wait for a span to start: that is said at once."""
    with pytest.raises(RuntimeError, match='entered'):
        logfire.LogfireSpan.record_exception(new_unstarted(), ValueError('lost'))


def new_unstarted() -> logfire.LogfireSpan:
    from logfire._internal.span import new_span

    return new_span(DEFAULT_LOGFIRE_INSTANCE, 'count', {})


def test_an_unsampled_span_runs_its_body_and_makes_nothing(
    exporter: TestExporter, config_kwargs: dict[str, Any]
) -> None:
    """A span that is sampled out takes all that is set, keeps none of it, and its children are sampled out too."""
    logfire.configure(**config_kwargs, sampling=logfire.SamplingOptions(head=0.0))
    with pytest.raises(ValueError, match='lost'), logfire.span('count') as span:
        assert not span.is_recording()
        span.set_attribute('found', 3)
        span.record_exception(ValueError('found'))
        assert span.context is not None
        span.add_link(span.context)
        assert span.start_time is None
        logfire.info('one')
        raise ValueError('lost')
    assert ended(exporter) == []


@pytest.mark.parametrize('place', ['new_span', 'get_current', 'record_exception', 'otel_attributes', 'attach'])
def test_a_fault_of_ours_never_reaches_the_body(
    exporter: TestExporter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    """Wherever we fail, the body runs, and its exception is the one that the caller gets."""
    monkeypatch.setattr(errors, 'strict', False)
    module = 'main' if place == 'new_span' else 'span'

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError('a fault of ours')

    monkeypatch.setattr(f'logfire._internal.{module}.{place}', fail)
    ran = False
    with pytest.raises(ValueError, match='lost'), logfire.span('count', what='sheep') as span:
        ran = True
        span.set_attribute('found', 3)
        span.message = 'counted'
        raise ValueError('lost')
    assert ran


def test_a_span_is_freed_when_its_user_lets_go(exporter: TestExporter) -> None:
    """Nothing of ours holds a span that has ended, nor one that was never entered."""
    with logfire.span('count') as span:
        pass
    references = [weakref.ref(span), weakref.ref(logfire.span('count'))]
    del span
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_a_clock_of_the_user_s_that_fails_never_reaches_the_body(
    exporter: TestExporter, config_kwargs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that raises costs telemetry: the body runs, be it at the start, at an exception or at the end."""
    monkeypatch.setattr(errors, 'strict', False)
    readings = good_readings = 0

    def clock() -> int:
        nonlocal readings
        readings += 1
        if readings > good_readings:
            raise RuntimeError('the clock stopped')
        return readings

    config_kwargs['advanced'] = logfire.AdvancedOptions(ns_timestamp_generator=clock)
    logfire.configure(**config_kwargs)
    for good_readings in (0, 1, 2):  # noqa: B007 - the clock reads it.
        readings = 0
        with pytest.raises(ValueError, match='lost'), logfire.span('count'):
            raise ValueError('lost')
        readings = 0
        with logfire.span('count') as span:
            logfire.info('found')
        assert not trace.get_current_span().get_span_context().is_valid
        assert span.message == 'count'


@pytest.mark.usefixtures('configured')
def test_a_processor_that_was_added_to_the_provider_itself_and_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its fault at the end of a span of ours stays there: the user's block goes on, and it is reported."""

    class Fails(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            raise RuntimeError('told')

    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr(errors, '_counts', {})
    GLOBAL_CONFIG.tracer_provider.add_span_processor(Fails())
    with logfire.span('block'):
        pass
    (report,) = [record.getMessage() for record in caplog.records if record.name == 'logfire']
    assert 'could not end a span' in report


def test_nothing_is_kept_of_a_span_that_is_dropped() -> None:
    """A program that drops spans which it never ends does not grow by them."""

    def begin_and_drop() -> None:
        logfire.span('dropped').__enter__()

    gc.collect()
    before = len(_open_spans._open)
    for _ in range(3):
        contextvars.Context().run(begin_and_drop)
    gc.collect()
    assert len(_open_spans._open) == before
