"""What came back: whole replies and streams, by the same road to the span."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from azure.ai.inference import ChatCompletionsClient

import logfire
from logfire.exceptions import LogfireConfigError
from logfire.testing.azure_ai_inference import (
    AzureAIInferenceEndpoint,
    Delta,
    Reply,
    ToolCall,
    chat_reply,
    embeddings_reply,
    raw_reply,
    stream_reply,
)
from tests.otel_integrations.azure_ai_inference.conftest import Colour, Spans, new_client

HI: list[Any] = [{'role': 'user', 'content': 'Hi'}]


def chat(
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    spans: Spans,
    reply: Reply,
    *,
    stream: bool = False,
    **kwargs: Any,
) -> dict[str, Any]:
    """The response's attributes of one call, JSON ones parsed."""

    async def body() -> None:
        endpoint.reply(reply)
        client = new_client(colour.chat_class, endpoint)
        result = await colour.result(client.complete(messages=HI, stream=stream, **kwargs))
        if stream:
            await colour.read(result)
        await colour.close(client)

    colour.run(body())
    return replied(spans)


def replied(spans: Spans) -> dict[str, Any]:
    attributes = spans.one.attributes or {}
    found = {
        name.removeprefix('gen_ai.'): value
        for name, value in attributes.items()
        if name.startswith(('gen_ai.response.', 'gen_ai.usage.', 'gen_ai.output.messages', 'gen_ai.embeddings.'))
    }
    found.pop('response.time_to_first_chunk', None)
    if 'output.messages' in found:
        found['output.messages'] = json.loads(str(found['output.messages']))
    return found


def said(*parts: Any, finish_reason: str = 'stop', role: str = 'assistant') -> dict[str, Any]:
    return {'role': role, 'parts': list(parts), 'finish_reason': finish_reason}


def text(content: str) -> dict[str, Any]:
    return {'type': 'text', 'content': content}


def thought(content: str) -> dict[str, Any]:
    return {'type': 'reasoning', 'content': content}


def choice(index: int, message: Any, finish_reason: Any = 'stop') -> dict[str, Any]:
    return {'index': index, 'message': message, 'finish_reason': finish_reason}


KNOWN = {'response.id': 'chatcmpl-1', 'response.model': 'gpt-4o', 'usage.input_tokens': 10, 'usage.output_tokens': 5}
STOPPED = {**KNOWN, 'response.finish_reasons': ('stop',)}

