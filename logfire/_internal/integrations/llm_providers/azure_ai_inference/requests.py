"""Requests: the *effective* values, which are those that go on the wire.

As the client does it: `model_extras` of the call (else of the client; the two are not merged) over the call's
keywords over the defaults given to the client's constructor; with `body` only the body counts. Nothing is consumed
and nothing is invented: of a file-like body nothing is known.

REST reference: https://learn.microsoft.com/rest/api/aifoundry/model-inference/
"""

from __future__ import annotations

import functools
import json
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from logfire._internal.integrations.llm_providers.azure_ai_inference.messages import (
    read_messages,
    text_part,
    uri_or_blob,
)
from logfire._internal.integrations.llm_providers.azure_ai_inference.values import (
    is_given,
    is_list,
    is_mapping,
    read_count,
    read_float,
    read_int,
    read_text,
    read_word,
    read_words,
)
from logfire._internal.integrations.llm_providers.operation import LLMRequest
from logfire._internal.integrations.llm_providers.semconv import (
    AZURE_RESOURCE_PROVIDER_NAMESPACE,
    InputMessage,
    Part,
    ToolDefinition,
)

PROVIDER = 'azure.ai.inference'
_PROVIDER_ATTRIBUTES: Mapping[str, Any] = {AZURE_RESOURCE_PROVIDER_NAMESPACE: 'Microsoft.CognitiveServices'}

# Name on the wire -> where the client's constructor keeps its default for it.
_CHAT_DEFAULTS = {
    'frequency_penalty': '_frequency_penalty',
    'max_tokens': '_max_tokens',
    'model': '_model',
    'presence_penalty': '_presence_penalty',
    'response_format': '_internal_response_format',
    'seed': '_seed',
    'stop': '_stop',
    'temperature': '_temperature',
    'tools': '_tools',
    'top_p': '_top_p',
}
_EMBEDDINGS_DEFAULTS = {
    'dimensions': '_dimensions',
    'encoding_format': '_encoding_format',
    'model': '_model',
}


def read_chat_request(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any], binary_limit: int) -> LLMRequest:
    """The request of `complete(*args, **kwargs)` on this client."""
    body = _effective_body(client, args, kwargs, 'messages', _CHAT_DEFAULTS)
    fields: dict[str, Any] = {}
    for name, value in body.items():
        if name in _CHAT_FIELDS:
            field, read = _CHAT_FIELDS[name]
            fields[field] = read(value)
    if fields.get('max_tokens') is None:
        fields['max_tokens'] = read_count(body.get('max_completion_tokens'))
    messages = body.get('messages')
    if is_list(messages):
        fields['messages'] = read_messages(messages, binary_limit)
    if _streams(args, kwargs):
        fields['stream'] = True
    return _request('chat', client, body, fields)


def read_embeddings_request(
    client: Any, args: tuple[Any, ...], kwargs: dict[str, Any], binary_limit: int
) -> LLMRequest:
    """The request of `embed(*args, **kwargs)` on this client, text and image embeddings alike."""
    body = _effective_body(client, args, kwargs, 'input', _EMBEDDINGS_DEFAULTS)
    fields: dict[str, Any] = {'dimension_count': read_count(body.get('dimensions'))}
    if encoding_format := read_word(body.get('encoding_format')):
        fields['encoding_formats'] = (encoding_format,)
    inputs = body.get('input')
    if is_list(inputs) or isinstance(inputs, str):
        fields['messages'] = [_embedding_inputs(inputs, binary_limit)]
    return _request('embeddings', client, body, fields)


def bare_chat_request(client: Any) -> LLMRequest:
    """What is known of a chat request without reading its arguments."""
    return _bare_request('chat', client)


def bare_embeddings_request(client: Any) -> LLMRequest:
    """What is known of an embeddings request without reading its arguments."""
    return _bare_request('embeddings', client)


def _bare_request(operation: str, client: Any) -> LLMRequest:
    address, port, _ = _server(_endpoint(client))
    return LLMRequest(operation, PROVIDER, _PROVIDER_ATTRIBUTES, server_address=address, server_port=port)


def _request(operation: str, client: Any, body: Mapping[str, Any], fields: dict[str, Any]) -> LLMRequest:
    address, port, deployment = _server(_endpoint(client))
    return LLMRequest(
        operation,
        PROVIDER,
        _PROVIDER_ATTRIBUTES,
        server_address=address,
        server_port=port,
        model=read_word(body.get('model')) or deployment or _known_model(client),
        **fields,
    )


