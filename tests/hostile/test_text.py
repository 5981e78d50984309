"""Hostile text, wherever it comes in: stored as it is or bounded, shown harmlessly, valid JSON and valid OTLP."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, strategies as st
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber, get_logger_provider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

import logfire
from logfire._internal.json_encoder import utf8_text
from logfire.testing.azure_ai_inference import (
    AzureAIInferenceEndpoint,
    Delta,
    ToolCall,
    chat_reply,
    error_reply,
    stream_reply,
)
from tests.collector import Collector
from tests.hostile.examples import EXAMPLES
from tests.hostile.values import TEXTS, factories, json_values, nested, nested_dict, texts
from tests.hostile.watch import Watch, check_json, check_otlp
from tests.otel_integrations.azure_ai_inference.conftest import Colour, new_client

HUGE = 10_000_000
BOUND = 2**20 + len('<truncated>')

# One text of all that is hostile at once, short enough to be kept whole wherever it stands.
NASTY = ''.join(text for text in TEXTS if len(text) < 100)


@pytest.fixture
def endpoint() -> Any:
    with AzureAIInferenceEndpoint() as endpoint:
        yield endpoint


async def converse(colour: Colour, endpoint: AzureAIInferenceEndpoint, text: str, *, stream: bool) -> None:
    """A call with the text in every place where a request takes one."""
    client = new_client(colour.chat_class, endpoint, retry_total=0)
    arguments: dict[str, Any] = {
        'messages': [
            {'role': 'system', 'content': text},
            {'role': 'user', 'name': text, 'content': [{'type': 'text', 'text': text}, {'type': text, text: text}]},
            {'role': 'assistant', 'tool_calls': [{'id': text, 'function': {'name': text, 'arguments': text}}]},
            {'role': 'tool', 'tool_call_id': text, 'content': text},
        ],
        'tools': [{'type': 'function', 'function': {'name': text, 'description': text, 'parameters': {text: text}}}],
        'stop': [text],
        'model': text,
        'stream': stream,
    }
    try:
        result = await colour.result(client.complete(**arguments))
        if stream:
            await colour.read(result)
    except Exception:  # noqa: S110 - what the caller gets is the client's affair
        pass
    await colour.close(client)


REPLIES: dict[str, Callable[[str], Any]] = {
    'whole': lambda text: chat_reply(
        text,
        id=text,
        model=text,
        finish_reason=text,
        reasoning=text,
        tool_calls=[ToolCall(text, {text: text}, id=text)],
        headers={'x-ms-request-id': 'id\x9b31m'},
    ),
    'stream': lambda text: stream_reply(
        [Delta(text), Delta(reasoning=text), Delta(tool_calls=[ToolCall(text, json.dumps({text: text}), id=text)])],
        id=text,
        model=text,
        finish_reason=text,
    ),
    'error': lambda text: error_reply(
        400,
        code=text,
        message=text,
        innererror={'content_filter_result': {text: {'filtered': text, 'severity': text}}},
        headers={'apim-request-id': 'id\x85\x9b'},
    ),
}


@pytest.mark.parametrize('kind', REPLIES)
def test_a_call_of_hostile_text(kind: str, colour: Colour, endpoint: AzureAIInferenceEndpoint, watch: Watch) -> None:
    """Hostile text in every place of a request and of its reply, over HTTP."""
    # The endpoint's own JSON is UTF-8, which has no lone surrogates; the replies of test_replies.py have them.
    text = NASTY.encode('utf-8', 'ignore').decode()
    endpoint.reply(REPLIES[kind](text))
    with logfire.instrument_azure_ai_inference():
        colour.run(converse(colour, endpoint, text, stream=kind == 'stream'))
    (span,) = watch.spans
    watch.check()
    messages = json.loads(str((span.attributes or {})['gen_ai.input.messages']))
    assert messages[0]['parts'] == [{'type': 'text', 'content': text}]
    assert messages[2]['parts'][0]['name'] == text


@pytest.mark.parametrize('kind', REPLIES)
def test_a_call_of_ten_megabytes(kind: str, colour: Colour, endpoint: AzureAIInferenceEndpoint, watch: Watch) -> None:
    """No attribute of a call holds more than 2**20 characters of text, however many are sent; names a thousand."""
    text = 'x' * (HUGE // 20)  # In some twenty places.
    endpoint.reply(REPLIES[kind](text))
    with logfire.instrument_azure_ai_inference():
        colour.run(converse(colour, endpoint, text, stream=kind == 'stream'))
    (span,) = watch.spans
    watch.check()
    assert len(span.name) < 1100
    for name, value in (span.attributes or {}).items():
        assert len(str(value)) < (2**20 * 1.1 if name.endswith(('messages', 'definitions', 'results')) else 1100), name
    assert len(watch.console.getvalue()) < 200_000


@EXAMPLES
@given(
    template=texts,
    name=st.none() | texts,
    tags=st.lists(texts, max_size=2),
    attributes=st.dictionaries(
        texts.filter(lambda text: not text.startswith('_') and text != 'msg_template'), factories, max_size=4
    ),
    message=texts,
    late=st.dictionaries(texts, factories, max_size=2),
)
@pytest.mark.filterwarnings('ignore:The message template could not be formatted', 'ignore:The integer attribute')
def test_any_span_and_log(
    template: str,
    name: str | None,
    tags: list[str],
    attributes: dict[str, Any],
    message: str,
    late: dict[str, Any],
    watch: Watch,
) -> None:
    """Any text as template, name, tag, attribute, message and exception of a span and of a log."""
    given_now: dict[str, Any] = {key or 'empty': make() for key, make in attributes.items()}
    try:
        with (
            pytest.raises(ZeroDivisionError),
            logfire.span(template, _span_name=name, _tags=tags, **given_now) as span,
        ):
            logfire.info(template, _tags=tags, **given_now)
            span.message = message
            span.tags = tags
            span.set_attributes({key or 'empty': make() for key, make in late.items()})
            span.record_exception(RuntimeError(message), attributes={message or 'empty': message})
            span.add_link(span.get_span_context() or trace.INVALID_SPAN_CONTEXT, {message or 'empty': message})
            raise ZeroDivisionError(message)
        assert [each.attributes['logfire.span_type'] for each in watch.spans if each.attributes] == ['log', 'span']
        watch.check()
    finally:
        watch.clear()


@EXAMPLES
@given(
    name=texts,
    attributes=st.dictionaries(
        st.sampled_from(
            [
                'logfire.msg_template',
                'logfire.json_schema',
                'logfire.span_type',
                'logfire.level_num',
                'logfire.tags',
                'logfire.scrubbed',
                'code.filepath',
                'gen_ai.operation.name',
                'gen_ai.request.model',
                'gen_ai.response.finish_reasons',
                'gen_ai.input.messages',
                'gen_ai.output.messages',
                'gen_ai.tool.definitions',
                'gen_ai.usage.input_tokens',
                'gen_ai.response.time_to_first_chunk',
                'operation.cost',
                'http.request.resend_count',
                'logfire.stream.outcome',
                'error.type',
                '\ud800',
            ]
        ),
        texts
        | st.integers()
        | st.floats()
        | st.booleans()
        | st.lists(texts, max_size=2)
        | json_values.map(json.dumps)
        | st.sampled_from(
            [
                '[' * 100_000,
                json.dumps(nested(500)),
                '{"properties": 3}',
                '{"properties": {"a": 3, "operation.cost": {"type": "object", "properties": []}}}',
                '{"properties": {"gen_ai.input.messages": {"type": "array", "items": 3}}}',
                '[{"role": 1, "parts": [{"type": "tool_call", "arguments": {"a b": 1}}]}]',
                f'[{{"role": "user", "parts": [{{"type": "text"}}, {{"type": "blob", "size": {10**400}}}]}}]',
            ]
        ),
        max_size=5,
    ),
    kind=st.sampled_from(SpanKind),
)
def test_any_span_of_another_library(name: str, attributes: dict[str, Any], kind: SpanKind, watch: Watch) -> None:
    """Any span of another instrumentation, with attributes named as ours: it breaks its own meaning only."""
    tracer = trace.get_tracer_provider().get_tracer('other')
    try:
        with tracer.start_as_current_span(name, kind=kind, attributes=attributes) as span:
            span.add_event(name, {name or 'empty': name})
            span.set_status(Status(StatusCode.ERROR, name))
            logfire.info('within')
        assert len(watch.spans) == 2
        watch.check_harmless()
    finally:
        watch.clear()


def test_log_records_of_another_library(watch: Watch) -> None:
    """The same of OpenTelemetry's logs API."""
    with Collector() as collector:
        logfire.configure(
            send_to_logfire=True,
            token='pylf_v1_us_x',
            console=logfire.ConsoleOptions(output=watch.console),
            advanced=logfire.AdvancedOptions(base_url=collector.url),
        )
        logger = get_logger_provider().get_logger('other')
        logger.emit(LogRecord(body=NASTY, severity_number=SeverityNumber.WARN, attributes={NASTY: NASTY, 'n': 2**70}))
        logger.emit(LogRecord(body='next', severity_number=SeverityNumber.WARN))
        logfire.force_flush()
        assert collector.log_bodies() == [utf8_text(NASTY), 'next']
    watch.check_console()


