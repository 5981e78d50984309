"""What was asked: the effective request, in every shape the clients accept."""

from __future__ import annotations

import enum
import io
import json
from typing import Any

import pytest
from azure.ai.inference.models import (
    AssistantMessage,
    AudioContentItem,
    ChatCompletionsToolCall,
    ChatCompletionsToolDefinition,
    DeveloperMessage,
    EmbeddingEncodingFormat,
    FunctionCall,
    FunctionDefinition,
    ImageContentItem,
    ImageEmbeddingInput,
    ImageUrl,
    InputAudio,
    JsonSchemaFormat,
    SystemMessage,
    TextContentItem,
    ToolMessage,
    UserMessage,
)

from logfire.testing.azure_ai_inference import AzureAIInferenceEndpoint, chat_reply, info_reply, stream_reply
from tests.otel_integrations.azure_ai_inference.conftest import Colour, Spans, new_client

HI: list[Any] = [{'role': 'user', 'content': 'Hi'}]
WEATHER = FunctionDefinition(
    name='get_weather',
    description='The weather in a city.',
    parameters={'type': 'object', 'properties': {'city': {'type': 'string'}}},
)
WEATHER_TOOL = ChatCompletionsToolDefinition(function=WEATHER)
FLAT_WEATHER_TOOL = {
    'type': 'function',
    'name': 'get_weather',
    'description': 'The weather in a city.',
    'parameters': {'type': 'object', 'properties': {'city': {'type': 'string'}}},
}
REQUEST_PREFIXES = ('gen_ai.request.', 'gen_ai.input.', 'gen_ai.tool.', 'gen_ai.output.type', 'gen_ai.embeddings.')


def asked(span: Any) -> dict[str, Any]:
    """The request's attributes, JSON ones parsed."""
    attributes = {name: value for name, value in span.attributes.items() if name.startswith(REQUEST_PREFIXES)}
    for name in ('gen_ai.input.messages', 'gen_ai.tool.definitions'):
        if name in attributes:
            attributes[name] = json.loads(attributes[name])
    return attributes


def chat(
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    spans: Spans,
    *args: Any,
    client: dict[str, Any] | None = None,
    path: str = '',
    **kwargs: Any,
) -> dict[str, Any]:
    """The request attributes of one `complete(*args, **kwargs)`; the reply names no model."""

    async def body() -> None:
        endpoint.reply(chat_reply('ok', model=None))
        made = new_client(colour.chat_class, endpoint, path, **(client or {}))
        await colour.result(made.complete(*args, **kwargs))
        await colour.close(made)

    colour.run(body())
    return asked(spans.one)


HI_RECORDED = {'gen_ai.input.messages': [{'role': 'user', 'parts': [{'type': 'text', 'content': 'Hi'}]}]}

SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    'temperature': ({'temperature': 0.5}, {'gen_ai.request.temperature': 0.5}),
    'an int temperature': ({'temperature': 1}, {'gen_ai.request.temperature': 1.0}),
    'zero': ({'temperature': 0.0, 'seed': 0}, {'gen_ai.request.temperature': 0.0, 'gen_ai.request.seed': 0}),
    'top_p': ({'top_p': 0.9}, {'gen_ai.request.top_p': 0.9}),
    'penalties': (
        {'frequency_penalty': 0.1, 'presence_penalty': -0.2},
        {'gen_ai.request.frequency_penalty': 0.1, 'gen_ai.request.presence_penalty': -0.2},
    ),
    'max_tokens and seed': (
        {'max_tokens': 100, 'seed': 7},
        {'gen_ai.request.max_tokens': 100, 'gen_ai.request.seed': 7},
    ),
    'stop': ({'stop': ['END', 'FIN']}, {'gen_ai.request.stop_sequences': ('END', 'FIN')}),
    'text format': ({'response_format': 'text'}, {'gen_ai.output.type': 'text'}),
    'JSON format': ({'response_format': 'json_object'}, {'gen_ai.output.type': 'json'}),
    'JSON schema format': (
        {'response_format': JsonSchemaFormat(name='n', schema={'type': 'object'})},
        {'gen_ai.output.type': 'json'},
    ),
    'tools': ({'tools': [WEATHER_TOOL]}, {'gen_ai.tool.definitions': [FLAT_WEATHER_TOOL]}),
    'model': ({'model': 'gpt-4o'}, {'gen_ai.request.model': 'gpt-4o'}),
    'extras': (
        {'model_extras': {'n': 2, 'top_k': 40, 'max_completion_tokens': 9}},
        {
            'gen_ai.request.choice.count': 2,
            'gen_ai.request.top_k': 40.0,
            'gen_ai.request.max_tokens': 9,
        },
    ),
    'two limits of tokens': (
        {'max_tokens': 5, 'model_extras': {'max_completion_tokens': 7}},
        {'gen_ai.request.max_tokens': 5},
    ),
    'one choice goes without saying': ({'model_extras': {'n': 1}}, {}),
}


