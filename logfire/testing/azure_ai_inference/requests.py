"""What the endpoint records of a request, and what it answers when nothing is scripted."""

from __future__ import annotations

import base64
import json
import struct
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from logfire.testing.azure_ai_inference.replies import (
    Reply,
    chat_reply,
    embeddings_reply,
    error_reply,
    info_reply,
    stream_reply,
)


class Headers(Mapping[str, str]):
    """Headers of a request, looked up without regard to case; a header sent twice is joined by `, `."""

    def __init__(self, items: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in items:
            key = name.lower()
            self._values[key] = f'{self._values[key]}, {value}' if key in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f'Headers({self._values!r})'


@dataclass(frozen=True)
class RecordedRequest:
    """A request as it arrived.

    Attributes:
        method: `POST` or `GET`.
        path: the path without its query.
        query: the query's parameters, such as `api-version`.
        headers: the headers, looked up without regard to case.
        body: the body's bytes.
        replied: set when the whole reply has been written.
        client_disconnected: set when the client closes the connection that this request came over, during the reply or
            later.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Headers
    body: bytes
    replied: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)
    client_disconnected: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)

    @property
    def json(self) -> Any:
        """The body, parsed.

        Raises:
            ValueError: the body is not JSON.
        """
        return json.loads(self.body)

    def wait_until_replied(self, timeout: float = 5.0) -> None:
        """Wait until the whole reply has been written.

        Args:
            timeout: seconds to wait.

        Raises:
            TimeoutError: it was not in time.
        """
        if not self.replied.wait(timeout):
            raise TimeoutError(f'the reply to {self.method} {self.path} was not sent whole within {timeout} s')

    def wait_until_disconnected(self, timeout: float = 5.0) -> None:
        """Wait until the client has closed the connection that this request came over.

        Args:
            timeout: seconds to wait.

        Raises:
            TimeoutError: it did not in time.
        """
        if not self.client_disconnected.wait(timeout):
            raise TimeoutError(f'the connection of {self.method} {self.path} was still open after {timeout} s')


def default_reply(request: RecordedRequest) -> Reply:
    """What the endpoint answers when nothing is scripted: `You said: ...`, embeddings of the right size, a model info.

    It honours `model`, `stream`, `stream_options.include_usage`, `dimensions` and `encoding_format` of the request. An
    unknown path gets 404, a body that is no JSON object 400.

    Args:
        request: the request to answer.
    """
    if request.path.endswith('/info'):
        return info_reply()
    if not request.path.endswith(('/chat/completions', '/embeddings')):
        return error_reply(404, message=f'There is nothing at {request.path}.')
    try:
        body = request.json
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return error_reply(400, message='The body is not a JSON object.')
    asked = cast('dict[str, Any]', body)
    if request.path.endswith('/embeddings'):
        return _default_embeddings(asked)
    return _default_chat(asked)


def _default_chat(asked: dict[str, Any]) -> Reply:
    messages: list[dict[str, Any]] = asked.get('messages') or []
    content: Any = messages[-1].get('content') if messages else ''
    if isinstance(content, list):
        items = cast('list[dict[str, Any]]', content)
        content = ' '.join(item['text'] for item in items if item.get('type') == 'text')
    words = f'You said: {content or ""}'.split()
    usage = (len(json.dumps(messages).split()), len(words))
    model = asked.get('model') or 'gpt-4o'
    if not asked.get('stream'):
        return chat_reply(' '.join(words), model=model, usage=usage)
    options: dict[str, Any] = asked.get('stream_options') or {}
    pieces = [words[0], *(f' {word}' for word in words[1:])]
    return stream_reply(pieces, model=model, usage=usage if options.get('include_usage') else None)


def _default_embeddings(asked: dict[str, Any]) -> Reply:
    inputs: list[Any] = asked.get('input') or []
    size: int = asked.get('dimensions') or 8
    vectors: list[Sequence[float] | str] = []
    for item in inputs:
        text = json.dumps(item).encode()
        # Any numbers do, but the same text has to get the same ones.
        vector = [zlib.crc32(text, index) / 2**32 for index in range(size)]
        packed = base64.b64encode(struct.pack(f'<{size}f', *vector)).decode()
        vectors.append(packed if asked.get('encoding_format') == 'base64' else vector)
    model = asked.get('model') or 'text-embedding-3-small'
    return embeddings_reply(vectors, model=model, usage=len(json.dumps(inputs).split()))
