"""Whatever a service replies, the caller sees what the client makes of it, and nothing of ours fails."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given, strategies as st

import logfire
from logfire.testing.azure_ai_inference import AzureAIInferenceEndpoint, raw_reply
from tests.hostile.calls import Call, check_nothing_changes, read, told
from tests.hostile.examples import EXAMPLES
from tests.hostile.transports import Answer
from tests.hostile.values import TEXTS, Change, changed, changes, dumps, json_values
from tests.hostile.watch import Watch
from tests.otel_integrations.azure_ai_inference.conftest import Colour, new_client

FILTERED = {'hate': {'filtered': False, 'severity': 'safe'}, 'jailbreak': {'filtered': False, 'detected': False}}
CALL = {'id': 'call_1', 'type': 'function', 'index': 0, 'function': {'name': 'f', 'arguments': '{"a": 1}'}}
REPLY: Any = {
    'id': 'chatcmpl-1',
    'object': 'chat.completion',
    'created': 1735689600,
    'model': 'gpt-4o',
    'choices': [
        {
            'index': 0,
            'finish_reason': 'stop',
            'message': {
                'role': 'assistant',
                'content': '<think>hm</think>Hello',
                'reasoning_content': 'hm',
                'refusal': 'no',
                'tool_calls': [CALL],
            },
            'content_filter_results': FILTERED,
        }
    ],
    'prompt_filter_results': [{'prompt_index': 0, 'content_filter_results': FILTERED}],
    'usage': {
        'prompt_tokens': 10,
        'completion_tokens': 5,
        'total_tokens': 15,
        'prompt_tokens_details': {'cached_tokens': 3},
        'completion_tokens_details': {'reasoning_tokens': 2},
    },
}
VECTORS: Any = {
    'object': 'list',
    'model': 'text-embedding-3-small',
    'data': [{'object': 'embedding', 'index': 0, 'embedding': [0.5, 0.25]}],
    'usage': {'prompt_tokens': 8, 'total_tokens': 8},
}
REFUSAL: Any = {
    'error': {
        'code': 'content_filter',
        'message': 'The prompt was filtered.',
        'target': 'prompt',
        'details': [{'code': 'a', 'message': 'b'}],
        'innererror': {'code': 'ResponsibleAIPolicyViolation', 'content_filter_result': FILTERED},
    }
}
CHUNKS: Any = [
    {
        'id': 'chatcmpl-1',
        'model': 'gpt-4o',
        'prompt_filter_results': REPLY['prompt_filter_results'],
        'choices': [{'index': 0, 'delta': {'role': 'assistant', 'content': '<think>hm'}, 'finish_reason': None}],
    },
    {'choices': [{'index': 0, 'delta': {'reasoning_content': 'hm', 'refusal': 'no'}, 'finish_reason': None}]},
    {'choices': [{'index': 0, 'delta': {'tool_calls': [CALL]}, 'content_filter_results': FILTERED}]},
    {'choices': [{'index': 1, 'delta': {'content': 'other'}, 'finish_reason': 'stop'}]},
    {'choices': [{'index': 0, 'delta': {}, 'finish_reason': 'tool_calls'}]},
    {'choices': [], 'usage': REPLY['usage']},
]
MESSAGES: list[Any] = [{'role': 'user', 'content': 'Hi'}]

bad_bytes = st.sampled_from(
    [b'', b'\xff', b'\xef\xbb\xbf{}', b'null', b'[]', b'"text"', b'{"id": "\xc3', b'3', b'true']
)
headers = st.dictionaries(
    st.sampled_from(['x-ms-request-id', 'apim-request-id', 'x-ratelimit-remaining-tokens', 'x-ms-error-code']),
    st.sampled_from([*TEXTS, '9' * 20, '9' * 5000, '-1', '\u0661', '\udcff']),
    max_size=2,
)


def hi(**more: Any) -> dict[str, Any]:
    return {'messages': MESSAGES, **more}


def whole(value: Any, status: int = 200, with_headers: dict[str, str] | None = None) -> Answer:
    body = value if isinstance(value, bytes) else dumps(value).encode('utf-8', 'surrogatepass')
    return Answer([body], status, with_headers or {})


Strategies = dict[str, st.SearchStrategy[Any]]

# What the properties below are tried with; coverage_guided.py tries them too.
ANY_REPLY = Strategies(
    value=changes.map(lambda what: changed(REPLY, what)) | json_values | bad_bytes,
    status=st.sampled_from([200, 200, 200, 201, 500]),
    with_headers=headers,
)
ANY_EMBEDDINGS = Strategies(value=changes.map(lambda what: changed(VECTORS, what)) | json_values | bad_bytes)
ANY_ERROR = Strategies(
    value=changes.map(lambda what: changed(REFUSAL, what)) | json_values | bad_bytes,
    status=st.sampled_from([400, 401, 404, 409, 429, 500]),
    with_headers=headers,
)
ANY_CHUNKS = Strategies(
    what=st.lists(st.tuples(st.integers(0, len(CHUNKS) - 1), changes), min_size=1, max_size=4),
    extra=st.lists(json_values, max_size=2),
    most=st.none() | st.integers(0, 3),
)


@EXAMPLES
@given(**ANY_REPLY)
def test_any_reply(value: Any, status: int, with_headers: dict[str, str], colour: Colour, watch: Watch) -> None:
    """A chat reply with any of its fields missing, twice, of another type, huge or nested, or that is no reply."""
    answer = whole(value, status, with_headers)
    check_nothing_changes(watch, Call(colour, 'complete', answer, hi))


@EXAMPLES
@given(**ANY_EMBEDDINGS)
def test_any_embeddings(value: Any, colour: Colour, watch: Watch) -> None:
    """The same of embeddings."""
    check_nothing_changes(watch, Call(colour, 'embed', whole(value), lambda: {'input': ['a']}))


@EXAMPLES
@given(**ANY_ERROR)
def test_any_error(value: Any, status: int, with_headers: dict[str, str], colour: Colour, watch: Watch) -> None:
    """The same of an error's body."""
    check_nothing_changes(watch, Call(colour, 'complete', whole(value, status, with_headers), hi))


