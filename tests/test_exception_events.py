"""What is told of an exception."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pydantic
import pytest
from inline_snapshot import snapshot
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan

import logfire
from logfire._internal import errors
from logfire._internal.exception_events import record_exception
from logfire._internal.issues import canonical_traceback
from logfire.testing import TestExporter
from logfire.types import ExceptionCallbackHelper, SpanLevel

if TYPE_CHECKING:
    from logfire import LevelName

pytestmark = pytest.mark.usefixtures('configured')


def ended(exporter: TestExporter) -> list[ReadableSpan]:
    """The spans and logs that were exported, without the copies that announce spans still running."""
    return [
        span for span in exporter.exported_spans if (span.attributes or {}).get('logfire.span_type') != 'pending_span'
    ]


def caught(function: Callable[[], object]) -> BaseException:
    try:
        function()
    except BaseException as exc:
        return exc
    raise AssertionError('nothing was raised')


def lose() -> None:
    raise ValueError('lost')


class Shop:
    class ClosedError(Exception):
        pass


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError('no words')


def recorded(exporter: TestExporter, exception: BaseException, **kwargs: Any) -> ReadableSpan:
    """A span with the exception recorded on it."""
    exporter.clear()
    span = trace.get_tracer('farm').start_span('count')
    record_exception(span, exception, **kwargs)
    span.end()
    (exported,) = ended(exporter)
    return exported


def event(span: ReadableSpan) -> dict[str, Any]:
    (only,) = span.events
    assert only.name == 'exception'
    return dict(only.attributes or {})


def test_an_event_has_type_message_and_stack_trace(exporter: TestExporter) -> None:
    """The event names the type, tells the message and holds the whole trace; attributes given follow."""
    told = event(recorded(exporter, caught(lose), attributes={'herd': 1}))
    assert list(told) == [
        'exception.type',
        'exception.message',
        'exception.stacktrace',
        'exception.escaped',
        'herd',
    ]
    assert (told['exception.type'], told['exception.message'], told['exception.escaped']) == (
        'ValueError',
        'lost',
        'False',
    )
    assert told['exception.stacktrace'].startswith('Traceback (most recent call last):')
    assert told['exception.stacktrace'].endswith('ValueError: lost\n')


@pytest.mark.parametrize(
    ('exception', 'name'),
    [
        (KeyError('lost'), 'KeyError'),
        (asyncio.CancelledError(), 'asyncio.exceptions.CancelledError'),
        (Shop.ClosedError(), f'{__name__}.Shop.ClosedError'),
    ],
)
def test_the_type_is_named_with_its_module(exporter: TestExporter, exception: BaseException, name: str) -> None:
    """Built-in exceptions are named bare, others with module and qualified name."""
    assert event(recorded(exporter, exception))['exception.type'] == name


def test_a_message_that_cannot_be_had_is_told_as_such(exporter: TestExporter) -> None:
    """An exception whose `__str__` fails is recorded all the same."""
    span = recorded(exporter, Mute(), escaped=True)
    assert event(span)['exception.message'] == '<exception str() failed>'
    assert span.status.description == 'Mute: <exception str() failed>'


def test_text_that_utf8_does_not_have_is_spelled_out(exporter: TestExporter) -> None:
    """A lone surrogate in a message does not break the export of the span."""
    span = recorded(exporter, ValueError('lost \ud800'), escaped=True)
    assert event(span)['exception.message'] == 'lost \\ud800'
    assert span.status.description == 'ValueError: lost \\ud800'
    event(span)['exception.stacktrace'].encode()


def test_a_span_that_does_not_record_is_left_alone() -> None:
    """Nothing is computed for a span that keeps nothing: not even the message is asked for."""
    asked: list[bool] = []

    class Asked(Exception):
        def __str__(self) -> str:
            asked.append(True)
            return ''

    record_exception(trace.INVALID_SPAN, Asked())
    assert asked == []


class Sheep(pydantic.BaseModel):
    age: int

    @pydantic.field_validator('age')
    @classmethod
    def check(cls, age: int) -> int:
        if age < 0:
            raise ValueError('unborn')
        return age


def test_a_pydantic_error_is_told_as_json(exporter: TestExporter) -> None:
    """The errors of a pydantic ValidationError stand on the event and on the span, as JSON."""
    span = recorded(exporter, caught(lambda: Sheep(age=-1)), attributes={'herd': 1})
    assert span.attributes is not None
    assert span.attributes['exception.logfire.data'] == snapshot(
        '[{"type":"value_error","loc":["age"],"msg":"Value error, unborn","input":-1,"ctx":{"error":"unborn"}}]'
    )
    assert list(event(span))[-2:] == ['herd', 'exception.logfire.data']
    assert event(span)['exception.logfire.data'] == span.attributes['exception.logfire.data']


def test_errors_of_pydantic_that_cannot_be_read_cost_only_themselves(
    exporter: TestExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where we fail to read what pydantic says, the exception is recorded without it."""
    monkeypatch.setattr(errors, 'strict', False)

    def fail(value: object) -> str:
        raise RuntimeError('a fault of ours')

    monkeypatch.setattr('logfire._internal.exception_events.json_dumps', fail)
    told = event(recorded(exporter, caught(lambda: Sheep(age=-1))))
    assert 'exception.logfire.data' not in told
    assert told['exception.message'].startswith('1 validation error')


