"""Our own faults: the user's call is untouched, one report, and the next call is recorded as before."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable
from typing import Any

import pytest
from azure.ai.inference import ChatCompletionsClient
from opentelemetry import context as otel_context
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator

import logfire
from logfire._internal import errors
from logfire._internal.integrations.llm_providers.azure_ai_inference import responses, stream
from logfire._internal.integrations.llm_providers.operation import Usage
from logfire.testing.azure_ai_inference import AzureAIInferenceEndpoint, Reply, chat_reply, raw_reply, stream_reply
from tests.otel_integrations.azure_ai_inference.conftest import Colour, Spans, new_client, untyped

HI: list[Any] = [{'role': 'user', 'content': 'Hi'}]


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a user's program, with nothing reported yet."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr(errors, '_counts', {})


def reports(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == 'logfire']


class Unreadable(dict[str, Any]):
    """A message that serialises, but that nobody may ask."""

    def get(self, key: Any, default: Any = None) -> Any:
        raise RuntimeError('ask me not')


def test_a_request_that_we_cannot_read(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    """The call goes on, with a span that tells what else is known, and one report however often it happens."""

    async def body() -> None:
        client = new_client(colour.chat_class, endpoint)
        for _ in range(2):
            reply = await colour.result(client.complete(messages=[Unreadable(HI[0])]))
            assert reply.choices[0].finish_reason == 'stop'
        await colour.close(client)

    colour.run(body())
    assert [span.name for span in instrumented.llm] == ['chat gpt-4o'] * 2
    attributes = instrumented.llm[0].attributes or {}
    assert 'gen_ai.input.messages' not in attributes
    assert (attributes['server.address'], attributes['gen_ai.usage.input_tokens']) == ('127.0.0.1', 4)
    (report,) = reports(caplog)
    assert 'could not read the request of an LLM call' in report


def test_an_embeddings_request_that_we_cannot_read(endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """The same for embeddings."""
    client = new_client(Colour('sync').embeddings_class, endpoint)
    client.embed(Unreadable(input=['a']))
    assert instrumented.one.name == 'embeddings text-embedding-3-small'


@pytest.fixture
def broken_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers of replies and chunks that fail where the usage is a word. No reply by itself makes ours fail."""

    def read_usage(usage: Any) -> Any:
        if isinstance(usage, str):
            raise RuntimeError('broken reader')
        return Usage(1, 2)

    for module in (responses, stream):
        monkeypatch.setattr(module, 'read_usage', read_usage)


def test_a_reply_that_we_cannot_read(
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    instrumented: Spans,
    caplog: pytest.LogCaptureFixture,
    broken_reader: None,
) -> None:
    """The caller gets the reply as the client made it; the span ends, with what was asked."""

    async def body() -> None:
        endpoint.reply(raw_reply(200, b'{"id": "r", "usage": "odd"}'))
        client = new_client(colour.chat_class, endpoint)
        reply = await colour.result(client.complete(messages=HI, model='m'))
        assert reply['usage'] == 'odd'
        await colour.close(client)

    colour.run(body())
    assert 'gen_ai.input.messages' in (instrumented.one.attributes or {})
    (report,) = reports(caplog)
    assert 'could not read the reply of an LLM call' in report


def odd_chunk() -> Reply:
    return stream_reply(['a', {'usage': 'odd', 'choices': [{'index': 0, 'delta': {'content': 'odd'}}]}, 'b'])


def test_a_chunk_that_we_cannot_read(
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    instrumented: Spans,
    caplog: pytest.LogCaptureFixture,
    broken_reader: None,
) -> None:
    """The caller gets every chunk; the span has those that could be read."""

    async def body() -> None:
        endpoint.reply(odd_chunk())
        client = new_client(colour.chat_class, endpoint)
        stream = await colour.result(client.complete(messages=HI, stream=True))
        assert len(await colour.read(stream)) == 4
        await colour.close(client)

    colour.run(body())
    attributes = instrumented.one.attributes or {}
    assert attributes['logfire.stream.outcome'] == 'completed'
    assert '"ab"' in str(attributes['gen_ai.output.messages'])
    (report,) = reports(caplog)
    assert 'could not read a chunk of an LLM stream' in report


