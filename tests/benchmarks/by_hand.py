"""What an engineer writes by hand: OpenTelemetry spans with the very attributes of ours, and the standard json module.

It does what these calls need and no more: nothing is guarded, every field taken for granted, a stream is a generator.
So it stands for the least that the same telemetry costs. `rows` checks that both export the same.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from time import perf_counter
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Tracer

from tests.benchmarks.calls import MODEL

_CONSTANT: Mapping[str, Any] = {
    'logfire.span_type': 'span',
    'code.filepath': 'tests/benchmarks/pairing.py',
    'code.function': 'repeated.<locals>.block',
    'code.lineno': 57,
    'gen_ai.provider.name': 'azure.ai.inference',
    'azure.resource_provider.namespace': 'Microsoft.CognitiveServices',
    'server.address': 'models.example.com',
    'logfire.tags': ('LLM',),
}

_ARRAY = '{"type":"array"}'


def _schema(*names: str) -> str:
    properties = ','.join(f'"{name}":{_ARRAY}' for name in names)
    return f'{{"type":"object","properties":{{{properties}}}}}'


_SCHEMA = _schema('gen_ai.input.messages')
_SCHEMA_END = _schema('gen_ai.input.messages', 'gen_ai.output.messages')
_SCHEMA_TOOLS = _schema('gen_ai.input.messages', 'gen_ai.tool.definitions')
_SCHEMA_TOOLS_END = _schema('gen_ai.input.messages', 'gen_ai.tool.definitions', 'gen_ai.output.messages')


# US dollars a token, as genai-prices has them for the model.
_INPUT_PRICE = 0.15e-6
_OUTPUT_PRICE = 0.6e-6


def _cost(usage: Any) -> float:
    return round(usage['prompt_tokens'] * _INPUT_PRICE + usage['completion_tokens'] * _OUTPUT_PRICE, 9)


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(',', ':'))


def _message(message: Any) -> dict[str, Any]:
    return {'role': message['role'], 'parts': [{'type': 'text', 'content': message['content']}]}


def _chat_attributes(messages: list[Any], tools: list[Any] | None, *, stream: bool) -> dict[str, Any]:
    attributes = {
        **_CONSTANT,
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': MODEL,
        'gen_ai.input.messages': _dumps([_message(message) for message in messages]),
        'logfire.msg_template': 'Chat completion with {gen_ai.request.model!r}',
        'logfire.msg': f'Chat completion with {MODEL!r}',
        'logfire.json_schema': _SCHEMA_TOOLS if tools else _SCHEMA,
    }
    if stream:
        attributes['gen_ai.request.stream'] = True
    if tools:
        attributes['gen_ai.tool.definitions'] = _dumps([{'type': tool['type'], **tool['function']} for tool in tools])
    return attributes


def _start(tracer: Tracer, attributes: dict[str, Any]) -> Span:
    return tracer.start_span(f'chat {MODEL}', kind=SpanKind.CLIENT, attributes=attributes)


def _finish(span: Span, reply: Any, tools: list[Any] | None) -> None:
    choice = reply['choices'][0]
    usage = reply['usage']
    output = {
        'role': choice['message']['role'],
        'parts': [{'type': 'text', 'content': choice['message']['content']}],
        'finish_reason': choice['finish_reason'],
    }
    span.set_attributes(
        {
            'gen_ai.response.id': reply['id'],
            'gen_ai.response.model': reply['model'],
            'gen_ai.response.finish_reasons': (choice['finish_reason'],),
            'gen_ai.usage.input_tokens': usage['prompt_tokens'],
            'gen_ai.usage.output_tokens': usage['completion_tokens'],
            'gen_ai.output.messages': _dumps([output]),
            'operation.cost': _cost(usage),
            'logfire.json_schema': _SCHEMA_TOOLS_END if tools else _SCHEMA_END,
        }
    )
    span.end()


def complete(tracer: Tracer, client: Any, messages: list[Any], tools: list[Any] | None = None) -> Any:
    """A whole reply."""
    span = _start(tracer, _chat_attributes(messages, tools, stream=False))
    with trace.use_span(span):
        reply = client.complete(messages=messages, model=MODEL, tools=tools)
    _finish(span, reply, tools)
    return reply


async def acomplete(tracer: Tracer, client: Any, messages: list[Any], tools: list[Any] | None = None) -> Any:
    """A whole reply of an async client."""
    span = _start(tracer, _chat_attributes(messages, tools, stream=False))
    with trace.use_span(span):
        reply = await client.complete(messages=messages, model=MODEL, tools=tools)
    _finish(span, reply, tools)
    return reply


class _Stream:
    """What a generator notes of its chunks."""

    __slots__ = ('finish_reason', 'first', 'head', 'start', 'texts', 'usage')

    def __init__(self) -> None:
        self.start = perf_counter()
        self.first = 0.0
        self.head: Any = None
        self.texts: list[str] = []
        self.finish_reason: str | None = None
        self.usage: Any = None

    def take(self, chunk: Any) -> None:
        if self.head is None:
            self.first = perf_counter() - self.start
            self.head = chunk
        choices = chunk['choices']
        if choices:
            choice = choices[0]
            text = choice['delta'].get('content')
            if text:
                self.texts.append(text)
            if choice['finish_reason']:
                self.finish_reason = choice['finish_reason']
        else:
            self.usage = chunk['usage']

    def finish(self, span: Span) -> None:
        output = {
            'role': 'assistant',
            'parts': [{'type': 'text', 'content': ''.join(self.texts)}],
            'finish_reason': self.finish_reason,
        }
        span.set_attributes(
            {
                'gen_ai.response.id': self.head['id'],
                'gen_ai.response.model': self.head['model'],
                'gen_ai.response.finish_reasons': (self.finish_reason,),
                'gen_ai.usage.input_tokens': self.usage['prompt_tokens'],
                'gen_ai.usage.output_tokens': self.usage['completion_tokens'],
                'gen_ai.output.messages': _dumps([output]),
                'operation.cost': _cost(self.usage),
                'logfire.json_schema': _SCHEMA_END,
                'logfire.stream.outcome': 'completed',
                'gen_ai.response.time_to_first_chunk': self.first,
            }
        )
        span.end()


def stream(tracer: Tracer, client: Any, messages: list[Any]) -> Iterator[Any]:
    """A streamed reply, as a generator."""
    span = _start(tracer, _chat_attributes(messages, None, stream=True))
    noted = _Stream()
    with trace.use_span(span):
        chunks = client.complete(messages=messages, model=MODEL, stream=True)
    for chunk in chunks:
        noted.take(chunk)
        yield chunk
    noted.finish(span)


async def astream(tracer: Tracer, client: Any, messages: list[Any]) -> AsyncIterator[Any]:
    """A streamed reply of an async client, as an async generator."""
    span = _start(tracer, _chat_attributes(messages, None, stream=True))
    noted = _Stream()
    with trace.use_span(span):
        chunks = await client.complete(messages=messages, model=MODEL, stream=True)
    async for chunk in chunks:
        noted.take(chunk)
        yield chunk
    noted.finish(span)


def embed(tracer: Tracer, client: Any, inputs: list[str]) -> Any:
    """Embeddings, without their inputs: nobody records these by hand."""
    span = tracer.start_span(
        f'embeddings {MODEL}',
        kind=SpanKind.CLIENT,
        attributes={
            **_CONSTANT,
            'gen_ai.operation.name': 'embeddings',
            'gen_ai.request.model': MODEL,
            'logfire.msg_template': 'Embeddings with {gen_ai.request.model!r}',
            'logfire.msg': f'Embeddings with {MODEL!r}',
        },
    )
    with trace.use_span(span):
        reply = client.embed(input=inputs, model=MODEL)
    span.set_attributes(
        {
            'gen_ai.response.model': reply['model'],
            'gen_ai.usage.input_tokens': reply['usage']['prompt_tokens'],
            'gen_ai.embeddings.dimension.count': len(reply['data'][0]['embedding']),
        }
    )
    span.end()
    return reply
