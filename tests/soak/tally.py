"""What must be true of many calls: one span each, the right parents, nothing left over."""

from __future__ import annotations

import gc
import os
import threading
from collections import Counter
from dataclasses import dataclass

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

import logfire
from logfire._internal import errors

SEED = 'gen_ai.request.seed'
"""Each call is told apart by the `seed` of its request."""


class Tally(SpanProcessor):
    """Counts the spans of each call, and keeps who its parent is and which span called it."""

    def __init__(self) -> None:
        self.spans: Counter[int] = Counter()
        self._parents: dict[int, int] = {}
        self._callers: dict[int, int] = {}
        self._lock = threading.Lock()

    def on_end(self, span: ReadableSpan) -> None:
        attributes = span.attributes or {}
        context = span.get_span_context()
        assert context is not None
        with self._lock:
            if SEED in attributes:
                number = int(str(attributes[SEED]))
                self.spans[number] += 1
                self._parents[number] = span.parent.span_id if span.parent else 0
            elif 'caller' in attributes:
                self._callers[int(str(attributes['caller']))] = context.span_id

    def check(self, calls: int) -> None:
        """Calls 0, 1, 2, ... have one span each, the child of its caller's. Forgets them."""
        assert logfire.force_flush()  # Streams that were dropped are ended by a thread of ours.
        with self._lock:
            assert self.spans == Counter(range(calls))
            assert self._parents == self._callers
        self.clear()

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self.spans.clear()
            self._parents.clear()
            self._callers.clear()


@dataclass(frozen=True)
class Resources:
    """What a process holds, after a garbage collection."""

    objects: int
    """Objects that the collector tracks."""
    rss: int
    """Bytes of memory that it occupies."""
    threads: int
    descriptors: int

    @classmethod
    def now(cls) -> Resources:
        """Measure."""
        for _ in range(3):  # What a finaliser frees is collected the next time.
            gc.collect()
        with open('/proc/self/statm') as statm:
            pages = int(statm.read().split()[1])
        return cls(
            objects=len(gc.get_objects()),
            rss=pages * os.sysconf('SC_PAGE_SIZE'),
            threads=threading.active_count(),
            descriptors=len(os.listdir('/proc/self/fd')),
        )


def check_no_fault() -> None:
    """Nothing of ours failed."""
    assert errors.fault_counts() == {}
