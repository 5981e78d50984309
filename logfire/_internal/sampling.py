"""Which traces are kept: decided when a trace starts (head), and by what then happens in it (tail)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from typing_extensions import Self

from logfire._internal.levels import LevelName, level_number
from logfire._internal.span_level import SpanLevel

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.sampling import Sampler


@dataclass
class TraceBuffer:
    """What is known of a trace that is not decided yet."""

    first_span: ReadableSpan
    """The span that began the trace in this process."""


@dataclass
class TailSamplingSpanInfo:
    """A span that started or ended in a trace that is not decided yet."""

    span: ReadableSpan
    """The span as it is now."""
    context: Context | None
    """The context it was started in; None when it ends."""
    event: Literal['start', 'end']
    """What happened."""
    buffer: TraceBuffer
    """The trace so far."""

    @property
    def level(self) -> SpanLevel:
        """The level of the span."""
        return SpanLevel.from_span(self.span)

    @property
    def duration(self) -> float:
        """Seconds from the start of the trace in this process to this event."""
        now = self.span.end_time if self.event == 'end' else self.span.start_time
        return ((now or 0) - (self.buffer.first_span.start_time or 0)) / 1e9


@dataclass(frozen=True)
class SamplingOptions:
    """Which traces are kept. A trace must pass both the head and the tail."""

    head: float | Sampler = 1.0
    """Share of traces, 0 to 1, to record at all, decided when a trace starts; or an OpenTelemetry sampler."""
    tail: Callable[[TailSamplingSpanInfo], float] | None = None
    """Called when a span starts and when it ends, until the trace is kept: the probability, 0 to 1, to keep it.

    The trace is held in memory until then, and dropped if its last open span ends before it was kept. All calls for
    one trace are compared with the same number, so a trace is kept if the largest of the probabilities would keep it.
    """

    @classmethod
    def level_or_duration(
        cls,
        *,
        head: float | Sampler = 1.0,
        level_threshold: LevelName | None = 'notice',
        duration_threshold: float | None = 5.0,
        background_rate: float = 0.0,
    ) -> Self:
        """Keep traces that hold something notable or take long.

        Args:
            head: Share of traces to record at all, 0 to 1, or an OpenTelemetry sampler.
            level_threshold: Keep a trace with a span or log of at least this level. None: whatever the level.
            duration_threshold: Keep a trace that takes longer than this, in seconds. None: however long.
            background_rate: Share of all traces to keep although neither holds; at most `head`.

        Raises:
            ValueError: A rate is not within 0 to 1, `background_rate` is above `head`, or the level is none.
        """
        if not 0.0 <= background_rate <= (head if isinstance(head, (int, float)) else 1.0) <= 1.0:
            raise ValueError('The rates must satisfy 0.0 <= background_rate <= head <= 1.0.')
        level = None if level_threshold is None else level_number(level_threshold)

        def probability(info: TailSamplingSpanInfo) -> float:
            if duration_threshold is not None and info.duration > duration_threshold:
                return 1.0
            if level is not None and info.level.number >= level:
                return 1.0
            return background_rate

        return cls(head=head, tail=probability)