def test_the_fingerprint_is_on_the_outermost_span_of_this_process(exporter: TestExporter) -> None:
    """The span without a parent here has the fingerprint, a remote parent or none; those within have none."""
    remote = {'traceparent': '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'}
    with (
        logfire.attach_context(remote),
        pytest.raises(ValueError, match='lost'),
        logfire.span('outer'),
        logfire.span('inner'),
    ):
        lose()
    logfire.exception('alone', _exc_info=caught(lose))
    with logfire.span('around'):
        logfire.exception('within', _exc_info=caught(lose))
    fingerprints = {span.name: (span.attributes or {}).get('logfire.exception.fingerprint') for span in ended(exporter)}
    assert {name: value is not None for name, value in fingerprints.items()} == {
        'outer': True,
        'inner': False,
        'alone': True,
        'within': False,
        'around': False,
    }


@pytest.mark.parametrize(('level', 'expected'), [(None, True), ('warn', False), ('error', True), ('fatal', True)])
def test_only_errors_have_a_fingerprint(exporter: TestExporter, level: Any, expected: bool) -> None:
    """An exception told by a span or log below error is no issue; a span without a level may be one."""
    with logfire.span('count', _level=level) as span:
        span.record_exception(caught(lose))
    (exported,) = ended(exporter)
    assert ('logfire.exception.fingerprint' in (exported.attributes or {})) == expected


def test_the_fingerprint_is_the_hash_of_the_canonical_traceback(exporter: TestExporter) -> None:
    """A fingerprint is the SHA-256 of the canonical traceback, in hexadecimal."""
    exception = caught(lose)
    span = recorded(exporter, exception)
    assert span.attributes is not None
    expected = hashlib.sha256(canonical_traceback(exception).encode()).hexdigest()
    assert span.attributes['logfire.exception.fingerprint'] == expected


def compiled(source: str, name: str = 'fail') -> Callable[[], object]:
    import linecache

    filename = f'<{name} {hash(source)}>'
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {'__name__': 'farm'}
    exec(compile(source, filename, 'exec'), namespace)
    return namespace[name]


def test_a_canonical_traceback_does_not_change_with_line_numbers_or_messages() -> None:
    """Code that moved, and a message that differs, are the same fault; another line or type is another."""

    def text(source: str) -> str:
        return canonical_traceback(caught(compiled(source)))

    fault = text('def fail():\n    raise ValueError("x")\n')
    assert 'farm.fail: raise ValueError("x")' in fault
    assert text('\n\n\ndef fail():\n    1\n    raise ValueError("x")\n') == fault
    assert text('def fail():\n    raise ValueError("y")\n') != fault
    assert text('def fail():\n    raise TypeError("x")\n') != fault
    assert 'lost' not in canonical_traceback(ValueError('lost'))


def test_a_recursion_is_the_same_fault_at_any_depth() -> None:
    """Frames that repeat count once."""

    def down(depth: int) -> None:
        if depth:
            down(depth - 1)
        else:
            lose()

    assert canonical_traceback(caught(lambda: down(3))) == canonical_traceback(caught(lambda: down(3)))
    three, thirty = (canonical_traceback(caught(lambda depth=depth: down(depth))) for depth in (3, 30))
    assert three == thirty


def test_causes_and_contexts_are_part_of_the_fault() -> None:
    """What caused an exception, or was being handled, tells faults apart, unless it was suppressed; cycles end."""

    def cause() -> None:
        raise TypeError from caught(lose)

    def context() -> None:
        try:
            lose()
        except ValueError:
            raise TypeError  # noqa: B904 - the context is what is tested.

    def suppressed() -> None:
        try:
            lose()
        except ValueError:
            raise TypeError from None

    assert 'caused by\nbuiltins.ValueError' in canonical_traceback(caught(cause))
    assert 'while handling\nbuiltins.ValueError' in canonical_traceback(caught(context))
    assert 'ValueError' not in canonical_traceback(caught(suppressed)).replace('except ValueError', '')
    cycle = ValueError()
    cycle.__cause__ = cycle
    assert canonical_traceback(cycle) == 'builtins.ValueError\ncaused by\nbuiltins.ValueError\n(again)'


class Flock(Exception):
    """As an exception group, which Python 3.10 does not have."""

    def __init__(self, *members: object) -> None:
        self.exceptions = members