@EXAMPLES
@given(**ANY_CHUNKS)
def test_any_chunks(
    what: list[tuple[int, Sequence[Change]]], extra: list[Any], most: int | None, colour: Colour, watch: Watch
) -> None:
    """The same of a stream's chunks, read to the end or left early."""
    chunks = list(CHUNKS)
    for at, done in what:
        chunks[at] = changed(chunks[at], done)
    events = [f'data: {dumps(chunk)}\n\n'.encode('utf-8', 'surrogatepass') for chunk in [*chunks, *extra]]
    answer = Answer([*events, b'data: [DONE]\n\n'])
    check_nothing_changes(watch, Call(colour, 'complete', answer, lambda: hi(stream=True), most))


# -- The boundaries of server-sent events

_event = st.sampled_from(
    [
        *[b'data: ' + json.dumps(chunk).encode() for chunk in CHUNKS],
        'data: {"choices": [{"index": 0, "delta": {"content": "日本 é"}}]}'.encode(),
        b'data: {"choices": [{"index": 0, "delta": {"content": "\xff"}}]}',
        b'data: {"error": {"code": "x", "message": "y"}}',
        b'data:{"choices": []}',
        b'data: ',
        b'data',
        b'data: {',
        b'data: null',
        b'data: [DONE]',
        b'data: [DONE] and more',
        b'data:[DONE]',
        b'event: message',
        b'id: 1',
        b'retry: 5',
        b': comment',
        b'\xef\xbb\xbfdata: {"choices": []}',
        b'',
    ]
)
_end = st.sampled_from([b'\n\n', b'\n\n', b'\n\n', b'\n', b'\r\n\r\n', b'\r\r', b'\n\r', b''])


@st.composite
def event_streams(draw: st.DrawFn) -> list[bytes]:
    """Bytes of a stream of events, cut into pieces anywhere."""
    body = b''.join([draw(_event) + draw(_end) for _ in range(draw(st.integers(0, 6)))])
    if draw(st.booleans()):
        body += b'data: [DONE]\n\n'
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=5)))
    return [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]


ANY_BOUNDARIES = Strategies(pieces=event_streams(), most=st.none() | st.integers(0, 3))


@EXAMPLES
@given(**ANY_BOUNDARIES)
def test_any_boundaries(pieces: list[bytes], most: int | None, colour: Colour, watch: Watch) -> None:
    """Events split at any byte, with any line ends, comments, byte order marks, without data, and cut short."""
    check_nothing_changes(watch, Call(colour, 'complete', Answer(pieces), lambda: hi(stream=True), most))


@EXAMPLES
@given(pieces=event_streams())
def test_any_boundaries_over_http(pieces: list[bytes], colour: Colour, watch: Watch) -> None:
    """Such events over a connection, through the transports that the clients have by default.

    In one piece: which pieces a reader gets of several, and with that what the client makes of an event it refuses, is
    a matter of time, with us and without.
    """
    with AzureAIInferenceEndpoint() as endpoint:

        async def body() -> list[str]:
            client = new_client(colour.chat_class, endpoint, retry_total=0)
            chunks: list[str] = []
            try:
                stream = await colour.result(client.complete(messages=MESSAGES, stream=True))
                await read(colour, stream, chunks)
            except Exception as exception:
                chunks.append(told(exception))
            await colour.close(client)
            return chunks

        reply = raw_reply(200, b''.join(pieces), headers={'content-type': 'text/event-stream'})
        endpoint.reply(reply, reply)
        without = colour.run(body())
        with logfire.instrument_azure_ai_inference():
            with_us = colour.run(body())
    try:
        assert with_us == without
        (span,) = watch.spans
        assert (span.attributes or {})['gen_ai.operation.name'] == 'chat'
        watch.check()
    finally:
        watch.clear()