def _effective_body(
    client: Any, args: tuple[Any, ...], kwargs: dict[str, Any], content: str, defaults: Mapping[str, str]
) -> Mapping[str, Any]:
    if args or 'body' in kwargs:
        return _read_body(args[0] if args else kwargs['body'])
    known = _state(client)
    body: dict[str, Any] = {content: kwargs.get(content)}
    for name, default in defaults.items():
        value = kwargs.get(name)
        if value is None:
            value = known.get(default)
        if value is not None:
            body[name] = value
    extras = kwargs.get('model_extras')
    if not is_given(extras):
        extras = known.get('_model_extras')
    if is_mapping(extras):
        body.update(extras)
    return body


def _read_body(body: Any) -> Mapping[str, Any]:
    if isinstance(body, bytes):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return {}  # What the service makes of it, it will say.
    return body if is_mapping(body) else {}


def _state(client: Any) -> Mapping[str, Any]:
    """What the client itself holds. A test double's `__getattr__` would answer to any name: it is not asked."""
    return getattr(client, '__dict__', {})


def _streams(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    body = args[0] if args else kwargs.get('body')
    if isinstance(body, dict):
        stream: Any = body.get('stream')  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if isinstance(stream, bool):
            return stream
    return is_given(kwargs.get('stream'))


def _endpoint(client: Any) -> str:
    return read_text(getattr(_state(client).get('_config'), 'endpoint', None)) or ''


@functools.lru_cache(maxsize=256)
def _server(endpoint: str) -> tuple[str | None, int | None, str | None]:
    """Address, port (443 goes without saying) and the deployment that an Azure OpenAI endpoint names in its path."""
    try:
        url = urllib.parse.urlsplit(endpoint)
    except ValueError:
        return None, None, None
    try:
        port = url.port
    except ValueError:
        port = None
    if port is None and url.scheme == 'http':
        port = 80
    folders = url.path.split('/')
    deployment = None
    if folders[1:3] == ['openai', 'deployments'] and len(folders) > 3:
        deployment = read_word(urllib.parse.unquote(folders[3]))
    return read_word(url.hostname), None if port == 443 else port, deployment


def _known_model(client: Any) -> str | None:
    """What the client has learned of its endpoint."""
    info = _state(client).get('_model_info')
    return read_word(info.get('model_name')) if is_mapping(info) else None


def _choice_count(n: Any) -> int | None:
    count = read_count(n)
    return None if count == 1 else count


def _stop_sequences(stop: Any) -> list[str] | None:
    if isinstance(stop, str):
        stop = [stop]
    return read_words(stop) or None


def _output_type(response_format: Any) -> str | None:
    """`text` or `json`: of a name, of the REST object with its `type`, or of a `JsonSchemaFormat` (which has none)."""
    kind = response_format
    if is_mapping(response_format):
        kind = response_format.get('type', 'json_schema')
    return {'text': 'text', 'json_object': 'json', 'json_schema': 'json'}.get(read_word(kind) or '')


def _tool_definitions(tools: Any) -> list[ToolDefinition] | None:
    return [_tool_definition(tool) for tool in tools] if is_list(tools) and tools else None


def _tool_definition(tool: Any) -> ToolDefinition:
    """Flattened: `{type, name, description?, parameters?}`; a tool that is no function stays as it is."""
    if not is_mapping(tool):
        return {'type': 'unknown', 'name': '', 'definition': tool}
    kind = read_word(tool.get('type')) or 'function'
    function = tool.get('function')
    if not is_mapping(function):
        return {'name': '', **tool, 'type': kind}
    definition: ToolDefinition = {'type': kind, 'name': read_word(function.get('name')) or ''}
    for field in ('description', 'parameters'):
        if (value := function.get(field)) is not None:
            definition[field] = value
    return definition


def _embedding_inputs(inputs: Iterable[Any], binary_limit: int) -> InputMessage:
    """What is embedded, as one user message: a text part per input; an image as its part, then its text."""
    parts: list[Part] = []
    for item in [inputs] if isinstance(inputs, str) else inputs:
        if isinstance(item, str):
            parts.append({'type': 'text', 'content': item})
        elif is_mapping(item):
            if isinstance(image := item.get('image'), str):
                parts.append(uri_or_blob(image, 'image', binary_limit))
            if isinstance(text := item.get('text'), str):
                parts.append(text_part(text))
        else:
            parts.append({'type': 'tokens', 'content': item})  # The REST API takes arrays of tokens as well.
    return {'role': 'user', 'parts': parts}


# Name on the wire -> the request's field, and what reads it. A request has few of them.
_CHAT_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    'temperature': ('temperature', read_float),
    'top_p': ('top_p', read_float),
    'top_k': ('top_k', read_float),
    'frequency_penalty': ('frequency_penalty', read_float),
    'presence_penalty': ('presence_penalty', read_float),
    'max_tokens': ('max_tokens', read_count),
    'seed': ('seed', read_int),
    'n': ('choice_count', _choice_count),
    'response_format': ('output_type', _output_type),
    'stop': ('stop_sequences', _stop_sequences),
    'tools': ('tool_definitions', _tool_definitions),
}
