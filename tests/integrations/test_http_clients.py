"""`instrument_requests()` and `instrument_aiohttp_client()`: the HTTP requests, also those below an LLM call."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import pytest
import requests
from azure.ai.inference import ChatCompletionsClient, aio
from azure.core.credentials import AzureKeyCredential
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

import logfire
import logfire.exceptions
from logfire.testing import TestExporter
from logfire.testing.azure_ai_inference import AzureAIInferenceEndpoint

HI: list[Any] = [{'role': 'user', 'content': 'Hi'}]

pytestmark = pytest.mark.usefixtures('http_uninstrumented')

SECRETS = {'api-key': 'made-up-key', 'Authorization': 'Bearer made-up-key'}


@pytest.fixture
def endpoint() -> Iterator[AzureAIInferenceEndpoint]:
    with AzureAIInferenceEndpoint() as endpoint:
        yield endpoint


def get_sync(url: str, **kwargs: Any) -> int:
    with requests.Session() as session:
        return session.get(url, **kwargs).status_code


def get_async(url: str, **kwargs: Any) -> int:
    async def get() -> int:
        async with aiohttp.ClientSession() as session, session.get(url, **kwargs) as response:
            return response.status

    return asyncio.run(get())


def chat_sync(endpoint: AzureAIInferenceEndpoint) -> None:
    with ChatCompletionsClient(endpoint.url, AzureKeyCredential(endpoint.key), model='gpt-4o') as client:
        client.complete(messages=HI)


def chat_async(endpoint: AzureAIInferenceEndpoint) -> None:
    async def chat() -> None:
        credential = AzureKeyCredential(endpoint.key)
        async with aio.ChatCompletionsClient(endpoint.url, credential, model='gpt-4o') as client:
            await client.complete(messages=HI)

    asyncio.run(chat())


def untyped(value: Any) -> Any:
    """The value as a type checker knows nothing of it."""
    return value


Kind = tuple[Callable[..., None], Callable[..., int], Callable[..., None]]
KINDS: dict[str, Kind] = {
    'requests': (logfire.instrument_requests, get_sync, chat_sync),
    'aiohttp': (logfire.instrument_aiohttp_client, get_async, chat_async),
}


@pytest.fixture(params=KINDS.values(), ids=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


def span_attributes(exporter: TestExporter) -> dict[str, Any]:
    """The attributes of the one span there is."""
    (span,) = exporter.exported_spans_as_dict()
    return span['attributes']


@pytest.mark.usefixtures('configured')
def test_every_request_is_a_span(kind: Kind, endpoint: AzureAIInferenceEndpoint, exporter: TestExporter) -> None:
    """A request is one CLIENT span of ours, with method, URL and status, and its hooks get what OpenTelemetry's get."""
    instrument, get, _ = kind
    called: list[str] = []

    def request_hook(span: Any, request: Any) -> None:
        called.append(f'{request.method}')

    def response_hook(span: Any, *others: Any) -> None:
        span.set_attribute('mine', True)

    instrument(request_hook=request_hook, response_hook=response_hook)
    assert get(f'{endpoint.url}/info') == 200
    attributes = span_attributes(exporter)
    assert (attributes['http.method'], attributes['http.status_code']) == ('GET', 200)
    assert attributes['http.url'] == f'{endpoint.url}/info'
    assert attributes['logfire.msg'] == 'GET 127.0.0.1/info'
    assert attributes['mine'] is True
    assert called == ['GET']


