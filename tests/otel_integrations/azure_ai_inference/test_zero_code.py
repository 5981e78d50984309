"""Zero code: the instrumentor that OpenTelemetry's tools load, on plain providers, with the one line or without."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points, requires
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from packaging.requirements import Requirement

import logfire
from logfire._internal import errors
from logfire.integrations.azure_ai_inference import AzureAIInferenceInstrumentor
from logfire.testing import TestExporter
from logfire.testing.azure_ai_inference import AzureAIInferenceEndpoint, Gate, chat_reply, stream_reply
from tests.collector import Collector, attribute
from tests.otel_integrations.azure_ai_inference.conftest import Colour, Spans, new_client

HI: list[Any] = [{'role': 'user', 'content': 'Hi'}]
VARIABLE = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT'


@pytest.fixture
def instrumentor() -> Iterator[AzureAIInferenceInstrumentor]:
    """Switched off afterwards, if a test switches it on."""
    instrumentor = AzureAIInferenceInstrumentor()
    yield instrumentor
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()


@pytest.fixture
def plain() -> Spans:
    """What a provider that `logfire` knows nothing of exports."""
    return Spans()


@pytest.fixture
def provider(plain: Spans) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(plain))
    return provider


async def ask(colour: Colour, endpoint: AzureAIInferenceEndpoint, **arguments: Any) -> Any:
    """One chat call, read to its end."""
    client = new_client(colour.chat_class, endpoint)
    reply = await colour.result(client.complete(messages=HI, model='gpt-4o', **arguments))
    if 'stream' in arguments:
        reply = await colour.read(reply)
    await colour.close(client)
    return reply


def test_a_plain_provider_gets_the_span(
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    instrumentor: AzureAIInferenceInstrumentor,
    provider: TracerProvider,
    plain: Spans,
) -> None:
    """Without `logfire.configure()`, the given tracer provider gets one span a call, of values any exporter takes."""
    instrumentor.instrument(tracer_provider=provider)
    colour.run(ask(colour, endpoint))
    (span,) = plain.get_finished_spans()
    attributes = span.attributes or {}
    assert (span.name, span.kind) == ('chat gpt-4o', trace.SpanKind.CLIENT)
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == 'logfire.azure_ai_inference'
    assert attributes['gen_ai.provider.name'] == 'azure.ai.inference'
    assert attributes['gen_ai.response.finish_reasons'] == ('stop',)
    assert attributes['http.response.status_code'] == 200
    assert {type(value) for value in attributes.values()} <= {str, int, float, bool, tuple}
    assert span.start_time is not None
    assert span.start_time > 1_600_000_000_000_000_000
    instrumentor.uninstrument()
    colour.run(ask(colour, endpoint))
    assert len(plain.get_finished_spans()) == 1


@pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])
def test_a_processor_of_a_plain_provider_that_fails(
    stream: bool,
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    instrumentor: AzureAIInferenceInstrumentor,
    provider: TracerProvider,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody keeps a processor's fault from the end of a span there but us: the call goes on, and it is reported."""

    class Fails(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            raise RuntimeError('told')

    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr(errors, '_counts', {})
    provider.add_span_processor(Fails())
    instrumentor.instrument(tracer_provider=provider)
    assert colour.run(ask(colour, endpoint, **({'stream': True} if stream else {})))
    (report,) = [record.getMessage() for record in caplog.records if record.name == 'logfire']
    assert 'could not finish the span of an LLM call' in report


def test_a_plain_meter_provider_gets_every_metric(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumentor: AzureAIInferenceInstrumentor
) -> None:
    """The given meter provider gets the client metrics of a stream, the times between its chunks among them."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    instrumentor.instrument(meter_provider=provider, tracer_provider=trace.NoOpTracerProvider())
    endpoint.reply(stream_reply(['one', 'two', 'three'], usage=(5, 3)))
    colour.run(ask(colour, endpoint, stream=True))
    logfire.force_flush()
    data = reader.get_metrics_data()
    assert data is not None
    found = {
        metric.name: [point.attributes for point in metric.data.data_points]
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert set(found) == {
        'gen_ai.client.operation.duration',
        'gen_ai.client.token.usage',
        'gen_ai.client.operation.time_to_first_chunk',
        'gen_ai.client.operation.time_per_output_chunk',
    }
    assert all((point or {})['gen_ai.request.model'] == 'gpt-4o' for points in found.values() for point in points)


@pytest.mark.parametrize(
    ('variable', 'argument', 'captured'),
    [
        (None, None, False),
        ('', None, False),
        ('NO_CONTENT', None, False),
        ('span_only', None, True),
        ('true', None, True),
        (None, True, True),
        ('true', False, False),
    ],
)
def test_content_is_recorded_only_if_asked_for(
    variable: str | None,
    argument: bool | None,
    captured: bool,
    endpoint: AzureAIInferenceEndpoint,
    instrumentor: AzureAIInferenceInstrumentor,
    provider: TracerProvider,
    plain: Spans,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """OpenTelemetry's variable asks for content, `capture_content` beats it, and where nobody asks there is none."""
    if variable is not None:
        monkeypatch.setenv(VARIABLE, variable)
    instrumentor.instrument(tracer_provider=provider, capture_content=argument)
    colour = Colour('sync')
    colour.run(ask(colour, endpoint))
    (span,) = plain.get_finished_spans()
    assert ('gen_ai.input.messages' in (span.attributes or {})) is captured
    assert ('gen_ai.output.messages' in (span.attributes or {})) is captured


@pytest.mark.parametrize('first', ['zero code', 'one line'])
def test_beside_the_one_line_there_is_one_span(
    first: str,
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    instrumentor: AzureAIInferenceInstrumentor,
    provider: TracerProvider,
    plain: Spans,
    spans: Spans,
) -> None:
    """In any order the two make one span, the one line's with its content; undoing either leaves the other in force."""
    if first == 'zero code':
        instrumentor.instrument(tracer_provider=provider, capture_content=False)
    undo = logfire.instrument_azure_ai_inference()
    if first == 'one line':
        instrumentor.instrument(tracer_provider=provider, capture_content=False)
    colour.run(ask(colour, endpoint))
    assert 'gen_ai.input.messages' in (spans.one.attributes or {})
    assert plain.get_finished_spans() == ()
    if first == 'one line':
        instrumentor.uninstrument()
        colour.run(ask(colour, endpoint))
        assert len(spans.llm) == 2
        undo.__exit__(None, None, None)
        assert plain.get_finished_spans() == ()
    else:
        undo.__exit__(None, None, None)
        colour.run(ask(colour, endpoint))
        (span,) = plain.get_finished_spans()
        assert 'gen_ai.input.messages' not in (span.attributes or {})
        assert len(spans.llm) == 1
        instrumentor.uninstrument()
    colour.run(ask(colour, endpoint))
    assert len(spans.llm) + len(plain.get_finished_spans()) == 2


def test_one_client_by_the_one_line_the_others_by_zero_code(
    endpoint: AzureAIInferenceEndpoint,
    instrumentor: AzureAIInferenceInstrumentor,
    provider: TracerProvider,
    plain: Spans,
    spans: Spans,
) -> None:
    """A client that the program instruments is its own; the others go where zero code says."""
    colour = Colour('sync')
    instrumentor.instrument(tracer_provider=provider)
    client = new_client(colour.chat_class, endpoint)
    with logfire.instrument_azure_ai_inference(client, capture_content=False):
        client.complete(messages=HI)
        colour.run(ask(colour, endpoint))
    assert (len(spans.llm), len(plain.get_finished_spans())) == (1, 1)


@pytest.mark.usefixtures('configured')
def test_global_providers_that_are_ours(
    endpoint: AzureAIInferenceEndpoint, instrumentor: AzureAIInferenceInstrumentor, exporter: TestExporter
) -> None:
    """After `logfire.configure()` the global providers are ours, and its settings hold: its clock, for one."""
    instrumentor.instrument()
    colour = Colour('sync')
    colour.run(ask(colour, endpoint))
    (span,) = exporter.exported_spans_as_dict()
    assert span['start_time'] == 1_000_000_000


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    'a typo': ({'capture_contents': False}, r"does not take 'capture_contents'\. It takes: tracer_provider, "),
    'no provider': ({'tracer_provider': 'otlp'}, r'got tracer_provider of type str, which has no get_tracer\(\)'),
    'another provider': ({'meter_provider': TracerProvider()}, r'TracerProvider, which has no get_meter\(\)'),
    'a text': ({'capture_content': 'false'}, r"got capture_content='false'\. It is True or False"),
    'nothing': ({'suppress_other_instrumentation': None}, r'got suppress_other_instrumentation=None'),
}