class Teapot(Exception):
    """An exception that says what it is told to."""


@pytest.mark.parametrize('text', [NASTY, '\ud800' * 10, '\0'], ids=['all', 'surrogates', 'null'])
def test_the_collector_gets_it(text: str, watch: Watch) -> None:
    """What is hostile arrives at a collector, beside what is not: no batch is lost for it."""
    with Collector() as collector:
        logfire.configure(
            send_to_logfire=True,
            token='pylf_v1_us_x',
            console=False,
            service_name=text,
            resource_attributes={text: text},
            advanced=logfire.AdvancedOptions(base_url=collector.url),
        )
        with pytest.raises(Teapot), logfire.span('{text}', text=text, _tags=[text], _span_name=text):
            raise Teapot(text)
        tracer = trace.get_tracer_provider().get_tracer('other')
        with tracer.start_as_current_span(text, attributes={text: text}) as span:
            span.add_event(text, {text: text})
            span.add_link(span.get_span_context(), {text: text})
            span.set_status(StatusCode.ERROR, text)
        logfire.info('harmless')
        logfire.force_flush()
        arrived = [span for span in collector.spans() if not is_pending(span)]
    carried = utf8_text(text)
    assert sorted(span.name for span in arrived) == sorted([carried, carried, 'harmless'])
    assert {span.status.message for span in arrived} == {f'Teapot: {carried}', carried, ''}
    assert carried in [event.name for span in arrived for event in span.events]
    assert [each.key for span in arrived for link in span.links for each in link.attributes] == [carried]
    other = {each.key: each.value.string_value for span in arrived for each in span.attributes}
    assert other[carried] == other['text'] == carried
    assert watch.reports == []


