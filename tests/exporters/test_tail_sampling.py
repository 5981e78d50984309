"""Holding a trace back until what happens in it decides that it is kept."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

import logfire
from logfire._internal import errors
from logfire._internal.config.configuration import GLOBAL_CONFIG
from logfire._internal.exporters import tail_sampling
from logfire._internal.sampling import SamplingOptions, TailSamplingSpanInfo
from logfire.testing import TestExporter

Tail = Callable[[TailSamplingSpanInfo], float]


@pytest.fixture
def keep(config_kwargs: dict[str, Any]) -> Callable[[Tail], None]:
    """Configure to keep the traces that a function says."""

    def configure(tail: Tail) -> None:
        logfire.configure(**config_kwargs, sampling=SamplingOptions(tail=tail))

    return configure


def seen(exporter: TestExporter) -> list[tuple[str, Any]]:
    return [(span.name, (span.attributes or {})['logfire.span_type']) for span in exporter.exported_spans]


def work() -> None:
    with logfire.span('root'):
        with logfire.span('child'):
            logfire.info('info')
        logfire.error('error')
        with logfire.span('late'):
            pass


def test_a_trace_is_held_until_it_is_kept(keep: Callable[[Tail], None], exporter: TestExporter) -> None:
    """What was held comes in the order it happened; of what has ended by then only the end."""
    keep(lambda info: 1.0 if info.level >= 'error' else 0.0)
    work()
    assert seen(exporter) == [
        ('root', 'pending_span'),
        ('info', 'log'),
        ('child', 'span'),
        ('error', 'log'),
        ('late', 'pending_span'),
        ('late', 'span'),
        ('root', 'span'),
    ]


def test_a_trace_that_is_not_kept_is_dropped(keep: Callable[[Tail], None], exporter: TestExporter) -> None:
    """Nothing of a trace that never qualifies is exported, and nothing of it is remembered."""
    keep(lambda info: 0.0)
    work()
    assert exporter.exported_spans == []
    tail = GLOBAL_CONFIG._pipeline.stages._tail if GLOBAL_CONFIG._pipeline else None
    assert tail is not None
    assert (tail._traces, tail._held_spans) == ({}, 0)


def test_each_start_and_end_is_asked_until_the_trace_is_kept(keep: Callable[[Tail], None]) -> None:
    """The function sees each event with its level and the time since the trace began, in seconds."""
    asked: list[tuple[str, str, int, float, bool]] = []

    def tail(info: TailSamplingSpanInfo) -> float:
        first = info.buffer.first_span.name
        asked.append((f'{first}/{info.span.name}', info.event, info.level.number, info.duration, info.context is None))
        return 1.0 if info.level >= 'error' else 0.0

    keep(tail)
    work()
    assert [each[:4] for each in asked] == [
        ('root/root', 'start', 9, 0.0),
        ('root/child', 'start', 9, 1.0),
        ('root/info', 'start', 9, 2.0),
        ('root/info', 'end', 9, 2.0),
        ('root/child', 'end', 9, 3.0),
        ('root/error', 'start', 17, 4.0),
    ]


def test_an_end_can_keep_a_trace(keep: Callable[[Tail], None], exporter: TestExporter) -> None:
    """A trace that turns out to matter at its very end is kept whole."""
    keep(lambda info: 1.0 if info.event == 'end' and info.duration > 1.5 else 0.0)
    with logfire.span('root'), logfire.span('child'):
        pass
    assert seen(exporter) == [('root', 'pending_span'), ('child', 'span'), ('root', 'span')]


def test_traces_are_decided_apart(keep: Callable[[Tail], None], exporter: TestExporter) -> None:
    """One trace says nothing of another."""
    keep(lambda info: 1.0 if info.level >= 'error' else 0.0)
    logfire.info('dropped')
    logfire.error('kept')
    assert seen(exporter) == [('kept', 'log')]


@pytest.mark.parametrize(('trace_id', 'kept'), [((1 << 63) - 1, True), (1 << 63, False)])
def test_a_probability_keeps_its_share_by_trace_id(
    trace_id: int, kept: bool, keep: Callable[[Tail], None], exporter: TestExporter, id_generator: Any
) -> None:
    """Half of the traces are those with the lower half of the ids, the same in every process."""
    id_generator.trace_id_counter = trace_id - 1
    keep(lambda info: 0.5)
    logfire.info('log')
    assert (seen(exporter) == [('log', 'log')]) is kept


def test_a_function_that_fails_keeps_the_trace(
    keep: Callable[[Tail], None],
    exporter: TestExporter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The fault of a user's function is reported, and loses nothing."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr(errors, '_counts', {})
    keep(lambda info: 1 / 0)
    logfire.info('log')
    assert seen(exporter) == [('log', 'log')]
    assert 'could not ask the tail sampling function' in caplog.text


def test_a_span_older_than_the_configuration_is_a_trace_of_its_own(
    keep: Callable[[Tail], None], exporter: TestExporter
) -> None:
    """A span that started in an earlier configuration is judged by its end."""
    keep(lambda info: 0.0)
    with logfire.span('old'):
        keep(lambda info: 1.0 if info.event == 'end' else 0.0)
    assert seen(exporter) == [('old', 'span')]


def test_two_threads_can_decide_at_once(keep: Callable[[Tail], None], exporter: TestExporter) -> None:
    """A trace that two threads decide to keep at the same moment is let out once."""
    both = threading.Barrier(2, timeout=30)

    def tail(info: TailSamplingSpanInfo) -> float:
        if info.span.name == 'root':
            return 0.0
        if info.event == 'start':
            both.wait()
        return 1.0

    keep(tail)
    with logfire.span('root') as root:
        context = root.context
        assert context is not None
        threads = [threading.Thread(target=log_in, args=(context, name)) for name in ('a', 'b')]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert sorted(seen(exporter)) == [('a', 'log'), ('b', 'log'), ('root', 'pending_span'), ('root', 'span')]


def log_in(context: Any, name: str) -> None:
    from opentelemetry import trace

    with trace.use_span(trace.NonRecordingSpan(context)):
        logfire.info(name)


def test_what_is_held_is_bounded(
    keep: Callable[[Tail], None],
    exporter: TestExporter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """When too much is held, the oldest undecided trace is dropped, the log says so once, and others are not harmed."""
    monkeypatch.setattr(tail_sampling, 'MAX_HELD_SPANS', 4)
    keep(lambda info: 1.0 if info.level >= 'error' else 0.0)
    tracer = GLOBAL_CONFIG.tracer_provider.get_tracer('test')
    with caplog.at_level(logging.WARNING, logger='logfire'):
        oldest = tracer.start_span('oldest')
        younger = [tracer.start_span('younger') for _ in range(5)]
        logfire.error('kept')
    oldest.end()
    for span in younger:
        span.end()
    assert seen(exporter) == [('kept', 'log')]
    assert caplog.text.count('Tail sampling holds more than 4 starts and ends') == 1


def test_one_trace_alone_can_be_too_much(
    keep: Callable[[Tail], None], exporter: TestExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single trace larger than the bound is dropped as well, to its end."""
    monkeypatch.setattr(tail_sampling, 'MAX_HELD_SPANS', 4)
    keep(lambda info: 1.0 if info.level >= 'error' else 0.0)
    with logfire.span('root'):
        for _ in range(5):
            logfire.info('info')
        logfire.error('too late')
    assert exporter.exported_spans == []


def test_the_number_of_traces_is_bounded(
    keep: Callable[[Tail], None], exporter: TestExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spans that never end do not fill the memory: the oldest traces are forgotten."""
    monkeypatch.setattr(tail_sampling, 'MAX_TRACES', 2)
    keep(lambda info: 1.0)
    tracer = GLOBAL_CONFIG.tracer_provider.get_tracer('test')
    spans = [tracer.start_span('span') for _ in range(3)]
    tail = GLOBAL_CONFIG._pipeline.stages._tail if GLOBAL_CONFIG._pipeline else None
    assert tail is not None
    assert len(tail._traces) == 2
    for span in spans:
        span.end()
    assert (tail._traces, tail._held_spans) == ({}, 0)
    assert len([each for each in seen(exporter) if each == ('span', 'span')]) == 3
