"""With content off, no byte of what anybody wrote leaves; credentials never do."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

import logfire
from logfire._internal import errors
from logfire.testing.azure_ai_inference import (
    AzureAIInferenceEndpoint,
    Cut,
    Delta,
    Reply,
    ToolCall,
    chat_reply,
    embeddings_reply,
    error_reply,
    raw_reply,
    stream_reply,
)
from tests.otel_integrations.azure_ai_inference.conftest import Colour, Spans, new_client

MARK = 'zqmarker'
VARIABLE = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT'


class Everything:
    """All that the SDK emits: spans, metrics, the console, internal reports, warnings."""

    def __init__(self) -> None:
        self.spans = Spans()
        self.console = io.StringIO()
        self.metrics = InMemoryMetricReader()
        logfire.configure(
            send_to_logfire=False,
            console=logfire.ConsoleOptions(output=self.console, verbose=True, colors='never', min_log_level='trace'),
            metrics=logfire.MetricsOptions(additional_readers=[self.metrics]),
            additional_span_processors=[SimpleSpanProcessor(self.spans)],
        )

    def text(self, caplog: pytest.LogCaptureFixture) -> str:
        spans = self.spans.all
        metrics = self.metrics.get_metrics_data()
        ours = [record.getMessage() for record in caplog.records if record.name.startswith('logfire')]
        return '\n'.join([*map(as_text, spans), str(metrics and metrics.to_json()), self.console.getvalue(), *ours])


def as_text(span: ReadableSpan) -> str:
    return span.to_json()


@pytest.fixture
def everything() -> Everything:
    return Everything()


REQUEST: dict[str, Any] = {
    'messages': [
        {'role': 'system', 'content': f'{MARK} system'},
        {'role': 'user', 'name': f'{MARK}_user', 'content': [
            {'type': 'text', 'text': f'{MARK} text'},
            {'type': 'image_url', 'image_url': {'url': f'https://example.com/{MARK}.png'}},
            {'type': 'image_url', 'image_url': {'url': f'data:image/png;base64,{MARK}'}},
            {'type': 'input_audio', 'input_audio': {'data': MARK, 'format': 'wav'}},
            {'type': 'hologram', 'hologram': MARK},
        ]},
        {'role': 'assistant', 'reasoning_content': f'{MARK} thought', 'tool_calls': [
            {'id': f'{MARK}_id', 'type': 'function',
             'function': {'name': f'{MARK}_call', 'arguments': f'{{"a": "{MARK}"}}'}}
        ]},
        {'role': 'tool', 'tool_call_id': f'{MARK}_id', 'content': f'{MARK} answer'},
    ],
    'tools': [
        {'type': 'function', 'function': {
            'name': f'{MARK}_tool', 'description': MARK, 'parameters': {'type': 'object', 'description': MARK}}}
    ],
    'stop': [f'{MARK} stop'],
    'response_format': {'type': 'json_schema', 'json_schema': {'name': f'{MARK}_format', 'schema': {'title': MARK}}},
}  # fmt: skip
CALLED = [ToolCall(f'{MARK}_called', f'{{"b": "{MARK}"}}')]
DELTAS = [Delta(f'{MARK} said'), Delta(reasoning=f'{MARK} thought'), Delta(tool_calls=CALLED)]

REPLIES: dict[str, tuple[Reply, bool]] = {
    'whole': (chat_reply(f'<think>{MARK}</think>{MARK}', reasoning=MARK, tool_calls=CALLED), False),
    'stream': (stream_reply(DELTAS), True),
    'cut stream': (stream_reply([*DELTAS, Cut()]), True),
    'refused by the service': (error_reply(400, code='content_filter', message=f'{MARK} is bad'), False),
    'error that quotes the prompt': (raw_reply(500, f'{MARK} broke it'.encode()), False),
    'broken reply': (raw_reply(200, f'{{"{MARK}'.encode()), False),
    'unreadable event': (stream_reply([*DELTAS, f': {MARK}\n\n'.encode()]), True),
    'reply that we cannot read': (raw_reply(200, json.dumps({'choices': [MARK]}).encode()), False),
}


async def converse(colour: Colour, endpoint: AzureAIInferenceEndpoint, *, stream: bool, most: int | None) -> None:
    client = new_client(colour.chat_class, endpoint, retry_total=0)
    try:
        result = await colour.result(client.complete({**REQUEST, 'stream': stream}))
        if stream:
            await colour.read(result, most)
            if most is not None:
                await colour.close(result)
    except Exception:  # noqa: S110 - what the caller gets is the client's affair; here it is what leaves
        pass
    await colour.close(client)


@pytest.mark.parametrize('most', [None, 2], ids=['to the end', 'cut short'])
@pytest.mark.parametrize(('reply', 'stream'), REPLIES.values(), ids=REPLIES)
def test_content_off_leaks_nothing(
    reply: Reply,
    stream: bool,
    most: int | None,
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    everything: Everything,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No marker planted in any content field of request and reply is in anything emitted, on any path."""
    monkeypatch.setattr(errors, 'strict', False)
    endpoint.reply(reply)
    with logfire.instrument_azure_ai_inference(capture_content=False):
        colour.run(converse(colour, endpoint, stream=stream, most=most))
    text = everything.text(caplog)
    assert 'gen_ai.operation.name' in text
    assert MARK not in text


