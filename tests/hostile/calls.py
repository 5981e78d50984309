"""One call of a client as its caller sees it: the same call, made with us and without, must look the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import logfire
from tests.hostile.transports import Answer, InProcessClient
from tests.hostile.watch import Watch
from tests.otel_integrations.azure_ai_inference.conftest import Colour, Exhausted

_ADDRESS = re.compile(r'0x[0-9a-f]+')

Arguments = Callable[[], Mapping[str, Any]]
"""Makes the keywords of a call anew: what a call consumes is there for the next."""


class Seen(NamedTuple):
    """All that a caller can tell of a call. Texts, because NaN is not equal to itself."""

    outcome: str
    chunks: tuple[str, ...]
    sent: tuple[str, ...]


class Call(NamedTuple):
    """A call to make."""

    colour: Colour
    method: str
    answer: Answer
    arguments: Arguments
    most: int | None = None
    """Leave a stream after so many chunks."""


def check_nothing_changes(watch: Watch, call: Call) -> Seen:
    """The call looks the same with us and without, makes one span, and all that is emitted is well formed."""
    without = see(call)
    assert not watch.spans
    with logfire.instrument_azure_ai_inference():
        with_us = see(call)
    try:
        assert with_us == without
        spans = watch.spans
        assert [span.name.split(' ')[0] for span in spans] == ['chat' if call.method == 'complete' else 'embeddings']
        watch.check()
    finally:
        watch.clear()
    return with_us


def see(call: Call) -> Seen:
    """Make the call."""
    colour = call.colour
    client_class = colour.chat_class if call.method == 'complete' else colour.embeddings_class
    made = InProcessClient(colour, client_class, call.answer)
    chunks: list[str] = []

    async def body() -> str:
        try:
            result = await colour.result(getattr(made.client, call.method)(**call.arguments()))
            if hasattr(result, '__next__') or hasattr(result, '__anext__'):
                await read(colour, result, chunks, call.most)
                ending = f'stream {type(result).__name__}'
                await colour.close(result)
                return ending
            return _look(result)
        except Exception as exception:
            return told(exception)
        finally:
            await colour.close(made.client)

    outcome = colour.run(body())
    return Seen(outcome, tuple(chunks), tuple(_normal(repr(body)) for body in made.sent))


async def read(colour: Colour, stream: Any, chunks: list[str], most: int | None = None) -> None:
    """Add what a stream gives to `chunks`, one look each; after the last one that it ended."""
    while most is None or len(chunks) < most:
        try:
            chunks.append(_look(await colour.next(stream)))
        except Exhausted:
            chunks.append('end')
            return


def _look(value: Any) -> str:
    """A reply or a chunk: its type, and its data as it was parsed."""
    data = getattr(value, '_data', value)
    try:
        return f'{type(value).__name__} {_normal(repr(data))}'
    except RecursionError:
        return f'{type(value).__name__} too deep for a repr'


def told(exception: BaseException) -> str:
    """What an exception tells whoever catches it."""
    if isinstance(exception, RecursionError):
        return 'RecursionError'  # Its text says where the stack ended, which is a matter of frames.
    causes: list[str] = []
    cause: BaseException | None = exception
    while cause is not None and len(causes) < 5:
        causes.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    details = {
        name: getattr(exception, name, None)
        for name in ('status_code', 'reason', 'message', 'error', 'continuation_token')
    }
    return _normal(f'{causes} {exception.args!r} {exception} {details}')


def _normal(text: str) -> str:
    return _ADDRESS.sub('0x', text)
