"""What fuzzing and reading the code have found: each case once made a fault, a lost batch or a lost span."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind

import logfire
from logfire._internal.integrations.llm_providers.azure_ai_inference.stream import FoldingText
from tests.hostile.calls import Arguments, Call, check_nothing_changes, told
from tests.hostile.test_replies import CALL, CHUNKS, REPLY, VECTORS, hi, whole
from tests.hostile.transports import Answer, InProcessClient
from tests.hostile.values import Raw, Role, Undecided, Word, dumps, nested_dict
from tests.hostile.watch import Watch
from tests.otel_integrations.azure_ai_inference.conftest import Colour

REPLIES: dict[str, Any] = {
    'null': None,
    'a list': [3],
    'choices that are none': {**REPLY, 'choices': [3, None, {'message': 'text'}]},
    'counts beyond 64 bits': {**REPLY, 'usage': {'prompt_tokens': 2**64, 'completion_tokens': -1}},
    'surrogates': {**REPLY, 'id': '\ud800', 'model': '\ud800'},
    'arguments nested deeply': {
        **REPLY,
        'choices': [{'message': {'tool_calls': [{'function': {'name': 'f', 'arguments': '[' * 100_000}}]}}],
    },
}


@pytest.mark.parametrize('reply', REPLIES.values(), ids=REPLIES)
def test_replies(reply: Any, colour: Colour, watch: Watch) -> None:
    """Whole replies."""
    check_nothing_changes(watch, Call(colour, 'complete', whole(reply), hi))


CHUNK_SETS: dict[str, list[Any]] = {
    'indexes of several kinds': [
        {'choices': [{'index': index, 'delta': {'content': 'x', 'tool_calls': [{**CALL, 'index': index}]}}]}
        for index in ({'odd': 1}, [1], 'one', 1.5, None, 2**70, 0)
    ],
    'chunks that are none': [*CHUNKS, [], 3, {'choices': [3, [], None]}],
}


@pytest.mark.parametrize('chunks', CHUNK_SETS.values(), ids=CHUNK_SETS)
def test_chunks(chunks: list[Any], colour: Colour, watch: Watch) -> None:
    """Streams."""
    answer = Answer([f'data: {dumps(chunk)}\n\n'.encode() for chunk in chunks])
    check_nothing_changes(watch, Call(colour, 'complete', answer, lambda: hi(stream=True)))


@pytest.mark.parametrize(
    'headers',
    [
        {'x-ratelimit-remaining-tokens': '9' * 5000},
        {'x-ratelimit-remaining-requests': '9' * 30},
        {'x-ms-request-id': '\udcff'},
        {'apim-request-id': 'x' * 5000},
    ],
)
def test_headers(headers: dict[str, str], colour: Colour, watch: Watch) -> None:
    """Headers of a response."""
    check_nothing_changes(watch, Call(colour, 'complete', whole(REPLY, 200, headers), hi))


def image(url: str) -> Any:
    return [{'role': 'user', 'content': [{'type': 'image_url', 'image_url': {'url': url}}]}]


def function(**function: Any) -> Any:
    return [{'type': 'function', 'function': {'name': 'f', **function}}]


def cycle() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value['self'] = value
    return value


ARGUMENTS: dict[str, Arguments] = {
    'an address with a surrogate': lambda: {'messages': image('data:text/plain,%ff\ud800')},
    'a float beyond floats': lambda: hi(temperature=10**400),
    'no number': lambda: hi(temperature=float('nan')),
    'an integer beyond 64 bits': lambda: hi(seed=2**70),
    'an integer below 64 bits': lambda: hi(seed=-(2**70)),
    'a text that will not be text': lambda: hi(model=Word('word')),
    'an enum of strings': lambda: {'messages': [{'role': Role.USER, 'content': Role.ODD}], 'model': Role.ODD},
    'a model with surrogates': lambda: hi(model='\ud800'),
    'stop sequences with surrogates': lambda: hi(stop=['\ud800', 3]),
    'an undecided flag': lambda: hi(stream=Undecided()),
    'undecided extras': lambda: hi(model_extras=Undecided()),
    'bytes nested deeply': lambda: {'body': b'[' * 100_000},
    'bytes that are no JSON': lambda: {'body': b'\xff'},
    'a cycle': lambda: hi(tools=function(parameters=cycle())),
    'tools nested deeply': lambda: hi(tools=function(parameters=nested_dict(100_000))),
    'messages nested deeply': lambda: {'messages': [{'role': 'tool', 'content': nested_dict(100_000)}]},
}


@pytest.mark.parametrize('arguments', ARGUMENTS.values(), ids=ARGUMENTS)
def test_arguments(arguments: Arguments, colour: Colour, watch: Watch) -> None:
    """Arguments of a call."""
    check_nothing_changes(watch, Call(colour, 'complete', whole(REPLY), arguments))


def test_embeddings_of_nothing(colour: Colour, watch: Watch) -> None:
    """A reply whose vectors are none."""
    check_nothing_changes(
        watch, Call(colour, 'embed', whole({**VECTORS, 'data': [Raw('1e999'), 3]}), lambda: {'input': ['a', 3]})
    )


def test_an_endpoint_that_is_no_address(watch: Watch) -> None:
    """The call fails as it does without us, in a span that does not say where it went."""
    made = InProcessClient(Colour('sync'), Colour('sync').chat_class, whole(REPLY))
    made.client._config.endpoint = 'https://[half'
    with pytest.raises(Exception) as without:  # noqa: PT011 - whichever the client raises
        made.client.complete(**hi())
    with logfire.instrument_azure_ai_inference(), pytest.raises(type(without.value)) as with_us:
        made.client.complete(**hi())
    assert told(with_us.value) == told(without.value)
    (span,) = watch.spans
    watch.check()
    assert 'server.address' not in (span.attributes or {})


MANY = 1_100
WITHOUT_END: dict[str, tuple[Any, Callable[[Any], int]]] = {
    'choices': (
        {'choices': [{'index': index, 'delta': {'content': 'x'}} for index in range(MANY)]},
        lambda attributes: len(json.loads(attributes['gen_ai.output.messages'])),
    ),
    'tool calls': (
        {'choices': [{'delta': {'tool_calls': [{**CALL, 'index': index} for index in range(MANY)]}}]},
        lambda attributes: len(json.loads(attributes['gen_ai.output.messages'])[0]['parts']),
    ),
    'categories': (
        {'choices': [{'content_filter_results': {f'category {n}': {'filtered': True} for n in range(MANY)}}]},
        lambda attributes: len(json.loads(attributes['azure.ai.inference.content_filter.completion_results'])[0]),
    ),
}


@pytest.mark.parametrize(('chunk', 'count'), WITHOUT_END.values(), ids=WITHOUT_END)
def test_streams_without_end(chunk: Any, count: Callable[[Any], int], watch: Watch) -> None:
    """Of what a stream may bring without end, the first thousand are kept."""
    made = InProcessClient(
        Colour('sync'), Colour('sync').chat_class, Answer([f'data: {dumps(chunk)}\n\n'.encode()] * 2)
    )
    with logfire.instrument_azure_ai_inference():
        list(made.client.complete(**hi(stream=True)))
    (span,) = watch.spans
    watch.check()
    assert count(span.attributes) == 1_000


@pytest.mark.parametrize(('size', 'more'), [(100_000, 100_000), (4_000, 256 * 4_000)])
def test_text_without_end(size: int, more: int) -> None:
    """Of a streamed text no more is held in memory than can be recorded, and the pieces that wait to be joined."""
    text = FoldingText()
    for _ in range(10_000_000 // size):
        text.append('x' * size)
    assert 2**20 < len(str(text)) <= 2**20 + more


def test_streamed_text_without_end(watch: Watch) -> None:
    """A stream of short pieces without end is recorded up to what an attribute can hold."""
    chunk = {'choices': [{'index': 0, 'delta': {'content': 'x' * 4_000}, 'finish_reason': None}]}
    made = InProcessClient(
        Colour('sync'), Colour('sync').chat_class, Answer([f'data: {dumps(chunk)}\n\n'.encode()] * 1_000)
    )
    with logfire.instrument_azure_ai_inference():
        list(made.client.complete(**hi(stream=True)))
    (span,) = watch.spans
    watch.check()
    recorded = str((span.attributes or {})['gen_ai.output.messages'])
    assert 2**20 < len(recorded) < 2**20 + 1_000


def test_whole_replies_without_end(watch: Watch) -> None:
    """Of a whole reply the first thousand choices are read, and as many stop sequences of a request."""
    reply = {**REPLY, 'choices': [{'finish_reason': 'stop'}] * MANY}
    made = InProcessClient(Colour('sync'), Colour('sync').chat_class, whole(reply))
    with logfire.instrument_azure_ai_inference():
        made.client.complete(**hi(stop=['x'] * MANY))
    (span,) = watch.spans
    watch.check()
    attributes: dict[str, Sequence[Any]] = {**(span.attributes or {})}  # pyright: ignore[reportAssignmentType]
    assert len(attributes['gen_ai.response.finish_reasons']) == 1_000
    assert len(attributes['gen_ai.request.stop_sequences']) == 1_000


def test_a_file_whose_name_is_no_text(watch: Watch) -> None:
    """The place in the code is told even where the file system's names are not UTF-8."""
    code = compile('import logfire\nlogfire.info("x")\n', '/work\udcff/app.py', 'exec')
    exec(code, {})
    (span,) = watch.spans
    watch.check()
    assert (span.attributes or {})['code.filepath'] == '/work\\udcff/app.py'