@pytest.mark.parametrize('place', ['call', 'client'])
@pytest.mark.parametrize(('given', 'recorded'), SETTINGS.values(), ids=SETTINGS)
def test_settings_of_the_call_and_of_the_client(
    given: dict[str, Any],
    recorded: dict[str, Any],
    place: str,
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    instrumented: Spans,
) -> None:
    """A setting is recorded wherever it was given: with the call, or to the client's constructor."""
    if place == 'call':
        attributes = chat(colour, endpoint, instrumented, messages=HI, **given)
    else:
        attributes = chat(colour, endpoint, instrumented, messages=HI, client=given)
    assert attributes == {**HI_RECORDED, **recorded}


def test_the_call_stands_over_the_client(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """Extras of the call stand over its keywords, these over the client's defaults; extras of both are not merged."""
    attributes = chat(
        colour,
        endpoint,
        instrumented,
        messages=HI,
        client={'model': 'default', 'temperature': 0.1, 'seed': 1, 'model_extras': {'top_k': 5}},
        temperature=0.2,
        model='keyword',
        model_extras={'model': 'extra', 'n': 3},
    )
    assert attributes == {
        **HI_RECORDED,
        'gen_ai.request.model': 'extra',
        'gen_ai.request.temperature': 0.2,
        'gen_ai.request.seed': 1,
        'gen_ai.request.choice.count': 3,
    }
    sent = endpoint.requests[0].json
    assert (sent['model'], sent['temperature'], sent['seed'], sent['n']) == ('extra', 0.2, 1, 3)
    assert 'top_k' not in sent


BODY = {'messages': HI, 'temperature': 0.5, 'stop': 'END', 'response_format': {'type': 'json_object'}, 'n': 2}
BODY_RECORDED = {
    **HI_RECORDED,
    'gen_ai.request.temperature': 0.5,
    'gen_ai.request.stop_sequences': ('END',),
    'gen_ai.output.type': 'json',
    'gen_ai.request.choice.count': 2,
}


@pytest.mark.parametrize('positional', [True, False], ids=['positional', 'keyword'])
@pytest.mark.parametrize(
    ('body', 'recorded'),
    [
        (BODY, BODY_RECORDED),
        (json.dumps(BODY).encode(), BODY_RECORDED),
        (io.BytesIO(json.dumps(BODY).encode()), {}),
        (b'not JSON', {}),
        (b'["not", "an object"]', {}),
    ],
    ids=['dict', 'bytes', 'file', 'broken bytes', 'odd bytes'],
)
def test_with_a_body_only_the_body_counts(
    body: Any,
    recorded: dict[str, Any],
    positional: bool,
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    instrumented: Spans,
) -> None:
    """A body is read without its being consumed; no default and no keyword applies beside it."""
    if isinstance(body, io.BytesIO):
        body.seek(0)
    client = {'temperature': 0.1, 'model': 'unused'}
    if positional:
        attributes = chat(colour, endpoint, instrumented, body, client=client, seed=3)
    else:
        attributes = chat(colour, endpoint, instrumented, body=body, client=client, seed=3)
    assert attributes == recorded
    expected = json.dumps(BODY).encode() if isinstance(body, (dict, io.BytesIO)) else body
    assert endpoint.requests[0].body == expected


def test_a_body_that_says_stream(colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """`stream` inside a dict body streams, and is recorded as such."""
    endpoint.reply(stream_reply(['a', 'b']))

    async def body() -> None:
        client = new_client(colour.chat_class, endpoint)
        stream = await colour.result(client.complete({'messages': HI, 'stream': True}))
        assert len(await colour.read(stream)) == 3
        await colour.close(client)

    colour.run(body())
    assert asked(instrumented.one)['gen_ai.request.stream'] is True
    assert (instrumented.one.attributes or {})['logfire.stream.outcome'] == 'completed'


PNG = 'data:image/png;base64,aGVsbG8='

MIXED_ITEMS: list[Any] = [
    TextContentItem(text='What is this?'),
    ImageContentItem(image_url=ImageUrl(url='https://example.com/cat.png')),
    {'type': 'image_url', 'image_url': {'url': PNG}},
    AudioContentItem(input_audio=InputAudio(data='aGk=', format='wav')),
]
MESSAGES: dict[str, tuple[Any, dict[str, Any]]] = {
    'system': (SystemMessage('Be brief.'), {'role': 'system', 'parts': [{'type': 'text', 'content': 'Be brief.'}]}),
    'developer': (
        DeveloperMessage('Be kind.'),
        {'role': 'developer', 'parts': [{'type': 'text', 'content': 'Be kind.'}]},
    ),
    'user model': (UserMessage('Hi'), {'role': 'user', 'parts': [{'type': 'text', 'content': 'Hi'}]}),
    'name': (
        {'role': 'user', 'content': 'Hi', 'name': 'ann'},
        {'role': 'user', 'parts': [{'type': 'text', 'content': 'Hi'}], 'name': 'ann'},
    ),
    'items, models and dicts mixed': (
        UserMessage(MIXED_ITEMS),
        {
            'role': 'user',
            'parts': [
                {'type': 'text', 'content': 'What is this?'},
                {'type': 'uri', 'modality': 'image', 'uri': 'https://example.com/cat.png'},
                {'type': 'blob', 'modality': 'image', 'content': 'aGVsbG8=', 'mime_type': 'image/png'},
                {'type': 'blob', 'modality': 'audio', 'content': 'aGk=', 'mime_type': 'audio/wav'},
            ],
        },
    ),
    'model items in a dict message': (
        {
            'role': 'user',
            'content': [TextContentItem(text='a'), 'b', {'type': 'audio_url', 'audio_url': {'url': 'https://x/y'}}],
        },
        {
            'role': 'user',
            'parts': [
                {'type': 'text', 'content': 'a'},
                {'type': 'text', 'content': 'b'},
                {'type': 'uri', 'modality': 'audio', 'uri': 'https://x/y'},
            ],
        },
    ),
    'data URL that is not base64': (
        {'role': 'user', 'content': [{'type': 'image_url', 'image_url': {'url': 'data:,hello'}}]},
        {'role': 'user', 'parts': [{'type': 'blob', 'modality': 'image', 'content': 'aGVsbG8='}]},
    ),
    'audio of unknown format': (
        {'role': 'user', 'content': [{'type': 'input_audio', 'input_audio': {'data': 'aGk='}}]},
        {'role': 'user', 'parts': [{'type': 'blob', 'modality': 'audio', 'content': 'aGk='}]},
    ),
    'unknown kinds are kept': (
        {
            'role': 'user',
            'content': [
                {'type': 'hologram', 'hologram': {'depth': 3}},
                {'untyped': 1},
                {'type': 'image_url', 'image_url': 'odd'},
                {'type': 'image_url', 'image_url': {}},
                {'type': 'input_audio', 'input_audio': {'data': None}},
                3,
            ],
        },
        {
            'role': 'user',
            'parts': [
                {'type': 'hologram', 'hologram': {'depth': 3}},
                {'type': 'unknown', 'untyped': 1},
                {'type': 'image_url', 'image_url': 'odd'},
                {'type': 'image_url', 'image_url': {}},
                {'type': 'input_audio', 'input_audio': {'data': None}},
                {'type': 'unknown', 'content': 3},
            ],
        },
    ),
    'content that is one item': (
        {'role': 'user', 'content': {'type': 'poem', 'lines': ('a', 'b')}},
        {'role': 'user', 'parts': [{'type': 'poem', 'lines': ['a', 'b']}]},
    ),
    'no content': ({'role': 'user'}, {'role': 'user', 'parts': []}),
    'a bare string': ('Hi', {'role': 'user', 'parts': [{'type': 'text', 'content': 'Hi'}]}),
    'no message at all': (3, {'role': 'user', 'parts': [{'type': 'unknown', 'content': 3}]}),
    'tool call': (
        AssistantMessage(
            tool_calls=[
                ChatCompletionsToolCall(
                    id='c1', function=FunctionCall(name='get_weather', arguments='{"city": "Rome"}')
                )
            ]
        ),
        {
            'role': 'assistant',
            'parts': [{'type': 'tool_call', 'id': 'c1', 'name': 'get_weather', 'arguments': {'city': 'Rome'}}],
        },
    ),
    'odd tool calls': (
        {
            'role': 'assistant',
            'content': 'Well.',
            'tool_calls': [
                {'function': {'name': 'f', 'arguments': '{broken'}},
                {'id': 'c2', 'type': 'browser', 'url': 'x'},
                {'id': 'c3', 'function': {'arguments': {'already': 'parsed'}}},
            ],
        },
        {
            'role': 'assistant',
            'parts': [
                {'type': 'text', 'content': 'Well.'},
                {'type': 'tool_call', 'name': 'f', 'arguments': '{broken'},
                {'id': 'c2', 'type': 'browser', 'url': 'x'},
                {'type': 'tool_call', 'id': 'c3', 'name': '', 'arguments': {'already': 'parsed'}},
            ],
        },
    ),
    'tool answer': (
        ToolMessage('Sunny', tool_call_id='c1'),
        {'role': 'tool', 'parts': [{'type': 'tool_call_response', 'response': 'Sunny', 'id': 'c1'}]},
    ),
    'tool answer in items': (
        {'role': 'tool', 'content': [{'type': 'text', 'text': 'Sunny'}]},
        {
            'role': 'tool',
            'parts': [{'type': 'tool_call_response', 'response': [{'type': 'text', 'content': 'Sunny'}]}],
        },
    ),
    'nothing but thoughts and text in the history': (
        {'role': 'assistant', 'content': '<think>Hm.</think>Yes.'},
        {
            'role': 'assistant',
            'parts': [{'type': 'reasoning', 'content': 'Hm.'}, {'type': 'text', 'content': 'Yes.'}],
        },
    ),
    'a number in the history that JSON does not have': (
        {'role': 'assistant', 'tool_calls': [{'id': 'c1', 'function': {'name': 'f', 'arguments': '{"a": NaN}'}}]},
        {
            'role': 'assistant',
            'parts': [{'type': 'tool_call', 'id': 'c1', 'name': 'f', 'arguments': {'a': 'nan'}}],
        },
    ),
    'text in the history': (
        {'role': 'assistant', 'content': 'Yes.'},
        {'role': 'assistant', 'parts': [{'type': 'text', 'content': 'Yes.'}]},
    ),
    'thoughts in the history': (
        {'role': 'assistant', 'content': '<think>\nHm.\n</think>\nYes.', 'reasoning_content': 'Deep.'},
        {
            'role': 'assistant',
            'parts': [
                {'type': 'reasoning', 'content': 'Deep.'},
                {'type': 'reasoning', 'content': 'Hm.'},
                {'type': 'text', 'content': 'Yes.'},
            ],
        },
    ),
}


@pytest.mark.parametrize(('message', 'recorded'), MESSAGES.values(), ids=MESSAGES)
def test_messages_of_every_kind(
    message: Any, recorded: dict[str, Any], endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """Every message keeps its place and role, whatever it is made of; what is unknown is kept, never dropped."""
    attributes = chat(Colour('sync'), endpoint, instrumented, messages=[message])
    assert attributes == {'gen_ai.input.messages': [recorded]}


TOOLS: dict[str, tuple[Any, dict[str, Any]]] = {
    'a model': (WEATHER_TOOL, FLAT_WEATHER_TOOL),
    'a dict': ({'type': 'function', 'function': {'name': 'f'}}, {'type': 'function', 'name': 'f'}),
    'a dict holding a model': ({'type': 'function', 'function': WEATHER}, FLAT_WEATHER_TOOL),
    'an enum': (
        {'type': 'function', 'function': {'name': 'f', 'parameters': {'kind': EmbeddingEncodingFormat.BASE64}}},
        {'type': 'function', 'name': 'f', 'parameters': {'kind': 'base64'}},
    ),
    'no function': ({'type': 'browser', 'depth': 2}, {'type': 'browser', 'name': '', 'depth': 2}),
    'no tool': ('odd', {'type': 'unknown', 'name': '', 'definition': 'odd'}),
}


class Noted(dict[str, Any]):
    """A dict of the user's own, with an attribute of a name that the client's models have too."""

    _data = 'mine'


def test_a_dict_of_the_users_own(colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """A message that is a dict of another class is read as the mapping it is."""

    async def body() -> None:
        client = new_client(colour.chat_class, endpoint)
        messages: list[Any] = [Noted(role='user', content='Hi')]
        await colour.result(client.complete(messages=messages))
        await colour.close(client)

    colour.run(body())
    assert json.loads(str((instrumented.one.attributes or {})['gen_ai.input.messages'])) == [
        {'role': 'user', 'parts': [{'type': 'text', 'content': 'Hi'}]}
    ]


@pytest.mark.parametrize(('tool', 'recorded'), TOOLS.values(), ids=TOOLS)
def test_tools_of_every_kind(
    tool: Any, recorded: dict[str, Any], endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """Tool definitions are flattened; one that is no function is kept as it is."""
    attributes = chat(Colour('sync'), endpoint, instrumented, messages=HI, tools=[tool])
    assert attributes == {**HI_RECORDED, 'gen_ai.tool.definitions': [recorded]}


@pytest.mark.parametrize(
    'odd',
    [
        {'temperature': 'warm'},
        {'max_tokens': 1.5},
        {'seed': True},
        {'model': 3},
        {'stop': [], 'tools': []},
        {'stop': 4},
    ],
    ids=str,
)
def test_values_of_a_wrong_kind_are_not_recorded(
    odd: dict[str, Any], endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """What is not a value of the attribute's type is no value: nothing is invented, and the service has its say."""
    assert chat(Colour('sync'), endpoint, instrumented, {'messages': HI, **odd}) == HI_RECORDED


def test_an_iterator_of_messages_is_not_consumed(endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """Reading a request consumes none of it: what the client makes of an iterator is the client's affair."""
    messages = iter(HI)
    client = new_client(Colour('sync').chat_class, endpoint)
    with pytest.raises(TypeError):
        client.complete(messages=messages)
    assert next(messages) == HI[0]
    assert 'gen_ai.input.messages' not in asked(instrumented.one)


PLACES: dict[str, tuple[str, str | None]] = {
    'Azure OpenAI': ('/openai/deployments/my%20gpt', 'my gpt'),
    'Azure OpenAI with more': ('/openai/deployments/gpt/', 'gpt'),
    'nameless deployment': ('/openai/deployments/', None),
    'Foundry': ('/models', None),
}


@pytest.mark.parametrize(('path', 'model'), PLACES.values(), ids=PLACES)
def test_the_deployment_of_an_endpoint_is_the_model(
    path: str, model: str | None, colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """Where the call names no model, the deployment in an Azure OpenAI endpoint's path does."""
    chat(colour, endpoint, instrumented, messages=HI, path=path)
    attributes = instrumented.one.attributes or {}
    assert attributes.get('gen_ai.request.model') == model
    assert instrumented.one.name == ('chat' if model is None else f'chat {model}')
    assert (attributes['server.address'], attributes['server.port']) == ('127.0.0.1', endpoint.port)


@pytest.mark.parametrize(
    ('url', 'address', 'port'),
    [
        ('https://res.services.ai.azure.com/models', 'res.services.ai.azure.com', None),
        ('https://res.example:8443', 'res.example', 8443),
        ('http://res.example', 'res.example', 80),
        ('http://res.example:0x50', 'res.example', 80),
    ],
)
def test_server_address_and_port(url: str, address: str, port: int | None, instrumented: Spans) -> None:
    """The endpoint's address is recorded, its port only where it is not 443."""
    from azure.core.credentials import AzureKeyCredential

    class Refused(Exception):
        pass

    def refuse(request: Any) -> None:
        raise Refused

    client = Colour('sync').chat_class(url, AzureKeyCredential('made up'), raw_request_hook=refuse)
    with pytest.raises(Refused):
        client.complete(messages=HI)
    attributes = instrumented.one.attributes or {}
    assert (attributes['server.address'], attributes.get('server.port')) == (address, port)


def test_the_model_a_client_has_learned(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """Where nothing else names a model, the name the client has learned does; learning it makes no span of ours."""
    endpoint.reply(info_reply('Phi-4'), chat_reply('ok', model=None))

    async def body() -> None:
        client = new_client(colour.chat_class, endpoint)
        await colour.result(client.get_model_info())
        await colour.result(client.complete(messages=HI))
        await colour.close(client)

    colour.run(body())
    assert instrumented.one.name == 'chat Phi-4'


def test_embeddings(colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """Embeddings record their settings, and every input as a part of one user message."""

    async def body() -> None:
        client = new_client(colour.embeddings_class, endpoint, dimensions=8, model='default')
        await colour.result(client.embed(input=['a', 'b'], encoding_format=EmbeddingEncodingFormat.BASE64, model='e3'))
        await colour.close(client)

    colour.run(body())
    assert asked(instrumented.one) == {
        'gen_ai.request.model': 'e3',
        'gen_ai.request.encoding_formats': ('base64',),
        'gen_ai.embeddings.dimension.count': 8,
        'gen_ai.input.messages': [
            {'role': 'user', 'parts': [{'type': 'text', 'content': 'a'}, {'type': 'text', 'content': 'b'}]}
        ],
    }


def test_models_in_turn(
    endpoint: AzureAIInferenceEndpoint, instrumented: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is remembered of a model serves that model, and however many there are, little is remembered."""
    monkeypatch.setattr('logfire._internal.integrations.llm_providers.instrument._REMEMBERED', 2)
    client = new_client(Colour('sync').chat_class, endpoint)
    for model in 'abcab':
        client.complete(messages=HI, model=model)
    assert [span.name for span in instrumented.llm] == ['chat a', 'chat b', 'chat c', 'chat a', 'chat b']
    for span in instrumented.llm:
        attributes = span.attributes or {}
        assert f'chat {attributes["gen_ai.request.model"]}' == span.name
        assert attributes['logfire.msg'] == f'Chat completion with {attributes["gen_ai.request.model"]!r}'


def test_image_embeddings(colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """An image to embed is a blob or uri part, its text a part after it."""

    async def body() -> None:
        client = new_client(colour.image_embeddings_class, endpoint)
        inputs = [ImageEmbeddingInput(image=PNG, text='a cat'), {'image': 'https://example.com/dog.png'}]
        await colour.result(client.embed(input=inputs))
        await colour.close(client)

    colour.run(body())
    assert asked(instrumented.one)['gen_ai.input.messages'] == [
        {
            'role': 'user',
            'parts': [
                {'type': 'blob', 'modality': 'image', 'content': 'aGVsbG8=', 'mime_type': 'image/png'},
                {'type': 'text', 'content': 'a cat'},
                {'type': 'uri', 'modality': 'image', 'uri': 'https://example.com/dog.png'},
            ],
        }
    ]


class Loud(str):
    """A string that shows itself otherwise."""

    def __str__(self) -> str:
        return self.upper()


class Broken(str, enum.Enum):
    """A string whose value cannot be read."""

    NAME = 'name'

    @property
    def value(self) -> str:
        raise ValueError('no')


def texts(*contents: str) -> list[dict[str, str]]:
    """Text parts."""
    return [{'type': 'text', 'content': content} for content in contents]


@pytest.mark.parametrize(
    ('inputs', 'parts'),
    [
        ('one', [{'type': 'text', 'content': 'one'}]),
        ([[1, 2]], [{'type': 'tokens', 'content': [1, 2]}]),
        ([{'odd': 1}], []),
        ([], []),
        (['one', {'text': 'two'}, [3]], [*texts('one', 'two'), {'type': 'tokens', 'content': [3]}]),
        (['x' * 300] * 200, texts(*['x' * 300] * 200)),
        (['x' * 40_000, 'é'], texts('x' * 40_000, 'é')),
        ([Loud('quiet')], texts('quiet')),
        ([Broken.NAME], texts("<Broken.NAME: 'name'>")),
        (['lone \ud800', Loud('quiet')], texts('lone \ud800', 'quiet')),
    ],
    ids=[
        'one string',
        'tokens',
        'neither image nor text',
        'nothing',
        'of all kinds',
        'many texts',
        'a long text',
        'a text of an odd kind',
        'a text whose value cannot be read',
        'half a character',
    ],
)
def test_embeddings_inputs_of_a_body(
    inputs: Any, parts: list[Any], endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """A body may hold one string, or tokens, as the REST API allows. Texts are recorded as they are, however many."""
    new_client(Colour('sync').embeddings_class, endpoint).embed({'input': inputs})
    assert asked(instrumented.one)['gen_ai.input.messages'] == [{'role': 'user', 'parts': parts}]
