"""Every way a stream ends: one span, ended once, with its outcome."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from azure.ai.inference.models import AsyncStreamingChatCompletions, StreamingChatCompletions
from opentelemetry import trace
from opentelemetry.trace import StatusCode

import logfire
from logfire.testing.azure_ai_inference import (
    AzureAIInferenceEndpoint,
    Cut,
    ErrorEvent,
    Gate,
    Reply,
    error_reply,
    stream_reply,
)
from tests.otel_integrations.azure_ai_inference.conftest import Colour, Exhausted, Spans, new_client

MESSAGES = [{'role': 'user', 'content': 'Count to five.'}]


@dataclass
class Run:
    """What one way of reading a stream needs, and what it leaves behind to be checked."""

    colour: Colour
    client: Any
    endpoint: AzureAIInferenceEndpoint
    gate: Gate
    received: list[str] = field(default_factory=list[str])
    last_chunk_at: int = 0
    caller_span_id: int = 0
    error: BaseException | None = None

    async def complete(self) -> Any:
        stream = await self.colour.result(self.client.complete(messages=MESSAGES, stream=True, model='gpt-4o'))
        assert isinstance(stream, (StreamingChatCompletions, AsyncStreamingChatCompletions))
        return stream

    def take(self, chunk: Any) -> None:
        """What a caller's loop does with a chunk; whatever is current there is the caller's."""
        self.last_chunk_at = time.time_ns()
        self.received += [choice.delta.content for choice in chunk.choices if choice.delta.content]
        assert trace.get_current_span().get_span_context().span_id == self.caller_span_id

    async def take_next(self, stream: Any) -> None:
        self.take(await self.colour.next(stream))

    async def take_all(self, stream: Any, most: int | None = None) -> None:
        await self.colour.read(stream, most, self.take)


async def loop_to_end(run: Run) -> None:
    await run.take_all(await run.complete())


async def next_to_end(run: Run) -> None:
    stream = await run.complete()
    with pytest.raises(Exhausted):
        while True:
            await run.take_next(stream)
    with pytest.raises(Exhausted):  # Asking again changes nothing.
        await run.colour.next(stream)


async def next_then_loop(run: Run) -> None:
    stream = await run.complete()
    await run.take_next(stream)
    await run.take_all(stream)


async def break_and_resume(run: Run) -> None:
    stream = await run.complete()
    await run.take_all(stream, most=2)
    gc.collect()
    await run.take_next(stream)
    await run.take_all(stream)


async def break_and_drop(run: Run) -> None:
    await run.take_all(await run.complete(), most=2)


async def drop_unread(run: Run) -> None:
    await run.complete()


async def drop_in_cycle(run: Run) -> None:
    stream = await run.complete()
    await run.take_next(stream)
    stream.cycle = [stream]
    del stream
    gc.collect()


async def close(run: Run) -> None:
    stream = await run.complete()
    await run.take_all(stream, most=2)
    await run.colour.close(stream)
    await run.colour.close(stream)
    with contextlib.suppress(Exception):  # Reading on gives what it gives without us.
        await run.colour.next(stream)


async def leave_with(run: Run) -> None:
    stream = await run.complete()
    if run.colour.is_async:
        async with stream as same:
            assert same is stream
            await run.take_next(stream)
    else:
        with stream as same:
            assert same is stream
            await run.take_next(stream)


class UserError(Exception):
    """Raised by the caller's own code."""


async def leave_with_by_users_exception(run: Run) -> None:
    stream = await run.complete()
    with pytest.raises(UserError):
        if run.colour.is_async:
            async with stream:
                await run.take_next(stream)
                raise UserError
        else:
            with stream:
                await run.take_next(stream)
                raise UserError


async def service_error(run: Run) -> None:
    with pytest.raises(Exception, match='slow down') as raised:
        await run.complete()
    run.error = raised.value.with_traceback(None)  # Its frames hold the stream.