def is_pending(span: Any) -> bool:
    return any(each.value.string_value == 'pending_span' for each in span.attributes)


def cycle() -> list[Any]:
    value: list[Any] = []
    value.append({'self': value})
    return value


DEEP: Sequence[Callable[[], Any]] = (
    lambda: nested(100_000),
    lambda: nested_dict(100_000),
    cycle,
    lambda: {'a' * HUGE: 'b' * HUGE},
    lambda: ['x'] * 1_000_000,
)


@pytest.mark.parametrize('make', DEEP)
def test_values_without_end(make: Callable[[], Any], watch: Watch) -> None:
    """A value that is nested beyond Python's own limits, holds itself or is vast is bounded, and says so."""
    value = make()
    logfire.info('x', value=value)
    (span,) = watch.spans
    watch.check()
    text = str((span.attributes or {})['value'])
    assert len(text) < BOUND * 1.1
    assert any(said in text for said in ('nested too deeply', 'circular reference', '<truncated>'))


@pytest.mark.parametrize('stream', [False, True])
def test_arguments_without_end(stream: bool, colour: Colour, endpoint: AzureAIInferenceEndpoint, watch: Watch) -> None:
    """So is what a model is asked with, and what it wants of a tool; the call itself is the client's affair."""
    endpoint.reply(stream_reply([Delta(tool_calls=[ToolCall('f', '[' * 100_000)])]) if stream else chat_reply('hello'))

    async def body() -> None:
        client = new_client(colour.chat_class, endpoint)
        parameters = {} if stream else nested_dict(100_000)
        tools = [{'type': 'function', 'function': {'name': 'f', 'parameters': parameters}}]
        try:
            result = await colour.result(
                client.complete(messages=[{'role': 'user', 'content': 'x'}], tools=tools, stream=stream)
            )
            if stream:
                await colour.read(result)
        except RecursionError:
            assert not stream
        await colour.close(client)

    with logfire.instrument_azure_ai_inference():
        colour.run(body())
    (span,) = watch.spans
    watch.check()
    assert ('nested too deeply' in str((span.attributes or {})['gen_ai.tool.definitions'])) is not stream


