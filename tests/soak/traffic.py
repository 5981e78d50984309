"""Mixed traffic of real clients over loopback HTTP, with a collector that misbehaves and telemetry that is changed."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import AzureError

import logfire
from logfire._internal.integrations.llm_providers.cost import start_loading
from tests.otel_integrations.azure_ai_inference.conftest import Colour, Exhausted
from tests.soak.concurrency import Figures
from tests.soak.services import MODES
from tests.soak.tally import Resources, check_no_fault

MOST_TRACED_GROWTH = 1 << 20
"""Bytes that Python's memory may grow by in the second half of a long run."""
MOST_RSS_GROWTH = 8 << 20
"""Bytes that the process may grow by in the second half of a long run: the allocator keeps what it was given."""

ACTIONS = (
    *('chat', 'tools', 'embed', 'stream', 'dropped', 'closed', 'truncated', 'cut'),
    *('filtered', 'busy', 'failing', 'garbage', 'timeout', 'cancelled'),
)
_RARE = ('timeout', 'cancelled')
_STREAMS = ('stream', 'dropped', 'closed', 'truncated', 'cut')
_WEIGHTS = tuple(1 if action in _RARE else 8 for action in ACTIONS)
_SEED = 7
_STEP = 40
"""How many calls there are between two events."""
_WELL_STEPS = 4
"""After how many steps the collector misbehaves again. What is sent meets at most a few misbehaviours in a row."""
_VARIABLES = {'OTEL_BSP_SCHEDULE_DELAY': '500'}
"""Spans are sent often: many exports meet a misbehaviour."""
_FLUSH_MILLIS = 120_000


class Services:
    """The process that has the endpoint and the collector."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'tests.soak.services'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        urls = self._read()
        self.endpoint_url: str = urls['endpoint']
        self.collector_url: str = urls['collector']

    def set_mode(self, mode: str) -> None:
        self._write(f'mode {mode}')

    def report(self) -> dict[str, int]:
        self._write('report')
        return self._read()

    def stop(self) -> None:
        self._process.communicate(timeout=60)

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@contextmanager
def _services() -> Generator[Services]:
    services = Services()
    os.environ.update(_VARIABLES, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f'{services.collector_url}/v1/traces')
    try:
        yield services
    finally:
        for variable in ('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', *_VARIABLES):
            del os.environ[variable]
        services.stop()


class _Calls:
    """Gives out the numbers of the calls while there are to be more, and counts what became of them."""

    def __init__(self, more: Callable[[int], bool]) -> None:
        self._more = more
        self._changed = threading.Condition()
        self.begun = 0
        self.done: Counter[str] = Counter()
        self.failure: BaseException | None = None

    def __iter__(self) -> Iterator[int]:
        while True:
            with self._changed:
                number = self.begun
                if self.failure is not None or not self._more(number):
                    return
                self.begun += 1
            yield number

    def add(self, action: str) -> None:
        with self._changed:
            self.done[action] += 1
            self._changed.notify_all()

    def fail(self, failure: BaseException) -> None:
        with self._changed:
            self.failure = failure
            self._changed.notify_all()

    def wait_for_more(self, calls: int, seconds: float) -> None:
        with self._changed:
            enough = self.done.total() + calls
            self._changed.wait_for(lambda: self.failure is not None or self.done.total() >= enough, seconds)


async def _work(colour: Colour, url: str, calls: _Calls, chance: random.Random) -> None:
    chat = colour.chat_class(url, AzureKeyCredential('made up'))
    embeddings = colour.embeddings_class(url, AzureKeyCredential('made up'))
    for number in calls:
        (action,) = chance.choices(ACTIONS, _WEIGHTS)
        if action == 'cancelled' and not colour.is_async:
            action = 'timeout'
        with logfire.span('caller', caller=number):
            try:
                await _do(action, number, colour, chat, embeddings)
            except (AzureError, ValueError, asyncio.TimeoutError, OSError) as error:
                # What the real service does to its callers; the rest would be a fault of ours.
                if action not in ('cut', 'filtered', 'failing', 'garbage', *_RARE):
                    raise AssertionError(action) from error
        calls.add(action)
    await colour.close(chat)
    await colour.close(embeddings)


async def _do(action: str, number: int, colour: Colour, chat: Any, embeddings: Any) -> None:
    if action == 'embed':
        embedded = await colour.result(embeddings.embed(input=['text'], model='embed'))
        assert len(embedded.data) == 1
        return
    options: dict[str, Any] = {'model': action, 'seed': number, 'messages': [{'role': 'user', 'content': 'Hi'}]}
    if action in _STREAMS:
        stream = await colour.result(chat.complete(stream=True, **options))
        if action in ('dropped', 'closed'):
            await colour.next(stream)
        else:
            try:
                while True:
                    await colour.next(stream)
            except Exhausted:
                return
        if action == 'closed':
            await colour.close(stream)
        return
    if action in ('failing', *_RARE):
        options['retry_total'] = 0
    if action == 'timeout':
        options['read_timeout'] = 0.05
    if action == 'cancelled':
        await asyncio.wait_for(chat.complete(**options), 0.05)
        return
    reply = await colour.result(chat.complete(**options))
    assert reply.choices[0].finish_reason == ('tool_calls' if action == 'tools' else 'stop')


def _threads(url: str, calls: _Calls) -> list[threading.Thread]:
    """Three threads of sync clients, and one event loop with four tasks."""

    def guarded(work: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except BaseException as failure:
                calls.fail(failure)

        return run

    async def tasks() -> None:
        await asyncio.gather(*(_work(Colour('async'), url, calls, random.Random(_SEED + at)) for at in range(4)))

    def sync_work(at: int) -> Callable[[], object]:
        return lambda: Colour('sync').run(_work(Colour('sync'), url, calls, random.Random(-_SEED - at)))

    works: list[Callable[[], object]] = [*(sync_work(at) for at in range(3)), lambda: asyncio.run(tasks())]
    return [threading.Thread(target=guarded(work)) for work in works]


@dataclass(frozen=True)
class _Sample:
    calls: int
    traced: int
    rss: int


def _sample(calls: int) -> _Sample:
    resources = Resources.now()
    return _Sample(calls, tracemalloc.get_traced_memory()[0], resources.rss)


def _growth(samples: list[_Sample], measure: Callable[[_Sample], int]) -> float:
    """Bytes that a measure grew by over the samples: the slope of the line that fits them best, times their length."""
    calls = [sample.calls for sample in samples]
    values = [measure(sample) for sample in samples]
    mean_calls, mean_value = sum(calls) / len(calls), sum(values) / len(values)
    spread = sum((each - mean_calls) ** 2 for each in calls)
    slope = sum((x - mean_calls) * (y - mean_value) for x, y in zip(calls, values, strict=True)) / spread
    return slope * (calls[-1] - calls[0])


@contextmanager
def _instrumented() -> Generator[None]:
    _configure()
    with logfire.instrument_azure_ai_inference():
        yield


def _configure() -> None:
    logfire.configure(console=False, service_version='soak')


class _Events:
    """What happens besides calls: the collector misbehaves for a while, or our telemetry is changed."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._chance = random.Random(_SEED)
        self._mode = 'ok'
        self._steps = 0
        self.counts: Counter[str] = Counter()

    def next(self) -> None:
        """Cause one. After each misbehaviour the collector is well for a while."""
        self._steps += 1
        if self._mode != 'ok':
            self._set_mode('ok')
            return
        own = ('configure', 'instrument')
        event = self._chance.choice((*MODES[1:], *own) if self._steps % _WELL_STEPS == 0 else own)
        if event == 'configure' and not self._services.report()['exports taken since well']:
            return  # What waits to be tried again would be given up when its exporter is replaced.
        self.counts[event] += 1
        if event == 'configure':
            _configure()
        elif event == 'instrument':
            # The classes stay instrumented all the time.
            with logfire.instrument_azure_ai_inference(Colour('sync').chat_class):
                pass
        else:
            self._set_mode(event)

    def end(self) -> None:
        self._set_mode('ok')

    def _set_mode(self, mode: str) -> None:
        self._mode = mode
        self._services.set_mode(mode)