WHOLE: dict[str, tuple[Reply, dict[str, Any]]] = {
    'plain': (chat_reply('Hello.'), {**STOPPED, 'output.messages': [said(text('Hello.'))]}),
    'several choices': (
        chat_reply(
            choices=[
                choice(0, {'role': 'assistant', 'content': 'a'}),
                choice(1, {'role': 'assistant', 'content': 'b'}, 'length'),
            ]
        ),
        {
            **KNOWN,
            'response.finish_reasons': ('stop', 'length'),
            'output.messages': [said(text('a')), said(text('b'), finish_reason='length')],
        },
    ),
    'a number that JSON does not have': (
        chat_reply(tool_calls=[ToolCall('f', '{"a": NaN}', id='c1')]),
        {
            **KNOWN,
            'response.finish_reasons': ('tool_calls',),
            'output.messages': [
                said(
                    {'type': 'tool_call', 'id': 'c1', 'name': 'f', 'arguments': {'a': 'nan'}}, finish_reason='tool_call'
                )
            ],
        },
    ),
    'tool calls': (
        chat_reply(tool_calls=[ToolCall('get_weather', '{"city":"Rome"}', id='c1'), ToolCall('now', '', id='c2')]),
        {
            **KNOWN,
            'response.finish_reasons': ('tool_calls',),
            'output.messages': [
                said(
                    {'type': 'tool_call', 'id': 'c1', 'name': 'get_weather', 'arguments': {'city': 'Rome'}},
                    {'type': 'tool_call', 'id': 'c2', 'name': 'now', 'arguments': ''},
                    finish_reason='tool_call',
                )
            ],
        },
    ),
    'unknown finish reason': (
        chat_reply('x', finish_reason='bored'),
        {**KNOWN, 'response.finish_reasons': ('bored',), 'output.messages': [said(text('x'), finish_reason='bored')]},
    ),
    'no finish reason': (
        chat_reply('x', finish_reason=None),
        {**KNOWN, 'output.messages': [said(text('x'), finish_reason='')]},
    ),
    'reasoning in its own field': (
        chat_reply('Yes.', reasoning='Hm.'),
        {**STOPPED, 'output.messages': [said(thought('Hm.'), text('Yes.'))]},
    ),
    'reasoning in a think block': (
        chat_reply('<think>Hm.</think>\n\nYes.'),
        {**STOPPED, 'output.messages': [said(thought('Hm.'), text('Yes.'))]},
    ),
    'a think block after much white space': (
        chat_reply(' ' * 100 + '<think>Hm.</think>Yes.'),
        {**STOPPED, 'output.messages': [said(thought('Hm.'), text('Yes.'))]},
    ),
    'white space before the text': (
        chat_reply(' Yes.'),
        {**STOPPED, 'output.messages': [said(text(' Yes.'))]},
    ),
    'an empty think block': (
        chat_reply('<think>\n\n</think>\n\nYes.'),
        {**STOPPED, 'output.messages': [said(text('Yes.'))]},
    ),
    'text, then a tool call': (
        chat_reply(
            choices=[
                choice(
                    0,
                    {
                        'role': 'assistant',
                        'content': 'Let me look.',
                        'tool_calls': [{'id': 'c1', 'type': 'function', 'function': {'name': 'f', 'arguments': '{}'}}],
                    },
                    'tool_calls',
                )
            ]
        ),
        {
            **KNOWN,
            'response.finish_reasons': ('tool_calls',),
            'output.messages': [
                said(
                    text('Let me look.'),
                    {'type': 'tool_call', 'id': 'c1', 'name': 'f', 'arguments': {}},
                    finish_reason='tool_call',
                )
            ],
        },
    ),
    'text, then a refusal': (
        chat_reply(choices=[choice(0, {'role': 'assistant', 'content': 'Well', 'refusal': 'No.'})]),
        {**STOPPED, 'output.messages': [said(text('Well'), {'type': 'refusal', 'content': 'No.'})]},
    ),
    'refusal': (
        chat_reply(choices=[choice(0, {'role': 'assistant', 'content': None, 'refusal': 'No.'})]),
        {**STOPPED, 'output.messages': [said({'type': 'refusal', 'content': 'No.'})]},
    ),
    'no choices': (chat_reply(choices=[]), KNOWN),
    'a choice without message': (
        chat_reply(choices=[{'finish_reason': 'stop'}]),
        {**STOPPED, 'output.messages': [said()]},
    ),
    'nothing known': (
        chat_reply('x', id=None, model=None, usage=None),
        {'response.finish_reasons': ('stop',), 'output.messages': [said(text('x'))]},
    ),
    'null usage': (raw_reply(200, b'{"choices": null, "usage": null, "model": "m"}'), {'response.model': 'm'}),
    'cached and reasoning tokens': (
        chat_reply(
            'x',
            usage={
                'prompt_tokens': 100,
                'completion_tokens': 50,
                'prompt_tokens_details': {'cached_tokens': 80},
                'completion_tokens_details': {'reasoning_tokens': 30},
            },
        ),
        {
            **STOPPED,
            'usage.input_tokens': 100,
            'usage.output_tokens': 50,
            'usage.cache_read.input_tokens': 80,
            'usage.reasoning.output_tokens': 30,
            'output.messages': [said(text('x'))],
        },
    ),
}