async def read_to_error(run: Run) -> None:
    stream = await run.complete()
    await run.take_next(stream)
    await run.take_next(stream)
    run.gate.open()
    with pytest.raises(Exception) as raised:  # noqa: PT011 - which one differs between the clients
        while True:
            await run.take_next(stream)
    assert not isinstance(raised.value, Exhausted)
    run.error = raised.value.with_traceback(None)  # Its frames hold the stream.


async def cancel_task(run: Run) -> None:
    stream = await run.complete()
    await run.take_next(stream)
    if run.colour.is_async:
        waiting = asyncio.ensure_future(run.colour.next(stream))
        await asyncio.to_thread(run.gate.wait_until_reached)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError) as raised:
            await waiting
        run.error = raised.value.with_traceback(None)  # Its frames hold the stream.
    else:
        # The sync stream meets a cancellation where a loop runs it on its own thread: out of the transport.
        def cancelled() -> Any:
            raise asyncio.CancelledError

        stream._bytes_iterator = iter(cancelled, None)
        with pytest.raises(asyncio.CancelledError) as raised:
            next(stream)
        run.error = raised.value.with_traceback(None)  # Its frames hold the stream.


async def interrupt(run: Run) -> None:
    stream = await run.complete()
    await run.take_next(stream)

    class Interrupting:
        def __next__(self) -> Any:
            raise KeyboardInterrupt

        async def __anext__(self) -> Any:
            raise KeyboardInterrupt

    stream._bytes_iterator = Interrupting()
    with pytest.raises(KeyboardInterrupt) as raised:
        # Driven by hand: an event loop would stop at a KeyboardInterrupt.
        if run.colour.is_async:
            stream.__anext__().send(None)
        else:
            next(stream)
    run.error = raised.value.with_traceback(None)  # Its frames hold the stream.


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    read: Callable[[Run], Awaitable[None]]
    outcome: str | None
    status: StatusCode = StatusCode.UNSET
    received: str = 'one two three four five'
    recorded: str | None = None
    finish_reason: str = 'stop'
    reply: Callable[[Gate], Reply] = lambda gate: stream_reply(WORDS)
    error_type: str | None = None
    level: int | None = None


WORDS = ['one ', 'two ', 'three ', 'four ', 'five']


def cut(gate: Gate) -> Reply:
    return stream_reply([*WORDS[:2], gate, Cut()])


def swallowed(gate: Gate) -> Reply:
    return stream_reply([*WORDS[:2], ErrorEvent('overloaded', 'the model stopped')], finish_reason=None)


def gated(gate: Gate) -> Reply:
    return stream_reply([WORDS[0], gate, *WORDS[1:]])


def without_done(gate: Gate) -> Reply:
    return stream_reply(WORDS, done=False)


def broken_event(gate: Gate) -> Reply:
    return stream_reply([*WORDS[:2], gate, b': a comment\n\n'])


def slow_down(gate: Gate) -> Reply:
    return error_reply(418, code='Teapot', message='slow down')


def never_ending(gate: Gate) -> Reply:
    return stream_reply([*WORDS, gate])


ABANDONED: Any = {'outcome': 'abandoned', 'finish_reason': 'error', 'reply': never_ending}
CLOSED: Any = {'outcome': 'closed', 'finish_reason': 'error', 'reply': never_ending}
ERROR: Any = {'status': StatusCode.ERROR, 'finish_reason': 'error', 'level': 17}