OTHERS: dict[str, dict[str, Any]] = {
    'messages nested deeply': {'gen_ai.input.messages': '[' * 100_000},
    'messages that are none': {'gen_ai.output.messages': '3'},
    'reasons that are none': {'gen_ai.response.finish_reasons': 3},
    'tags that are none': {'logfire.tags': 3},
    'a cost that is no number': {'operation.cost': 'x', 'gen_ai.usage.input_tokens': float('inf')},
    'a size beyond floats': {
        'gen_ai.output.messages': f'[{{"role": "user", "parts": [{{"type": "blob", "size": 1{"0" * 400}}}]}}]'
    },
    'a schema that is none': {'logfire.json_schema': '{"properties": {"a": 3, "b": {"type": "object"}}}', 'a': 'x'},
    'a schema nested deeply': {'logfire.json_schema': '[' * 100_000},
    'a schema of a schema': {
        'logfire.json_schema': '{"properties": {"a": {"type": "object", "properties": [1]}}}',
        'a': '{"b": 1}',
    },
}


@pytest.mark.parametrize('attributes', OTHERS.values(), ids=OTHERS)
def test_spans_of_others(attributes: dict[str, Any], watch: Watch) -> None:
    """Spans of other libraries that use our names, and the conventions', for something else, are shown all the same."""
    tracer = trace.get_tracer_provider().get_tracer('other')
    with tracer.start_as_current_span(
        'other', kind=SpanKind.CLIENT, attributes={'gen_ai.operation.name': 'chat', **attributes}
    ):
        logfire.info('within')
    tracer.start_span('another', attributes=attributes).end()
    assert len(watch.spans) == 3
    watch.check_harmless()
    assert all(shown in watch.console.getvalue() for shown in ('chat', 'within', 'another'))


def test_what_is_harmless_is_left_alone(watch: Watch) -> None:
    """Events, links, statuses and values of others that OTLP carries stay the objects they are."""
    tracer = trace.get_tracer_provider().get_tracer('other')
    span: Any = tracer.start_span('x', attributes={'several': ['a', 'b'], 'n': 1})
    span.add_event('event', {'é': ['日本', 'b']})
    span.add_link(span.get_span_context(), {'a': 1})
    span.end()
    (copy,) = watch.spans
    assert copy.events[0] is span.events[0]
    assert copy.links[0] is span.links[0]
    assert copy.status is span.status
    assert copy.attributes is not None
    assert copy.attributes['several'] == ('a', 'b')
