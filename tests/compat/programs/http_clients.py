"""Requests of HTTP libraries, and what their instrumentation tells of them."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import requests
import requests.adapters
from aiohttp import web
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor

import logfire

if TYPE_CHECKING:
    from tests.compat.observation import Scene


class _Farm(requests.adapters.HTTPAdapter):
    """Answers in this process, so that no port is in a URL."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        response = requests.Response()
        response.request = request
        response.url = request.url or ''
        response.status_code = 404 if 'wolf' in response.url else 200
        response.reason = 'as it is'
        return response


def case_requests(scene: Scene) -> None:
    scene.configure(metrics=False)  # Durations are those of the machine.
    logfire.instrument_requests(request_hook=lambda span, request: span.set_attribute('hooked', str(request.method)))
    try:
        with requests.Session() as session:
            session.mount('http://', _Farm())
            with logfire.span('outer'):
                session.get('http://farm.test/sheep?a=1')
                session.post('http://farm.test/wolf', data=b'?')
    finally:
        RequestsInstrumentor().uninstrument()


def case_aiohttp(scene: Scene) -> None:
    scene.configure(metrics=False)  # Durations are those of the machine.

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=404 if 'wolf' in request.path else 200)

    async def call() -> None:
        app = web.Application()
        app.router.add_route('*', '/{name}', answer)
        runner = web.AppRunner(app)
        await runner.setup()
        with tempfile.TemporaryDirectory() as folder:
            # No port in a URL here either.
            path = str(Path(folder) / 'farm')
            await web.UnixSite(runner, path).start()
            async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)) as session:
                async with session.get('http://farm.test/sheep?a=1'):
                    pass
                async with session.post('http://farm.test/wolf', data=b'?'):
                    pass
            await runner.cleanup()

    logfire.instrument_aiohttp_client(
        request_hook=lambda span, params: span.set_attribute('hooked', params.method),
        response_hook=lambda span, params: span.set_attribute('answered', True),
        capture_headers=False,
    )
    try:
        asyncio.run(call())
    finally:
        AioHttpClientInstrumentor().uninstrument()
