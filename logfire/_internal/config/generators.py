"""The user's clock and id generator, held so that a fault of theirs reaches neither the user's calls nor an exporter.

Where they fail, or give what OTLP has no place for, the system's clock and random ids stand in, with one report.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from operator import index
from typing import Final

from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator

from logfire._internal import errors

_READ_CLOCK: Final = 'read the configured clock'
_GENERATE: Final = 'generate an id with the configured generator'

_SPAN_ID_BITS: Final = 64
_TRACE_ID_BITS: Final = 128
_TIME_BITS: Final = 64


def guarded_clock(clock: Callable[[], int]) -> Callable[[], int]:
    """The clock, in nanoseconds since 1970."""

    def now() -> int:
        try:
            return _fitting(clock(), _TIME_BITS, least=0)
        except Exception as fault:
            errors.handle(_READ_CLOCK, fault)
            return time.time_ns()

    return now


def read_quietly(clock: Callable[[], int]) -> int | None:
    """The clock; None where it fails. Reports nothing: safe inside a garbage collection."""
    try:
        return _fitting(clock(), _TIME_BITS, least=0)
    except Exception:
        return None


class GuardedIdGenerator(IdGenerator):
    """The user's generator, or random ids where it fails."""

    def __init__(self, generator: IdGenerator) -> None:
        self._generator = generator
        self._stand_in = RandomIdGenerator()

    def generate_span_id(self) -> int:
        try:
            return _fitting(self._generator.generate_span_id(), _SPAN_ID_BITS, least=1)
        except Exception as fault:
            errors.handle(_GENERATE, fault)
            return self._stand_in.generate_span_id()

    def generate_trace_id(self) -> int:
        try:
            return _fitting(self._generator.generate_trace_id(), _TRACE_ID_BITS, least=1)
        except Exception as fault:
            errors.handle(_GENERATE, fault)
            return self._stand_in.generate_trace_id()

    def is_trace_id_random(self) -> bool:
        """What the generator says; the first releases of OpenTelemetry that are supported do not ask."""
        ask: Callable[[], bool] | None = getattr(self._generator, 'is_trace_id_random', None)
        try:
            return ask is not None and bool(ask())
        except Exception as fault:
            errors.handle(_GENERATE, fault)
            return False


def _fitting(number: int, bits: int, *, least: int) -> int:
    number = index(number)  # A float, say, would fail in the exporter, with every span that is sent beside it.
    if number < least or number >> bits:
        raise ValueError(f'{number} is not a number from {least} to 2**{bits} - 1')
    return number
