"""`@logfire.instrument`: functions whose every call is a span."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan

import logfire
from logfire._internal import errors
from logfire.testing import TestExporter

pytestmark = pytest.mark.usefixtures('configured')


def ended(exporter: TestExporter) -> list[ReadableSpan]:
    """The spans and logs that were exported, without the copies that announce spans still running."""
    return [
        span for span in exporter.exported_spans if (span.attributes or {}).get('logfire.span_type') != 'pending_span'
    ]


def only(exporter: TestExporter) -> dict[str, Any]:
    (span,) = ended(exporter)
    return dict(span.attributes or {})


@logfire.instrument
def count(what: str, times: int = 2, *more: str, loud: bool, **rest: int) -> list[str]:
    """Counts."""
    return [what] * times


@logfire.instrument('counting {what}', span_name='count', record_return=True, level='warn')
async def acount(what: str) -> list[str]:
    await asyncio.sleep(0)
    logfire.info('found')
    return [what]


class Herd:
    def __repr__(self) -> str:
        return 'Herd()'

    @logfire.instrument
    def count(self, what: str) -> str:
        return what

    @classmethod
    @logfire.instrument('counting {what}')
    def of(cls, what: str) -> str:
        return what

    @logfire.instrument('counting {what}')
    @classmethod
    def above(cls, what: str) -> tuple[str, str]:
        return cls.__name__, what

    @logfire.instrument(extract_args=['what'])
    @staticmethod
    def static(what: str, other: str) -> str:
        return what


def test_a_call_is_a_span_with_its_arguments(exporter: TestExporter) -> None:
    """The span names the function and where it is defined, and has all arguments as attributes, defaults too."""
    assert count('sheep', loud=True, wool=3) == ['sheep', 'sheep']
    assert exporter.exported_spans_as_dict(parse_json_attributes=True) == snapshot(
        [
            {
                'name': 'Calling tests.test_traced_function.count',
                'context': {'trace_id': 1, 'span_id': 1, 'is_remote': False},
                'parent': None,
                'start_time': 1000000000,
                'end_time': 2000000000,
                'attributes': {
                    'code.filepath': 'test_traced_function.py',
                    'code.lineno': 123,
                    'code.function': 'count',
                    'what': 'sheep',
                    'times': 2,
                    'more': [],
                    'loud': True,
                    'rest': {'wool': 3},
                    'logfire.msg_template': 'Calling tests.test_traced_function.count',
                    'logfire.msg': 'Calling tests.test_traced_function.count',
                    'logfire.json_schema': {
                        'type': 'object',
                        'properties': {
                            'what': {},
                            'times': {},
                            'more': {'type': 'array', 'x-python-datatype': 'tuple'},
                            'loud': {},
                            'rest': {'type': 'object'},
                        },
                    },
                    'logfire.span_type': 'span',
                },
            }
        ]
    )


def test_the_decorated_function_looks_like_the_one_within() -> None:
    """Name, docstring, signature and kind stay."""
    assert count.__name__ == 'count'
    assert count.__doc__ == 'Counts.'
    assert list(inspect.signature(count).parameters) == ['what', 'times', 'more', 'loud', 'rest']
    assert inspect.iscoroutinefunction(acount)
    assert not inspect.iscoroutinefunction(count)


def test_a_coroutine_function_is_within_its_span_to_the_end(exporter: TestExporter) -> None:
    """The span of a coroutine function ends when the coroutine does, with what it returned if asked for."""
    assert asyncio.run(acount('sheep')) == ['sheep']
    log, span = ended(exporter)
    assert log.parent == span.context
    assert span.name == 'count'
    assert (
        dict(span.attributes or {}).items()
        >= {
            'logfire.msg': 'counting sheep',
            'logfire.level_num': 13,
            'return': '["sheep"]',
            'logfire.json_schema': '{"type":"object","properties":{"what":{},"return":{"type":"array"}}}',
        }.items()
    )


def test_what_a_function_returns_is_recorded_if_asked_for(exporter: TestExporter) -> None:
    """`record_return` keeps the return value as the attribute `return`."""
    assert logfire.instrument(record_return=True)(lambda: {'found': 3})() == {'found': 3}
    assert only(exporter)['return'] == '{"found":3}'


def test_methods_of_every_kind(exporter: TestExporter) -> None:
    """Methods, class methods and static methods work, the decorator below or above the other."""
    assert Herd().count('sheep') == 'sheep'
    assert Herd.of('sheep') == 'sheep'
    assert Herd.above('sheep') == ('Herd', 'sheep')
    assert Herd.static('sheep', 'goat') == 'sheep'
    told = [dict(span.attributes or {}) for span in ended(exporter)]
    assert [attributes['logfire.msg'] for attributes in told] == [
        f'Calling {__name__}.Herd.count',
        'counting sheep',
        'counting sheep',
        f'Calling {__name__}.Herd.static',
    ]
    assert told[0]['self'] == '"Herd()"'
    assert 'other' not in told[3]


@pytest.mark.parametrize(('extract_args', 'expected'), [(True, 'ab'), (False, ''), (['b'], 'b'), ('a', 'a'), ((), '')])
def test_arguments_can_be_left_out(exporter: TestExporter, extract_args: Any, expected: str) -> None:
    """`extract_args` says which arguments become attributes."""

    def add(a: int, b: int) -> int:
        return a + b

    assert logfire.instrument(extract_args=extract_args)(add)(1, 2) == 3
    assert set(only(exporter)) & {'a', 'b'} == set(expected)


def test_arguments_that_a_function_does_not_have_are_told() -> None:
    """A wrong name in `extract_args` warns when decorating."""
    with pytest.warns(UserWarning, match='no parameter c, d to extract'):
        logfire.instrument(extract_args=['what', 'd', 'c'])(Counter())


def test_a_wrong_call_fails_as_it_would_without_us(exporter: TestExporter) -> None:
    """A call that does not fit the signature raises Python's own error, within a span."""
    call: Any = count
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'loud'"):
        call('sheep')
    assert only(exporter)['logfire.level_num'] == 17


