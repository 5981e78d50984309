"""One attempt to deliver a batch, and what became of it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import requests
from google.protobuf.message import DecodeError
from google.rpc.code_pb2 import RESOURCE_EXHAUSTED
from google.rpc.status_pb2 import Status

from logfire._internal.exporters.backoff import read_retry_after
from logfire._internal.exporters.batch import Batch, Signal
from logfire._internal.exporters.losses import REFUSED, TOO_LARGE, UNSENDABLE

MAX_RESPONSE: Final = 16 * 1_024
"""How much of an answer is read, in bytes."""

_OF_THE_CONNECTION: Final = frozenset({'accept', 'accept-encoding', 'connection', 'user-agent'})


@dataclass(frozen=True)
class Destination:
    """Where requests go, and with what: taken from those that OpenTelemetry's exporter makes."""

    url: str
    headers: dict[str, str] = field(repr=False)
    """All but those that describe the body."""
    timeout: float
    """Seconds, for connecting and for each wait for an answer."""
    transport: dict[str, Any] = field(repr=False)
    """TLS and proxies, as `requests.Session.send` takes them."""

    @property
    def key(self) -> str:
        """Names this destination without telling it: of the endpoint, the signal's path in it and the credentials."""
        parts = [self.url]
        for name, value in sorted((name.lower(), value) for name, value in self.headers.items()):
            if name not in _OF_THE_CONNECTION:
                parts += [name, value]
        return hashlib.sha256('\0'.join(parts).encode()).hexdigest()[:32]

    @property
    def shown(self) -> str:
        """The URL without what may be secret."""
        scheme, separator, rest = self.url.partition('?')[0].rpartition('://')
        return f'{scheme}{separator}{rest.rpartition("@")[2]}'


@dataclass(frozen=True)
class Delivered:
    """The collector has it."""

    rejected: int = 0
    """How many of its items the collector did not take."""
    understood: bool = True
    """Whether the answer was one that OTLP knows."""


@dataclass(frozen=True)
class Unavailable:
    """The collector could not take it now."""

    problem: str
    retry_after: float | None = None
    """Seconds that the collector asks to wait."""


@dataclass(frozen=True)
class TooLarge:
    """The collector takes less at a time."""

    problem: str
    reason: str = TOO_LARGE
    """Why it is lost if it cannot be divided."""


@dataclass(frozen=True)
class Refused:
    """The collector will never take it."""

    problem: str
    reason: str = REFUSED


Outcome: TypeAlias = Delivered | Unavailable | TooLarge | Refused


class Sender:
    """Sends batches over a connection that it keeps."""

    def __init__(self, signal: Signal, *, now: Callable[[], float] = time.time) -> None:
        self._signal = signal
        self._now = now
        self._session = requests.Session()
        # Credentials are in the headers. Without this, an entry for the host in a .netrc file would replace them.
        self._session.auth = _unchanged

    def send(self, destination: Destination, batch: Batch) -> Outcome:
        """Make one request. It ends after the destination's timeout, unless the answer trickles in."""
        request = requests.Request('POST', destination.url, headers=destination.headers, data=batch.body)
        try:
            prepared = self._session.prepare_request(request)
            prepared.headers['Content-Type'] = 'application/x-protobuf'
            if batch.encoding:
                prepared.headers['Content-Encoding'] = batch.encoding
            # A redirect would turn the request into one that fetches a page, and that be taken for success.
            response = self._session.send(
                prepared, timeout=destination.timeout, stream=True, allow_redirects=False, **destination.transport
            )
            with response:
                return self._outcome(response, time.monotonic() + destination.timeout)
        # What `requests` raises is an OSError, and a ValueError too where no connection is at fault. Its text may tell
        # the URL with what is in it.
        except ValueError as problem:
            return Refused(type(problem).__name__, UNSENDABLE)
        except OSError as problem:
            return Unavailable(type(problem).__name__)

    def close(self) -> None:
        """Close the connection."""
        # A session leaves it to finalisers, which no longer run when the interpreter exits.
        adapters: Any = self._session.adapters
        for adapter in adapters.values():
            for manager in (adapter.poolmanager, *adapter.proxy_manager.values()):
                for key in manager.pools.keys():  # noqa: SIM118 - urllib3's container cannot be iterated over
                    manager.pools[key].close()
        self._session.close()

    def _outcome(self, response: requests.Response, deadline: float) -> Outcome:
        status = response.status_code
        problem = f'HTTP status {status}'
        if status == 413:
            return TooLarge(problem)
        if status in (408, 429) or status >= 500:
            return Unavailable(problem, read_retry_after(response.headers.get('Retry-After'), self._now))
        body = b''
        whole = False
        try:
            for part in _parts(response, deadline):
                body += part
            whole = len(body) <= MAX_RESPONSE
        except OSError:
            pass  # The status tells what counts.
        if 200 <= status < 300:
            return self._delivered(response, body, whole=whole)
        if _is_resource_exhausted(body):
            return TooLarge(problem)
        return Refused(problem)

    def _delivered(self, response: requests.Response, body: bytes, *, whole: bool) -> Delivered:
        if 'json' in response.headers.get('Content-Type', ''):
            return Delivered()  # Some answer so whatever they are asked.
        if not whole:
            return Delivered(understood=False)
        try:
            return Delivered(self._signal.rejected(body))
        except ValueError:
            return Delivered(understood=False)


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _parts(response: requests.Response, deadline: float) -> Iterator[bytes]:
    """The answer as it arrives, a byte at a time so that a trickle ends at the deadline; answers have few."""
    length = 0
    for part in response.iter_content(1):
        yield part
        length += len(part)
        if length > MAX_RESPONSE or time.monotonic() > deadline:
            return


def _is_resource_exhausted(body: bytes) -> bool:
    """Whether an error is the one that gRPC gives for a message that is too large."""
    try:
        return bool(body) and Status.FromString(body).code == RESOURCE_EXHAUSTED
    except DecodeError:
        return False