CASES = {
    'loop to the end': Case(loop_to_end, 'completed'),
    'next to the end': Case(next_to_end, 'completed'),
    'the client closes at the end': Case(loop_to_end, 'completed', reply=without_done),
    'next, then loop': Case(next_then_loop, 'completed'),
    'break and resume': Case(break_and_resume, 'completed'),
    'break and drop': Case(break_and_drop, received='one two ', **ABANDONED),
    'dropped unread': Case(drop_unread, received='', **ABANDONED),
    'dropped in a cycle': Case(drop_in_cycle, received='one ', **ABANDONED),
    'close': Case(close, received='one two ', **CLOSED),
    'leave with': Case(leave_with, received='one ', **CLOSED),
    'leave with by the user': Case(leave_with_by_users_exception, received='one ', **CLOSED),
    'service error': Case(service_error, None, received='', reply=slow_down, error_type='Teapot', **ERROR),
    'swallowed error event': Case(
        loop_to_end, 'truncated', received='one two ', reply=swallowed, finish_reason='error', level=13
    ),
    'cut connection': Case(read_to_error, 'error', received='one two ', reply=cut, **ERROR),
    'unreadable event': Case(
        read_to_error, 'error', received='one two ', reply=broken_event, error_type='ValueError', **ERROR
    ),
    'cancelled': Case(
        cancel_task, 'cancelled', received='one ', reply=gated, error_type='asyncio.CancelledError', **ERROR
    ),
    'interrupted': Case(interrupt, 'error', received='one ', reply=gated, error_type='KeyboardInterrupt', **ERROR),
}


@pytest.mark.parametrize('case', CASES.values(), ids=CASES)
def test_every_end_of_a_stream(
    case: Case,
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    instrumented: Spans,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """However a stream ends: one span, ended once, outcome and status, what was received, and a freed connection."""
    gate = Gate()
    endpoint.reply(case.reply(gate))

    async def body() -> Run:
        client = new_client(colour.chat_class, endpoint)
        run = Run(colour, client, endpoint, gate)
        with logfire.span('caller') as caller:
            run.caller_span_id = trace.get_current_span().get_span_context().span_id
            assert caller.context is not None
            await case.read(run)
            assert trace.get_current_span().get_span_context().span_id == run.caller_span_id
        gc.collect()
        if case.outcome == 'closed' or (case.outcome == 'abandoned' and not colour.is_async):
            # Freed by the stream's own end, with the client and the service's reply still open. (A dropped async stream
            # keeps its connection until the client is closed, with us or without.)
            if colour.is_async:
                await asyncio.to_thread(endpoint.wait_until_connections_closed)
            else:
                endpoint.wait_until_connections_closed()
        await colour.close(client)
        return run

    run = colour.run(body())

    assert ''.join(run.received) == case.received
    span = instrumented.one
    attributes = span.attributes or {}
    assert span.parent is not None
    assert span.parent.span_id == run.caller_span_id
    assert attributes.get('logfire.stream.outcome') == case.outcome
    assert span.status.status_code is case.status
    assert span.end_time is not None
    assert span.end_time >= run.last_chunk_at
    if case.received:
        (message,) = json.loads(str(attributes['gen_ai.output.messages']))
        assert message == {
            'role': 'assistant',
            'parts': [{'type': 'text', 'content': case.received}],
            'finish_reason': case.finish_reason,
        }
        assert isinstance(attributes['gen_ai.response.time_to_first_chunk'], float)
    else:
        assert 'gen_ai.output.messages' not in attributes
        assert 'gen_ai.response.time_to_first_chunk' not in attributes
    assert attributes.get('gen_ai.response.finish_reasons') == (('stop',) if case.finish_reason == 'stop' else None)
    assert attributes.get('logfire.level_num') == case.level
    if run.error is None:
        assert 'error.type' not in attributes
        assert [event.name for event in span.events] == []
    else:
        name = type(run.error).__name__
        assert span.status.description == f'{name}: {run.error}'
        if case.error_type is not None:
            assert attributes['error.type'] == case.error_type
        else:
            assert str(attributes['error.type']).endswith(f'.{name}')
        assert [event.name for event in span.events] == ['exception']
    # OpenTelemetry tells of a span that is ended or written to twice, and of a context detached elsewhere.
    assert [record for record in caplog.records if record.name.startswith('opentelemetry')] == []
    del run  # An exception holds its response.
    gate.open()
    endpoint.wait_until_connections_closed()
