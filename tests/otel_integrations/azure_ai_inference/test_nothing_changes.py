"""What the caller sees, with us and without: the same body runs both ways."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace

import logfire
from logfire.testing.azure_ai_inference import (
    AzureAIInferenceEndpoint,
    Gate,
    chat_reply,
    embeddings_reply,
    stream_reply,
)
from tests.otel_integrations.azure_ai_inference.conftest import Colour, Spans, new_client, untyped

HI: list[Any] = [{'role': 'user', 'content': 'Hi'}]


@pytest.fixture(params=[False, True], ids=['without', 'with'])
def either_way(request: pytest.FixtureRequest, spans: Spans) -> Iterator[bool]:
    """Once without instrumentation, once with it."""
    with logfire.instrument_azure_ai_inference() if request.param else contextlib.nullcontext():
        yield request.param


def test_whole_replies_are_the_clients_own(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, either_way: bool
) -> None:
    """Type, content and references of a reply are what they are without us; nothing of ours keeps it."""

    async def body() -> None:
        endpoint.reply(chat_reply('hello'), embeddings_reply([[0.5, 0.25]]))
        client = new_client(colour.chat_class, endpoint)
        reply = await colour.result(client.complete(messages=HI))
        assert (type(reply).__module__, type(reply).__name__) == ('azure.ai.inference.models._patch', 'ChatCompletions')
        assert reply.choices[0].message.content == 'hello'
        assert sys.getrefcount(reply) == 2
        gone = weakref.ref(reply)
        del reply
        assert gone() is None
        await colour.close(client)
        client = new_client(colour.embeddings_class, endpoint)
        vectors = await colour.result(client.embed(input=['a']))
        assert type(vectors).__name__ == 'EmbeddingsResult'
        assert vectors.data[0].embedding == [0.5, 0.25]
        await colour.close(client)

    colour.run(body())


def test_streams_are_the_clients_own(colour: Colour, endpoint: AzureAIInferenceEndpoint, either_way: bool) -> None:
    """Names, methods, references and chunks of a stream are what they are without us."""

    async def body() -> None:
        endpoint.reply(stream_reply(['a', 'b']))
        client = new_client(colour.chat_class, endpoint)
        stream = await colour.result(client.complete(messages=HI, stream=True))
        name = 'AsyncStreamingChatCompletions' if colour.is_async else 'StreamingChatCompletions'
        assert type(stream).__name__ == type(stream).__qualname__ == name
        assert type(stream).__module__ == 'azure.ai.inference.models._patch'
        assert type(stream).__doc__ == stream.__doc__
        assert (stream.__aiter__() if colour.is_async else iter(stream)) is stream
        # One reference less than a method call would need: nobody else holds it.
        assert sys.getrefcount(stream) == 2
        chunk = await colour.next(stream)
        assert sys.getrefcount(chunk) == 2
        assert type(chunk).__name__ == 'StreamingChatCompletionsUpdate'
        gone = weakref.ref(stream)
        del stream, chunk
        assert gone() is None
        await colour.close(client)

    colour.run(body())


def test_chunks_arrive_when_they_are_sent(colour: Colour, endpoint: AzureAIInferenceEndpoint, either_way: bool) -> None:
    """No chunk waits for the next one: each reaches the caller while the service still holds back the rest."""
    gates = [Gate(), Gate()]

    async def body() -> None:
        endpoint.reply(stream_reply(['a', gates[0], 'b', gates[1]]))
        client = new_client(colour.chat_class, endpoint)
        stream = await colour.result(client.complete(messages=HI, stream=True))
        for gate, expected in zip(gates, ('a', 'b'), strict=True):
            chunk = await colour.next(stream)
            assert chunk.choices[0].delta.content == expected
            assert not gate.is_open
            gate.open()
        assert len(await colour.read(stream)) == 1
        await colour.close(client)

    colour.run(body())


def test_a_subclass_and_its_super_calls(colour: Colour, endpoint: AzureAIInferenceEndpoint, either_way: bool) -> None:
    """An override that changes the arguments or the reply does so with us as without us."""

    class Sync(untyped(colour.chat_class)):
        def complete(self, question: str) -> str:
            reply = untyped(super()).complete(messages=[{'role': 'user', 'content': question}])
            return reply.choices[0].message.content

    class Async(untyped(colour.chat_class)):
        async def complete(self, question: str) -> str:
            reply = await untyped(super()).complete(messages=[{'role': 'user', 'content': question}])
            return reply.choices[0].message.content

    async def body() -> None:
        endpoint.reply(chat_reply('42'))
        client = new_client(Async if colour.is_async else Sync, endpoint)
        assert await colour.result(client.complete('6 x 7?')) == '42'
        await colour.close(client)

    colour.run(body())
    assert endpoint.requests[0].json['messages'] == [{'role': 'user', 'content': '6 x 7?'}]


def test_streams_in_several_tasks_at_once(
    endpoint: AzureAIInferenceEndpoint, instrumented: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    """Streams made in one task and read in another, several at once: right parents, and no context crosses over."""
    colour = Colour('async')

    def answer(request: Any) -> Any:
        return stream_reply([request.json['messages'][0]['content'], 'b'])

    async def make(client: Any, number: int) -> Any:
        with logfire.span('caller {number}', number=number):
            return await client.complete(messages=[{'role': 'user', 'content': f'{number}'}], stream=True)

    async def read(stream: Any) -> None:
        with logfire.span('reader'):
            inside = trace.get_current_span()
            async for _ in stream:
                assert trace.get_current_span() is inside
                await asyncio.sleep(0)

    async def body() -> None:
        endpoint.reply(*[answer] * 8)
        client = new_client(colour.chat_class, endpoint)
        streams = await asyncio.gather(*(make(client, number) for number in range(8)))
        await asyncio.gather(*(asyncio.create_task(read(stream)) for stream in streams))
        assert not trace.get_current_span().get_span_context().is_valid
        await colour.close(client)

    colour.run(body())
    callers = {span.context.span_id: span for span in instrumented.all if span.context}
    assert len(instrumented.llm) == 8
    for span in instrumented.llm:
        assert span.parent is not None
        number = (callers[span.parent.span_id].attributes or {})['number']
        assert f'"content":"{number}"' in str((span.attributes or {})['gen_ai.input.messages'])
        assert f'"content":"{number}b"' in str((span.attributes or {})['gen_ai.output.messages'])
    assert 'detach' not in caplog.text
