"""Requests of HTTP clients, against a server of this process. Instrumenting is for good, so that it is shown once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import aiohttp
import requests
from opentelemetry.trace import Span

import logfire

if TYPE_CHECKING:
    from tests.compat.observation import Scene

ONCE = True


class Farm(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response_only(404 if self.path.startswith('/wolf') else 200)
        self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'ok')

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def farm() -> Generator[str]:
    server = HTTPServer(('127.0.0.1', 0), Farm)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f'http://127.0.0.1:{server.server_port}'
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def case_requests(scene: Scene) -> None:
    def request_hook(span: Span, request: Any) -> None:
        span.set_attribute('hooked', request.method)

    scene.configure(metrics=False)
    logfire.instrument_requests(request_hook=request_hook)
    with farm() as url, logfire.span('around'):
        print(requests.get(f'{url}/sheep?colour=black', timeout=10).status_code)
        print(requests.get(f'{url}/wolf', timeout=10).status_code)
        with logfire.suppress_instrumentation():
            requests.get(f'{url}/hidden', timeout=10)


def case_aiohttp(scene: Scene) -> None:
    def request_hook(span: Span, params: Any) -> None:
        span.set_attribute('hooked', params.method)

    def response_hook(span: Span, params: Any) -> None:
        span.set_attribute('answered', params.response.status)

    async def ask(url: str) -> None:
        async with aiohttp.ClientSession(headers={'X-Herd': 'north', 'Cookie': 'a=b'}) as session:
            for path in ('/sheep?colour=black', '/wolf'):
                async with session.get(url + path) as response:
                    print(response.status)

    scene.configure(metrics=False)
    logfire.instrument_aiohttp_client(capture_headers=True, request_hook=request_hook, response_hook=response_hook)
    with farm() as url, logfire.span('around'):
        asyncio.run(ask(url))
