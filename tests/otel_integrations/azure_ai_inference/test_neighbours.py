"""Beside others that trace the same call: one span of ours, our context on the wire, and nobody harmed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.ai.inference import ChatCompletionsClient, EmbeddingsClient, aio
from azure.ai.inference.tracing import AIInferenceInstrumentor
from azure.core import PipelineClient
from azure.core.pipeline.policies import DistributedTracingPolicy, SansIOHTTPPolicy
from azure.core.rest import HttpRequest
from azure.core.settings import settings as azure_settings
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor

import logfire
from logfire.testing.azure_ai_inference import (
    AzureAIInferenceEndpoint,
    chat_reply,
    embeddings_reply,
    error_reply,
    stream_reply,
)
from tests.otel_integrations.azure_ai_inference.conftest import Colour, Spans, new_client, untyped

settings = untyped(azure_settings)
HI: list[Any] = [{'role': 'user', 'content': 'Hi'}]
AGAIN = {'retry-after': '0'}


@pytest.fixture
def azure_core_tracing(request: pytest.FixtureRequest) -> Iterator[str]:
    """azure-core's own tracing: off, by its OpenTelemetry plugin, or native."""
    kind: str = request.param
    if kind == 'plugin':
        settings.tracing_implementation.set_value('opentelemetry')
    elif kind == 'native':
        settings.tracing_enabled.set_value(True)
    try:
        yield kind
    finally:
        settings.tracing_implementation.unset_value()
        settings.tracing_enabled.unset_value()


@pytest.fixture
def http_instrumentations(spans: Spans) -> Iterator[None]:
    """The OpenTelemetry instrumentations of the HTTP libraries that the clients use."""
    instrumentors: list[Any] = [RequestsInstrumentor(), AioHttpClientInstrumentor()]
    for instrumentor in instrumentors:
        instrumentor.instrument()
    yield
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


@pytest.fixture
def microsofts(spans: Spans) -> Iterator[Any]:
    """Microsoft's instrumentor, which a test may switch on; it is off afterwards."""
    instrumentor = AIInferenceInstrumentor()
    yield instrumentor
    instrumentor.uninstrument()


KINDS = ('chat', 'stream', 'embed')


async def call(colour: Colour, endpoint: AzureAIInferenceEndpoint, kind: str, **kwargs: Any) -> None:
    """One call that is answered at the third attempt."""
    reply = {'chat': chat_reply('ok'), 'stream': stream_reply(['o', 'k']), 'embed': embeddings_reply([[0.1]])}[kind]
    endpoint.reply(error_reply(429, headers=AGAIN), error_reply(503, headers=AGAIN), reply)
    client_class = colour.embeddings_class if kind == 'embed' else colour.chat_class
    client = new_client(client_class, endpoint, retry_backoff_factor=0)
    if kind == 'embed':
        await colour.result(client.embed(input=['a'], **kwargs))
    else:
        result = await colour.result(client.complete(messages=HI, stream=kind == 'stream', **kwargs))
        if kind == 'stream':
            await colour.read(result)
    await colour.close(client)


