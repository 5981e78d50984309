"""azure-core's own transports, whose HTTP session answers in the process: the real clients without a socket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import requests
from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline.transport import AsyncioRequestsTransport, RequestsTransport
from requests.adapters import BaseAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from tests.otel_integrations.azure_ai_inference.conftest import Colour

ENDPOINT = 'https://hostile.test/models'
KEY = 'not-a-real-key'


@dataclass(frozen=True)
class Answer:
    """What the service sends: the body in pieces, as a reader of the connection would get them."""

    pieces: Sequence[bytes]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class _Pieces(HTTPResponse):
    """A response that hands out the pieces as they are; urllib3 itself joins what comes without chunked framing."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(
            body=BytesIO(b''.join(answer.pieces)),
            headers=HTTPHeaderDict({'content-type': 'application/json', **answer.headers}),
            status=answer.status,
            reason='Hostile',
            preload_content=False,
        )
        self._pieces = answer.pieces

    def stream(self, amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]:  # pyright: ignore[reportIncompatibleMethodOverride] - a generator there
        yield from [piece for piece in self._pieces if piece]


class _Adapter(BaseAdapter):
    """Answers every request with the same answer, and keeps the requests' bodies."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer
        self.bodies: list[Any] = []
        self.headers: list[Mapping[str, str]] = []

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        self.headers.append(dict(request.headers))
        body = request.body
        self.bodies.append(body.read() if hasattr(body, 'read') else body)
        raw = _Pieces(self._answer)
        response = requests.Response()
        response.raw = raw
        response.status_code = raw.status
        response.reason = raw.reason or ''
        response.headers.update(raw.headers)
        response.url = request.url
        response.request = request
        return response

    def close(self) -> None:
        pass


class InProcessClient:
    """A client of the given class, and what it sent."""

    def __init__(self, colour: Colour, client_class: type[Any], answer: Answer, credential: Any = None) -> None:
        session = requests.Session()
        self._adapter = _Adapter(answer)
        session.mount('https://', self._adapter)
        transport_class: type[Any] = AsyncioRequestsTransport if colour.is_async else RequestsTransport
        self.client: Any = client_class(
            ENDPOINT,
            credential or AzureKeyCredential(KEY),
            transport=transport_class(session=session, session_owner=False),
            retry_total=0,
        )

    @property
    def sent(self) -> list[Any]:
        """The bodies of the requests so far."""
        return self._adapter.bodies

    @property
    def headers(self) -> list[Mapping[str, str]]:
        """The headers of the requests so far."""
        return self._adapter.headers