def soak(*, calls: int | None = None, seconds: float = 0) -> Figures:
    """So many calls, or calls for so long: every one has one span at the collector, and nothing is left over."""
    start_loading().join()
    with _services() as services, _instrumented():
        _run(services, _Calls(lambda number: number < 50), None)
        assert logfire.shutdown()  # What is made once is there.
        warm = services.report()['calls']
        before = Resources.now()
        start = monotonic()
        samples: list[_Sample] | None = None
        if calls is None:
            tracemalloc.start()
            samples = []
        traffic = _Calls(_until(None if calls is None else calls + warm, start + seconds))
        traffic.begun = warm  # The numbers go on.
        events = _run(services, traffic, samples)
        flushed = logfire.force_flush(_FLUSH_MILLIS)
        elapsed = monotonic() - start
        assert logfire.shutdown()
        report, after = services.report(), Resources.now()
        tracemalloc.stop()
    made = traffic.begun
    assert flushed
    assert traffic.done.total() == made - warm
    one_span_each = {'calls': made, 'calls with one span': made, 'spans of no caller': 0}
    assert {name: report[name] for name in one_span_each} == one_span_each, (made, report)
    assert after.threads <= before.threads, [thread.name for thread in threading.enumerate()]
    assert after.descriptors <= before.descriptors
    check_no_fault()
    figures: Figures = {
        'calls': made - warm,
        'seconds': elapsed,
        'spans lost': 0,
        'spans sent twice': report['spans sent twice'],
        'exports refused': report['exports refused'],
        **{f'event: {name}': count for name, count in sorted(events.counts.items())},
        **{f'call: {name}': count for name, count in sorted(traffic.done.items())},
        'threads more': after.threads - before.threads,
        'descriptors more': after.descriptors - before.descriptors,
    }
    if samples is not None and len(samples) >= 4:
        half = samples[len(samples) // 2 :]
        traced, rss = _growth(half, lambda sample: sample.traced), _growth(half, lambda sample: sample.rss)
        figures['MiB traced, at the end'] = samples[-1].traced / 2**20
        figures['MiB traced, more in the second half'] = traced / 2**20
        figures['MiB resident, at the end'] = samples[-1].rss / 2**20
        figures['MiB resident, more in the second half'] = rss / 2**20
        assert traced < MOST_TRACED_GROWTH, figures
        assert rss < MOST_RSS_GROWTH, figures
    return figures


def _until(number: int | None, time: float) -> Callable[[int], bool]:
    return lambda next_number: next_number < number if number is not None else monotonic() < time


def _run(services: Services, calls: _Calls, samples: list[_Sample] | None) -> _Events:
    _configure()
    events = _Events(services)
    threads = _threads(services.endpoint_url, calls)
    for thread in threads:
        thread.start()
    sampled = 0
    while any(thread.is_alive() for thread in threads):
        calls.wait_for_more(_STEP, seconds=1)
        events.next()
        if samples is not None and calls.done.total() - sampled >= 10 * _STEP:
            sampled = calls.done.total()
            samples.append(_sample(sampled))
    for thread in threads:
        thread.join()
    events.end()
    if calls.failure is not None:
        raise calls.failure
    return events