@pytest.mark.parametrize(('arguments', 'message'), WRONG.values(), ids=WRONG)
def test_wrong_arguments(arguments: dict[str, Any], message: str, instrumentor: AzureAIInferenceInstrumentor) -> None:
    """What it does not take is refused, saying what it takes, and nothing is instrumented."""
    with pytest.raises(TypeError, match=message):
        instrumentor.instrument(**arguments)
    assert not instrumentor.is_instrumented_by_opentelemetry
    for method in (Colour('sync').chat_class.complete, Colour('async').chat_class.complete):
        assert not hasattr(method, '__wrapped__')


def test_providers_of_other_signals_are_taken_and_not_used(instrumentor: AzureAIInferenceInstrumentor) -> None:
    """Tools that pass the same keywords to every instrumentor may pass a logger provider, and None for the others."""
    instrumentor.instrument(tracer_provider=None, meter_provider=None, logger_provider=object())
    assert instrumentor.is_instrumented_by_opentelemetry


def test_its_dependency_is_that_of_the_extra(instrumentor: AzureAIInferenceInstrumentor) -> None:
    """It is switched on for exactly the clients that the extra `azure-ai-inference` installs."""
    (ours,) = map(Requirement, instrumentor.instrumentation_dependencies())
    (extra,) = (
        requirement
        for requirement in map(Requirement, requires('logfire') or ())
        if requirement.name == 'azure-ai-inference' and 'extra' in str(requirement.marker)
    )
    assert ours.specifier == extra.specifier


