"""What is called: requests and replies of the real models, and clients that have them ready.

`Ready…` clients are the real classes whose methods return ready objects, so that only what is around a call is timed;
`over_transport` gives the real client over an azure-core transport that answers in this process.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any

from azure.ai.inference import ChatCompletionsClient, EmbeddingsClient
from azure.ai.inference.aio import ChatCompletionsClient as AsyncChatCompletionsClient
from azure.ai.inference.models import (
    ChatCompletions,
    EmbeddingsResult,
    StreamingChatCompletionsUpdate,
    SystemMessage,
    UserMessage,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse
from requests.structures import CaseInsensitiveDict

ENDPOINT = 'https://models.example.com'
MODEL = 'gpt-4o-mini'

SMALL_MESSAGES = [SystemMessage('You answer in one sentence.'), UserMessage('What is the capital of France?')]
"""Two messages, as models of the client."""

LONG_MESSAGES = [
    {'role': ('user', 'assistant')[at % 2], 'content': f'{at} ' + 'Ask me anything about "Paris"; é. ' * 29}
    for at in range(50)
]
"""Fifty messages of about 1 KB."""

TOOLS = [
    {
        'type': 'function',
        'function': {
            'name': f'look_up_{at}',
            'description': 'Looks up a place by its name, and tells where it is.',
            'parameters': {
                'type': 'object',
                'properties': {
                    name: {'type': 'string', 'description': f'The {name} of the place'}
                    for name in ('name', 'country', 'language')
                },
                'required': ['name'],
            },
        },
    }
    for at in range(10)
]

_REPLY: dict[str, Any] = {
    'id': 'chatcmpl-1',
    'object': 'chat.completion',
    'created': 1_760_000_000,
    'model': 'gpt-4o-mini-2024-07-18',
    'choices': [
        {
            'index': 0,
            'finish_reason': 'stop',
            'message': {'role': 'assistant', 'content': 'The capital of France is Paris.'},
        }
    ],
    'usage': {'prompt_tokens': 24, 'completion_tokens': 8, 'total_tokens': 32},
}


def new_reply() -> ChatCompletions:
    """A whole reply, as the client makes it."""
    return ChatCompletions(_REPLY)


def new_chunks(count: int) -> list[StreamingChatCompletionsUpdate]:
    """A streamed reply of so many chunks with text, then one that ends it and one with the usage."""
    head: dict[str, Any] = {
        'id': 'chatcmpl-1',
        'object': 'chat.completion.chunk',
        'created': 1_760_000_000,
        'model': _REPLY['model'],
    }

    def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        return {**head, 'choices': [{'index': 0, 'delta': delta, 'finish_reason': finish_reason}]}

    # A chunk that a caller gets has just been made: a few that come again and again are as near to the processor.
    words = [StreamingChatCompletionsUpdate(chunk({'content': f' word{at}'})) for at in range(10)]
    return [
        StreamingChatCompletionsUpdate(chunk({'role': 'assistant', 'content': ''})),
        *(words[at % 10] for at in range(count - 3)),
        StreamingChatCompletionsUpdate(chunk({}, 'stop')),
        StreamingChatCompletionsUpdate(
            {**head, 'choices': [], 'usage': {**_REPLY['usage'], 'completion_tokens': count}}
        ),
    ]


def new_embeddings(inputs: int, dimensions: int) -> EmbeddingsResult:
    """An embeddings reply with so many vectors."""
    vector = [0.001 * at for at in range(dimensions)]
    return EmbeddingsResult(
        {
            'model': 'text-embedding-3-small',
            'data': [{'index': at, 'object': 'embedding', 'embedding': vector} for at in range(inputs)],
            'usage': {'prompt_tokens': 5 * inputs, 'total_tokens': 5 * inputs},
        }
    )


class ReadyStream:
    """A stream whose chunks are there."""

    def __init__(self, chunks: list[StreamingChatCompletionsUpdate]) -> None:
        self._chunks = iter(chunks)

    def __iter__(self) -> Iterator[StreamingChatCompletionsUpdate]:
        return self

    def __next__(self) -> StreamingChatCompletionsUpdate:
        return next(self._chunks)

    def close(self) -> None: ...


class AsyncReadyStream:
    """An async stream whose chunks are there."""

    def __init__(self, chunks: list[StreamingChatCompletionsUpdate]) -> None:
        self._chunks = iter(chunks)

    def __aiter__(self) -> AsyncIterator[StreamingChatCompletionsUpdate]:
        return self

    async def __anext__(self) -> StreamingChatCompletionsUpdate:
        try:
            return next(self._chunks)
        except StopIteration:
            raise StopAsyncIteration from None

    async def aclose(self) -> None: ...


def new_ready_client(reply: Callable[[], Any]) -> Any:
    """A sync chat client of a class of its own, whose `complete()` returns what `reply` gives."""

    class ReadyClient(ChatCompletionsClient):
        def complete(self, *args: Any, **kwargs: Any) -> Any:
            return reply()

    return ReadyClient(ENDPOINT, AzureKeyCredential('key'))


def new_ready_async_client(reply: Callable[[], Any]) -> Any:
    """An async chat client of a class of its own, whose `complete()` returns what `reply` gives."""

    class ReadyAsyncClient(AsyncChatCompletionsClient):
        async def complete(self, *args: Any, **kwargs: Any) -> Any:
            return reply()

    return ReadyAsyncClient(ENDPOINT, AzureKeyCredential('key'))


def new_ready_embeddings_client(reply: Callable[[], Any]) -> Any:
    """A sync embeddings client of a class of its own, whose `embed()` returns what `reply` gives."""

    class ReadyEmbeddingsClient(EmbeddingsClient):
        def embed(self, *args: Any, **kwargs: Any) -> Any:
            return reply()

    return ReadyEmbeddingsClient(ENDPOINT, AzureKeyCredential('key'))


def over_transport() -> Any:
    """A chat client of a class of its own that runs the whole pipeline of azure-core, up to the socket."""

    class WholeClient(ChatCompletionsClient):
        def complete(self, *args: Any, **kwargs: Any) -> Any:
            complete: Any = super().complete
            return complete(*args, **kwargs)

    return WholeClient(ENDPOINT, AzureKeyCredential('key'), transport=_InProcessTransport())


class _Response(HttpResponse):
    """A response that is here already."""

    def __init__(self, request: HttpRequest, content: bytes) -> None:
        self._request = request
        self._content = content
        self._headers = CaseInsensitiveDict({'content-type': 'application/json', 'x-ms-request-id': '1'})

    @property
    def request(self) -> HttpRequest:
        return self._request

    @property
    def status_code(self) -> int:
        return 200

    @property
    def headers(self) -> CaseInsensitiveDict[str]:
        return self._headers

    @property
    def reason(self) -> str:
        return 'OK'

    @property
    def content_type(self) -> str:
        return 'application/json'

    @property
    def is_closed(self) -> bool:
        return True

    @property
    def is_stream_consumed(self) -> bool:
        return True

    @property
    def encoding(self) -> str:
        return 'utf-8'

    @encoding.setter
    def encoding(self, value: str | None) -> None: ...

    @property
    def url(self) -> str:
        return self._request.url

    @property
    def content(self) -> bytes:
        return self._content

    def text(self, encoding: str | None = None) -> str:
        return self._content.decode(encoding or 'utf-8')

    def json(self) -> Any:
        return json.loads(self._content)

    def raise_for_status(self) -> None: ...

    def read(self) -> bytes:
        return self._content

    def iter_raw(self, **kwargs: Any) -> Iterator[bytes]:
        return iter([self._content])

    def iter_bytes(self, **kwargs: Any) -> Iterator[bytes]:
        return iter([self._content])

    def close(self) -> None: ...

    def __enter__(self) -> _Response:
        return self

    def __exit__(self, *exc_info: object) -> None: ...


class _InProcessTransport(HttpTransport[HttpRequest, _Response]):
    """Answers every request with the same reply."""

    _content = json.dumps(_REPLY).encode()

    def send(self, request: HttpRequest, **kwargs: Any) -> _Response:
        return _Response(request, self._content)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __enter__(self) -> _InProcessTransport:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None: ...
