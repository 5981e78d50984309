"""Messages and their parts: from the REST API's shapes to those of the GenAI conventions.

REST reference: https://learn.microsoft.com/rest/api/aifoundry/model-inference/get-chat-completions/get-chat-completions
"""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from logfire._internal.integrations.llm_providers.azure_ai_inference.values import (
    class_of,
    is_list,
    is_mapping,
    read_text,
    read_word,
)

if TYPE_CHECKING:
    from logfire._internal.integrations.llm_providers.semconv import (
        BlobPart,
        InputMessage,
        Part,
        ToolCallPart,
        UriPart,
    )

_SPEAKERS = frozenset(('system', 'developer', 'user'))
_LOOKED_AT = 32
_THINK_OPEN, _THINK_CLOSE = '<think>', '</think>'


def read_messages(messages: list[Any] | tuple[Any, ...], binary_limit: int) -> tuple[list[InputMessage], int | None]:
    """The history that is sent, every message in its place, and the longest text of one that is all plain text."""
    read: list[InputMessage] = []
    longest: int | None = 0
    for message in messages:
        data: Any = message
        if type(message) is not dict:
            try:
                data = message._data
            except Exception:
                data = None
        if class_of(data) is dict and len(data) == 2:
            role, content = data.get('role'), data.get('content')
            if (
                type(role) is str
                and type(content) is str
                and (role in _SPEAKERS or (role == 'assistant' and content[:1].isalnum()))
            ):
                # Nearly every message.
                read.append({'role': role, 'parts': [{'type': 'text', 'content': content}]})
                if longest is not None and len(content) > longest:
                    longest = len(content)
                continue
        longest = None
        read.append(_read_message(data if class_of(data) is dict else message, binary_limit))
    return read, longest


def _read_message(message: Any, binary_limit: int) -> InputMessage:
    """One message of a request: a model, a dict, or a mixture of both."""
    if not is_mapping(message):
        return {'role': 'user', 'parts': [text_part(message)] if isinstance(message, str) else [generic_part(message)]}
    role, content = read_word(message.get('role')) or '', message.get('content')
    if role == 'tool':
        parts: list[Part] = [_tool_call_response(message, content, binary_limit)]
    else:
        parts = [*reasoning_parts(message), *_content_parts(content, binary_limit, thinks=role == 'assistant')]
        parts.extend(_tool_call_parts(message.get('tool_calls')))
    result: InputMessage = {'role': role, 'parts': parts}
    if name := read_word(message.get('name')):
        result['name'] = name
    return result


def read_reply_parts(message: Mapping[str, Any], binary_limit: int) -> list[Part]:
    """The parts of a whole reply's message."""
    content = message.get('content')
    parts = [*reasoning_parts(message), *_content_parts(content, binary_limit, thinks=True)]
    if refusal := read_text(message.get('refusal')):
        parts.append({'type': 'refusal', 'content': refusal})
    parts.extend(_tool_call_parts(message.get('tool_calls')))
    return parts


def text_part(text: str) -> Part:
    return {'type': 'text', 'content': text}


def generic_part(value: Any) -> Part:
    """A part the conventions have no shape for: kept as it is."""
    if is_mapping(value):
        return {**value, 'type': read_word(value.get('type')) or 'unknown'}
    return {'type': 'unknown', 'content': value}


def begins_with_words(text: str) -> bool:
    """Whether a model's text is what it said, from the first word on: it does not begin with its thoughts."""
    start = text[:_LOOKED_AT].lstrip()
    return bool(start) and start[0] != '<'


def split_thoughts(text: str) -> Iterator[Part]:
    """Text of a model that thinks aloud first: a leading `<think>` block is reasoning, the rest is what it said."""
    start = text.lstrip()
    if not start.startswith(_THINK_OPEN):
        if text:
            yield text_part(text)
        return
    thoughts, _, said = start[len(_THINK_OPEN) :].partition(_THINK_CLOSE)
    if thoughts := thoughts.strip():
        yield {'type': 'reasoning', 'content': thoughts}
    if said := said.lstrip():
        yield text_part(said)


