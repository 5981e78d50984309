"""What else one wants to know of a call: the HTTP layer, filters and limits, cost, metrics, errors."""

from __future__ import annotations

import gc
import json
import sys
from typing import Any

import pytest
from azure.core.exceptions import AzureError, HttpResponseError
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

import logfire
from logfire._internal.integrations.llm_providers import cost
from logfire.testing.azure_ai_inference import (
    AzureAIInferenceEndpoint,
    Delta,
    Gate,
    Reply,
    chat_reply,
    cut_reply,
    embeddings_reply,
    error_reply,
    raw_reply,
    stream_reply,
)
from logfire.types import ExceptionCallbackHelper
from tests.otel_integrations.azure_ai_inference.conftest import Colour, Spans, new_client, untyped

HI: list[Any] = [{'role': 'user', 'content': 'Hi'}]
AGAIN = {'retry-after': '0'}


async def converse(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, *replies: Reply, stream: bool = False, **kwargs: Any
) -> None:
    """One call, read to its end."""
    endpoint.reply(*replies)
    client_options = {name: kwargs.pop(name) for name in ('retry_total',) if name in kwargs}
    client = new_client(colour.chat_class, endpoint, **client_options)
    try:
        result = await colour.result(client.complete(messages=HI, stream=stream, **kwargs))
        if stream:
            await colour.read(result)
    finally:
        await colour.close(client)


ERRORS: dict[str, tuple[Reply, dict[str, Any]]] = {
    'with a code': (
        error_reply(400, code='content_filter', message='filtered', headers={'x-ms-request-id': 'r1'}),
        {'error.type': 'content_filter', 'http.response.status_code': 400, 'azure.service.request.id': 'r1'},
    ),
    'unauthorized': (error_reply(401, code='401'), {'error.type': '401', 'http.response.status_code': 401}),
    'without a code': (
        raw_reply(404, b'nothing here', headers={'content-type': 'text/plain'}),
        {'error.type': 'azure.core.exceptions.ResourceNotFoundError', 'http.response.status_code': 404},
    ),
    'not JSON': (
        raw_reply(200, b'<html>', headers={'content-type': 'text/html'}),
        {'error.type': 'json.decoder.JSONDecodeError', 'http.response.status_code': 200},
    ),
    'no JSON though it says so': (
        raw_reply(200, b'<html>'),
        {'error.type': 'azure.core.exceptions.DecodeError', 'http.response.status_code': 200},
    ),
}
ERROR_ATTRIBUTES = ('error.type', 'http.response.status_code', 'azure.service.request.id', 'http.request.resend_count')