def test_members_of_a_group_count_once() -> None:
    """A group is the same fault however many equal members it has; other things among them are nothing to us."""
    one, two = canonical_traceback(Flock(caught(lose))), canonical_traceback(Flock(caught(lose), 'a dog', caught(lose)))
    assert one == two
    assert '| builtins.ValueError' in one
    different = canonical_traceback(Flock(caught(lose), KeyError()))
    assert '| builtins.KeyError' in different
    many = Flock(*(type(f'Error{number}', (Exception,), {})() for number in range(150)))
    assert canonical_traceback(many).count('| ') == 100
    odd: Any = Flock()
    odd.exceptions = 'none'
    assert canonical_traceback(odd) == f'{__name__}.Flock'


def configure_callback(config_kwargs: dict[str, Any], callback: Callable[[ExceptionCallbackHelper], None]) -> None:
    from dataclasses import replace

    advanced = replace(config_kwargs['advanced'], exception_callback=callback)
    logfire.configure(**{**config_kwargs, 'advanced': advanced})


def test_a_callback_sees_and_changes_what_is_recorded(exporter: TestExporter, config_kwargs: dict[str, Any]) -> None:
    """The configured callback gets every exception about to be recorded, and decides about level, event and issue."""
    seen: list[tuple[object, ...]] = []

    def callback(helper: ExceptionCallbackHelper) -> None:
        parent = helper.parent_span
        seen.append(
            (
                helper.span.get_span_context().span_id,
                helper.exception.args,
                helper.level.name,
                helper.level_is_unset,
                helper.create_issue,
                parent and parent.get_span_context().span_id,
            )
        )
        helper.level = 'warn'
        helper.event_attributes['herd'] = 1
        helper.create_issue = True
        helper.issue_fingerprint_source = 'the same'

    configure_callback(config_kwargs, callback)
    with pytest.raises(ValueError, match='lost'), logfire.span('outer'), logfire.span('inner') as inner:
        inner.record_exception(KeyError('found'))
        lose()
    logfire.info('log', _exc_info=caught(lose))
    assert seen == snapshot(
        [
            (3, ('found',), 'info', True, False, None),
            (3, ('lost',), 'error', False, False, 1),
            (1, ('lost',), 'error', False, True, None),
            (5, ('lost',), 'info', False, False, None),
        ]
    )
    for span in ended(exporter):
        assert span.attributes is not None
        assert span.attributes['logfire.level_num'] == 13
        assert span.attributes['logfire.exception.fingerprint'] == hashlib.sha256(b'the same').hexdigest()
        assert all(event.attributes and event.attributes['herd'] == 1 for event in span.events)


def test_a_callback_may_keep_an_exception_out(exporter: TestExporter, config_kwargs: dict[str, Any]) -> None:
    """After `no_record_exception()` there is no event and no issue; status and level stay."""

    def callback(helper: ExceptionCallbackHelper) -> None:
        assert helper.is_recorded
        helper.no_record_exception()
        assert not helper.is_recorded
        assert not helper.create_issue

    configure_callback(config_kwargs, callback)
    with pytest.raises(ValueError, match='lost'), logfire.span('count'):
        lose()
    (span,) = ended(exporter)
    assert span.events == ()
    assert span.status.description == 'ValueError: lost'
    assert span.attributes is not None
    assert span.attributes['logfire.level_num'] == 17
    assert 'logfire.exception.fingerprint' not in span.attributes


def test_a_callback_that_fails_is_reported_and_the_exception_recorded(
    exporter: TestExporter,
    config_kwargs: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A fault in the user's callback costs nothing but what it would have changed."""
    monkeypatch.setattr(errors, 'strict', False)

    def callback(helper: ExceptionCallbackHelper) -> None:
        raise RuntimeError('a fault of the callback')

    configure_callback(config_kwargs, callback)
    with pytest.raises(ValueError, match='lost'), logfire.span('count'):
        lose()
    (span,) = ended(exporter)
    assert [event.name for event in span.events] == ['exception']
    assert 'run the exception callback' in caplog.text


def test_a_fingerprint_that_cannot_be_found_costs_only_itself(
    exporter: TestExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where we fail to find the fingerprint, the exception is recorded without."""
    monkeypatch.setattr(errors, 'strict', False)

    def fail(exception: BaseException) -> str:
        raise RuntimeError('a fault of ours')

    monkeypatch.setattr('logfire._internal.exception_events.canonical_traceback', fail)
    span = recorded(exporter, caught(lose))
    assert event(span)['exception.message'] == 'lost'
    assert 'logfire.exception.fingerprint' not in (span.attributes or {})


def test_levels_compare_with_names_numbers_and_levels() -> None:
    """A level can be compared with what a user has at hand."""
    level = SpanLevel(13)
    assert level.name == 'warn'
    assert level == 'warn'
    assert level == 13
    assert level == SpanLevel(13)
    assert level != 'error'
    assert level != 14
    assert level != object()
    assert level < 'error'
    assert level <= SpanLevel(13)
    assert level > 9
    assert level >= 'warning'
    assert not level < 13
    assert not level > 'warn'
    assert len({level, SpanLevel(13), SpanLevel(14)}) == 2
    assert SpanLevel(14).name is None
    with pytest.raises(ValueError, match='loud'):
        _ = level < cast('LevelName', 'loud')
