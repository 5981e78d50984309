"""What a script is made of: replies, the events inside them, and the functions that make them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, TypeAlias

_CREATED: Final = 1_735_689_600


class Gate:
    """A place in a reply where the endpoint waits until the test calls `open()`.

    It makes a test of a stream deterministic without sleeping: wait until the gate is reached, look, open it.
    Once open it stays open. While a handler waits here, it notices when its client closes the connection.

    Example usage:

        ```python
        from logfire.testing.azure_ai_inference import AzureAIInferenceEndpoint, Gate, stream_reply

        gate = Gate()
        with AzureAIInferenceEndpoint() as endpoint:
            endpoint.reply(stream_reply(['first', gate, 'second']))
            # A client that streams from `endpoint.url` now gets `first`, and `second` only after:
            gate.open()
        ```

    Args:
        timeout: seconds after which a gate that nobody opened cuts the connection.

    Attributes:
        reached: set when a reply has come to this gate.
    """

    def __init__(self, *, timeout: float = 10.0) -> None:
        self.timeout = timeout
        self.reached: threading.Event = threading.Event()
        self._opened = threading.Event()

    def open(self) -> None:
        """Let replies that wait here go on, and later ones pass."""
        self._opened.set()

    @property
    def is_open(self) -> bool:
        """Whether `open()` was called."""
        return self._opened.is_set()

    def wait_until_reached(self, timeout: float = 5.0) -> None:
        """Wait until a reply has come to this gate.

        In a coroutine write `await asyncio.to_thread(gate.wait_until_reached)`.

        Args:
            timeout: seconds to wait.

        Raises:
            TimeoutError: no reply came here in time.
        """
        if not self.reached.wait(timeout):
            raise TimeoutError(f'no reply reached the gate within {timeout} s')


@dataclass(frozen=True)
class Delay:
    """A pause in a reply. Prefer a `Gate` where a test has to observe something in between.

    Attributes:
        seconds: how long the endpoint waits here.
    """

    seconds: float


@dataclass(frozen=True)
class Cut:
    """The end of a connection before the end of the reply.

    Attributes:
        reset: False closes the connection in the middle of the body: the client reads everything sent before, then
            meets the missing end. True resets it (TCP RST): the client may lose what it had not read yet.
    """

    reset: bool = False


@dataclass(frozen=True)
class ErrorEvent:
    """An error that the service reports inside a stream, as the event `data: {"error": {...}}`.

    Attributes:
        code: the error code.
        message: the error message.
    """

    code: str = 'server_error'
    message: str = 'The server had an error while processing your request.'


@dataclass(frozen=True)
class ToolCall:
    """A tool call in a `chat_reply`, or a piece of one in a `Delta`.

    Attributes:
        name: the function's name; None leaves it out, as pieces after the first do.
        arguments: the function's arguments: a mapping, or JSON text, or a piece of such text.
        id: the call's id; None leaves it out, as pieces after the first do.
        index: which of the calls of one message a streamed piece belongs to; None leaves it out. A `chat_reply` sends
            none.
    """

    name: str | None
    arguments: str | Mapping[str, Any] = ''
    id: str | None = 'call_1'
    index: int | None = 0

    def _json(self, *, with_index: bool) -> dict[str, Any]:
        arguments = self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)
        function = {'arguments': arguments} if self.name is None else {'name': self.name, 'arguments': arguments}
        call: dict[str, Any] = {'type': 'function', 'function': function}
        if self.id is not None:
            call['id'] = self.id
        if with_index and self.index is not None:
            call['index'] = self.index
        return call


@dataclass(frozen=True)
class Delta:
    """One choice's next piece in a `stream_reply`, sent as a chunk of its own.

    Attributes:
        content: a piece of the text; None leaves it out.
        choice: index of the choice.
        tool_calls: pieces of tool calls.
        reasoning: a piece of the text of `reasoning_content`; None leaves it out.
        finish_reason: why the choice ended, on its last piece.
    """

    content: str | None = None
    choice: int = 0
    tool_calls: Sequence[ToolCall] = ()
    reasoning: str | None = None
    finish_reason: str | None = None


Step: TypeAlias = bytes | Gate | Delay | Cut
"""What a reply's body is made of, in order: bytes to send, and events between them."""