@pytest.mark.parametrize(('reply', 'expected'), ERRORS.values(), ids=ERRORS)
def test_errors(
    reply: Reply, expected: dict[str, Any], colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """A failed call tells the service's code where it sent one, else the exception, and what HTTP said."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - the point is what is recorded of each
        colour.run(converse(colour, endpoint, reply, retry_total=0))
    attributes = instrumented.one.attributes or {}
    assert {name: attributes[name] for name in ERROR_ATTRIBUTES if name in attributes} == expected
    assert instrumented.one.status.description == f'{type(raised.value).__name__}: {raised.value}'
    assert attributes['logfire.level_num'] == 17
    assert 'gen_ai.response.model' not in attributes


def test_no_response_at_all(colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """A connection that is cut before any response has the exception's name, and no status."""
    with pytest.raises(AzureError) as raised:
        colour.run(converse(colour, endpoint, cut_reply(), retry_total=0))
    attributes = instrumented.one.attributes or {}
    assert attributes['error.type'] == f'azure.core.exceptions.{type(raised.value).__name__}'
    assert 'http.response.status_code' not in attributes


def test_bad_arguments_fail_as_before(colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """An error that the client raises before any request is the caller's, with its span and no HTTP attributes."""

    async def body() -> None:
        client = new_client(colour.chat_class, endpoint)
        with pytest.raises(TypeError, match='missing required argument: messages'):
            await colour.result(client.complete())
        await colour.close(client)

    colour.run(body())
    attributes = instrumented.one.attributes or {}
    assert attributes['error.type'] == 'TypeError'
    assert 'http.response.status_code' not in attributes


def test_an_exception_reaches_the_caller_unchanged(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, spans: Spans
) -> None:
    """The same exception, with its cause, and the same innermost frames as without us."""

    def failure() -> tuple[Any, ...]:
        with pytest.raises(HttpResponseError) as raised:
            colour.run(converse(colour, endpoint, error_reply(418, code='Teapot', message='no')))
        error = raised.value
        frames = [entry.name for entry in raised.traceback][-1]
        return type(error), str(error), error.__cause__, error.__suppress_context__, error.status_code, frames

    plain = failure()
    with logfire.instrument_azure_ai_inference():
        assert failure() == plain


@pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])
def test_the_http_layer(stream: bool, colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """Status, the service's request id, retries and the remaining rate limit; the caller's hooks run as before."""
    headers = {
        'apim-request-id': 'r2',
        'x-ratelimit-remaining-tokens': '900',
        'x-ratelimit-remaining-requests': '9',
    }
    reply = stream_reply(['ok'], headers=headers) if stream else chat_reply('ok', headers=headers)
    seen: list[int] = []

    def hook(response: Any) -> None:
        seen.append(response.http_response.status_code)

    colour.run(
        converse(
            colour,
            endpoint,
            error_reply(429, headers=AGAIN),
            reply,
            stream=stream,
            raw_response_hook=hook,
        )
    )
    attributes = instrumented.one.attributes or {}
    assert attributes['http.response.status_code'] == 200
    assert attributes['azure.service.request.id'] == 'r2'
    assert attributes['http.request.resend_count'] == 1
    assert attributes['azure.ai.inference.rate_limit.remaining_tokens'] == 900
    assert attributes['azure.ai.inference.rate_limit.remaining_requests'] == 9
    assert seen == [429, 200]


def test_absent_diagnostics_stay_absent(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """What the service does not send is not recorded: no zero retries, no empty filters, no odd limits."""
    colour.run(converse(colour, endpoint, chat_reply('ok', headers={'x-ratelimit-remaining-tokens': 'many'})))
    assert not [
        name
        for name in instrumented.one.attributes or {}
        if name.startswith(('http.request', 'azure.service', 'azure.ai.inference'))
    ]


SAFE = {'hate': {'filtered': False, 'severity': 'safe'}}
JAILBREAK = {'jailbreak': {'filtered': True, 'detected': True}}
CITED = {'protected_material_code': {'filtered': False, 'detected': True, 'citation': {'URL': 'secret'}}, 'odd': 3}
CITED_RECORDED = {'protected_material_code': {'filtered': False, 'detected': True}}


def filtered(spans: Spans) -> dict[str, Any]:
    attributes = spans.one.attributes or {}
    assert 'azure.ai.inference.content_filter.' in str(attributes['logfire.json_schema'])
    return {
        name.rpartition('.')[2]: json.loads(str(value))
        for name, value in attributes.items()
        if name.startswith('azure.ai.inference.content_filter.')
    }


def test_content_filter_results_of_a_reply(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """The verdicts on the prompt and on each choice are recorded, and only the verdicts."""
    choices = [
        {'index': 0, 'message': {'content': 'a'}, 'finish_reason': 'stop', 'content_filter_results': SAFE},
        {'index': 1, 'message': {'content': 'b'}, 'finish_reason': 'stop', 'content_filter_results': CITED},
    ]
    prompt = [{'prompt_index': 0, 'content_filter_results': JAILBREAK}, 'odd']
    colour.run(converse(colour, endpoint, chat_reply(choices=choices, prompt_filter_results=prompt)))
    assert filtered(instrumented) == {
        'prompt_results': [JAILBREAK],
        'completion_results': [SAFE, CITED_RECORDED],
    }


def test_content_filter_results_of_a_stream(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """Of a stream the verdicts of all chunks add up."""

    def chunk(results: Any, **more: Any) -> dict[str, Any]:
        choice = {'index': 0, 'delta': {'content': 'a'}, 'finish_reason': None, 'content_filter_results': results}
        return {'choices': [choice], **more}

    prompt = [{'prompt_index': 0, 'content_filter_results': SAFE}]
    later = chunk(SAFE, prompt_filter_results=prompt)
    reply = stream_reply([chunk(SAFE), later, chunk(CITED), Delta(finish_reason='stop')])
    colour.run(converse(colour, endpoint, reply, stream=True))
    assert filtered(instrumented) == {'prompt_results': [SAFE], 'completion_results': [{**SAFE, **CITED_RECORDED}]}


def test_content_filter_results_of_a_refused_prompt(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """A prompt that the service refuses tells why."""
    inner = {'code': 'ResponsibleAIPolicyViolation', 'content_filter_result': JAILBREAK}
    with pytest.raises(HttpResponseError):
        colour.run(converse(colour, endpoint, error_reply(400, code='content_filter', innererror=inner)))
    assert filtered(instrumented) == {'prompt_results': [JAILBREAK]}


@pytest.fixture
def prices() -> None:
    """The prices are loaded."""
    cost.start_loading().join(60)


@pytest.mark.usefixtures('prices')
@pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])
@pytest.mark.parametrize('model', ['gpt-4o', 'openai/gpt-4o'])
def test_cost(
    model: str, stream: bool, colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """A call costs what `genai-prices` says, cached tokens priced as such, its model's publisher named or not."""
    from genai_prices import Usage, calc_price

    usage = {'prompt_tokens': 1000, 'completion_tokens': 100, 'prompt_tokens_details': {'cached_tokens': 600}}
    reply = stream_reply(['a'], usage=usage, model=model) if stream else chat_reply('a', usage=usage, model=model)
    colour.run(converse(colour, endpoint, reply, stream=stream))
    price = calc_price(
        Usage(input_tokens=1000, output_tokens=100, cache_read_tokens=600), 'gpt-4o', provider_id='azure'
    )
    assert price.total_price > 0
    assert (instrumented.one.attributes or {})['operation.cost'] == float(price.total_price)


@pytest.mark.usefixtures('prices')
def test_cost_of_embeddings(colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """Embeddings cost something too."""

    async def body() -> None:
        endpoint.reply(embeddings_reply([[0.5]], usage=(1_000_000, 0)))
        client = new_client(colour.embeddings_class, endpoint)
        await colour.result(client.embed(input=['a']))
        await colour.close(client)

    colour.run(body())
    assert (instrumented.one.attributes or {})['operation.cost'] == 0.02


@pytest.mark.usefixtures('prices')
@pytest.mark.parametrize(
    ('asked', 'answered', 'usage', 'priced'),
    [
        ('gpt-4o', 'unheard-of', (10, 5), True),
        ('unheard-of', 'gpt-4o', (10, 5), True),
        ('unheard-of', 'unheard-of', (10, 5), False),
        (None, None, (10, 5), False),
        ('gpt-4o', 'gpt-4o', None, False),
    ],
)
def test_what_has_no_price_has_no_cost(
    asked: str | None,
    answered: str | None,
    usage: Any,
    priced: bool,
    endpoint: AzureAIInferenceEndpoint,
    instrumented: Spans,
) -> None:
    """The response's model is priced, else the request's; an unknown model or usage has no cost, not a cost of zero."""
    colour = Colour('sync')
    colour.run(converse(colour, endpoint, chat_reply('a', model=answered, usage=usage), model=asked))
    assert ('operation.cost' in (instrumented.one.attributes or {})) is priced


@pytest.mark.usefixtures('prices')
def test_a_price_in_tiers_is_none() -> None:
    """Where a price depends on how much is used, no price per token is kept, and calls have no cost."""
    assert cost._prices('google', 'gemini-2.5-pro') is None
    assert cost._prices('azure', 'gpt-4o') is not None


def test_without_the_package_there_is_no_cost(
    endpoint: AzureAIInferenceEndpoint, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`genai-prices` is optional: without it, or before it has loaded, calls have no cost and work as ever."""
    monkeypatch.setitem(sys.modules, 'genai_prices', None)
    monkeypatch.setattr(cost, '_loaded', [])
    cost.start_loading.cache_clear()
    cost.start_loading().join(60)
    colour = Colour('sync')
    with logfire.instrument_azure_ai_inference():
        colour.run(converse(colour, endpoint, chat_reply('a')))
    cost.start_loading.cache_clear()
    assert 'operation.cost' not in (spans.one.attributes or {})
    assert (spans.one.attributes or {})['gen_ai.usage.input_tokens'] == 10


class Metrics:
    """The metrics that were collected: points by metric name."""

    def __init__(self, **configuration: Any) -> None:
        gc.collect()  # What earlier tests left behind is not recorded here.
        logfire.force_flush()
        self.spans = Spans()
        self.reader = InMemoryMetricReader()
        logfire.configure(
            send_to_logfire=False,
            console=False,
            metrics=logfire.MetricsOptions(additional_readers=[self.reader]),
            additional_span_processors=[SimpleSpanProcessor(self.spans)],
            **configuration,
        )

    def collect(self) -> dict[str, Any]:
        logfire.force_flush()
        data = self.reader.get_metrics_data()
        return {
            metric.name: metric
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            if scope.scope.name == 'logfire.azure_ai_inference'
            for metric in scope.metrics
        }


def points(metric: Any) -> list[tuple[int, float, dict[str, Any]]]:
    return [(point.count, point.sum, dict(point.attributes)) for point in metric.data.data_points]


SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)


def test_metrics_of_a_streamed_call(colour: Colour, endpoint: AzureAIInferenceEndpoint) -> None:
    """Duration, tokens, time to first chunk and between chunks, with the conventions' units, bounds and attributes."""
    metrics = Metrics()
    with logfire.instrument_azure_ai_inference():
        reply = stream_reply(['w'] * 150, usage=(10, 5), model='gpt-4o-2024')
        colour.run(converse(colour, endpoint, reply, stream=True, model='gpt-4o'))
    found = metrics.collect()
    attributes = {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'azure.ai.inference',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.response.model': 'gpt-4o-2024',
        'server.address': '127.0.0.1',
        'server.port': endpoint.port,
    }
    tokens = found.pop('gen_ai.client.token.usage')
    assert tokens.unit == '{token}'
    assert tokens.data.data_points[0].explicit_bounds == TOKENS
    assert sorted(points(tokens), key=lambda point: point[1]) == [
        (1, 5, {**attributes, 'gen_ai.token.type': 'output'}),
        (1, 10, {**attributes, 'gen_ai.token.type': 'input'}),
    ]
    counts: dict[str, int] = {}
    for name, metric in found.items():
        assert len(points(metric)) == 1, points(metric)
        ((count, total, found_attributes),) = points(metric)
        assert (metric.unit, metric.data.data_points[0].explicit_bounds) == ('s', SECONDS)
        assert found_attributes == attributes
        assert total > 0
        counts[name] = count
    assert counts == {
        'gen_ai.client.operation.duration': 1,
        'gen_ai.client.operation.time_to_first_chunk': 1,
        'gen_ai.client.operation.time_per_output_chunk': 151,
    }


def test_metrics_of_failed_and_unsampled_calls(colour: Colour, endpoint: AzureAIInferenceEndpoint) -> None:
    """Every call counts, sampled or not, failed or not; a failed one says how."""
    metrics = Metrics(sampling=logfire.SamplingOptions(head=0.0))
    with logfire.instrument_azure_ai_inference():
        colour.run(converse(colour, endpoint, chat_reply('ok')))
        with pytest.raises(HttpResponseError):
            colour.run(converse(colour, endpoint, error_reply(418, code='Teapot')))
    assert metrics.spans.all == []
    found = metrics.collect()
    by_error = {
        attributes.get('error.type'): (count, attributes.get('gen_ai.response.model'))
        for count, _, attributes in points(found['gen_ai.client.operation.duration'])
    }
    assert by_error == {None: (1, 'gpt-4o'), 'Teapot': (1, None)}
    assert sum(count for count, _, _ in points(found['gen_ai.client.token.usage'])) == 2


def test_times_between_chunks_are_taken_only_for_a_reader(
    endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """Without a metric reader a stream keeps one time, that of its first chunk."""
    gate = Gate()
    endpoint.reply(stream_reply(['a', 'b', gate]))
    stream = new_client(Colour('sync').chat_class, endpoint).complete(messages=HI, stream=True)
    next(stream)
    next(stream)
    recording = untyped(stream)._logfire_recording
    assert recording._instants == ()
    stream.close()


def test_the_exception_callback_sees_failed_calls(colour: Colour, endpoint: AzureAIInferenceEndpoint) -> None:
    """`AdvancedOptions.exception_callback` is asked about the error of a call as about any other."""
    seen: list[str] = []

    def callback(helper: ExceptionCallbackHelper) -> None:
        seen.append(type(helper.exception).__name__)

    spans = Spans()
    logfire.configure(
        send_to_logfire=False,
        console=False,
        additional_span_processors=[SimpleSpanProcessor(spans)],
        advanced=logfire.AdvancedOptions(exception_callback=callback),
    )
    with logfire.instrument_azure_ai_inference(), pytest.raises(HttpResponseError):
        colour.run(converse(colour, endpoint, error_reply(418)))
    assert seen == ['HttpResponseError']
    assert spans.one.status.status_code.name == 'ERROR'
