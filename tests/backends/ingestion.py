"""An Application Insights ingestion endpoint on the loopback interface, which keeps what it is sent."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

KEY = '00000000-0000-0000-0000-000000000000'
"""The instrumentation key of the page's connection string."""


class Ingestion:
    """Takes `POST /v2.1/track`: a JSON array of envelopes, compressed or not, and accepts every one of them."""

    def __init__(self) -> None:
        self._envelopes: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        ingestion = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers['Content-Length']))
                if self.headers.get('Content-Encoding') == 'gzip':
                    body = gzip.decompress(body)
                found: list[dict[str, Any]] = json.loads(body) if self.path == '/v2.1/track' else []
                with ingestion._lock:
                    ingestion._envelopes.extend(found)
                answer = json.dumps({'itemsReceived': len(found), 'itemsAccepted': len(found), 'errors': []}).encode()
                self.send_response(200)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                pass  # Nothing on the standard error output of the checks.

        self._server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self._server.server_port}'

    def __enter__(self) -> Ingestion:
        self._thread.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def envelopes(self, base_type: str) -> list[dict[str, Any]]:
        """The envelopes whose data are of a type, such as `RemoteDependencyData`."""
        with self._lock:
            return [envelope for envelope in self._envelopes if envelope['data']['baseType'] == base_type]

    def data(self, base_type: str) -> list[dict[str, Any]]:
        """The data of those envelopes."""
        return [envelope['data']['baseData'] for envelope in self.envelopes(base_type)]