def test_the_markers_are_found_with_content_on(
    endpoint: AzureAIInferenceEndpoint, everything: Everything, caplog: pytest.LogCaptureFixture
) -> None:
    """The search above finds what is there: with content on every marker is in the span, and some on the console."""
    endpoint.reply(REPLIES['whole'][0])
    with logfire.instrument_azure_ai_inference():
        Colour('sync').run(converse(Colour('sync'), endpoint, stream=False, most=None))
    span = everything.spans.one
    for found in ('system', 'text', 'answer', 'stop'):
        assert f'{MARK} {found}' in as_text(span)
    for found in ('_user', '_call', '_tool', '_called', '_id'):
        assert f'{MARK}{found}' in as_text(span)
    assert MARK in everything.console.getvalue()


def test_embeddings_with_content_off(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, everything: Everything, caplog: pytest.LogCaptureFixture
) -> None:
    """What is embedded stays out as well."""

    async def body() -> None:
        endpoint.reply(embeddings_reply([[0.5]]))
        client = new_client(colour.embeddings_class, endpoint)
        await colour.result(client.embed(input=[MARK]))
        await colour.close(client)

    with logfire.instrument_azure_ai_inference(capture_content=False):
        colour.run(body())
    assert MARK not in everything.text(caplog)
    assert (everything.spans.one.attributes or {})['gen_ai.usage.input_tokens'] == 8


@pytest.mark.parametrize('capture', [True, False])
@pytest.mark.parametrize('status', [200, 401])
def test_credentials_and_headers_never_leave(
    capture: bool,
    status: int,
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    everything: Everything,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The client's key and the caller's headers are in nothing emitted, content on or off, the call failed or not."""
    endpoint.reply(chat_reply('ok') if status == 200 else error_reply(401))

    async def body() -> None:
        client = new_client(colour.chat_class, endpoint, headers={'x-from-the-client': 'hdrmarker'})
        try:
            await colour.result(client.complete(messages=REQUEST['messages'], headers={'x-mine': 'hdrmarker'}))
        except Exception:
            assert status == 401
        await colour.close(client)

    with logfire.instrument_azure_ai_inference(capture_content=capture):
        colour.run(body())
    assert endpoint.requests[0].headers['x-mine'] == 'hdrmarker'
    text = everything.text(caplog)
    assert 'hdrmarker' not in text
    assert endpoint.key not in text


VALUES = {
    True: ['SPAN_ONLY', 'span_and_event', 'TRUE', 'true', '1', '', ' true '],
    False: ['NO_CONTENT', 'no_content', 'EVENT_ONLY', 'False', '0'],
}


@pytest.mark.parametrize(
    ('value', 'captured'), [(value, captured) for captured, values in VALUES.items() for value in values]
)
def test_the_variable(
    value: str, captured: bool, endpoint: AzureAIInferenceEndpoint, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The conventions' variable is read when instrumenting, whatever its case, and the argument beats it."""
    monkeypatch.setenv(VARIABLE, value)
    client = new_client(Colour('sync').chat_class, endpoint)
    for argument, expected in ((None, captured), (True, True), (False, False)):
        spans.clear()
        with logfire.instrument_azure_ai_inference(client, capture_content=argument):
            monkeypatch.setenv(VARIABLE, 'NO_CONTENT')
            client.complete(messages=REQUEST['messages'])
            monkeypatch.setenv(VARIABLE, value)
        assert ('gen_ai.input.messages' in (spans.one.attributes or {})) is expected


def test_a_variable_that_is_not_understood_is_off(
    endpoint: AzureAIInferenceEndpoint, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When in doubt nothing is recorded, and one warning says what is accepted."""
    monkeypatch.setenv(VARIABLE, 'perhaps')
    client = new_client(Colour('sync').chat_class, endpoint)
    with pytest.warns(UserWarning, match='is not understood: message content is not recorded. Accepted: NO_CONTENT'):
        undo = logfire.instrument_azure_ai_inference(client)
    with undo:
        client.complete(messages=REQUEST['messages'])
    assert 'gen_ai.input.messages' not in (spans.one.attributes or {})


def test_content_is_recorded_only_if_every_instrumentation_allows_it(
    endpoint: AzureAIInferenceEndpoint, spans: Spans
) -> None:
    """One instrumentation in force that forbids content is enough, even where another one decides."""
    client = new_client(Colour('sync').chat_class, endpoint)
    with (
        logfire.instrument_azure_ai_inference(capture_content=False),
        logfire.instrument_azure_ai_inference(client, capture_content=True),
    ):
        client.complete(messages=REQUEST['messages'])
    assert 'gen_ai.input.messages' not in (spans.one.attributes or {})
