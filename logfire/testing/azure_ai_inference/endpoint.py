"""The server: takes connections on 127.0.0.1, records the requests and plays the script."""

from __future__ import annotations

import socket
import struct
import threading
import time
import urllib.parse
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Final, TypeAlias, cast

from logfire.testing.azure_ai_inference.replies import Cut, Delay, Gate, Reply, error_reply
from logfire.testing.azure_ai_inference.requests import Headers, RecordedRequest, default_reply

# How soon a handler that waits at a gate notices that its client has gone.
_POLL_S: Final = 0.01
Answer: TypeAlias = Callable[[RecordedRequest], Reply]
"""Makes the reply from the request."""


class AzureAIInferenceEndpoint:
    """A server on 127.0.0.1 that answers as an Azure AI model inference endpoint would, and records what it was asked.

    Scripted replies are used in order, one per request, whatever its path; requests beyond them get `default_reply`.
    One endpoint serves any number of clients at once. It is a context manager; `start()` and `stop()` do the same by
    hand.

    Example usage:

        ```python
        from logfire.testing.azure_ai_inference import AzureAIInferenceEndpoint, chat_reply, error_reply

        with AzureAIInferenceEndpoint() as endpoint:
            endpoint.reply(error_reply(429, headers={'retry-after': '0'}), chat_reply('Second time lucky.'))
            ...  # call `endpoint.url` with `endpoint.key` from the code under test
        ```

    Args:
        answer: makes the reply to a request for which nothing is scripted.
    """

    key: Final = 'not-a-real-key'
    """A made-up credential for clients; the endpoint takes any."""

    def __init__(self, answer: Answer = default_reply) -> None:
        self._answer = answer
        self._script: deque[Reply | Answer] = deque()
        self._requests: list[RecordedRequest] = []
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._server: _Server | None = None

    def start(self) -> AzureAIInferenceEndpoint:
        """Bind a free port and begin to serve, on a thread of its own.

        Returns:
            This endpoint.

        Raises:
            RuntimeError: it is already started.
        """
        if self._server is not None:
            raise RuntimeError('the endpoint is already started')
        self._stopping.clear()
        self._server = server = _Server(self)
        threading.Thread(
            target=server.serve_forever, args=(_POLL_S,), name='azure-ai-inference-endpoint', daemon=True
        ).start()
        return self

    def stop(self) -> None:
        """Stop serving: close every connection, replies in progress included. What was recorded stays. Never hangs."""
        server, self._server = self._server, None
        if server is None:
            return
        self._stopping.set()
        server.shutdown()
        server.server_close()
        with self._changed:
            for connection in self._connections:
                _shut_down(connection)
            self._changed.wait_for(lambda: not self._connections, timeout=5.0)

    def __enter__(self) -> AzureAIInferenceEndpoint:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, without a slash at the end.

        Raises:
            RuntimeError: the endpoint is not started.
        """
        return f'http://127.0.0.1:{self.port}'

    @property
    def port(self) -> int:
        """The port it listens on.

        Raises:
            RuntimeError: the endpoint is not started.
        """
        if self._server is None:
            raise RuntimeError('the endpoint is not started')
        return self._server.server_address[1]

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far, oldest first; a copy."""
        with self._changed:
            return list(self._requests)

    @property
    def open_connections(self) -> int:
        """How many connections clients have open now. A client keeps some for its next request."""
        with self._changed:
            return len(self._connections)

    @property
    def pending_replies(self) -> int:
        """How many scripted replies no request has used yet."""
        with self._changed:
            return len(self._script)

    def reply(self, *replies: Reply | Answer) -> None:
        """Script replies, used in order, one per request, after those scripted before.

        Args:
            *replies: replies, or functions that make one from the request. When such a function raises, the client gets
                a 400 with code `ScriptError`.

        Raises:
            TypeError: one of them is neither.
        """
        for reply in replies:
            if not isinstance(reply, Reply) and not callable(reply):
                raise TypeError(f'expected a Reply or a function that makes one, not {type(reply).__name__}')
        with self._changed:
            self._script.extend(replies)

    def wait_for_requests(self, count: int = 1, timeout: float = 5.0) -> list[RecordedRequest]:
        """Wait until at least so many requests have arrived.

        Args:
            count: how many, from the start of the endpoint.
            timeout: seconds to wait.

        Returns:
            The requests so far.

        Raises:
            TimeoutError: fewer arrived in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._requests) >= count, timeout):
                raise TimeoutError(f'{len(self._requests)} of {count} requests arrived within {timeout} s')
            return list(self._requests)

    def wait_until_connections_closed(self, timeout: float = 5.0) -> None:
        """Wait until no client has a connection open.

        Args:
            timeout: seconds to wait.

        Raises:
            TimeoutError: some were still open.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: not self._connections, timeout):
                raise TimeoutError(f'{len(self._connections)} connections were still open after {timeout} s')

    def _opened(self, connection: socket.socket) -> None:
        with self._changed:
            self._connections.add(connection)

    def _closed(self, connection: socket.socket) -> None:
        with self._changed:
            self._connections.discard(connection)
            self._changed.notify_all()

    def _received(self, request: RecordedRequest) -> Reply:
        with self._changed:
            self._requests.append(request)
            reply = self._script.popleft() if self._script else self._answer
            self._changed.notify_all()
        if isinstance(reply, Reply):
            return reply
        try:
            made = cast('object', reply(request))
        except Exception as exc:
            return error_reply(400, code='ScriptError', message=f'{type(exc).__name__}: {exc}')
        if not isinstance(made, Reply):
            return error_reply(400, code='ScriptError', message=f'expected a Reply, not {type(made).__name__}')
        return made