class Switch:
    """A part of the configuration that fails while it is on."""

    def __init__(self) -> None:
        self.on = False

    def check(self) -> None:
        if self.on:
            raise RuntimeError('broken part')


def broken_clock(switch: Switch) -> dict[str, Any]:
    def clock() -> int:
        switch.check()
        return time.time_ns()

    return {'advanced': logfire.AdvancedOptions(ns_timestamp_generator=clock)}


def broken_ids(switch: Switch) -> dict[str, Any]:
    class Ids(IdGenerator):
        def generate_span_id(self) -> int:
            switch.check()
            return RandomIdGenerator().generate_span_id()

        def generate_trace_id(self) -> int:
            switch.check()
            return RandomIdGenerator().generate_trace_id()

    return {'advanced': logfire.AdvancedOptions(id_generator=Ids())}


def broken_exporter(switch: Switch) -> dict[str, Any]:
    class Exporter(Spans):
        def export(self, spans: Any) -> Any:
            switch.check()
            return super().export(spans)

    return {'additional_span_processors': [SimpleSpanProcessor(Exporter())]}


def broken_processor(switch: Switch) -> dict[str, Any]:
    class Processor(SimpleSpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            switch.check()

        def on_end(self, span: Any) -> None:
            switch.check()

    return {'additional_span_processors': [Processor(Spans())]}


@pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])
@pytest.mark.parametrize('part', [broken_clock, broken_ids, broken_exporter, broken_processor])
def test_a_broken_part(
    part: Callable[[Switch], dict[str, Any]], stream: bool, colour: Colour, endpoint: AzureAIInferenceEndpoint
) -> None:
    """A clock, id generator, exporter or processor that fails costs telemetry, not the call; then all is as before."""
    switch, good = Switch(), Spans()
    options = part(switch)
    processors = [*options.pop('additional_span_processors', []), SimpleSpanProcessor(good)]
    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=processors, **options)

    async def call(client: Any) -> None:
        endpoint.reply(stream_reply(['a']) if stream else chat_reply('a'))
        reply = await colour.result(client.complete(messages=HI, stream=stream))
        if stream:
            assert len(await colour.read(reply)) == 2
        else:
            assert reply.choices[0].message.content == 'a'

    async def body() -> None:
        client = new_client(colour.chat_class, endpoint)
        with logfire.instrument_azure_ai_inference():
            switch.on = True
            await call(client)
            switch.on = False
            good.clear()
            await call(client)
        await colour.close(client)

    colour.run(body())
    assert good.one.name == 'chat gpt-4o'


def test_a_clock_that_breaks_while_a_stream_is_dropped(endpoint: AzureAIInferenceEndpoint) -> None:
    """Even inside a collection: nothing is printed there, and the span ends when the clock is back."""
    switch, good = Switch(), Spans()
    logfire.configure(
        send_to_logfire=False,
        console=False,
        additional_span_processors=[SimpleSpanProcessor(good)],
        **broken_clock(switch),
    )
    endpoint.reply(stream_reply(['a', 'b']))
    with logfire.instrument_azure_ai_inference():
        stream = new_client(ChatCompletionsClient, endpoint).complete(messages=HI, stream=True)
        next(stream)
        recording = untyped(stream)._logfire_recording
        switch.on = True
        recording.dropped(stream)
        switch.on = False
        span = good.one
    assert (span.attributes or {})['logfire.stream.outcome'] == 'abandoned'
    del stream
    gc.collect()
    assert len(good.llm) == 1


def test_a_coroutine_closed_from_a_foreign_context(
    endpoint: AzureAIInferenceEndpoint, instrumented: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    """A call that never finishes, closed elsewhere, ends its span and detaches nothing that is not attached there."""

    class Waiting:
        async def complete(self, **kwargs: Any) -> Any:
            await asyncio.Future()

    async def start(call: Any) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await call

    client = Waiting()
    with logfire.instrument_azure_ai_inference(client):
        loop = asyncio.new_event_loop()
        task = loop.create_task(start(client.complete(messages=HI)))
        loop.call_soon(loop.stop)
        loop.run_forever()
        before = otel_context.get_current()
        task.get_coro().close()
        assert otel_context.get_current() is before
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
    assert (instrumented.one.attributes or {})['error.type'] == 'GeneratorExit'
    assert 'detach' not in caplog.text
