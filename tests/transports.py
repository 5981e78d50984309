"""Transports of azure-core that answer inside the process: for more calls than sockets could carry in a test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any

from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport

Body = list[bytes]
Answer = Callable[[dict[str, Any]], Body]
"""From the JSON of a request to the pieces of the reply's body."""


class _Response:
    """What azure-core's pipeline and the clients ask of a response."""

    status_code = 200
    reason = 'OK'

    def __init__(self, request: Any, body: Body, *, stream: bool) -> None:
        self.request = request
        self.headers = {'content-type': 'text/event-stream' if stream else 'application/json'}
        self.content_type = self.headers['content-type']
        self.closed = False
        self._body = body

    def json(self) -> Any:
        return json.loads(b''.join(self._body))

    def text(self, encoding: str | None = None) -> str:
        return b''.join(self._body).decode()

    def body(self) -> bytes:
        return b''.join(self._body)


class _SyncResponse(_Response):
    def read(self) -> bytes:
        return b''.join(self._body)

    def iter_bytes(self) -> Iterator[bytes]:
        yield from self._body

    def close(self) -> None:
        self.closed = True


class _AsyncResponse(_Response):
    async def read(self) -> bytes:
        return b''.join(self._body)

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        for piece in self._body:
            await asyncio.sleep(0)  # As a network would, let other tasks run.
            yield piece

    async def close(self) -> None:
        self.closed = True


def _asked(request: Any) -> dict[str, Any]:
    return json.loads(request.content)


class Transport(HttpTransport[Any, Any]):
    """The sync one."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None: ...

    def send(self, request: Any, **kwargs: Any) -> Any:
        return _SyncResponse(request, self._answer(_asked(request)), stream=bool(kwargs.get('stream')))

    def open(self) -> None: ...

    def close(self) -> None: ...


class AsyncTransport(AsyncHttpTransport[Any, Any]):
    """The async one."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None: ...

    async def send(self, request: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return _AsyncResponse(request, self._answer(_asked(request)), stream=bool(kwargs.get('stream')))

    async def open(self) -> None: ...

    async def close(self) -> None: ...
