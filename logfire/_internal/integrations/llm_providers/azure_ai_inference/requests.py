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
from typing import TYPE_CHECKING, Any

from logfire._internal.integrations.llm_providers import semconv
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
from logfire._internal.integrations.llm_providers.operation import LONG_TEXT, LLMRequest, RequestContent

if TYPE_CHECKING:
    from logfire._internal.integrations.llm_providers.semconv import Part, ToolDefinition

PROVIDER = 'azure.ai.inference'
PROVIDER_ATTRIBUTES: Mapping[str, Any] = {
    semconv.AZURE_RESOURCE_PROVIDER_NAMESPACE: 'Microsoft.CognitiveServices',
}

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
# Of a client without attributes of its own. What a client holds is read there: a test double's `__getattr__` would
# answer to any name.
_NO_STATE: Mapping[str, Any] = {}

# The classes of inputs that are all texts.
_TEXTS = {str}


def read_chat_request(
    client: Any, args: tuple[Any, ...], kwargs: dict[str, Any], binary_limit: int
) -> tuple[LLMRequest, RequestContent]:
    """The request of `complete(*args, **kwargs)` on this client."""
    known: Mapping[str, Any] = getattr(client, '__dict__', _NO_STATE)
    body = _effective_body(known, args, kwargs, 'messages', _CHAT_DEFAULTS)
    parameters: dict[str, Any] = {}
    if ('stream' in kwargs or args or 'body' in kwargs) and _streams(args, kwargs):
        parameters[semconv.REQUEST_STREAM] = True
    tools = stop = longest_text = None
    for name, value in body.items():
        if name == 'tools':
            tools = _tool_definitions(value)
        elif name == 'stop':
            stop = _stop_sequences(value)
        elif name in _CHAT_PARAMETERS:
            attribute, read = _CHAT_PARAMETERS[name]
            parameter = read(value)
            if parameter is not None:
                parameters[attribute] = parameter
    if 'max_completion_tokens' in body and semconv.REQUEST_MAX_TOKENS not in parameters:
        max_tokens = read_count(body['max_completion_tokens'])
        if max_tokens is not None:
            parameters[semconv.REQUEST_MAX_TOKENS] = max_tokens
    messages = body.get('messages')
    if is_list(messages):
        messages, longest_text = read_messages(messages, binary_limit)
    else:
        messages = None
    return _request(known, body, parameters), RequestContent(messages, longest_text, tools, stop)


def read_embeddings_request(
    client: Any, args: tuple[Any, ...], kwargs: dict[str, Any], binary_limit: int
) -> tuple[LLMRequest, RequestContent]:
    """The request of `embed(*args, **kwargs)` on this client, text and image embeddings alike."""
    known: Mapping[str, Any] = getattr(client, '__dict__', _NO_STATE)
    body = _effective_body(known, args, kwargs, 'input', _EMBEDDINGS_DEFAULTS)
    parameters: dict[str, Any] = {}
    if encoding_format := read_word(body.get('encoding_format')):
        parameters[semconv.REQUEST_ENCODING_FORMATS] = (encoding_format,)
    dimension_count = read_count(body.get('dimensions'))
    if dimension_count is not None:
        parameters[semconv.EMBEDDINGS_DIMENSION_COUNT] = dimension_count
    inputs = body.get('input')
    content = RequestContent()
    if isinstance(inputs, str):
        inputs = (inputs,)
    if is_list(inputs):
        if {*map(type, inputs)} == _TEXTS:
            # Nearly always. Of many texts a look at their sum takes less than at each.
            length = len(''.join(inputs))
            parts: list[Part] = [{'type': 'text', 'content': text} for text in inputs]
            longest = length if length < LONG_TEXT else max(map(len, inputs))
            content = RequestContent([{'role': 'user', 'parts': parts}], longest)
        else:
            content = RequestContent([{'role': 'user', 'parts': _embedding_parts(inputs, binary_limit)}])
    return _request(known, body, parameters), content


def bare_request(client: Any) -> LLMRequest:
    """What is known of a request without reading its arguments."""
    return _request(getattr(client, '__dict__', _NO_STATE), {}, {})


def _request(known: Mapping[str, Any], body: Mapping[str, Any], parameters: Mapping[str, Any]) -> LLMRequest:
    endpoint = getattr(known.get('_config'), 'endpoint', None)
    address, port, deployment = _server(endpoint if type(endpoint) is str else read_text(endpoint) or '')
    model = read_word(body.get('model')) or deployment or _known_model(known)
    return LLMRequest(address, port, model, parameters)


def _effective_body(
    known: Mapping[str, Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    content: str,
    defaults: Mapping[str, str],
) -> Mapping[str, Any]:
    if args or 'body' in kwargs:
        return _read_body(args[0] if args else kwargs['body'])
    body: dict[str, Any] = {content: kwargs.get(content)}
    for name, default in defaults.items():
        value = kwargs.get(name)
        if value is None:
            value = known.get(default)
        if value is not None:
            body[name] = value
    extras = kwargs.get('model_extras')
    if extras is None or not is_given(extras):
        extras = known.get('_model_extras')
    if extras is not None and is_mapping(extras):
        body.update(extras)
    return body


def _read_body(body: Any) -> Mapping[str, Any]:
    if isinstance(body, bytes):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return {}  # What the service makes of it, it will say.
    return body if is_mapping(body) else {}


def _streams(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    if args or 'body' in kwargs:
        body = args[0] if args else kwargs['body']
        if isinstance(body, dict):
            stream: Any = body.get('stream')  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            if isinstance(stream, bool):
                return stream
    return 'stream' in kwargs and is_given(kwargs['stream'])


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


def _known_model(known: Mapping[str, Any]) -> str | None:
    """What the client has learned of its endpoint."""
    info = known.get('_model_info')
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


def _embedding_parts(inputs: Iterable[Any], binary_limit: int) -> list[Part]:
    """What is embedded: a text part per input; an image as its part, then its text."""
    parts: list[Part] = []
    for item in inputs:
        if isinstance(item, str):
            parts.append({'type': 'text', 'content': item})
        elif is_mapping(item):
            if isinstance(image := item.get('image'), str):
                parts.append(uri_or_blob(image, 'image', binary_limit))
            if isinstance(text := item.get('text'), str):
                parts.append(text_part(text))
        else:
            parts.append({'type': 'tokens', 'content': item})  # The REST API takes arrays of tokens as well.
    return parts


# Name on the wire -> the attribute, and what reads its value. A request has few of them.
_CHAT_PARAMETERS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    'temperature': (semconv.REQUEST_TEMPERATURE, read_float),
    'top_p': (semconv.REQUEST_TOP_P, read_float),
    'top_k': (semconv.REQUEST_TOP_K, read_float),
    'frequency_penalty': (semconv.REQUEST_FREQUENCY_PENALTY, read_float),
    'presence_penalty': (semconv.REQUEST_PRESENCE_PENALTY, read_float),
    'max_tokens': (semconv.REQUEST_MAX_TOKENS, read_count),
    'seed': (semconv.REQUEST_SEED, read_int),
    'n': (semconv.REQUEST_CHOICE_COUNT, _choice_count),
    'response_format': (semconv.OUTPUT_TYPE, _output_type),
}
