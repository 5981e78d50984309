"""The loopback endpoint, driven by the real Azure clients."""

from __future__ import annotations

import asyncio
import base64
import http.client
import io
import json
import logging
import socket
import struct
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from azure.ai.inference import ChatCompletionsClient, EmbeddingsClient, ImageEmbeddingsClient, aio, load_client
from azure.ai.inference.models import (
    AsyncStreamingChatCompletions,
    ChatCompletions,
    ImageEmbeddingInput,
    StreamingChatCompletions,
    StreamingChatCompletionsUpdate,
    TextContentItem,
    UserMessage,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceResponseError,
)

from logfire.testing.azure_ai_inference import (
    AzureAIInferenceEndpoint,
    Cut,
    Delay,
    Delta,
    ErrorEvent,
    Gate,
    Headers,
    RecordedRequest,
    Reply,
    StreamItem,
    ToolCall,
    chat_reply,
    cut_reply,
    embeddings_reply,
    error_reply,
    info_reply,
    raw_reply,
    stream_reply,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def endpoint() -> Iterator[AzureAIInferenceEndpoint]:
    with AzureAIInferenceEndpoint() as endpoint:
        yield endpoint


@pytest.fixture
def client(endpoint: AzureAIInferenceEndpoint) -> Iterator[ChatCompletionsClient]:
    with ChatCompletionsClient(endpoint.url, AzureKeyCredential(endpoint.key)) as client:
        yield client


@pytest.fixture(autouse=True)
def quiet_azure() -> Iterator[None]:
    """Azure logs a cut stream as an error."""
    logger = logging.getLogger('azure')
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(before)


def complete(
    client: ChatCompletionsClient, text: str = 'Hi', model: str | None = None, **options: Any
) -> ChatCompletions:
    body = {'messages': [{'role': 'user', 'content': text}], **({'model': model} if model else {})}
    result = client.complete(body, **options)
    assert isinstance(result, ChatCompletions)
    return result


def stream(
    client: ChatCompletionsClient, text: str = 'Hi', stream_options: dict[str, bool] | None = None
) -> StreamingChatCompletions:
    body = {'messages': [{'role': 'user', 'content': text}], 'stream': True, 'stream_options': stream_options}
    result = client.complete(body)
    assert isinstance(result, StreamingChatCompletions)
    return result


def content(update: StreamingChatCompletionsUpdate) -> str:
    return update.choices[0].delta.content or ''


# What a request without a script gets.


def test_default_chat(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """Without a script a chat call is echoed by the model that was asked for, with a usage."""
    result = complete(client, 'Hello there', model='phi-4')
    assert result.choices[0].message.content == 'You said: Hello there'
    assert result.model == 'phi-4'
    assert result.usage is not None
    assert result.usage.total_tokens == result.usage.prompt_tokens + result.usage.completion_tokens


def test_default_chat_content_items(client: ChatCompletionsClient) -> None:
    """The echo reads the text of content items."""
    items: Any = [TextContentItem(text='one'), {'type': 'image_url', 'image_url': {'url': 'data:,'}}]
    result = client.complete(messages=[UserMessage(items)], stream=False)
    assert result.choices[0].message.content == 'You said: one'


def test_default_chat_without_messages(client: ChatCompletionsClient) -> None:
    """A request with no message at all is answered too."""
    result = client.complete({'messages': []})
    assert isinstance(result, ChatCompletions)
    assert result.choices[0].message.content == 'You said:'
    assert result.model == 'gpt-4o'


@pytest.mark.parametrize('with_usage', [True, False])
def test_default_stream(client: ChatCompletionsClient, with_usage: bool) -> None:
    """A stream comes word by word, and its usage only when asked for, in a last chunk without choices."""
    updates = list(stream(client, 'a b', {'include_usage': True} if with_usage else None))
    assert [content(update) for update in updates if update.choices] == ['You', ' said:', ' a', ' b', '']
    assert updates[4].choices[0]['finish_reason'] == 'stop'
    assert [update.usage is not None for update in updates] == [False] * 5 + [True] * with_usage


def test_default_embeddings(endpoint: AzureAIInferenceEndpoint) -> None:
    """Each input gets a vector of the size that was asked for, and the same text the same one."""
    with EmbeddingsClient(endpoint.url, AzureKeyCredential(endpoint.key)) as client:
        result = client.embed(input=['a', 'b', 'a'], dimensions=3, model='embed-v3')
        floats = [item.embedding for item in result.data]
        assert [len(vector) for vector in floats] == [3, 3, 3]
        assert floats[0] == floats[2] != floats[1]
        assert result.model == 'embed-v3'
        assert result.usage.as_dict() == {'prompt_tokens': 3, 'total_tokens': 3}
        assert len(client.embed(input=['a']).data[0].embedding) == 8

        encoded = client.embed(input=['a'], dimensions=3, encoding_format='base64').data[0].embedding
    assert isinstance(encoded, str)
    assert struct.unpack('<3f', base64.b64decode(encoded)) == pytest.approx(floats[0])


def test_default_image_embeddings(endpoint: AzureAIInferenceEndpoint) -> None:
    """Image embeddings are served as text embeddings are."""
    with ImageEmbeddingsClient(endpoint.url, AzureKeyCredential(endpoint.key)) as client:
        result = client.embed(input=[ImageEmbeddingInput(image='data:image/png;base64,AA==')], dimensions=2)
    assert endpoint.requests[0].path == '/images/embeddings'
    assert len(result.data[0].embedding) == 2


def test_default_info(client: ChatCompletionsClient) -> None:
    """A client may ask which model is deployed."""
    assert client.get_model_info().model_name == 'gpt-4o'


def test_unknown_path(endpoint: AzureAIInferenceEndpoint) -> None:
    """A path that the service does not have is answered by 404."""
    assert fetch(endpoint, 'GET', '/nothing')[0] == 404


@pytest.mark.parametrize('body', [b'{', b'[]'])
def test_body_that_is_no_object(endpoint: AzureAIInferenceEndpoint, body: bytes) -> None:
    """A body that is no JSON object is answered by 400."""
    status, text = fetch(endpoint, 'POST', '/chat/completions', body)
    assert (status, json.loads(text)['error']['code']) == (400, 'BadRequest')


def test_other_method(endpoint: AzureAIInferenceEndpoint, capfd: pytest.CaptureFixture[str]) -> None:
    """A method that the API does not use is refused, silently."""
    assert fetch(endpoint, 'PUT', '/info')[0] == 501
    assert capfd.readouterr() == ('', '')


# Scripted replies.


def test_scripted_in_order(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """Scripted replies are used in order, one per request; requests beyond them get the default."""
    endpoint.reply(chat_reply('one'), chat_reply('two'))
    endpoint.reply(chat_reply('three'))
    assert endpoint.pending_replies == 3
    texts = [complete(client, 'x').choices[0].message.content for _ in range(4)]
    assert texts == ['one', 'two', 'three', 'You said: x']
    assert endpoint.pending_replies == 0


def test_reply_made_from_the_request(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """A function makes the reply from the request, for one request or for every one beyond the script."""
    endpoint.reply(lambda request: chat_reply(request.json['messages'][0]['content'].upper()))
    assert complete(client, 'loud').choices[0].message.content == 'LOUD'
    with (
        AzureAIInferenceEndpoint(lambda request: chat_reply(request.path)) as other,
        ChatCompletionsClient(f'{other.url}/models', AzureKeyCredential('k')) as other_client,
    ):
        assert complete(other_client).choices[0].message.content == '/models/chat/completions'


def test_fault_in_a_script(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """A script function that raises, or makes no reply, is told to the client by an error that it does not retry."""
    not_a_reply: Any = 'text'
    endpoint.reply(lambda request: chat_reply(request.json['absent']), lambda request: not_a_reply)
    for message in ["KeyError: 'absent'", 'expected a Reply, not str']:
        with pytest.raises(HttpResponseError, match=message) as caught:
            complete(client)
        assert caught.value.error is not None
        assert caught.value.error.code == 'ScriptError'
    assert len(endpoint.requests) == 2


def test_script_of_something_else(endpoint: AzureAIInferenceEndpoint) -> None:
    """What is neither a reply nor a function is refused when it is scripted."""
    wrong: Any = 'text'
    with pytest.raises(TypeError, match='expected a Reply or a function that makes one, not str'):
        endpoint.reply(wrong)
    assert endpoint.pending_replies == 0


def test_chat_reply_in_full(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """A chat reply carries everything a service may send."""
    reply = chat_reply(
        'Sunny.',
        model='o1',
        finish_reason='length',
        reasoning='Lisbon, so sun.',
        usage={'prompt_tokens': 1, 'completion_tokens': 2, 'total_tokens': 3, 'completion_tokens_details': {'x': 4}},
        id='id-7',
        headers={'X-MS-Request-ID': 'req-7', 'Content-Type': 'application/json; charset=utf-8'},
        system_fingerprint='fp',
    )
    endpoint.reply(reply)
    seen: list[str] = []

    def hook(response: Any) -> None:
        seen.extend(response.http_response.headers[name] for name in ('x-ms-request-id', 'content-type'))

    result = complete(client, raw_response_hook=hook)
    assert result.as_dict() == {
        'id': 'id-7',
        'object': 'chat.completion',
        'created': 1735689600,
        'model': 'o1',
        'choices': [
            {
                'index': 0,
                'message': {'role': 'assistant', 'content': 'Sunny.', 'reasoning_content': 'Lisbon, so sun.'},
                'finish_reason': 'length',
            }
        ],
        'usage': {
            'prompt_tokens': 1,
            'completion_tokens': 2,
            'total_tokens': 3,
            'completion_tokens_details': {'x': 4},
        },
        'system_fingerprint': 'fp',
    }
    assert seen == ['req-7', 'application/json; charset=utf-8']


def test_chat_reply_tool_calls(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """Tool calls take their arguments as a mapping or as text, and are the reason for the end."""
    endpoint.reply(chat_reply(tool_calls=[ToolCall('weather', {'city': 'Lisbon'}), ToolCall('now', '{}', id='call_2')]))
    choice = complete(client).choices[0]
    calls = choice.message.tool_calls
    assert calls is not None
    assert [(call.id, call.function.name, call.function.arguments) for call in calls] == [
        ('call_1', 'weather', '{"city": "Lisbon"}'),
        ('call_2', 'now', '{}'),
    ]
    assert choice['finish_reason'] == 'tool_calls'
    assert choice.message.content is None


def test_chat_reply_with_little(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """Whatever a service may leave out can be left out; choices can be given as they stand."""
    endpoint.reply(chat_reply(model=None, usage=None, id=None, choices=[]))
    assert complete(client).as_dict() == {'object': 'chat.completion', 'created': 1735689600, 'choices': []}


def test_embeddings_reply(endpoint: AzureAIInferenceEndpoint) -> None:
    """Embeddings are scripted as numbers or as base64 text, one per input."""
    endpoint.reply(
        embeddings_reply([[0.5, 1], 'AAAA'], model=None, usage=None, id='e1'), embeddings_reply([[1]], usage=(4, 1))
    )
    with EmbeddingsClient(endpoint.url, AzureKeyCredential(endpoint.key)) as client:
        result = client.embed(input=['a', 'b'])
        usage = client.embed(input=['a']).usage
    assert usage.as_dict() == {'prompt_tokens': 4, 'completion_tokens': 1, 'total_tokens': 5}
    assert result.as_dict() == {
        'object': 'list',
        'created': 1735689600,
        'id': 'e1',
        'data': [
            {'object': 'embedding', 'index': 0, 'embedding': [0.5, 1]},
            {'object': 'embedding', 'index': 1, 'embedding': 'AAAA'},
        ],
    }


@pytest.mark.parametrize(
    ('model_type', 'expected'),
    [
        ('chat-completion', ChatCompletionsClient),
        ('embeddings', EmbeddingsClient),
        ('image-embeddings', ImageEmbeddingsClient),
    ],
)
def test_load_client(endpoint: AzureAIInferenceEndpoint, model_type: str, expected: type) -> None:
    """`load_client()` gets the client that the scripted info asks for."""
    endpoint.reply(info_reply('m', model_type=model_type))
    with load_client(endpoint.url, AzureKeyCredential(endpoint.key)) as client:
        assert isinstance(client, expected)
        assert client.get_model_info().model_name == 'm'
    assert [(request.method, request.path) for request in endpoint.requests] == [('GET', '/info')]


def test_error_reply(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """A failure reaches the caller with the service's status, code, message and details."""
    endpoint.reply(
        error_reply(401),
        error_reply(400, code='content_filter', message='No.', innererror={'code': 'ResponsibleAIPolicyViolation'}),
        error_reply(418, body=b'short and stout'),
    )
    with pytest.raises(ClientAuthenticationError) as unauthorized:
        complete(client)
    assert unauthorized.value.error is not None
    assert unauthorized.value.error.code == 'Unauthorized'
    with pytest.raises(HttpResponseError) as filtered:
        complete(client)
    assert filtered.value.error is not None
    assert (filtered.value.error.code, filtered.value.error.message) == ('content_filter', 'No.')
    assert filtered.value.response is not None
    assert json.loads(filtered.value.response.text())['error']['innererror'] == {'code': 'ResponsibleAIPolicyViolation'}
    with pytest.raises(HttpResponseError) as teapot:
        complete(client)
    assert teapot.value.error is None
    assert teapot.value.response is not None
    assert teapot.value.response.text() == 'short and stout'


def test_retry(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """A failure that the client tries again uses one scripted reply per attempt."""
    endpoint.reply(error_reply(429, headers={'retry-after': '0'}), chat_reply('Second time lucky.'))
    assert complete(client).choices[0].message.content == 'Second time lucky.'
    assert [request.path for request in endpoint.requests] == ['/chat/completions'] * 2


def test_raw_reply(endpoint: AzureAIInferenceEndpoint) -> None:
    """A raw reply goes out as it stands, whole or step by step; an empty step changes nothing."""
    endpoint.reply(
        raw_reply(200, b'not JSON', headers={'content-type': 'application/json'}),
        raw_reply(503, [b'in ', b'', Delay(0.02), b'pieces' * 4_000_000]),
        raw_reply(),
    )
    assert fetch(endpoint, 'POST', '/x', b'') == (200, b'not JSON')
    assert fetch(endpoint, 'POST', '/x', b'') == (503, b'in ' + b'pieces' * 4_000_000)
    assert fetch(endpoint, 'POST', '/x', b'') == (200, b'')


@pytest.mark.parametrize('reset', [True, False])
def test_cut_reply(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient, reset: bool) -> None:
    """A connection that ends before any answer is a `ServiceResponseError`."""
    endpoint.reply(cut_reply(reset=reset))
    with pytest.raises(ServiceResponseError):
        complete(client)


def test_reset_and_orderly_end_differ(endpoint: AzureAIInferenceEndpoint) -> None:
    """A reset is seen as one on the wire, an ordinary cut as the end of the connection."""
    endpoint.reply(cut_reply(reset=True), cut_reply())
    request = b'GET /info HTTP/1.1\r\nhost: x\r\n\r\n'
    with socket.create_connection(('127.0.0.1', endpoint.port), timeout=5) as connection:
        connection.sendall(request)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    with socket.create_connection(('127.0.0.1', endpoint.port), timeout=5) as connection:
        connection.sendall(request)
        assert connection.recv(1) == b''


def test_delay(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """A delayed reply is sent after its delay, and not while it lasts."""
    endpoint.reply(chat_reply('late', delay=0.01), chat_reply(delay=10))
    assert complete(client).choices[0].message.content == 'late'
    with socket.create_connection(('127.0.0.1', endpoint.port), timeout=5) as connection:
        connection.sendall(b'GET /info HTTP/1.1\r\nhost: x\r\n\r\n')
        request = endpoint.wait_for_requests(2)[1]
    request.wait_until_disconnected()
    assert not request.replied.is_set()


# Streams.


def test_stream_reply_in_full(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """A stream is made of texts, deltas of any choice, raw chunks and raw bytes, and ends each choice once."""
    chunks: list[StreamItem] = [
        'Hel',
        'lo',
        Delta('Bonjour', choice=1),
        Delta(choice=2, tool_calls=[ToolCall('weather', '{"ci', index=0)]),
        Delta(choice=2, tool_calls=[ToolCall(None, 'ty": 1}', id=None, index=0)]),
        Delta(choice=3, reasoning='Hm.', finish_reason='length'),
        {'choices': [{'index': 0, 'delta': {}, 'finish_reason': None}]},
        {'choices': [{'index': 1, 'delta': {}, 'finish_reason': 'content_filter'}]},
        {'id': 'raw', 'choices': None, 'usage': {'prompt_tokens': 1}},
        b'data: {"id": "bytes", "choices": [], "usage": {"prompt_tokens": 1}}\n\n',
    ]
    endpoint.reply(stream_reply(chunks, usage=(1, 2)))
    updates = [update.as_dict() for update in stream(client)]
    assert [choice for update in updates for choice in update['choices'] or ()] == [
        {'index': 0, 'delta': {'role': 'assistant', 'content': 'Hel'}, 'finish_reason': None},
        {'index': 0, 'delta': {'content': 'lo'}, 'finish_reason': None},
        {'index': 1, 'delta': {'role': 'assistant', 'content': 'Bonjour'}, 'finish_reason': None},
        {
            'index': 2,
            'delta': {
                'role': 'assistant',
                'tool_calls': [
                    {
                        'type': 'function',
                        'function': {'name': 'weather', 'arguments': '{"ci'},
                        'id': 'call_1',
                        'index': 0,
                    }
                ],
            },
            'finish_reason': None,
        },
        {
            'index': 2,
            'delta': {'tool_calls': [{'type': 'function', 'function': {'arguments': 'ty": 1}'}, 'index': 0}]},
            'finish_reason': None,
        },
        {'index': 3, 'delta': {'role': 'assistant', 'reasoning_content': 'Hm.'}, 'finish_reason': 'length'},
        {'index': 0, 'delta': {}, 'finish_reason': None},
        {'index': 1, 'delta': {}, 'finish_reason': 'content_filter'},
        {'index': 0, 'delta': {}, 'finish_reason': 'stop'},
        {'index': 2, 'delta': {}, 'finish_reason': 'tool_calls'},
    ]
    assert [update['id'] for update in updates[-5:]] == ['raw', 'bytes', 'chatcmpl-1', 'chatcmpl-1', 'chatcmpl-1']
    assert updates[-1]['usage'] == {'prompt_tokens': 1, 'completion_tokens': 2, 'total_tokens': 3}
    assert updates[-1]['choices'] == []


def test_stream_reply_with_its_own_reason(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """A reason that is given ends every choice; without one none is sent; a tool call may come without its index."""
    calls = [ToolCall('now', {}, index=None)]
    endpoint.reply(
        stream_reply(['a'], finish_reason='length', model=None, id=None),
        stream_reply([Delta(tool_calls=calls)], finish_reason=None, done=False),
    )
    updates = [update.as_dict() for update in stream(client)]
    assert [update['choices'][0]['finish_reason'] for update in updates] == [None, 'length']
    assert set(updates[0]) == {'object', 'created', 'choices'}
    (update,) = [update.as_dict() for update in stream(client)]
    assert update['choices'][0]['finish_reason'] is None
    assert set(update['choices'][0]['delta']['tool_calls'][0]) == {'type', 'function', 'id'}


def test_stream_on_the_wire(endpoint: AzureAIInferenceEndpoint) -> None:
    """A stream is server-sent events in a chunked body that ends with `[DONE]`."""
    endpoint.reply(stream_reply([{'choices': []}, ErrorEvent(code='overloaded', message='Busy.')], status=206))
    endpoint.reply(stream_reply([], done=False))
    connection = http.client.HTTPConnection('127.0.0.1', endpoint.port, timeout=5)
    connection.request('POST', '/chat/completions', b'{}')
    response = connection.getresponse()
    assert response.status == 206
    assert response.headers['content-type'] == 'text/event-stream; charset=utf-8'
    assert response.headers['transfer-encoding'] == 'chunked'
    assert response.read() == (
        b'data: {"choices":[]}\n\ndata: {"error":{"code":"overloaded","message":"Busy."}}\n\ndata: [DONE]\n\n'
    )
    connection.close()
    assert fetch(endpoint, 'POST', '/chat/completions') == (200, b'')


def test_error_event_is_swallowed_by_the_client(
    endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient
) -> None:
    """An error inside a stream ends it, for the real client, with no reason and no exception."""
    endpoint.reply(stream_reply(['a', ErrorEvent()], finish_reason=None))
    updates = list(stream(client))
    assert content(updates[0]) == 'a'
    assert all(choice.finish_reason is None for update in updates for choice in update.choices or ())


def test_gate_in_a_stream(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """Nothing after a gate is sent before the test opens it; an open gate is passed."""
    gate = Gate()
    endpoint.reply(stream_reply(['a', gate, 'b']))
    updates = stream(client)
    assert content(next(updates)) == 'a'
    gate.wait_until_reached()
    request = endpoint.requests[0]
    assert not request.replied.is_set()
    assert not gate.is_open
    gate.open()
    assert gate.is_open
    assert [content(update) for update in updates] == ['b', '']
    request.wait_until_replied()
    endpoint.reply(stream_reply([gate, 'c']))
    assert content(next(iter(stream(client)))) == 'c'


def test_gate_before_a_reply(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """A gate can hold back a whole reply, whatever its kind."""
    for reply in [chat_reply, error_reply]:
        gate = Gate()
        endpoint.reply(chat_reply('x', gate=gate) if reply is chat_reply else error_reply(404, gate=gate))
        results: list[object] = []

        def call(results: list[object] = results) -> None:
            try:
                results.append(complete(client).choices[0].message.content)
            except HttpResponseError as exc:
                results.append(exc.status_code)

        thread = threading.Thread(target=call)
        thread.start()
        gate.wait_until_reached()
        assert results == []
        gate.open()
        thread.join(5)
        assert results == ['x' if reply is chat_reply else 404]


def test_gate_that_nobody_opens(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """A forgotten gate cuts the connection after its timeout: no test hangs."""
    endpoint.reply(stream_reply(['a', Gate(timeout=0.03), 'b']))
    updates = stream(client)
    assert content(next(updates)) == 'a'
    with pytest.raises(HttpResponseError):
        next(updates)
    updates.close()
    endpoint.wait_until_connections_closed()
    assert not endpoint.requests[0].client_disconnected.is_set()


@pytest.mark.parametrize('cut', [Cut(), Cut(reset=True)])
def test_cut_stream(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient, cut: Cut) -> None:
    """A cut ends the connection in the middle of a stream: the client fails, nothing later is sent."""
    gate = Gate()
    endpoint.reply(stream_reply(['a', gate, cut, 'b']))
    updates = stream(client)
    assert content(next(updates)) == 'a'
    gate.open()
    with pytest.raises(HttpResponseError) as caught:
        next(updates)
    assert caught.value.status_code is None
    endpoint.wait_until_connections_closed()
    assert not endpoint.requests[0].replied.is_set()
    assert not endpoint.requests[0].client_disconnected.is_set()


def test_cut_inside_an_event(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """Raw bytes and a cut end the connection inside an event."""
    endpoint.reply(stream_reply(['a', b'data: {"cho', Cut()]))
    updates = stream(client)
    assert content(next(updates)) == 'a'
    with pytest.raises(HttpResponseError):
        next(updates)


@pytest.mark.parametrize('waiting', [Gate(), Delay(10)])
def test_dropped_stream(
    endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient, waiting: Gate | Delay
) -> None:
    """The endpoint sees a client leave in the middle of a stream, and the connection is gone."""
    endpoint.reply(stream_reply(['a', waiting, 'b']))
    updates = stream(client)
    next(updates)
    assert endpoint.open_connections == 1
    request = endpoint.requests[0]
    assert not request.client_disconnected.is_set()
    updates.close()
    request.wait_until_disconnected()
    assert endpoint.open_connections == 0
    assert not request.replied.is_set()


def test_client_resets_while_a_gate_waits(endpoint: AzureAIInferenceEndpoint) -> None:
    """A client that resets its connection has left as well."""
    gate = Gate()
    endpoint.reply(chat_reply(gate=gate))
    connection = socket.create_connection(('127.0.0.1', endpoint.port), timeout=5)
    connection.sendall(b'GET /info HTTP/1.1\r\nhost: x\r\n\r\n')
    gate.wait_until_reached()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    connection.close()
    endpoint.requests[0].wait_until_disconnected()


def test_client_sends_ahead(endpoint: AzureAIInferenceEndpoint) -> None:
    """A request that a client sends before the reply to the last one is no sign of leaving, and gets its turn."""
    gate = Gate()
    endpoint.reply(raw_reply(200, [gate, Delay(0.03), b'one']), raw_reply(200, [b'two', Cut()]))
    with socket.create_connection(('127.0.0.1', endpoint.port), timeout=5) as connection:
        connection.sendall(b'GET /1 HTTP/1.1\r\nhost: x\r\n\r\n')
        gate.wait_until_reached()
        connection.sendall(b'GET /2 HTTP/1.1\r\nhost: x\r\n\r\n')
        gate.open()
        received = b''.join(iter(lambda: connection.recv(4096), b''))
    assert received.index(b'one') < received.index(b'two')
    assert [request.path for request in endpoint.requests] == ['/1', '/2']


def test_client_leaves_after_the_reply(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """A connection that is kept for the next request counts as open until the client closes it."""
    complete(client)
    complete(client)
    assert endpoint.open_connections == 1
    with pytest.raises(TimeoutError, match='1 connections were still open'):
        endpoint.wait_until_connections_closed(0.01)
    with pytest.raises(TimeoutError, match='the connection of POST /chat/completions was still open'):
        endpoint.requests[0].wait_until_disconnected(0.01)
    client.close()
    for request in endpoint.requests:
        request.wait_until_disconnected()
    endpoint.wait_until_connections_closed()


# The async clients.


def test_async_clients(endpoint: AzureAIInferenceEndpoint) -> None:
    """The async clients meet the same endpoint: chat, stream, gate, embeddings, images, info."""
    gate = Gate()
    endpoint.reply(chat_reply('one'), stream_reply(['a', gate, 'b']))
    key = AzureKeyCredential(endpoint.key)

    async def use() -> tuple[object, ...]:
        async with aio.ChatCompletionsClient(endpoint.url, key) as client:
            whole = await client.complete(messages=[UserMessage('x')], stream=False)
            updates = await client.complete(messages=[UserMessage('x')], stream=True)
            pieces: list[str] = []
            async for update in updates:
                pieces.append(content(update))
                if not gate.is_open:
                    await asyncio.to_thread(gate.wait_until_reached)
                    gate.open()
            info = await client.get_model_info()
        async with aio.EmbeddingsClient(endpoint.url, key) as embeddings:
            texts = await embeddings.embed(input=['x'], dimensions=2)
        async with aio.ImageEmbeddingsClient(endpoint.url, key) as image_embeddings:
            images = await image_embeddings.embed(input=[ImageEmbeddingInput(image='data:,')], dimensions=3)
        return (
            whole.choices[0].message.content,
            pieces,
            info.model_name,
            len(texts.data[0].embedding),
            len(images.data[0].embedding),
        )

    assert asyncio.run(use()) == ('one', ['a', 'b', ''], 'gpt-4o', 2, 3)


def test_async_cut_drop_and_retry(endpoint: AzureAIInferenceEndpoint) -> None:
    """The async clients meet a cut, are seen to leave a stream, and try again after a failure."""
    gate = Gate()
    endpoint.reply(
        stream_reply(['a', Cut()]), stream_reply(['a', gate]), error_reply(503, headers={'retry-after': '0'})
    )

    async def use() -> str | None:
        async with aio.ChatCompletionsClient(endpoint.url, AzureKeyCredential('k')) as client:
            updates = await client.complete(messages=[UserMessage('x')], stream=True)
            assert isinstance(updates, AsyncStreamingChatCompletions)
            with pytest.raises(IncompleteReadError):
                async for _ in updates:
                    pass
            await updates.aclose()
            updates = await client.complete(messages=[UserMessage('x')], stream=True)
            assert isinstance(updates, AsyncStreamingChatCompletions)
            await updates.__anext__()
            await updates.aclose()
            await asyncio.to_thread(endpoint.requests[1].wait_until_disconnected)
            result = await client.complete(messages=[UserMessage('x')], stream=False)
            return result.choices[0].message.content

    assert asyncio.run(use()) == 'You said: x'
    assert len(endpoint.requests) == 4


# What is recorded.


def test_recorded_request(endpoint: AzureAIInferenceEndpoint, client: ChatCompletionsClient) -> None:
    """A request is recorded with everything it carried; header names are looked up without regard to case."""
    complete(client, 'Hi', model='m', headers={'TraceParent': '00-1-2-01'})
    (request,) = endpoint.requests
    assert (request.method, request.path) == ('POST', '/chat/completions')
    assert list(request.query) == ['api-version']
    assert request.headers['API-KEY'] == endpoint.key
    assert request.headers['traceparent'] == '00-1-2-01'
    assert 'absent' not in request.headers
    assert request.json == {'messages': [{'role': 'user', 'content': 'Hi'}], 'model': 'm'}
    assert json.loads(request.body) == request.json
    with pytest.raises(ValueError, match='Expecting value'):
        _ = RecordedRequest('GET', '/info', {}, Headers([]), b'').json


def test_headers_sent_twice() -> None:
    """A header sent twice is one value, joined as HTTP allows."""
    headers = Headers([('Accept', 'a'), ('X', '1'), ('ACCEPT', 'b')])
    assert dict(headers) == {'accept': 'a, b', 'x': '1'}
    assert len(headers) == 2
    assert repr(headers) == "Headers({'accept': 'a, b', 'x': '1'})"


def test_chunked_upload(endpoint: AzureAIInferenceEndpoint) -> None:
    """A body that the client sends in chunks is recorded whole, and the connection stays usable."""
    connection = http.client.HTTPConnection('127.0.0.1', endpoint.port, timeout=5)
    for _ in range(2):
        connection.request('POST', '/chat/completions', io.BytesIO(b'{"messages": []}'), encode_chunked=True)
        assert connection.getresponse().read().startswith(b'{')
    connection.close()
    assert [request.json for request in endpoint.requests] == [{'messages': []}] * 2
    assert endpoint.requests[0].headers['transfer-encoding'] == 'chunked'


@pytest.mark.parametrize('head', [b'content-length: 9\r\n\r\n123', b'transfer-encoding: chunked\r\n\r\n9\r\n123\r\n'])
@pytest.mark.parametrize('cut', [0, 3])
def test_client_leaves_in_its_request(
    endpoint: AzureAIInferenceEndpoint, capfd: pytest.CaptureFixture[str], head: bytes, cut: int
) -> None:
    """A client that leaves before its request is whole is no request, uses no reply and prints nothing."""
    endpoint.reply(chat_reply())
    with socket.create_connection(('127.0.0.1', endpoint.port), timeout=5) as connection:
        connection.sendall(b'POST /chat/completions HTTP/1.1\r\n' + head[: len(head) - cut])
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b''
    endpoint.wait_until_connections_closed()
    assert endpoint.requests == []
    assert endpoint.pending_replies == 1
    assert capfd.readouterr() == ('', '')


def test_client_leaves_between_chunks(endpoint: AzureAIInferenceEndpoint, capfd: pytest.CaptureFixture[str]) -> None:
    """A chunked upload that ends between two chunks is no request either."""
    with socket.create_connection(('127.0.0.1', endpoint.port), timeout=5) as connection:
        connection.sendall(b'POST /chat/completions HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\n123\r\n')
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b''
    assert endpoint.requests == []
    assert capfd.readouterr() == ('', '')


# Waiting, starting, stopping.


def test_waiting_is_bounded(endpoint: AzureAIInferenceEndpoint) -> None:
    """Every wait ends after its timeout and says what was missing."""
    with pytest.raises(TimeoutError, match='0 of 2 requests arrived within'):
        endpoint.wait_for_requests(2, timeout=0.01)
    with pytest.raises(TimeoutError, match='no reply reached the gate within'):
        Gate().wait_until_reached(0.01)
    request = RecordedRequest('GET', '/info', {}, Headers([]), b'')
    with pytest.raises(TimeoutError, match='the reply to GET /info was not sent whole within'):
        request.wait_until_replied(0.01)
    endpoint.wait_until_connections_closed()


def test_wait_for_requests(endpoint: AzureAIInferenceEndpoint) -> None:
    """A test may wait until requests of other threads have arrived; they are served at the same time."""
    gate = Gate()
    endpoint.reply(chat_reply(gate=gate), chat_reply(gate=gate))
    threads = [threading.Thread(target=fetch, args=(endpoint, 'GET', f'/{index}')) for index in range(2)]
    for thread in threads:
        thread.start()
    assert {request.path for request in endpoint.wait_for_requests(2)} == {'/0', '/1'}
    gate.open()
    for thread in threads:
        thread.join(5)


def test_stop_cuts_what_is_in_progress(capfd: pytest.CaptureFixture[str]) -> None:
    """Stopping closes idle connections and replies in progress at once, and keeps what was recorded."""
    endpoint = AzureAIInferenceEndpoint().start()
    endpoint.reply(stream_reply(['a', Gate(timeout=60)]), raw_reply(200, [b'x' * 50_000_000]))
    key = AzureKeyCredential('k')
    with ChatCompletionsClient(endpoint.url, key) as one, ChatCompletionsClient(endpoint.url, key) as two:
        updates = stream(one)
        assert content(next(updates)) == 'a'
        unread = stream(two)
        with socket.create_connection(('127.0.0.1', endpoint.port), timeout=5) as idle:
            with ChatCompletionsClient(endpoint.url, key) as three:
                complete(three)
                endpoint.stop()
            assert idle.recv(1) == b''
        assert endpoint.open_connections == 0
        with pytest.raises(HttpResponseError):
            next(updates)
        unread.close()
        updates.close()
    assert len(endpoint.requests) == 3
    assert not any(request.client_disconnected.is_set() for request in endpoint.requests)
    assert capfd.readouterr() == ('', '')


def test_start_and_stop() -> None:
    """Starting twice is refused, stopping twice is not, and a stopped endpoint can be started again."""
    endpoint = AzureAIInferenceEndpoint()
    endpoint.stop()
    with pytest.raises(RuntimeError, match='the endpoint is not started'):
        _ = endpoint.url
    endpoint.start()
    with pytest.raises(RuntimeError, match='the endpoint is already started'):
        endpoint.start()
    endpoint.stop()
    endpoint.stop()
    with endpoint:
        assert fetch(endpoint, 'GET', '/info')[0] == 200
        endpoint.requests[0].wait_until_disconnected()


def test_stop_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    """An endpoint may be stopped before it has served anything, however soon."""
    for _ in range(20):
        with AzureAIInferenceEndpoint():
            pass
    assert capfd.readouterr() == ('', '')


def test_connection_that_is_gone_when_stopping() -> None:
    """A client that leaves just before the endpoint stops does no harm."""

    class Gone(socket.socket):
        def shutdown(self, how: int) -> None:
            threading.Thread(target=endpoint._closed, args=(self,)).start()
            super().shutdown(how)

    endpoint = AzureAIInferenceEndpoint().start()
    with Gone() as gone:
        with pytest.raises(OSError, match='not connected'):
            socket.socket.shutdown(gone, socket.SHUT_RDWR)
        endpoint._opened(gone)
        endpoint.stop()
    assert endpoint.open_connections == 0


def test_only_the_standard_library() -> None:
    """The endpoint imports nothing outside the standard library but the package it is in, and no pytest."""
    code = (
        'import sys; import logfire.testing; before = set(sys.modules); import logfire.testing.azure_ai_inference\n'
        'new = {name.partition(".")[0] for name in set(sys.modules) - before}\n'
        'print(sorted(new - set(sys.stdlib_module_names)), "pytest" in sys.modules)'
    )
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert result.stdout == "['logfire'] False\n"


def test_replies_are_plain_data() -> None:
    """A reply may be used any number of times, also one made from a generator."""
    reply = stream_reply(piece for piece in ['a', 'b'])
    assert isinstance(reply, Reply)
    with AzureAIInferenceEndpoint() as endpoint:
        endpoint.reply(reply, reply)
        with ChatCompletionsClient(endpoint.url, AzureKeyCredential('k')) as client:
            for _ in range(2):
                assert [content(update) for update in stream(client)] == ['a', 'b', '']


def fetch(endpoint: AzureAIInferenceEndpoint, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection('127.0.0.1', endpoint.port, timeout=5)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