@pytest.mark.parametrize('azure_core_tracing', ['off', 'plugin', 'native'], indirect=True)
@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.usefixtures('http_instrumentations', 'azure_core_tracing')
def test_one_span_and_its_context_on_every_attempt(
    kind: str, colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """Nobody else makes a span for the call on any attempt, and every attempt carries our span's context."""
    colour.run(call(colour, endpoint, kind))
    (span,) = instrumented.all
    assert span.context is not None
    expected = f'00-{span.context.trace_id:032x}-{span.context.span_id:016x}-'
    assert len(endpoint.requests) == 3
    assert [request.headers['traceparent'][:-2] for request in endpoint.requests] == [expected] * 3
    assert (span.attributes or {})['http.request.resend_count'] == 2


@pytest.mark.parametrize('azure_core_tracing', ['plugin', 'native'], indirect=True)
@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.usefixtures('azure_core_tracing')
def test_with_suppression_off_the_others_are_children(
    kind: str, colour: Colour, endpoint: AzureAIInferenceEndpoint, spans: Spans
) -> None:
    """Unsuppressed, azure-core's own spans are there, below ours, and propagate themselves."""
    with logfire.instrument_azure_ai_inference(suppress_other_instrumentation=False):
        colour.run(call(colour, endpoint, kind))
    by_id = {span.context.span_id: span for span in spans.all if span.context}
    ours = spans.one
    assert ours.parent is None
    others = [span for span in by_id.values() if span is not ours]
    assert len(others) >= 3
    for span in others:
        assert span.parent is not None
        top = span
        while top.parent is not None:
            top = by_id[top.parent.span_id]
        assert top is ours
    sent = {request.headers['traceparent'].split('-')[2] for request in endpoint.requests}
    assert sent <= {f'{span_id:016x}' for span_id in by_id}


def test_the_callers_own_traceparent_is_respected(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """A `traceparent` that the caller passes travels untouched on every attempt, and no `tracestate` joins it."""
    theirs = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    with logfire.attach_context({'traceparent': f'00-{1:032x}-{1:016x}-01', 'tracestate': 'vendor=1'}):
        colour.run(call(colour, endpoint, 'chat', headers={'traceparent': theirs}))
        colour.run(call(colour, endpoint, 'chat'))
    passed, ours = endpoint.requests[:3], endpoint.requests[3:]
    assert [request.headers['traceparent'] for request in passed] == [theirs] * 3
    assert not [request for request in passed if 'tracestate' in request.headers]
    assert [request.headers['tracestate'] for request in ours] == ['vendor=1'] * 3


@pytest.mark.usefixtures('http_instrumentations')
def test_suppression_covers_our_call_only(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """Between two chunks the caller's own HTTP calls are traced as always, as children of what the caller has open."""
    import requests

    endpoint.reply(stream_reply(['one', 'two']), chat_reply('ok'))

    async def body() -> None:
        client = new_client(colour.chat_class, endpoint)
        with logfire.span('caller'):
            stream = await colour.result(client.complete(messages=HI, stream=True))
            await colour.next(stream)
            requests.post(f'{endpoint.url}/chat/completions', json={'messages': HI}, timeout=10)
            await colour.read(stream)
        await colour.close(client)

    colour.run(body())
    by_name = {span.name: span for span in instrumented.all}
    caller = by_name['caller']
    assert caller.context is not None
    assert sorted(by_name) == ['POST', 'caller', 'chat gpt-4o']
    for name in ('POST', 'chat gpt-4o'):
        parent = by_name[name].parent
        assert parent is not None
        assert parent.span_id == caller.context.span_id


ORDERS = ['theirs first', 'ours first']


@pytest.mark.parametrize('azure_core_tracing', ['plugin'], indirect=True)
@pytest.mark.parametrize('order', ORDERS)
@pytest.mark.parametrize('undone', ORDERS)
@pytest.mark.parametrize('kind', ['chat', 'stream'])
@pytest.mark.usefixtures('azure_core_tracing')
def test_beside_microsofts_instrumentor(
    order: str,
    undone: str,
    kind: str,
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    spans: Spans,
    microsofts: AIInferenceInstrumentor,
) -> None:
    """Applied before or after ours there is one span a call; undone in either order, none and no leftover."""
    before = (ChatCompletionsClient.complete, aio.ChatCompletionsClient.complete)
    steps: list[Callable[[], Any]] = [microsofts.instrument]
    undo: list[Any] = []
    ours = lambda: undo.append(logfire.instrument_azure_ai_inference())  # noqa: E731
    steps.insert(0 if order == 'ours first' else 1, ours)
    for step in steps:
        step()
    colour.run(call(colour, endpoint, kind))
    assert [span.name for span in spans.all] == ['chat gpt-4o']

    undos: list[Callable[[], Any]] = [microsofts.uninstrument]
    undos.insert(0 if undone == 'ours first' else 1, lambda: undo[0].__exit__(None, None, None))
    for step in undos:
        step()
    spans.clear()
    settings.tracing_implementation.unset_value()
    colour.run(call(colour, endpoint, kind))
    assert spans.all == []
    assert (ChatCompletionsClient.complete, aio.ChatCompletionsClient.complete) == before


@pytest.mark.parametrize('suppress', [True, False])
def test_a_credentials_own_requests_are_not_the_calls(
    suppress: bool, endpoint: AzureAIInferenceEndpoint, spans: Spans
) -> None:
    """A credential that fetches its token over HTTP inside our call adds no attempt, status or header to it."""
    tokens: PipelineClient[Any, Any] = PipelineClient(endpoint.url, policies=[DistributedTracingPolicy()])

    class TokenPolicy(SansIOHTTPPolicy[Any, Any]):
        def on_request(self, request: Any) -> None:
            assert tokens.send_request(HttpRequest('GET', f'{endpoint.url}/info')).status_code == 418
            request.http_request.headers['authorization'] = 'Bearer made up'

    endpoint.reply(error_reply(418), chat_reply('ok'))
    client = new_client(ChatCompletionsClient, endpoint, authentication_policy=TokenPolicy())
    with logfire.instrument_azure_ai_inference(suppress_other_instrumentation=suppress):
        client.complete(messages=HI)
    token_request, request = endpoint.requests
    assert (token_request.path, 'traceparent' in token_request.headers) == ('/info', False)
    assert ('traceparent' in request.headers) is suppress
    attributes = spans.one.attributes or {}
    assert attributes['http.response.status_code'] == 200
    assert 'http.request.resend_count' not in attributes


def test_azure_core_is_as_before_when_nothing_is_instrumented(spans: Spans) -> None:
    """The patch below the client stands while an instrumentation is in force, and is gone with the last."""
    before = dict(vars(DistributedTracingPolicy))
    with logfire.instrument_azure_ai_inference(EmbeddingsClient):
        with logfire.instrument_azure_ai_inference():
            assert dict(vars(DistributedTracingPolicy)) != before
        assert dict(vars(DistributedTracingPolicy)) != before
    assert dict(vars(DistributedTracingPolicy)) == before
