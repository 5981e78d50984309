"""Which traces are kept. What a callback is handed is never made without `logfire`: it is here for its type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from logfire_api._handover import hand_over
from logfire_api._options import SamplingOptions
from logfire_api.types import SpanLevel

__all__ = ['SamplingOptions', 'SpanLevel', 'TailSamplingSpanInfo']


@dataclass
class TailSamplingSpanInfo:
    """A span that started or ended in a trace that is not decided yet. `Any` stands for the types of OpenTelemetry."""

    span: Any
    context: Any
    event: Literal['start', 'end']
    buffer: Any

    @property
    def level(self) -> SpanLevel:
        """The level of the span."""
        return SpanLevel.from_span(self.span)

    @property
    def duration(self) -> float:
        """Seconds from the start of the trace to this event: none."""
        return 0.0


hand_over(globals())