def test_text_of_ten_megabytes(watch: Watch) -> None:
    """Ten megabytes as template, name, message, tag, value or exception are cut after 2**20 characters, or fewer."""
    text = 'x' * HUGE
    named: dict[str, Any] = {text: 1, 'value': text}
    with pytest.raises(Teapot), logfire.span(text, _span_name=text, _tags=[text], **named) as span:
        span.message = text
        raise Teapot(text)
    (span,) = watch.spans
    watch.check()
    assert len(span.name) == BOUND
    for name, value in (span.attributes or {}).items():
        assert len(name) < 1100
        assert len(str(value)) <= BOUND, name
    assert len(span.status.description or '') <= BOUND
    for value in (span.events[0].attributes or {}).values():
        assert len(str(value)) <= BOUND
    assert len(watch.console.getvalue()) < 200_000


def test_names_of_ours(watch: Watch) -> None:
    """An attribute called as one of ours is recorded under its name, apart from those that say what a span is."""
    names = ['gen_ai.input.messages', 'gen_ai.operation.name', 'logfire.metrics', 'logfire.scrubbed', 'error.type']
    given: dict[str, Any] = {**{name: name for name in names}, 'logfire.span_type': 'x', 'logfire.json_schema': 'x'}
    logfire.info('hello', **given)
    (span,) = watch.spans
    watch.check()
    attributes = span.attributes or {}
    assert {name: attributes[name] for name in names} == {name: name for name in names}
    assert attributes['logfire.span_type'] == 'log'
    assert json.loads(str(attributes['logfire.json_schema']))['type'] == 'object'
    assert watch.console.getvalue().splitlines()[0].endswith('hello')


def test_no_line_passes_for_another(watch: Watch) -> None:
    """The further lines of a message stand below its first one: none begins where the time of another entry would."""
    forged = 'x\n00:00:00.000 all is well'
    with logfire.span(forged):
        logfire.error('{forged}', forged=forged, _tags=[forged], _exc_info=Teapot(forged))
    lines = watch.console.getvalue().splitlines()
    assert [line for line in lines if line.startswith('00:00:00.000')] == []
    assert len([line for line in lines if '00:00:00.000 all is well' in line]) == 5


def test_the_checks_are_not_blind() -> None:
    """What OTLP cannot carry, and what a terminal acts on, fail the checks that the tests above make."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer('x').start_span('\ud800').end()
    with pytest.raises(UnicodeEncodeError):
        check_otlp(exporter.get_finished_spans())
    watch = Watch()
    watch.console.write('\x1b[2J')
    with pytest.raises(AssertionError):
        watch.check_console()
    with pytest.raises(AssertionError):
        check_json({'a': '[NaN]', 'logfire.json_schema': '{"properties": {"a": {"type": "array"}}}'})