def reasoning_parts(message: Mapping[str, Any]) -> Iterator[Part]:
    """The `reasoning_content` field, which some models fill beside `content`."""
    if reasoning := read_text(message.get('reasoning_content')):
        yield {'type': 'reasoning', 'content': reasoning}


def tool_call_part(call_id: str | None, name: str, arguments: Any) -> ToolCallPart:
    """A tool call; arguments that are JSON text become the object they spell."""
    part: ToolCallPart = {'type': 'tool_call', 'name': name, 'arguments': _parsed(arguments)}
    if call_id:
        part['id'] = call_id
    return part


def uri_or_blob(url: str, modality: str, binary_limit: int) -> UriPart | BlobPart:
    """A `data:` URL is the content itself; any other address is kept as an address."""
    if not url.startswith('data:'):
        return {'type': 'uri', 'modality': modality, 'uri': url}
    header, _, data = url[len('data:') :].partition(',')
    mime_type, *options = header.split(';')
    if 'base64' not in options:
        data = base64.b64encode(urllib.parse.unquote_to_bytes(data.encode('utf-8', 'surrogatepass'))).decode()
    return blob_part(data, modality, mime_type or None, binary_limit)


def blob_part(content: str, modality: str, mime_type: str | None, binary_limit: int) -> BlobPart:
    """Binary content in base64; more characters of it than the limit are told by size in bytes and SHA-256.

    A span must stay small enough to export.
    """
    part: BlobPart = {'type': 'blob', 'modality': modality, 'content': content}
    if mime_type:
        part['mime_type'] = mime_type
    if len(content) > binary_limit:
        import hashlib  # Loaded for large content, not for every program.

        try:
            data = base64.b64decode(content)
        except ValueError:
            data = content.encode('utf-8', 'surrogatepass')  # Not base64 after all: the text itself is what there is.
        part['content'] = ''
        part['size'] = len(data)
        part['sha256'] = hashlib.sha256(data).hexdigest()
    return part


def _content_parts(content: Any, binary_limit: int, *, thinks: bool) -> Iterator[Part]:
    if isinstance(content, str):
        if thinks:
            yield from split_thoughts(content)
        else:
            yield text_part(content)
    elif is_list(content):
        for item in content:
            yield _content_part(item, binary_limit)
    elif content is not None:
        yield generic_part(content)


def _content_part(item: Any, binary_limit: int) -> Part:
    if isinstance(item, str):
        return text_part(item)
    if not is_mapping(item):
        return generic_part(item)
    kind = read_word(item.get('type'))
    value = item.get(kind) if kind else None
    if kind == 'text' and isinstance(value, str):
        return text_part(value)
    if kind in ('image_url', 'audio_url', 'video_url') and is_mapping(value):
        url = value.get('url')
        if isinstance(url, str):
            return uri_or_blob(url, kind.removesuffix('_url'), binary_limit)
    if kind == 'input_audio' and is_mapping(value):
        data, audio_format = value.get('data'), read_word(value.get('format'))
        if isinstance(data, str):
            return blob_part(data, 'audio', f'audio/{audio_format}' if audio_format else None, binary_limit)
    return generic_part(item)


def _tool_call_parts(calls: Any) -> Iterator[Part]:
    if not is_list(calls):
        return
    for call in calls:
        function = call.get('function') if is_mapping(call) else None
        if is_mapping(function):
            yield tool_call_part(
                read_word(call.get('id')), read_word(function.get('name')) or '', function.get('arguments')
            )
        else:
            yield generic_part(call)


def _tool_call_response(message: Mapping[str, Any], content: Any, binary_limit: int) -> Part:
    response = content
    if content is not None and not isinstance(content, str):
        response = list(_content_parts(content, binary_limit, thinks=False))
    part: Part = {'type': 'tool_call_response', 'response': response}
    if call_id := read_word(message.get('tool_call_id')):
        part['id'] = call_id
    return part


def _parsed(arguments: Any) -> Any:
    if not isinstance(arguments, str):
        return arguments
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