@pytest.mark.parametrize(('reply', 'expected'), WHOLE.values(), ids=WHOLE)
def test_whole_replies(
    reply: Reply, expected: dict[str, Any], colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """Every reply is recorded as the service sent it; what it did not send is absent."""
    assert chat(colour, endpoint, instrumented, reply) == expected


def chunk(index: int = 0, finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    return {'choices': [{'index': index, 'delta': delta, 'finish_reason': finish_reason}]}


def call_piece(index: int | None = None, call_id: str | None = None, **function: str) -> dict[str, Any]:
    piece: dict[str, Any] = {'type': 'function', 'function': function}
    if index is not None:
        piece['index'] = index
    if call_id is not None:
        piece['id'] = call_id
    return chunk(tool_calls=[piece])


def called(call_id: str | None, name: str, arguments: Any) -> dict[str, Any]:
    part = {'type': 'tool_call', 'name': name, 'arguments': arguments}
    return part if call_id is None else {**part, 'id': call_id}


CALLED = {'response.finish_reasons': ('tool_calls',)}
END_OF_CALLS = chunk(finish_reason='tool_calls')

STREAMED: dict[str, tuple[Reply, dict[str, Any]]] = {
    'text, usage last': (
        stream_reply(['Hel', 'lo.'], usage=(10, 5)),
        {**STOPPED, 'output.messages': [said(text('Hello.'))]},
    ),
    'no usage': (
        stream_reply(['Hello.']),
        {
            'response.id': 'chatcmpl-1',
            'response.model': 'gpt-4o',
            'response.finish_reasons': ('stop',),
            'output.messages': [said(text('Hello.'))],
        },
    ),
    'more pieces than are kept apart': (
        stream_reply(['abc '] * 600, usage=(10, 5)),
        {**STOPPED, 'output.messages': [said(text('abc ' * 600))]},
    ),
    'choices interleaved and out of order': (
        stream_reply([Delta('b', choice=1), Delta('a', choice=0), Delta('B', choice=1), Delta('A', choice=0)]),
        {
            'response.id': 'chatcmpl-1',
            'response.model': 'gpt-4o',
            'response.finish_reasons': ('stop', 'stop'),
            'output.messages': [said(text('aA')), said(text('bB'))],
        },
    ),
    'reasoning, then text': (
        stream_reply([Delta(reasoning='H'), Delta(reasoning='m.'), 'Yes.'], id=None, model=None),
        {'response.finish_reasons': ('stop',), 'output.messages': [said(thought('Hm.'), text('Yes.'))]},
    ),
    'more than text in a chunk after the first': (
        stream_reply(
            [chunk(content='a'), chunk(content='b', reasoning_content='hm'), chunk(finish_reason='stop', content='c')],
            id=None,
            model=None,
        ),
        {'response.finish_reasons': ('stop',), 'output.messages': [said(thought('hm'), text('abc'))]},
    ),
    'a reason with the last text': (
        stream_reply([chunk(content='a'), chunk(finish_reason='length', content='b')], id=None, model=None),
        {'response.finish_reasons': ('length',), 'output.messages': [said(text('ab'), finish_reason='length')]},
    ),
    'a think block across chunks': (
        stream_reply(['<th', 'ink>Hm.</thi', 'nk>Yes.'], id=None, model=None),
        {'response.finish_reasons': ('stop',), 'output.messages': [said(thought('Hm.'), text('Yes.'))]},
    ),
    'a think block after much white space': (
        stream_reply([' ' * 50, ' ' * 50, '<think>Hm.</think>Yes.'], id=None, model=None),
        {'response.finish_reasons': ('stop',), 'output.messages': [said(thought('Hm.'), text('Yes.'))]},
    ),
    'white space before the text': (
        stream_reply([' Yes', '.'], id=None, model=None),
        {'response.finish_reasons': ('stop',), 'output.messages': [said(text(' Yes.'))]},
    ),
    'a think block that is never closed': (
        stream_reply(['<think>Hm'], id=None, model=None, finish_reason='length'),
        {'response.finish_reasons': ('length',), 'output.messages': [said(thought('Hm'), finish_reason='length')]},
    ),
    'refusal': (
        stream_reply([chunk(refusal='N'), chunk(refusal='o.'), chunk(finish_reason='stop')], id=None, model=None),
        {'response.finish_reasons': ('stop',), 'output.messages': [said({'type': 'refusal', 'content': 'No.'})]},
    ),
    'another role': (
        stream_reply([chunk(role='model', content='x'), chunk(finish_reason='stop')]),
        {'response.finish_reasons': ('stop',), 'output.messages': [said(text('x'), role='model')]},
    ),
    'tool calls interleaved by index': (
        stream_reply(
            [
                call_piece(0, 'c1', name='f', arguments='{"a"'),
                call_piece(1, 'c2', name='g', arguments='[1'),
                call_piece(0, '', arguments=': 1}'),
                call_piece(1, arguments=', 2]'),
                END_OF_CALLS,
            ]
        ),
        {
            **CALLED,
            'output.messages': [
                said(called('c1', 'f', {'a': 1}), called('c2', 'g', [1, 2]), finish_reason='tool_call')
            ],
        },
    ),
    'tool calls told apart by a new id': (
        stream_reply(
            [
                call_piece(None, 'c1', name='f', arguments='{"a"'),
                call_piece(None, '', arguments=': 1}'),
                call_piece(None, 'c2', name='g', arguments='{'),
                call_piece(None, 'c1', arguments=' '),
                call_piece(None, None, arguments='}'),
                END_OF_CALLS,
            ]
        ),
        {
            **CALLED,
            'output.messages': [said(called('c1', 'f', {'a': 1}), called('c2', 'g', {}), finish_reason='tool_call')],
        },
    ),
    'a number that JSON does not have': (
        stream_reply([call_piece(0, 'c1', name='f', arguments='{"a": NaN}'), END_OF_CALLS]),
        {**CALLED, 'output.messages': [said(called('c1', 'f', {'a': 'nan'}), finish_reason='tool_call')]},
    ),
    'a number that JSON does not have, then another choice': (
        stream_reply(
            [
                call_piece(0, 'c1', name='f', arguments='{"a": NaN}'),
                END_OF_CALLS,
                {'choices': [{'index': 1, 'delta': {'content': 'b'}, 'finish_reason': 'stop'}]},
            ]
        ),
        {
            'response.finish_reasons': ('tool_calls', 'stop'),
            'output.messages': [
                said(called('c1', 'f', {'a': 'nan'}), finish_reason='tool_call'),
                said(text('b')),
            ],
        },
    ),
    'a tool call without id': (
        stream_reply([call_piece(None, None, name='f', arguments='{}'), END_OF_CALLS]),
        {**CALLED, 'output.messages': [said(called(None, 'f', {}), finish_reason='tool_call')]},
    ),
    'odd tool calls': (
        stream_reply([chunk(tool_calls=['odd', {'index': 0, 'id': 'c1'}]), call_piece(0, name='f'), END_OF_CALLS]),
        {**CALLED, 'output.messages': [said(called('c1', 'f', ''), finish_reason='tool_call')]},
    ),
    'a choice without delta': (
        stream_reply([{'choices': [{'finish_reason': 'stop'}]}]),
        {'response.finish_reasons': ('stop',), 'output.messages': [said()]},
    ),
    'no choices at all': (stream_reply([{'choices': []}], usage=(10, 5)), KNOWN),
}


@pytest.mark.parametrize(('reply', 'expected'), STREAMED.values(), ids=STREAMED)
def test_streamed_replies(
    reply: Reply, expected: dict[str, Any], colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """A stream's chunks add up to the same record as a whole reply, whatever order its pieces come in."""
    assert chat(colour, endpoint, instrumented, reply, stream=True) == expected


@pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])
def test_the_span_of_a_call_as_a_whole(
    stream: bool, colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """Name, kind, scope, tags, message and schema of a call that names its model."""
    reply = stream_reply(['Hello.']) if stream else chat_reply('Hello.')
    chat(colour, endpoint, instrumented, reply, stream=stream, model='gpt-4o')
    span = instrumented.one
    attributes = span.attributes or {}
    assert (span.name, span.kind.name) == ('chat gpt-4o', 'CLIENT')
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == 'logfire.azure_ai_inference'
    assert attributes['logfire.tags'] == ('LLM',)
    assert attributes['logfire.span_type'] == 'span'
    assert attributes['logfire.msg'] == "Chat completion with 'gpt-4o'"
    assert attributes['logfire.msg_template'] == 'Chat completion with {gen_ai.request.model!r}'
    assert attributes['gen_ai.operation.name'] == 'chat'
    assert attributes['gen_ai.provider.name'] == 'azure.ai.inference'
    assert attributes['azure.resource_provider.namespace'] == 'Microsoft.CognitiveServices'
    # A coroutine's caller is whoever awaits it.
    caller = 'conftest.py' if colour.is_async else 'test_replies.py'
    assert attributes['code.filepath'] == f'tests/otel_integrations/azure_ai_inference/{caller}'
    assert json.loads(str(attributes['logfire.json_schema'])) == {
        'type': 'object',
        'properties': {'gen_ai.input.messages': {'type': 'array'}, 'gen_ai.output.messages': {'type': 'array'}},
    }
    assert not [name for name in attributes if name in ('request_data', 'response_data', 'gen_ai.system')]
    assert list(span.events) == []


def test_a_model_that_the_response_names(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """An unknown model is `chat` until the response names it; then request model, name and message follow."""
    chat(colour, endpoint, instrumented, chat_reply('Hello.', model='Phi-4'))
    span = instrumented.one
    attributes = span.attributes or {}
    assert span.name == 'chat Phi-4'
    assert attributes['gen_ai.request.model'] == attributes['gen_ai.response.model'] == 'Phi-4'
    assert attributes['logfire.msg'] == "Chat completion with 'Phi-4'"
    assert attributes['logfire.msg_template'] == 'Chat completion with {gen_ai.request.model!r}'


def test_a_model_that_nobody_names(colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """Without any model the span is `chat`, and its message the bare text."""
    chat(colour, endpoint, instrumented, chat_reply('Hello.', model=None))
    span = instrumented.one
    attributes = span.attributes or {}
    assert (span.name, attributes['logfire.msg'], attributes['logfire.msg_template']) == (
        'chat',
        'Chat completion',
        'Chat completion',
    )
    assert not [name for name in attributes if name.endswith('.model')]


def test_the_request_model_stands_in_for_an_unnamed_response_model(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """A call that ended well has a response model wherever a model is known."""
    found = chat(colour, endpoint, instrumented, chat_reply('Hello.', model=None), model='asked')
    assert found['response.model'] == 'asked'


@pytest.mark.parametrize(
    ('reply', 'asked', 'expected'),
    [
        (embeddings_reply([[0.1, 0.2, 0.3]]), None, 3),
        (embeddings_reply([[0.1, 0.2, 0.3]]), 256, 256),
        (embeddings_reply(['AAAA']), None, None),
        (embeddings_reply([]), None, None),
    ],
    ids=['by the vector', 'as asked', 'base64', 'empty'],
)
def test_embeddings(
    reply: Reply,
    asked: int | None,
    expected: int | None,
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    instrumented: Spans,
) -> None:
    """Embeddings record usage, model and how many dimensions there are; they have no id."""

    async def body() -> None:
        endpoint.reply(reply)
        client = new_client(colour.embeddings_class, endpoint)
        await colour.result(client.embed(input=['a'], dimensions=asked))
        await colour.close(client)

    colour.run(body())
    wanted = {'response.model': 'text-embedding-3-small', 'usage.input_tokens': 8}
    if expected is not None:
        wanted['embeddings.dimension.count'] = expected
    assert replied(instrumented) == wanted
    attributes = instrumented.one.attributes or {}
    assert instrumented.one.name == 'embeddings text-embedding-3-small'
    assert attributes['logfire.msg'] == "Embeddings with 'text-embedding-3-small'"


@pytest.mark.parametrize(('limit', 'kept'), [('8', True), ('7', False), ('0', False), (' ', True)])
def test_the_limit_of_binary_content_can_be_set(
    limit: str, kept: bool, endpoint: AzureAIInferenceEndpoint, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment variable says up to how many characters of base64 are recorded."""
    monkeypatch.setenv('LOGFIRE_MAX_BINARY_CONTENT', limit)
    content = [{'type': 'image_url', 'image_url': {'url': 'data:image/png;base64,aGVsbG8='}}]
    with logfire.instrument_azure_ai_inference():
        new_client(Colour('sync').chat_class, endpoint).complete(messages=[{'role': 'user', 'content': content}])
    assert ('aGVsbG8=' in str((spans.one.attributes or {})['gen_ai.input.messages'])) is kept


def test_a_limit_of_binary_content_that_is_no_number(spans: Spans, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad value is refused with what is accepted, before anything is patched."""
    monkeypatch.setenv('LOGFIRE_MAX_BINARY_CONTENT', '32 KiB')
    before = ChatCompletionsClient.complete
    with pytest.raises(LogfireConfigError, match="LOGFIRE_MAX_BINARY_CONTENT='32 KiB' is not accepted: it is a number"):
        logfire.instrument_azure_ai_inference()
    assert ChatCompletionsClient.complete is before


def test_large_binary_content_is_told_by_size_and_digest(
    endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """Binary content over 32 KiB of base64 keeps its part; size and SHA-256 stand for the bytes."""
    data = bytes(range(256)) * 97
    encoded = base64.b64encode(data).decode()
    content = [
        {'type': 'image_url', 'image_url': {'url': f'data:image/png;base64,{encoded}'}},
        {'type': 'input_audio', 'input_audio': {'data': 'é' * 40_000, 'format': 'wav'}},
        {'type': 'image_url', 'image_url': {'url': f'data:image/png;base64,{encoded[: 32 * 1024]}'}},
    ]
    new_client(Colour('sync').chat_class, endpoint).complete(messages=[{'role': 'user', 'content': content}])
    (message,) = json.loads(str((instrumented.one.attributes or {})['gen_ai.input.messages']))
    assert message['parts'] == [
        {
            'type': 'blob',
            'modality': 'image',
            'mime_type': 'image/png',
            'content': '',
            'size': len(data),
            'sha256': hashlib.sha256(data).hexdigest(),
        },
        {
            'type': 'blob',
            'modality': 'audio',
            'mime_type': 'audio/wav',
            'content': '',
            'size': 80_000,
            'sha256': hashlib.sha256('é'.encode() * 40_000).hexdigest(),
        },
        {
            'type': 'blob',
            'modality': 'image',
            'mime_type': 'image/png',
            'content': encoded[: 32 * 1024],
        },
    ]