def test_an_instance_of_its_own_measures_and_traces(
    kind: Kind, endpoint: AzureAIInferenceEndpoint, exporter: TestExporter, config_kwargs: dict[str, Any]
) -> None:
    """The spans of requests, and their durations, go to the instance that instruments, not to the global providers."""
    instrument, get, _ = kind
    reader = InMemoryMetricReader()
    metrics = logfire.MetricsOptions(additional_readers=[reader])
    instance = logfire.configure(local=True, **config_kwargs, metrics=metrics)
    getattr(instance, instrument.__name__)()
    get(f'{endpoint.url}/info')
    assert len(exporter.exported_spans_as_dict()) == 1
    data = reader.get_metrics_data()
    assert data is not None
    names = {
        metric.name
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert names == {'http.client.duration'}
    instance.shutdown()


@pytest.mark.usefixtures('configured')
def test_below_an_llm_call(kind: Kind, endpoint: AzureAIInferenceEndpoint, exporter: TestExporter) -> None:
    """An LLM call is one span; with suppression off its HTTP request is another one, below it, and propagates."""
    instrument, _, chat = kind
    instrument()
    with logfire.instrument_azure_ai_inference():
        chat(endpoint)
    with logfire.instrument_azure_ai_inference(suppress_other_instrumentation=False):
        chat(endpoint)
    alone, request, above = exporter.exported_spans_as_dict()
    assert [span['name'] for span in (alone, request, above)] == ['chat gpt-4o', 'POST', 'chat gpt-4o']
    assert request['parent'] is not None
    assert request['parent']['span_id'] == above['context']['span_id']
    sent = endpoint.requests[1].headers['traceparent']
    assert sent.split('-')[2] == f'{request["context"]["span_id"]:016x}'


@pytest.mark.usefixtures('configured')
def test_excluded_urls(endpoint: AzureAIInferenceEndpoint, exporter: TestExporter) -> None:
    """Requests to URLs that are excluded make no span."""
    logfire.instrument_requests('/info,/health')
    get_sync(f'{endpoint.url}/info')
    assert exporter.exported_spans_as_dict() == []


@pytest.mark.usefixtures('configured')
def test_the_callers_provider(kind: Kind, endpoint: AzureAIInferenceEndpoint, exporter: TestExporter) -> None:
    """A tracer provider that the caller passes on gets the spans, and no other."""
    instrument, get, _ = kind
    instrument(tracer_provider=TracerProvider(shutdown_on_exit=False))
    get(f'{endpoint.url}/info')
    assert exporter.exported_spans_as_dict() == []


@pytest.mark.usefixtures('configured')
def test_headers_of_aiohttp(endpoint: AzureAIInferenceEndpoint, exporter: TestExporter) -> None:
    """With `capture_headers` the headers of both ways are recorded, secrets scrubbed, and the caller's hooks called."""
    called: list[str] = []
    logfire.instrument_aiohttp_client(
        capture_headers=True,
        request_hook=lambda span, params: called.append('request'),
        response_hook=lambda span, params: called.append('response'),
    )
    get_async(f'{endpoint.url}/info', headers=[*SECRETS.items(), ('X-Trip', 'Lisbon'), ('X-Trip', 'Porto')])
    attributes = span_attributes(exporter)
    assert attributes['http.request.header.x-trip'] == ('Lisbon', 'Porto')
    assert attributes['http.response.header.content-type'] == ('application/json',)
    assert attributes['http.request.header.api-key'] == ("[Scrubbed due to 'api-key']",)
    assert 'made-up-key' not in str(attributes)
    assert called == ['request', 'response']


@pytest.mark.usefixtures('configured')
def test_headers_of_a_request_that_failed(exporter: TestExporter) -> None:
    """A request that gets no response is recorded with the headers it sent, and its exception reaches the caller."""
    logfire.instrument_aiohttp_client(capture_headers=True)
    with AzureAIInferenceEndpoint() as gone:
        url = gone.url
    with pytest.raises(aiohttp.ClientConnectionError):
        get_async(url, headers={'X-Trip': 'Lisbon'})
    attributes = span_attributes(exporter)
    assert attributes['http.request.header.x-trip'] == ('Lisbon',)
    assert not [name for name in attributes if name.startswith('http.response.header')]


@pytest.mark.usefixtures('configured')
def test_headers_are_left_out_unless_asked_for(endpoint: AzureAIInferenceEndpoint, exporter: TestExporter) -> None:
    """Without `capture_headers` no header is recorded."""
    logfire.instrument_aiohttp_client()
    get_async(f'{endpoint.url}/info', headers=SECRETS)
    assert not [name for name in span_attributes(exporter) if '.header.' in name]


@pytest.mark.parametrize('keyword', ['capture_all', 'capture_request_body', 'capture_response_body'])
def test_bodies_are_refused(keyword: str) -> None:
    """Keywords that ask for bodies are refused, not passed on and ignored, and nothing is instrumented."""
    with pytest.raises(
        TypeError, match=f"does not take '{keyword}': bodies are not recorded. It takes capture_headers"
    ):
        untyped(logfire).instrument_aiohttp_client(**{keyword: True})
    assert not AioHttpClientInstrumentor().is_instrumented_by_opentelemetry


MISSING: dict[str, tuple[Callable[..., None], str, str]] = {
    'requests': (logfire.instrument_requests, 'opentelemetry.instrumentation.requests', 'requests'),
    'aiohttp': (logfire.instrument_aiohttp_client, 'opentelemetry.instrumentation.aiohttp_client', 'aiohttp-client'),
    'the library itself': (logfire.instrument_requests, 'requests', 'requests'),
}


@pytest.mark.parametrize(('instrument', 'module', 'extra'), MISSING.values(), ids=MISSING)
def test_a_missing_package(
    instrument: Callable[..., None], module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a package is missing the error names it and the command that installs it."""
    for name in [*sys.modules]:
        if name.startswith((f'{module}.', 'opentelemetry.instrumentation.requests')):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    message = rf"needs packages that are not installed .*{module}.* pip install 'logfire\[{extra}\]'"
    with pytest.raises(RuntimeError, match=message):
        instrument()


def test_before_anything_is_configured(kind: Kind, endpoint: AzureAIInferenceEndpoint) -> None:
    """Without `logfire.configure()` it says, as everything does, that nothing is recorded, and requests go on."""
    instrument, get, _ = kind
    with pytest.warns(logfire.exceptions.LogfireNotConfiguredWarning):
        instrument()
    assert get(f'{endpoint.url}/info') == 200