def test_loading_the_entry_point_is_light() -> None:
    """OpenTelemetry's tools find it by its entry point; loading that loads neither the clients nor an SDK."""
    (entry_point,) = entry_points(group='opentelemetry_instrumentor', name='azure_ai_inference')
    assert entry_point.load() is AzureAIInferenceInstrumentor
    code = (
        'import sys; before = {*sys.modules}; from logfire.integrations import azure_ai_inference; '
        'print(*sorted({*sys.modules}.difference(before).intersection(sys.argv)))'
    )
    heavy = 'azure opentelemetry.sdk opentelemetry.exporter requests aiohttp rich google pydantic'
    run = subprocess.run([sys.executable, '-c', code, *heavy.split()], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


APP = """
import sys
from azure.ai.inference import ChatCompletionsClient
from azure.core.credentials import AzureKeyCredential

client = ChatCompletionsClient(sys.argv[1], AzureKeyCredential('made up'), model='gpt-4o')
print(client.complete(messages=[{'role': 'user', 'content': 'Hi'}]).choices[0].message.content)
left_open = client.complete(messages=[{'role': 'user', 'content': 'Hi'}], stream=True)
next(left_open)
"""


def run_app(tmp_path: Path, endpoint: AzureAIInferenceEndpoint, collector: Collector, **variables: str) -> None:
    """Run a program that knows nothing of `logfire` nor of OpenTelemetry, under OpenTelemetry's command."""
    endpoint.reply(chat_reply('Hello!'), stream_reply(['one', Gate()]))
    app = tmp_path / 'app.py'
    app.write_text(APP, encoding='utf-8')
    command = Path(sys.executable).with_name('opentelemetry-instrument')
    run = subprocess.run(
        [str(command), sys.executable, str(app), endpoint.url],
        env={
            **os.environ,
            'OTEL_SERVICE_NAME': 'travel-agent',
            'OTEL_EXPORTER_OTLP_ENDPOINT': collector.url,
            'OTEL_EXPORTER_OTLP_PROTOCOL': 'http/protobuf',
            'OTEL_LOGS_EXPORTER': 'none',
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, 'Hello!\n', '')


def test_opentelemetry_instrument(tmp_path: Path, endpoint: AzureAIInferenceEndpoint) -> None:
    """`opentelemetry-instrument python app.py` exports each call as one span, also a stream that is open at exit."""
    with Collector() as collector:
        run_app(tmp_path, endpoint, collector, **{VARIABLE: 'true'})
        chat, stream = collector.spans()
        assert chat.name == stream.name == 'chat gpt-4o'
        assert 'Hello!' in (attribute(chat, 'gen_ai.output.messages') or '')
        assert attribute(stream, 'logfire.stream.outcome') == 'abandoned'
        assert b'travel-agent' in collector.sent_to('/v1/traces')[0].body
        assert 'gen_ai.client.operation.duration' in collector.metrics()


def test_opentelemetry_instrument_without_it(tmp_path: Path, endpoint: AzureAIInferenceEndpoint) -> None:
    """OpenTelemetry's variable switches it off by name; what else is installed traces as without it."""
    with Collector() as collector:
        run_app(
            tmp_path,
            endpoint,
            collector,
            OTEL_PYTHON_DISABLED_INSTRUMENTATIONS='azure_ai_inference',
            OTEL_METRICS_EXPORTER='none',
        )
        assert {span.name for span in collector.spans()} == {'POST'}


LATE_PROVIDER = """
from azure.ai.inference import ChatCompletionsClient
from azure.core.credentials import AzureKeyCredential
from logfire.integrations.azure_ai_inference import AzureAIInferenceInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
import sys

# Imports what ends spans at exit, before the provider is there.
AzureAIInferenceInstrumentor().instrument()
AzureAIInferenceInstrumentor().uninstrument()
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter(formatter=lambda span: span.name)))
AzureAIInferenceInstrumentor().instrument(tracer_provider=provider)
client = ChatCompletionsClient(sys.argv[1], AzureKeyCredential('made up'), model='gpt-4o')
left_open = client.complete(messages=[], stream=True)
"""


def test_a_stream_that_is_open_when_a_plain_provider_goes(endpoint: AzureAIInferenceEndpoint) -> None:
    """A stream still open at exit is exported by a plain provider too, though that was made after our import."""
    endpoint.reply(stream_reply([Gate()]))
    run = subprocess.run(
        [sys.executable, '-c', LATE_PROVIDER, endpoint.url], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, 'chat gpt-4o', '')
