"""What an outage of the collector costs: a caller's time per span, and memory at the bound.

    python -m tests.benchmarks.bench_export

The collector is on the loopback interface, in a process of its own. A caller's time is that of one finished span with
an attribute of 1,000 characters; a healthy and a hanging collector take turns, and the medians of the turns are
compared.
"""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Generator
from contextlib import contextmanager

import logfire
from logfire._internal.config.configuration import GLOBAL_CONFIG
from logfire._internal.exporters.draining import Draining

TURNS = 10
SPANS = 500
BATCH = 250

_COLLECTOR = """
import sys
from tests.collector import Collector
with Collector(silent=sys.argv[1] == 'hanging') as collector:
    print(collector.url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def collector(kind: str) -> Generator[str]:
    """A collector that is `healthy` or `hanging`; its URL."""
    with subprocess.Popen(
        [sys.executable, '-c', _COLLECTOR, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


def configure(url: str) -> None:
    os.environ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] = f'{url}/v1/traces'
    os.environ['OTEL_BSP_SCHEDULE_DELAY'] = '100'
    logfire.configure(console=False, send_to_logfire=False)


def microseconds_per_span() -> float:
    """The median time of one span on the caller's thread."""
    times: list[int] = []
    text = 'x' * 1_000
    for number in range(SPANS):
        begin = time.perf_counter_ns()
        with logfire.span('benchmark', text=text):
            pass
        times.append(time.perf_counter_ns() - begin)
        if number % 50 == 49:
            time.sleep(0.01)  # A pause in which batches are sent.
    return statistics.median(times) / 1_000


def latency(urls: dict[str, str]) -> dict[str, float]:
    """The median of the turns with each collector, in microseconds."""
    turns: dict[str, list[float]] = {kind: [] for kind in urls}
    for turn in range(TURNS + 1):
        for kind, url in urls.items():
            configure(url)
            measured = microseconds_per_span()
            logfire.shutdown(500, flush=False)
            if turn:  # The first warms up.
                turns[kind].append(measured)
    return {kind: statistics.median(measured) for kind, measured in turns.items()}


def memory_at_the_bound(url: str) -> tuple[int, int, int]:
    """How many spans are kept, the bytes of their requests, and the bytes of Python memory that holds them."""
    configure(url)
    pipeline = GLOBAL_CONFIG._pipeline
    assert pipeline is not None
    (processor,) = pipeline.stages.processors
    assert isinstance(processor, Draining)
    logfire.info('warm up')
    logfire.force_flush(200)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(25_000):
        logfire.info('span {number}', number=number, text='x' * 1_000)
        if number % BATCH == BATCH - 1:
            logfire.force_flush(1)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    held = list(processor.outbox._backlog._memory)
    return sum(batch.items for batch in held), sum(len(batch.body) for batch in held), grown


def main() -> None:
    with collector('healthy') as healthy, collector('hanging') as hanging:
        measured = latency({'healthy': healthy, 'hanging': hanging})
        print(f'caller, collector healthy: {measured["healthy"]:7.1f} µs a span')
        print(f'caller, collector hanging: {measured["hanging"]:7.1f} µs a span')
        print(f'ratio:                     {measured["hanging"] / measured["healthy"]:7.2f}')
        items, size, grown = memory_at_the_bound(hanging)
        print(f'kept at the bound:         {items} spans, {size / 1e6:.1f} MB of requests, {grown / 1e6:.1f} MB in all')
        logfire.shutdown(100, flush=False)


if __name__ == '__main__':
    main()
