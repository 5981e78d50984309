"""Decorated functions of all kinds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import logfire

if TYPE_CHECKING:
    from tests.compat.observation import Scene


@logfire.instrument
def bare(a: int, b: str = 'x', *args: int, c: float = 1.5, **rest: Any) -> int:
    logfire.info('within')
    return a


@logfire.instrument('counting {what}', span_name='count', record_return=True, level='notice')
def templated(what: str, herd: dict[str, Any] | None = None) -> Any:
    return {'n': [1, what]}


@logfire.instrument(extract_args=False)
def without_arguments(secret: str) -> None: ...


@logfire.instrument('with {a}', extract_args=['a'])
def with_some(a: int, b: int) -> int:
    return a + b


@logfire.instrument(extract_args='b')
def with_one(a: int, b: int) -> int:
    return a + b


@logfire.instrument(new_trace=True)
def apart() -> None:
    logfire.info('apart')


@logfire.instrument('raises {x}')
def raises(x: int) -> None:
    raise ValueError(x)


class Farm:
    name = 'north'

    def __repr__(self) -> str:
        return 'Farm()'

    @logfire.instrument
    def method(self, x: int) -> int:
        return x

    @classmethod
    @logfire.instrument
    def of_class(cls, x: int) -> int:
        return x

    @staticmethod
    @logfire.instrument(record_return=True)
    def static(x: int) -> int:
        return x

    @logfire.instrument('as {self.name}')
    def named(self) -> None: ...


def case_functions(scene: Scene) -> None:
    scene.configure()
    print(bare(1), bare(2, 'y', 3, c=4, d=5), bare.__name__, bare.__doc__, hasattr(bare, '__wrapped__'))
    print(templated('sheep', herd={'a': 1}))
    without_arguments('x')
    print(with_some(1, b=2), with_one(1, 2))


def case_methods(scene: Scene) -> None:
    scene.configure()
    farm = Farm()
    print(farm.method(1), Farm.of_class(2), Farm.static(3), farm.named())


def case_new_trace(scene: Scene) -> None:
    scene.configure()
    apart()
    with logfire.span('outer'):
        apart()
        logfire.info('after')


def case_exceptions(scene: Scene) -> None:
    scene.configure()
    try:
        raises(3)
    except ValueError:
        pass
    try:
        wrong_call: Any = templated
        wrong_call()
    except TypeError as exc:
        print(exc)


def case_nested_functions(scene: Scene) -> None:
    scene.configure()

    @logfire.instrument()
    def inner(x: int) -> int:
        return x

    print(inner(1))

    def plain(x: int) -> int:
        return x + 1

    print(logfire.instrument('plain {x}')(plain)(2))


def case_coroutines(scene: Scene) -> None:
    scene.configure()

    @logfire.instrument('waiting {x}', record_return=True)
    async def wait(x: int) -> int:
        await asyncio.sleep(0)
        logfire.info('waited')
        return x

    @logfire.instrument
    async def fails() -> None:
        raise KeyError('k')

    async def main() -> None:
        print(await asyncio.gather(wait(1), wait(1)))
        try:
            await fails()
        except KeyError:
            pass

    print(asyncio.iscoroutinefunction(wait))
    asyncio.run(main())


def case_generators(scene: Scene) -> None:
    scene.configure()

    @logfire.instrument(allow_generator=True)
    def count(n: int) -> Iterator[int]:
        logfire.info('begin')
        yield from range(n)

    @contextmanager
    @logfire.instrument('managing', allow_generator=True)
    def manage() -> Generator[str]:
        yield 'x'

    @logfire.instrument
    def warned() -> Iterator[int]:
        yield 1

    print(list(count(2)))
    with manage() as managed:
        logfire.info('managed {managed}', managed=managed)
    print(list(warned()))


def case_async_generators(scene: Scene) -> None:
    scene.configure()

    @logfire.instrument(allow_generator=True)
    async def count(n: int) -> AsyncIterator[int]:
        for i in range(n):
            yield i
        logfire.info('end')

    async def main() -> None:
        print([i async for i in count(2)])

    asyncio.run(main())


def case_min_level(scene: Scene) -> None:
    scene.configure(min_level='warn')
    print(templated('sheep'))
    bare(1)


def case_of_instance(scene: Scene) -> None:
    scene.configure()

    @logfire.with_tags('a').instrument('tagged {x}')
    def tagged(x: int) -> None: ...

    tagged(1)
