"""Ids and times that come out the same in every run of a test."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from opentelemetry.sdk.trace.id_generator import IdGenerator


@dataclass(repr=False)
class IncrementalIdGenerator(IdGenerator):
    """Trace ids and span ids that count 1, 2, 3, ..., each on their own. Not for use from several threads."""

    trace_id_counter: int = field(default=0, init=False)
    span_id_counter: int = field(default=0, init=False)

    def __repr__(self) -> str:
        return 'IncrementalIdGenerator()'

    def reset_trace_span_ids(self) -> None:
        """Begin at 1 again."""
        self.trace_id_counter = self.span_id_counter = 0

    def generate_span_id(self) -> int:
        """The next span id."""
        self.span_id_counter += 1
        return self.span_id_counter

    def generate_trace_id(self) -> int:
        """The next trace id."""
        self.trace_id_counter += 1
        return self.trace_id_counter


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


@dataclass(repr=False)
class SeededRandomIdGenerator(IdGenerator):
    """Random ids, the same in each run for the same seed, apart from the time that trace ids begin with.

    `seed=None` is different ids in each run. The upper 48 bits of a trace id are the milliseconds since 1970.
    """

    seed: int | None = 0
    _ms_timestamp_generator: Callable[[], int] = _milliseconds

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def __repr__(self) -> str:
        return f'SeededRandomIdGenerator(seed={self.seed!r})'

    def generate_span_id(self) -> int:
        """A span id other than 0, which OpenTelemetry takes for none."""
        return self._nonzero(64)

    def generate_trace_id(self) -> int:
        """A trace id that sorts by time."""
        return (self._ms_timestamp_generator() & 0xFFFF_FFFF_FFFF) << 80 | self._nonzero(80)

    def _nonzero(self, bits: int) -> int:
        number = 0
        while not number:
            number = self._random.getrandbits(bits)
        return number


@dataclass
class TimeGenerator:
    """A clock that advances one second each time it is read; the first reading is `ns_time` + 1 s, in nanoseconds."""

    ns_time: int = 0

    def __call__(self) -> int:
        """Read the clock."""
        self.ns_time += 1_000_000_000
        return self.ns_time