Usage: TypeAlias = tuple[int, int] | Mapping[str, Any]
"""Input and output tokens, or the `usage` object as it stands."""

StreamItem: TypeAlias = str | Delta | Mapping[str, Any] | bytes | Gate | Delay | Cut | ErrorEvent
"""What a `stream_reply` is made of."""


@dataclass(frozen=True)
class Reply:
    """One scripted answer. The factory functions of this module make them; a reply may be used any number of times.

    Attributes:
        status: HTTP status code; 0 sends no head, for a body that only cuts the connection.
        headers: response headers; they stand over those that the endpoint would send by itself.
        body: bytes are sent in one piece with their length; steps are sent one by one in a chunked body.
        gate: where to wait before anything is sent.
        delay: seconds to wait before anything is sent.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | Sequence[Step] = b''
    gate: Gate | None = None
    delay: float = 0.0


def raw_reply(
    status: int = 200,
    body: bytes | Iterable[Step] = b'',
    *,
    headers: Mapping[str, str] | None = None,
    gate: Gate | None = None,
    delay: float = 0.0,
) -> Reply:
    """An answer as it stands: nothing is added to it but the headers that frame the body.

    Args:
        status: HTTP status code.
        body: bytes, or steps that are sent one by one in a chunked body.
        headers: response headers.
        gate: where to wait before anything is sent.
        delay: seconds to wait before anything is sent.
    """
    steps = body if isinstance(body, bytes) else tuple(body)
    return Reply(status=status, headers=dict(headers or {}), body=steps, gate=gate, delay=delay)


def _json_reply(
    status: int, value: Mapping[str, Any], headers: Mapping[str, str] | None, gate: Gate | None, delay: float
) -> Reply:
    headers = _with_content_type('application/json', headers)
    return Reply(status=status, headers=headers, body=_dump(value), gate=gate, delay=delay)


def _with_content_type(content_type: str, headers: Mapping[str, str] | None) -> dict[str, str]:
    own = {name.lower(): value for name, value in (headers or {}).items()}
    return {'content-type': content_type, **own}


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(',', ':')).encode()


def _usage(usage: Usage) -> Mapping[str, Any]:
    if isinstance(usage, Mapping):
        return usage
    tokens_in, tokens_out = usage
    return {'prompt_tokens': tokens_in, 'completion_tokens': tokens_out, 'total_tokens': tokens_in + tokens_out}


def _head(id: str | None, kind: str, model: str | None) -> dict[str, Any]:
    head: dict[str, Any] = {'object': kind, 'created': _CREATED}
    if id is not None:
        head['id'] = id
    if model is not None:
        head['model'] = model
    return head


def chat_reply(
    text: str | None = None,
    *,
    model: str | None = 'gpt-4o',
    finish_reason: str | None = 'auto',
    tool_calls: Iterable[ToolCall] = (),
    reasoning: str | None = None,
    usage: Usage | None = (10, 5),
    id: str | None = 'chatcmpl-1',
    choices: Sequence[Mapping[str, Any]] | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    gate: Gate | None = None,
    delay: float = 0.0,
    **extra: Any,
) -> Reply:
    """A whole chat completion, as JSON.

    Args:
        text: the assistant's text; None sends `null`, as a service does beside tool calls.
        model: the response's model; None leaves it out.
        finish_reason: `auto` is `tool_calls` when there are some, else `stop`.
        tool_calls: the tool calls of the message.
        reasoning: the message's `reasoning_content`; None leaves it out.
        usage: input and output tokens, or the `usage` object as it stands; None leaves it out.
        id: the response's id; None leaves it out.
        choices: the `choices` array as it stands, instead of the one that text, tool calls and reason make.
        status: HTTP status code.
        headers: response headers.
        gate: where to wait before anything is sent.
        delay: seconds to wait before anything is sent.
        **extra: further members of the response object; they stand over the others.
    """
    if choices is None:
        message: dict[str, Any] = {'role': 'assistant', 'content': text}
        calls = [call._json(with_index=False) for call in tool_calls]
        if calls:
            message['tool_calls'] = calls
        if reasoning is not None:
            message['reasoning_content'] = reasoning
        if finish_reason == 'auto':
            finish_reason = 'tool_calls' if calls else 'stop'
        choices = [{'index': 0, 'message': message, 'finish_reason': finish_reason}]
    value = {**_head(id, 'chat.completion', model), 'choices': list(choices)}
    if usage is not None:
        value['usage'] = _usage(usage)
    return _json_reply(status, {**value, **extra}, headers, gate, delay)


def stream_reply(
    chunks: Iterable[StreamItem],
    *,
    model: str | None = 'gpt-4o',
    finish_reason: str | None = 'auto',
    usage: Usage | None = None,
    id: str | None = 'chatcmpl-1',
    done: bool = True,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    gate: Gate | None = None,
    delay: float = 0.0,
) -> Reply:
    """A streamed chat completion, as server-sent events, each in a piece of its own.

    Args:
        chunks: in order. A str is a piece of the first choice's text, a `Delta` a piece of any choice, a mapping a
            chunk as it stands (its JSON is sent), bytes go out as they are. A `Gate` or `Delay` waits, a `Cut` ends
            the connection (what comes after it is not sent), an `ErrorEvent` is an error in the middle of the stream.
        model: the chunks' model; None leaves it out.
        finish_reason: sent after the chunks, in one more chunk for every choice that began and has none yet. `auto` is
            `tool_calls` where the choice had some, else `stop`; None sends no such chunk.
        usage: input and output tokens, or the `usage` object as it stands: one more chunk with no choices. A service
            sends it only when asked by `stream_options.include_usage`; the reply sends it when given here.
        id: the chunks' id; None leaves it out.
        done: whether `data: [DONE]` ends the stream.
        status: HTTP status code.
        headers: response headers.
        gate: where to wait before anything is sent.
        delay: seconds to wait before anything is sent.
    """
    head = _head(id, 'chat.completion.chunk', model)
    ends: dict[int, str | None] = {}  # per choice that began: the reason that is still to be sent
    steps: list[Step] = []

    def add(delta: Delta) -> None:
        value: dict[str, Any] = {}
        if delta.choice not in ends:
            value['role'] = 'assistant'
            ends[delta.choice] = 'stop'
        if delta.content is not None:
            value['content'] = delta.content
        if delta.reasoning is not None:
            value['reasoning_content'] = delta.reasoning
        if delta.tool_calls:
            value['tool_calls'] = [call._json(with_index=True) for call in delta.tool_calls]
            ends[delta.choice] = 'tool_calls'
        if delta.finish_reason is not None:
            ends[delta.choice] = None
        choice = {'index': delta.choice, 'delta': value, 'finish_reason': delta.finish_reason}
        steps.append(_event({**head, 'choices': [choice]}))

    for chunk in chunks:
        if isinstance(chunk, str):
            add(Delta(chunk))
        elif isinstance(chunk, Delta):
            add(chunk)
        elif isinstance(chunk, ErrorEvent):
            steps.append(_event({'error': {'code': chunk.code, 'message': chunk.message}}))
        elif isinstance(chunk, Mapping):
            steps.append(_event(chunk))
            for choice in chunk.get('choices') or ():
                if choice.get('finish_reason') is not None:
                    ends[choice.get('index', 0)] = None
        else:
            steps.append(chunk)
    if finish_reason is not None:
        for index, reason in list(ends.items()):
            if reason is not None:
                add(Delta(choice=index, finish_reason=reason if finish_reason == 'auto' else finish_reason))
    if usage is not None:
        steps.append(_event({**head, 'choices': [], 'usage': _usage(usage)}))
    if done:
        steps.append(b'data: [DONE]\n\n')
    headers = _with_content_type('text/event-stream; charset=utf-8', headers)
    return Reply(status=status, headers=headers, body=tuple(steps), gate=gate, delay=delay)


def _event(value: object) -> bytes:
    return b'data: ' + _dump(value) + b'\n\n'


def embeddings_reply(
    vectors: Iterable[Sequence[float] | str],
    *,
    model: str | None = 'text-embedding-3-small',
    usage: int | Usage | None = 8,
    headers: Mapping[str, str] | None = None,
    gate: Gate | None = None,
    delay: float = 0.0,
    **extra: Any,
) -> Reply:
    """Embeddings of texts or images, as JSON.

    Args:
        vectors: one per input: numbers, or text for the base64 encoding.
        model: the response's model; None leaves it out.
        usage: input tokens, which is all that a service tells of embeddings; or as in `chat_reply`.
        headers: response headers.
        gate: where to wait before anything is sent.
        delay: seconds to wait before anything is sent.
        **extra: further members of the response object; they stand over the others.
    """
    value = _head(None, 'list', model)
    value['data'] = [
        {'object': 'embedding', 'index': index, 'embedding': vector if isinstance(vector, str) else list(vector)}
        for index, vector in enumerate(vectors)
    ]
    if isinstance(usage, int):
        usage = {'prompt_tokens': usage, 'total_tokens': usage}
    if usage is not None:
        value['usage'] = _usage(usage)
    return _json_reply(200, {**value, **extra}, headers, gate, delay)


def info_reply(
    model_name: str = 'gpt-4o',
    *,
    model_type: str = 'chat-completion',
    model_provider_name: str = 'OpenAI',
    headers: Mapping[str, str] | None = None,
    gate: Gate | None = None,
    delay: float = 0.0,
) -> Reply:
    """The answer to `get_model_info()` and `load_client()`.

    Args:
        model_name: the deployed model.
        model_type: `chat-completion`, `embeddings` or `image-embeddings`: decides which client `load_client()` returns.
        model_provider_name: who made the model.
        headers: response headers.
        gate: where to wait before anything is sent.
        delay: seconds to wait before anything is sent.
    """
    value = {'model_name': model_name, 'model_type': model_type, 'model_provider_name': model_provider_name}
    return _json_reply(200, value, headers, gate, delay)


def error_reply(
    status: int,
    *,
    code: str | None = None,
    message: str = 'The request failed.',
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    gate: Gate | None = None,
    delay: float = 0.0,
    **extra: Any,
) -> Reply:
    """A failure, with the service's error object as its body.

    The real clients try again after 408, 429, 500, 502, 503 and 504; the header `retry-after: 0` lets them do it at
    once.

    Args:
        status: HTTP status code.
        code: the error code; None makes one from the status (`NotFound`, `TooManyRequests`).
        message: the error message.
        body: the body as it stands, instead of the error object.
        headers: response headers.
        gate: where to wait before anything is sent.
        delay: seconds to wait before anything is sent.
        **extra: further members of the error object, such as `innererror`.
    """
    if body is not None:
        return raw_reply(status, body, headers=headers, gate=gate, delay=delay)
    code = code or HTTPStatus(status).phrase.replace(' ', '')
    return _json_reply(status, {'error': {'code': code, 'message': message, **extra}}, headers, gate, delay)


def cut_reply(*, reset: bool = False, gate: Gate | None = None, delay: float = 0.0) -> Reply:
    """No answer at all: the connection ends before a response begins.

    Args:
        reset: as in `Cut`.
        gate: where to wait before that.
        delay: seconds to wait before that.
    """
    return Reply(status=0, body=(Cut(reset=reset),), gate=gate, delay=delay)