def test_the_exception_of_a_function_is_told_and_passes_on(exporter: TestExporter) -> None:
    """What a function raises reaches the caller unchanged, and is told on the span."""

    @logfire.instrument
    def lose() -> None:
        raise ValueError('lost')

    with pytest.raises(ValueError, match='lost'):
        lose()
    (span,) = ended(exporter)
    assert span.status.description == 'ValueError: lost'


def test_a_new_trace_is_linked_to_where_it_was_called(exporter: TestExporter) -> None:
    """With `new_trace` each call begins a trace, linked to the span around the call, if there is one."""

    @logfire.instrument(new_trace=True)
    def work() -> None:
        logfire.info('found')

    work()
    exporter.clear()
    with logfire.span('around') as around:
        work()
        assert trace.get_current_span().get_span_context() == around.context
    log, inner, outer = ended(exporter)
    assert inner.parent is None
    assert inner.context is not None
    assert outer.context is not None
    assert inner.context.trace_id != outer.context.trace_id
    assert [link.context for link in inner.links] == [outer.context]
    assert log.parent == inner.context


def test_a_call_without_a_span_around_has_no_link(exporter: TestExporter) -> None:
    """There is nothing to link to outside of any span."""
    logfire.instrument(new_trace=True)(lambda: None)()
    (span,) = ended(exporter)
    assert span.links == ()


def test_below_min_level_a_call_is_only_a_call(exporter: TestExporter, config_kwargs: dict[str, Any]) -> None:
    """A function whose level is dropped runs without a span."""
    logfire.configure(**config_kwargs, min_level='error')
    assert asyncio.run(acount('sheep')) == ['sheep']
    assert ended(exporter) == []


@logfire.instrument(allow_generator=True)
def items(number: int) -> Generator[int, str, str]:
    said = ''
    for item in range(number):
        try:
            said += (yield item) or '-'
        except KeyError:
            said += '!'
    return said


def test_a_generator_keeps_its_ways(exporter: TestExporter) -> None:
    """What is sent and thrown reaches the generator, and what it returns comes out; the span lasts until it ends."""
    assert inspect.isgeneratorfunction(items)
    generator = items(3)
    assert next(generator) == 0
    assert generator.send('a') == 1
    assert ended(exporter) == []
    assert generator.throw(KeyError()) == 2
    with pytest.raises(StopIteration) as stopped:
        next(generator)
    assert stopped.value.value == 'a!-'
    assert only(exporter)['number'] == 3


def test_a_generator_warns_where_it_was_not_allowed(exporter: TestExporter) -> None:
    """Decorating a generator without `allow_generator` warns, and works."""

    def numbers() -> Generator[int, None, None]:
        yield 1

    async def anumbers() -> AsyncGenerator[int, None]:
        yield 1

    with pytest.warns(UserWarning, match='allow_generator=True'):
        decorated = logfire.instrument(numbers)
    with pytest.warns(UserWarning, match='allow_generator=True'):
        logfire.instrument(anumbers)
    assert list(decorated()) == [1]
    assert len(ended(exporter)) == 1


@logfire.instrument(allow_generator=True)
async def aitems(number: int, log: list[str]) -> AsyncGenerator[int, str]:
    try:
        for item in range(number):
            try:
                log.append((yield item) or '-')
            except KeyError:
                log.append('!')
    finally:
        log.append('closed')


