"""Fixtures that drive the real clients, sync and async, with one test body for both."""

from __future__ import annotations

import asyncio
import inspect
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from azure.ai.inference import ChatCompletionsClient, EmbeddingsClient, ImageEmbeddingsClient, aio
from azure.core.credentials import AzureKeyCredential
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import logfire
from logfire.testing.azure_ai_inference import AzureAIInferenceEndpoint


def untyped(value: Any) -> Any:
    """The value as a type checker knows nothing of it: for what a library types too loosely."""
    return value


class Exhausted(Exception):
    """A stream has no more chunks. (A coroutine may not raise StopIteration.)"""


class Colour:
    """One of the two colours of the clients; a test's body is a coroutine function for both.

    The body of a sync test never really waits, so it is driven without an event loop.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_async = name == 'async'
        package = aio if self.is_async else __import__('azure.ai.inference', fromlist=['_'])
        self.chat_class: type[Any] = package.ChatCompletionsClient
        self.embeddings_class: type[Any] = package.EmbeddingsClient
        self.image_embeddings_class: type[Any] = package.ImageEmbeddingsClient

    def run(self, body: Coroutine[Any, Any, Any]) -> Any:
        if self.is_async:
            return asyncio.run(body)
        try:
            body.send(None)
        except StopIteration as end:
            return end.value
        raise AssertionError('the body of a sync test waited')  # pragma: no cover

    async def result(self, value: Any) -> Any:
        """What a client's method returned, awaited in the async colour."""
        return await value if self.is_async else value

    async def next(self, stream: Any) -> Any:
        """The next chunk; `Exhausted` after the last one."""
        try:
            return await stream.__anext__() if self.is_async else next(stream)
        except (StopIteration, StopAsyncIteration) as end:
            raise Exhausted from end

    async def read(
        self, stream: Any, most: int | None = None, take: Callable[[Any], None] = lambda chunk: None
    ) -> list[Any]:
        """Iterate with the language's own loop, with `take(chunk)` as its body; leave it after `most` chunks."""
        chunks: list[Any] = []
        if self.is_async:
            async for chunk in stream:
                chunks.append(chunk)
                take(chunk)
                if len(chunks) == most:
                    break
        else:
            for chunk in stream:
                chunks.append(chunk)
                take(chunk)
                if len(chunks) == most:
                    break
        return chunks

    async def close(self, closable: Any) -> None:
        """Close a stream or a client."""
        if self.is_async:
            await (closable.aclose() if hasattr(closable, 'aclose') else closable.close())
        else:
            closable.close()


@pytest.fixture(params=['sync', 'async'])
def colour(request: pytest.FixtureRequest) -> Colour:
    return Colour(request.param)


@pytest.fixture
def endpoint() -> Iterator[AzureAIInferenceEndpoint]:
    with AzureAIInferenceEndpoint() as endpoint:
        yield endpoint


class Spans(InMemorySpanExporter):
    """The spans that were exported."""

    def __init__(self) -> None:
        super().__init__()
        self.exported = threading.Event()

    def export(self, spans: Any) -> SpanExportResult:
        result = super().export(spans)
        self.exported.set()
        return result

    @property
    def all(self) -> list[ReadableSpan]:
        logfire.force_flush()
        return list(self.get_finished_spans())

    @property
    def llm(self) -> list[ReadableSpan]:
        return [span for span in self.all if (span.attributes or {}).get('gen_ai.operation.name')]

    @property
    def one(self) -> ReadableSpan:
        """The one LLM span there is."""
        spans = self.llm
        assert len(spans) == 1, [(span.name, dict(span.attributes or {})) for span in spans]
        return spans[0]


@pytest.fixture
def spans() -> Spans:
    exporter = Spans()
    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[SimpleSpanProcessor(exporter)])
    return exporter


@pytest.fixture
def instrumented(spans: Spans) -> Iterator[Spans]:
    """All clients are instrumented; gives the exported spans."""
    with logfire.instrument_azure_ai_inference():
        yield spans


def new_client(client_class: type[Any], endpoint: AzureAIInferenceEndpoint, path: str = '', **kwargs: Any) -> Any:
    """A client of the endpoint. A sync one is closed when the test ends; an async one its own loop must close."""
    client = client_class(endpoint.url + path, AzureKeyCredential(endpoint.key), **kwargs)
    if not inspect.iscoroutinefunction(client.close):
        _sync_clients.append(weakref.ref(client))
    return client


_sync_clients: list[weakref.ref[Any]] = []


@pytest.fixture(autouse=True)
def close_sync_clients() -> Iterator[None]:
    yield
    for reference in _sync_clients:
        client = reference()
        if client is not None:
            client.close()
    _sync_clients.clear()


CLIENT_CLASSES: list[type[Any]] = [
    ChatCompletionsClient,
    EmbeddingsClient,
    ImageEmbeddingsClient,
    aio.ChatCompletionsClient,
    aio.EmbeddingsClient,
    aio.ImageEmbeddingsClient,
]
