"""The HTTP session that OpenTelemetry's exporters are given: it sends nothing, an outbox takes what they would send.

So encoding, compression, headers, endpoints and OpenTelemetry's variables stay theirs, and nothing but the outbox
waits for the network.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

import requests

from logfire._internal.errors import Guard
from logfire._internal.exporters.losses import NOT_DELIVERED, UNENCODABLE, UNSENDABLE
from logfire._internal.exporters.outbox import Outbox
from logfire._internal.exporters.sending import Destination

_T = TypeVar('_T')

_PUT_GUARD: Final = Guard('put telemetry into its outbox')
_BODY_HEADERS: Final = frozenset({'content-type', 'content-length', 'content-encoding'})


class OutboxSession(requests.Session):
    """Answers every request with 200 once its outbox has it.

    Args:
        outbox: Takes the requests.
        headers: The only headers to send, apart from those of the body. None sends those that the exporter sets.
            OpenTelemetry's exporters add what its variables name: for a collector of the user's, perhaps with its
            key. They and its certificates are of no concern to a destination that is not named by them.
    """

    def __init__(self, outbox: Outbox, headers: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.outbox: Final = outbox
        self._only = dict(headers) if headers is not None else None
        self._request = _Request()
        self._settings: dict[str, Any] | None = None
        self._is_shut_down = False

    def accept(self, items: int, export: Callable[[], object]) -> bool:
        """Run an export of so many items; whether the items are accounted for: in the outbox, or counted as lost."""
        if self._is_shut_down:
            self.outbox.lose(items, NOT_DELIVERED)
            return True
        self._request.items = items
        self._request.is_accounted_for = False
        try:
            export()
        except Exception as fault:
            self._request.problem = type(fault).__name__
        return self._request.is_accounted_for

    def lose_unencodable(self, items: int) -> None:
        """Count what `accept` said no to."""
        self.outbox.lose(items, UNENCODABLE, self._request.problem)

    def accept_each(self, items: Sequence[_T], export: Callable[[Sequence[_T]], object]) -> None:
        """Run an export of these items. One that cannot be encoded is lost alone, and counted."""
        if self.accept(len(items), lambda: export(items)):
            return
        if len(items) == 1:
            self.lose_unencodable(1)
            return
        middle = len(items) // 2
        self.accept_each(items[:middle], export)
        self.accept_each(items[middle:], export)

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """As a session does; what cannot be made a request, such as one for an endpoint without `http://`, is lost."""
        try:
            return super().prepare_request(request)
        except Exception as problem:
            self._request.is_accounted_for = True
            self.outbox.lose(self._request.items, UNSENDABLE, type(problem).__name__)
            raise

    def merge_environment_settings(self, url: str, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """TLS and proxies, as the environment has them at the first request; all go to the same URL."""
        if self._settings is None:
            if self._only is not None:
                session, verify, cert = requests.Session(), None, None
            else:
                session = super()
                if isinstance(self.verify, str):
                    verify = self.verify  # What the user named stands over what the environment says of all.
            for _ in range(9):
                try:
                    self._settings = session.merge_environment_settings(url, proxies, stream, verify, cert)
                    break
                except (KeyError, RuntimeError):
                    pass  # The environment was changed while it was read.
            else:
                self._settings = session.merge_environment_settings(url, proxies, stream, verify, cert)
        return dict(self._settings)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Hand a request to the outbox."""
        with _PUT_GUARD:
            self._put(request, kwargs)
        self._request.is_accounted_for = True
        response = requests.Response()
        response.status_code = 200
        response.request = request
        response.url = request.url or ''
        response.raw = io.BytesIO()
        return response

    def shut_down(self) -> None:
        """What is exported from now on is lost, and counted."""
        self._is_shut_down = True

    def _put(self, request: requests.PreparedRequest, options: Mapping[str, Any]) -> None:
        given = {name: _text(value) for name, value in request.headers.items()}
        headers = {name: value for name, value in given.items() if name.lower() not in _BODY_HEADERS}
        if self._only is not None:
            headers = self._only
        transport = {name: options[name] for name in ('verify', 'cert', 'proxies')}
        destination = Destination(request.url or '', headers, options['timeout'], transport)
        encoding = _text(request.headers.get('Content-Encoding', ''))
        # The exporters encode before they make a request; None is an empty body.
        self.outbox.put(destination, self._request.items, encoding, cast('bytes', request.body or b''))


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode('latin-1')


class _Request(threading.local):
    """What this thread exports at the moment."""

    items = 0
    is_accounted_for = False
    problem = ''