def test_an_async_generator_keeps_its_ways(exporter: TestExporter) -> None:
    """What is sent and thrown reaches the asynchronous generator; the span lasts until it ends."""
    assert inspect.isasyncgenfunction(aitems)
    log: list[str] = []

    async def main() -> None:
        generator = aitems(3, log)
        assert await generator.asend(None) == 0  # pyright: ignore[reportArgumentType] - None starts a generator.
        assert await generator.asend('a') == 1
        assert await generator.athrow(KeyError()) == 2
        with pytest.raises(StopAsyncIteration):
            await generator.asend('b')

    asyncio.run(main())
    assert log == ['a', '!', 'b', 'closed']
    (span,) = ended(exporter)
    assert span.events == ()


def test_closing_an_async_generator_closes_the_one_within(exporter: TestExporter) -> None:
    """`aclose()` runs the `finally` of the decorated generator at once, and ends the span."""
    log: list[str] = []

    async def main() -> None:
        generator = aitems(3, log)
        await generator.__anext__()
        await generator.aclose()
        assert log == ['closed']

    asyncio.run(main())
    assert len(ended(exporter)) == 1


def test_an_exception_thrown_through_an_async_generator_comes_out(exporter: TestExporter) -> None:
    """What the generator does not catch comes out as it is, and is told on the span."""

    async def main() -> None:
        generator = aitems(3, [])
        await generator.__anext__()
        with pytest.raises(ValueError, match='lost'):
            await generator.athrow(ValueError('lost'))

    asyncio.run(main())
    (span,) = ended(exporter)
    assert span.status.description == 'ValueError: lost'


def test_context_managers_made_of_generators(exporter: TestExporter) -> None:
    """`instrument` goes below `@contextmanager` and `@asynccontextmanager`: the span lasts as the `with` block."""

    @contextmanager
    @logfire.instrument('gate', allow_generator=True)
    def gate() -> Generator[str, None, None]:
        yield 'open'

    @asynccontextmanager
    @logfire.instrument('agate', allow_generator=True)
    async def agate() -> AsyncGenerator[str, None]:
        yield 'open'

    async def main() -> None:
        async with agate() as state:
            logfire.info(state)

    with gate() as state:
        logfire.info(state)
    asyncio.run(main())
    inner, outer, ainner, aouter = ended(exporter)
    assert inner.parent == outer.context
    assert ainner.parent == aouter.context
    assert (outer.name, aouter.name) == ('gate', 'agate')


class Counter:
    def __call__(self, what: str) -> str:
        return what


class AsyncCounter:
    async def __call__(self, what: str) -> str:
        logfire.info('found')
        return what


def test_objects_that_can_be_called(exporter: TestExporter) -> None:
    """Callable objects, partials, classes and built-in functions work too, with what is known of them."""
    assert logfire.instrument(Counter())('sheep') == 'sheep'
    assert logfire.instrument(functools.partial(max, 1))(2) == 2
    assert logfire.instrument(Counter)()('sheep') == 'sheep'
    assert logfire.instrument(dict)(a=1) == {'a': 1}
    told = [dict(span.attributes or {}) for span in ended(exporter)]
    assert [(attributes['logfire.msg'], attributes['code.function']) for attributes in told] == snapshot(
        [
            ('Calling tests.test_traced_function.Counter.__call__', 'Counter.__call__'),
            ('Calling functools.partial.__call__', 'partial.__call__'),
            ('Calling tests.test_traced_function.Counter', 'Counter'),
            ('Calling builtins.dict', 'dict'),
        ]
    )
    assert ['code.lineno' in attributes for attributes in told] == [True, False, False, False]
    assert told[0]['what'] == 'sheep'


def test_an_object_whose_call_is_a_coroutine_is_awaited_within_the_span(exporter: TestExporter) -> None:
    """The span of an object with an asynchronous `__call__` lasts until that is done."""
    assert asyncio.run(logfire.instrument(AsyncCounter())('sheep')) == 'sheep'
    log, span = ended(exporter)
    assert log.parent == span.context


@pytest.mark.parametrize('place', ['new_span', 'trace'])
def test_a_fault_of_ours_does_not_reach_the_function(
    exporter: TestExporter, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Where we fail, the function is called as if it were not decorated."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr(f'logfire._internal.traced_function.{place}', None)
    assert count('sheep', loud=True) == ['sheep', 'sheep']
    assert ended(exporter) == []


def test_an_instance_decorates_with_its_tags(exporter: TestExporter) -> None:
    """`instrument` of an instance uses its tags and scope."""

    @logfire.with_tags('farm').instrument
    def work() -> None: ...

    work()
    assert only(exporter)['logfire.tags'] == ('farm',)
