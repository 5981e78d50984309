"""The rows of the benchmark: a piece of work, what it is compared with, and the goal."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from time import thread_time_ns
from typing import Any

from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import logfire
from logfire._internal.integrations.llm_providers import finalizer
from tests.benchmarks import by_hand, calls
from tests.benchmarks.contenders import instrumented, ours, with_reader
from tests.benchmarks.pairing import Block, Timing, compare, repeated
from tests.benchmarks.processes import import_times, measured, paired_children, published
from tests.benchmarks.profile import profile
from tests.benchmarks.spans_by_hand import Discard, new_tracer, span as span_by_hand

TEXTS_256 = [f'A sentence about place number {at}, short enough to embed.' for at in range(256)]


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    work: str
    goal: float | None
    value: float | None
    """None where it cannot be measured here; `detail` says why."""
    unit: str = ''
    detail: str = ''


Row = Callable[[int], Iterator[Figure]]
"""Gives the figures of a row, from so many rounds."""


def _microseconds(timing: Timing, *names: str) -> str:
    return ', '.join(f'{name} +{timing.added(name) / 1000:.1f} µs' for name in names)


def _versus_by_hand(work: str, goal: float, blocks: Mapping[str, Block], rounds: int) -> Figure:
    timing = compare(blocks, rounds=rounds)
    return Figure(work, goal, timing.added_ratio('ours', 'by hand'), 'x', _microseconds(timing, 'ours', 'by hand'))


def _check_same(ours: Discard, hand: Discard) -> None:
    """Both recorded the same; the place in the code and the measured time are each their own."""
    own = ('code.', 'gen_ai.response.time_to_first_chunk')
    assert ours.last is not None
    assert hand.last is not None
    ours_told, hand_told = (
        {key: value for key, value in (last.attributes or {}).items() if not key.startswith(own)}
        for last in (ours.last, hand.last)
    )
    if ours_told != hand_told:
        different = {key for key in (*ours_told, *hand_told) if ours_told.get(key) != hand_told.get(key)}
        raise AssertionError(f'The contenders record different things: {sorted(different)}')


def _complete_row(work: str, goal: float, messages: list[Any], tools: list[Any] | None) -> Row:
    def row(rounds: int) -> Iterator[Figure]:
        mine, hand = Discard(), Discard()
        tracer = new_tracer(hand)
        reply = calls.new_reply()
        plain = calls.new_ready_client(lambda: reply)
        client = instrumented(calls.new_ready_client(lambda: reply), mine)
        blocks = {
            'none': repeated(lambda: plain.complete(messages=messages, model=calls.MODEL, tools=tools)),
            'ours': repeated(lambda: client.complete(messages=messages, model=calls.MODEL, tools=tools)),
            'by hand': repeated(lambda: by_hand.complete(tracer, plain, messages, tools)),
        }
        for block in blocks.values():
            block(1)
        _check_same(mine, hand)
        yield _versus_by_hand(work, goal, blocks, rounds)

    return row


def async_complete(rounds: int) -> Iterator[Figure]:
    mine, hand = Discard(), Discard()
    tracer = new_tracer(hand)
    reply = calls.new_reply()
    plain = calls.new_ready_async_client(lambda: reply)
    client = instrumented(calls.new_ready_async_client(lambda: reply), mine)
    messages = calls.SMALL_MESSAGES
    loop = asyncio.new_event_loop()

    def block(call: Callable[[], Any]) -> Block:
        async def calls_in_turn(times: int) -> None:
            for _ in range(times):
                await call()

        return lambda times: loop.run_until_complete(calls_in_turn(times))

    blocks = {
        'none': block(lambda: plain.complete(messages=messages, model=calls.MODEL, tools=None)),
        'ours': block(lambda: client.complete(messages=messages, model=calls.MODEL, tools=None)),
        'by hand': block(lambda: by_hand.acomplete(tracer, plain, messages)),
    }
    for each in blocks.values():
        each(1)
    _check_same(mine, hand)
    yield _versus_by_hand('complete(), 2 messages, async', 1.4, blocks, rounds)
    loop.close()


class _Streams:
    """The contenders of a stream of so many chunks."""

    def __init__(self, count: int, **options: Any) -> None:
        chunks = calls.new_chunks(count)
        self.mine, hand = Discard(), Discard()
        tracer = new_tracer(hand)
        plain = calls.new_ready_client(lambda: calls.ReadyStream(chunks))
        client = instrumented(calls.new_ready_client(lambda: calls.ReadyStream(chunks)), self.mine, **options)
        messages = calls.SMALL_MESSAGES
        self.calls: dict[str, Callable[[], Iterator[Any]]] = {
            'none': lambda: plain.complete(messages=messages, model=calls.MODEL, stream=True),
            'ours': lambda: client.complete(messages=messages, model=calls.MODEL, stream=True),
            'by hand': lambda: by_hand.stream(tracer, plain, messages),
        }
        self.read_all()
        _check_same(self.mine, hand)

    def read_all(self) -> None:
        for call in self.calls.values():
            deque(call(), maxlen=0)

    def whole(self) -> dict[str, Block]:
        return {name: repeated(lambda call=call: deque(call(), maxlen=0)) for name, call in self.calls.items()}


def stream_100(rounds: int) -> Iterator[Figure]:
    streams = _Streams(100)
    yield _versus_by_hand('stream of 100 chunks, total', 1.2, streams.whole(), rounds)


def stream_5000(rounds: int) -> Iterator[Figure]:
    rounds = max(rounds // 4, 5)
    streams = _Streams(5_000)
    timing = compare(streams.whole(), rounds=rounds)
    yield Figure(
        'stream of 5,000 chunks, total',
        1.0,
        timing.added_ratio('ours', 'by hand'),
        'x',
        _microseconds(timing, 'ours', 'by hand'),
    )
    yield Figure('the same, per chunk', 0.5, timing.added('ours') / 5_000_000, ' us')
    read = _Streams(5_000, **with_reader())
    timing = compare(read.whole(), rounds=rounds, between=lambda: finalizer.worker.flush(30))
    yield Figure('the same with a metric reader, per chunk on the caller', 0.8, timing.added('ours') / 5_000_000, ' us')


def end_of_stream(rounds: int) -> Iterator[Figure]:
    """What a metric reader adds to the last `next()`, which ends the span: for 5,000 chunks, and for 100."""

    def last_next(streams: _Streams, count: int) -> float:
        stream = streams.calls['ours']()
        for _ in range(count):
            next(stream)
        start = thread_time_ns()
        next(stream, None)
        taken = thread_time_ns() - start
        finalizer.worker.flush(30)  # The times between chunks, which are recorded elsewhere.
        return taken

    ends: dict[str, list[float]] = {}
    for count in (100, 5_000):
        without, with_one = _Streams(count), _Streams(count, **with_reader())
        for _ in range(max(rounds // 8, 5)):
            for name, streams in ((f'{count} without', without), (f'{count} with', with_one)):
                ends.setdefault(name, []).append(last_next(streams, count))
    timing = Timing(ends)
    few, many = (timing.added(f'{count} with', f'{count} without') / 1000 for count in (100, 5_000))
    yield Figure(
        'what a metric reader adds to the end of a stream of 5,000 chunks, more than to one of 100',
        0,
        many - few,
        ' us',
        f'{many:.0f} µs, {few:.0f} µs; the end of 5,000 takes {timing.median("5000 with") / 1000:.0f} µs',
    )


def first_chunk(rounds: int) -> Iterator[Figure]:
    streams = _Streams(10)
    held: list[Iterator[Any]] = []
    timings: dict[str, list[float]] = {name: [] for name in streams.calls}
    names = list(streams.calls)
    for at in range(rounds * 10):
        turn = at % len(names)
        for name in (*names[turn:], *names[:turn]):
            call = streams.calls[name]
            start = thread_time_ns()
            stream = call()
            next(stream)
            timings[name].append(thread_time_ns() - start)
            held.append(stream)
        for stream in held:
            deque(stream, maxlen=0)
        held.clear()
    timing = Timing(timings)
    yield Figure(
        'added before the first chunk',
        1.5,
        timing.added_ratio('ours', 'by hand'),
        'x',
        _microseconds(timing, 'ours', 'by hand'),
    )


def _embed_row(work: str, goal: float, inputs: list[str], dimensions: int) -> Row:
    def row(rounds: int) -> Iterator[Figure]:
        reply = calls.new_embeddings(len(inputs), dimensions)
        tracer = new_tracer(Discard())
        plain = calls.new_ready_embeddings_client(lambda: reply)
        client = instrumented(calls.new_ready_embeddings_client(lambda: reply), Discard())
        blocks = {
            'none': repeated(lambda: plain.embed(input=inputs, model=calls.MODEL)),
            'ours': repeated(lambda: client.embed(input=inputs, model=calls.MODEL)),
            'by hand': repeated(lambda: by_hand.embed(tracer, plain, inputs)),
        }
        yield _versus_by_hand(work, goal, blocks, rounds)

    return row


def plain_spans(rounds: int) -> Iterator[Figure]:
    tracer = new_tracer(Discard())
    mine = ours(Discard())

    def span() -> None:
        with mine.span('hello {name}', name='world'):
            pass

    timing = compare(
        {
            'none': repeated(lambda: None),
            'span': repeated(span),
            'info': repeated(lambda: mine.info('hello {name}', name='world')),
            'by hand': repeated(lambda: span_by_hand(tracer)),
        },
        rounds=rounds,
    )
    detail = _microseconds(timing, 'span', 'info', 'by hand')
    yield Figure(
        'logfire.span, to an OpenTelemetry span with 12 attributes', 1.3, timing.ratio('span', 'by hand'), 'x', detail
    )
    yield Figure('logfire.info, to the same', 1.2, timing.ratio('info', 'by hand'), 'x')


class _NowhereExporter(SpanExporter):
    def export(self, spans: Any) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def whole_call(rounds: int) -> Iterator[Figure]:
    plain = calls.over_transport()
    batches = BatchSpanProcessor(_NowhereExporter())
    client = instrumented(calls.over_transport(), batches)
    tracer = new_tracer(BatchSpanProcessor(_NowhereExporter()))
    messages = calls.SMALL_MESSAGES
    timing = compare(
        {
            'none': repeated(lambda: plain.complete(messages=messages, model=calls.MODEL)),
            'ours': repeated(lambda: client.complete(messages=messages, model=calls.MODEL)),
            'by hand': repeated(lambda: by_hand.complete(tracer, plain, messages)),
        },
        rounds=rounds,
    )
    batches.shutdown()
    yield Figure(
        'the whole small complete() over the real pipeline, to uninstrumented',
        1.35,
        timing.ratio('ours', 'none'),
        'x',
        f'{_microseconds(timing, "ours", "by hand")}; none {timing.median("none") / 1000:.0f} µs',
    )
    yield Figure('the same, by hand', None, timing.ratio('by hand', 'none'), 'x')


def quieter(rounds: int) -> Iterator[Figure]:
    reply = calls.new_reply()
    tracer = new_tracer(Discard())

    def client(**options: Any) -> Any:
        return instrumented(calls.new_ready_client(lambda: reply), Discard(), **options)

    plain = calls.new_ready_client(lambda: reply)
    with_metrics, without_metrics = client(), client(metrics=False)
    sampled_out = client(sampling=logfire.SamplingOptions(head=0.0))
    messages = calls.SMALL_MESSAGES

    def block(some: Any) -> Block:
        return repeated(lambda: some.complete(messages=messages, model=calls.MODEL, tools=None))

    def suppressed(times: int) -> None:
        with logfire.suppress_instrumentation():
            block(with_metrics)(times)

    timing = compare(
        {
            'none': block(plain),
            'metrics': block(with_metrics),
            'no metrics': block(without_metrics),
            'sampled out': block(sampled_out),
            'suppressed': suppressed,
            'by hand': repeated(lambda: by_hand.complete(tracer, plain, messages)),
        },
        rounds=rounds,
    )
    yield Figure('metrics on, no reader, to metrics off', 1.05, timing.ratio('metrics', 'no metrics'), 'x')
    yield Figure('sampled out', 0.6, timing.added_ratio('sampled out', 'by hand'), 'x')
    yield Figure('suppressed', 0.1, timing.added_ratio('suppressed', 'by hand'), 'x')


def memory(rounds: int) -> Iterator[Figure]:
    base = measured('stream-peak', 'none')
    for kind, words in (('ours', 'without'), ('reader', 'with')):
        peak = measured('stream-peak', kind) - base
        yield Figure(f'peak memory of a stream of 50,000 chunks, {words} a metric reader', 2.2, peak, ' MiB')
    yield Figure('an abandoned stream, while held', 6, measured('abandoned-stream', 'held') / 1000, ' KB')
    yield Figure('an abandoned stream, after', 0, measured('abandoned-stream', 'after') / 1000, ' KB')


def start_up(rounds: int) -> Iterator[Figure]:
    ours_takes, sdk_takes, ratio = paired_children('start-ours', 'start-sdk', rounds=max(rounds // 10, 5))
    yield Figure(
        'import, configure and instrument, to importing the OpenTelemetry SDK and making a provider',
        1.3,
        ratio,
        'x',
        f'{ours_takes * 1000:.0f} ms, {sdk_takes * 1000:.0f} ms',
    )


def imports(rounds: int) -> Iterator[Figure]:
    """What a start of ours loads. `-X importtime` itself takes a part of what it says."""
    for library, (modules, milliseconds) in import_times(('logfire', 'opentelemetry', 'orjson')).items():
        yield Figure(f'imports at the start: {library}', None, milliseconds, ' ms', f'{modules} modules')


def others(rounds: int) -> Iterator[Figure]:
    """The instrumentations and the SDK beside ours, each where it is installed."""
    for library, name, needs in (
        ("Microsoft's own instrumentor", 'microsoft', 'azure.core.tracing.ext.opentelemetry_span'),
        ('OpenLIT', 'openlit', 'openlit'),
    ):
        work = f'{library}: complete(), 2 messages, sync'
        if _is_installed(needs):
            yield Figure(work, None, measured('library', name, str(rounds)), 'x')
        else:
            yield Figure(work, None, None, detail='not installed')
    ratios = published(rounds)
    for name, ratio in zip(('span', 'info'), (None, None) if ratios is None else ratios, strict=True):
        detail = 'not installed: `make compat` does that' if ratio is None else ''
        yield Figure(f'the published SDK: logfire.{name}', None, ratio, 'x', detail)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def where_the_time_goes(rounds: int) -> Iterator[Figure]:
    reply = calls.new_reply()
    client = instrumented(calls.new_ready_client(lambda: reply), Discard())
    shares = profile(
        lambda: client.complete(messages=calls.SMALL_MESSAGES, model=calls.MODEL, tools=None), seconds=rounds / 40
    )
    ours = sum(share for place, share in shares.items() if place.startswith('ours'))
    yield Figure('of complete(), 2 messages, sync: ours', None, 100 * ours, ' %')
    for place, share in list(shares.items())[:12]:
        yield Figure(f'    {place}', None, 100 * share, ' %')


ROWS: Mapping[str, Row] = {
    'complete': _complete_row('complete(), 2 messages, sync', 1.4, calls.SMALL_MESSAGES, None),
    'async': async_complete,
    'long': _complete_row('complete(), 50 messages of 1 KB and 10 tools', 0.6, calls.LONG_MESSAGES, calls.TOOLS),
    'stream-100': stream_100,
    'stream-5000': stream_5000,
    'stream-end': end_of_stream,
    'first-chunk': first_chunk,
    'embed': _embed_row('embed(), 1 input', 1.9, ['What is the capital of France?'], 1536),
    'embed-256': _embed_row('embed(), 256 inputs x 1,536 dimensions', 3.5, TEXTS_256, 1536),
    'spans': plain_spans,
    'whole': whole_call,
    'quieter': quieter,
    'memory': memory,
    'start-up': start_up,
    'imports': imports,
    'others': others,
    'profile': where_the_time_goes,
}