class _HangUp(Exception):
    """The endpoint itself ends the connection."""


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # The client was faster.


class _Server(ThreadingTCPServer):
    # Not an HTTPServer: that one asks the resolver for the name of 127.0.0.1.
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, endpoint: AzureAIInferenceEndpoint) -> None:
        self.endpoint = endpoint
        super().__init__(('127.0.0.1', 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        # Here rather than in the handler's thread: a connection that was accepted is known before stop() looks.
        self.endpoint._opened(request)
        super().process_request(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def setup(self) -> None:
        super().setup()
        self.endpoint = cast('_Server', self.server).endpoint
        self.recorded: list[RecordedRequest] = []
        self.client_left = False

    def handle(self) -> None:
        try:
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            super().handle()
        except _HangUp:
            return
        except OSError:
            pass
        self.client_left = not self.endpoint._stopping.is_set()

    def finish(self) -> None:
        super().finish()
        # Before the server does: it would shut down first, and a reset would become an orderly end.
        self.connection.close()
        self.endpoint._closed(self.connection)
        if self.client_left:
            for request in self.recorded:
                request.client_disconnected.set()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        request = RecordedRequest(
            method=self.command,
            path=urllib.parse.unquote(url.path),
            query=dict(urllib.parse.parse_qsl(url.query)),
            headers=Headers(self.headers.items()),
            body=self._read_body(),
        )
        self.recorded.append(request)
        self._send(self.endpoint._received(request))
        request.replied.set()

    def _read_body(self) -> bytes:
        if self.headers.get('transfer-encoding', '').lower() != 'chunked':
            return self._read_exactly(int(self.headers.get('content-length') or 0))
        chunks: list[bytes] = []
        while size := int(self._read_line().split(b';')[0], 16):
            chunks.append(self._read_exactly(size))
            self._read_line()
        self._read_line()
        return b''.join(chunks)

    def _read_line(self) -> bytes:
        line = self.rfile.readline()
        if not line:
            raise ConnectionAbortedError
        return line

    def _read_exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionAbortedError
        return data

    def _send(self, reply: Reply) -> None:
        if reply.gate is not None:
            self._step(reply.gate)
        if reply.delay:
            self._step(Delay(reply.delay))
        if isinstance(reply.body, bytes):
            self._send_head(reply, {'content-length': str(len(reply.body))})
            self.wfile.write(reply.body)
            return
        if reply.status:
            self._send_head(reply, {'transfer-encoding': 'chunked'})
        for step in reply.body:
            if not isinstance(step, bytes):
                self._step(step)
            elif step:  # An empty chunk would end the body.
                self.wfile.write(b'%x\r\n%b\r\n' % (len(step), step))
        self.wfile.write(b'0\r\n\r\n')

    def _send_head(self, reply: Reply, framing: dict[str, str]) -> None:
        self.send_response_only(reply.status)
        for name, value in {**framing, **Headers(reply.headers.items())}.items():
            self.send_header(name, value)
        self.end_headers()

    def _step(self, step: Gate | Delay | Cut) -> None:
        if isinstance(step, Cut):
            if step.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            raise _HangUp
        if isinstance(step, Gate):
            step.reached.set()
            if not self._wait(step._opened, step.timeout):
                raise _HangUp
        else:
            self._wait(threading.Event(), step.seconds)

    def _wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for an event; raise ConnectionError when the client or `stop()` ends the connection meanwhile."""
        deadline = time.monotonic() + seconds
        while not event.wait(max(0.0, min(_POLL_S, deadline - time.monotonic()))):
            self._check_client()
            if time.monotonic() >= deadline:
                return False
        return True

    def _check_client(self) -> None:
        """Raise ConnectionError when the connection has been closed or reset."""
        self.connection.setblocking(False)
        try:
            if not self.connection.recv(1, socket.MSG_PEEK):
                raise ConnectionAbortedError
        except BlockingIOError:
            pass
        finally:
            self.connection.setblocking(True)
