"""Holds each trace back until what happens in it decides that it is kept."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan

from logfire._internal.errors import Guard
from logfire._internal.forks import ForkSafeLock
from logfire._internal.sampling import TailSamplingSpanInfo, TraceBuffer

MAX_HELD_SPANS: Final = 10_000
"""How many starts and ends of spans of undecided traces are held; beyond that the oldest undecided trace is dropped."""

MAX_TRACES: Final = 10_000
"""How many traces with open spans are known at once; beyond that the oldest is forgotten, as if all its spans had
ended."""

_TRACE_ID_BITS: Final = (1 << 64) - 1
_GUARD: Final = Guard('ask the tail sampling function')
_logger: Final = logging.getLogger('logfire')


class _Trace:
    __slots__ = ('held', 'info', 'kept', 'open_spans')

    def __init__(self, info: TraceBuffer) -> None:
        self.info = info
        self.open_spans = 0
        # None once it is decided.
        self.held: list[tuple[bool, ReadableSpan]] | None = []
        self.kept = False


class TailSampler:
    """Announces and finishes the spans of a trace once `tail` keeps it; drops it if its last open span ended before.

    Args:
        tail: The probability to keep a trace, asked at every start and end of a span until it is kept.
        announce: Called for each span that starts, or still runs when its trace is kept.
        finish: Called for each span that ends.
    """

    def __init__(
        self,
        tail: Callable[[TailSamplingSpanInfo], float],
        *,
        announce: Callable[[ReadableSpan], None],
        finish: Callable[[ReadableSpan], None],
    ) -> None:
        self._tail = tail
        self._announce = announce
        self._finish = finish
        self._lock = ForkSafeLock()
        self._traces: dict[int, _Trace] = {}
        self._held_spans = 0
        self._told = False

    def start(self, span: ReadableSpan, context: Context | None) -> None:
        """A span started."""
        with self._lock:
            trace = self._trace(span)
            trace.open_spans += 1
            undecided = self._hold(trace, ended=False, span=span)
        if undecided:
            self._decide(trace, TailSamplingSpanInfo(span, context, 'start', trace.info))
        elif trace.kept:
            self._announce(span)

    def end(self, span: ReadableSpan) -> None:
        """A span ended. One that started in an earlier configuration begins a trace of its own here."""
        with self._lock:
            trace = self._trace(span)
            undecided = self._hold(trace, ended=True, span=span)
        if undecided:
            self._decide(trace, TailSamplingSpanInfo(span, None, 'end', trace.info))
        elif trace.kept:
            self._finish(span)
        with self._lock:
            trace.open_spans -= 1
            if trace.open_spans <= 0:
                self._forget(_trace_id(span), trace)

    def _decide(self, trace: _Trace, info: TailSamplingSpanInfo) -> None:
        """Ask; if the trace is kept, let out what was held, in the order it happened."""
        # A function that fails keeps the trace: too much is better than nothing.
        probability = 1.0
        with _GUARD:
            probability = self._tail(info)
        # The same number for every call of a trace, and the one that a head sampler by share of traces compares with.
        if (_trace_id(info.span) & _TRACE_ID_BITS) >= round(probability * (_TRACE_ID_BITS + 1)):
            return
        with self._lock:
            held = trace.held
            if held is None:
                return  # Another thread decided first, and has let this span out too.
            self._release(trace)
            trace.kept = True
        ended = {_span_id(span) for is_end, span in held if is_end}
        for is_end, span in held:
            if is_end:
                self._finish(span)
            elif _span_id(span) not in ended:
                self._announce(span)

    def _trace(self, span: ReadableSpan) -> _Trace:
        trace = self._traces.get(_trace_id(span))
        if trace is None:
            if len(self._traces) >= MAX_TRACES:
                oldest = next(iter(self._traces))
                self._forget(oldest, self._traces[oldest])
            trace = self._traces[_trace_id(span)] = _Trace(TraceBuffer(span))
        return trace

    def _hold(self, trace: _Trace, *, ended: bool, span: ReadableSpan) -> bool:
        """Hold a span, if its trace is undecided; whether it was."""
        if trace.held is None:
            return False
        trace.held.append((ended, span))
        self._held_spans += 1
        if self._held_spans > MAX_HELD_SPANS:
            oldest = next(each for each in self._traces.values() if each.held)
            self._release(oldest)
            if not self._told:
                self._told = True
                _logger.warning(
                    'Tail sampling holds more than %d starts and ends: the oldest undecided traces are dropped.',
                    MAX_HELD_SPANS,
                )
        return True

    def _release(self, trace: _Trace) -> None:
        """Hold nothing of the trace any more: it is decided."""
        self._held_spans -= len(trace.held or ())
        trace.held = None

    def _forget(self, trace_id: int, trace: _Trace) -> None:
        # Where two threads end a trace that is forgotten meanwhile, it is gone already.
        self._release(self._traces.pop(trace_id, trace))


def _trace_id(span: ReadableSpan) -> int:
    return span.context.trace_id if span.context else 0


def _span_id(span: ReadableSpan) -> int:
    return span.context.span_id if span.context else 0
