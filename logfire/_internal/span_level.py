"""The level of a span, as callbacks compare with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logfire._internal.issues import level_of
from logfire._internal.levels import LEVEL_NAMES, LEVEL_NUMBERS, LevelName, level_number

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Span


@dataclass(frozen=True, eq=False)
class SpanLevel:
    """The level of a span or log. Compares with other levels, with level names and with numbers: `level >= 'warn'`."""

    number: int
    """1 is trace, 21 fatal; see OpenTelemetry's severity numbers."""

    @classmethod
    def from_span(cls, span: ReadableSpan | Span) -> SpanLevel:
        """The level of a span; info where it has none."""
        level = level_of(span)
        return cls(LEVEL_NUMBERS['info'] if level is None else level)

    @property
    def name(self) -> LevelName | None:
        """The level's name, or None for a number between the named ones."""
        return LEVEL_NAMES.get(self.number)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SpanLevel):
            return self.number == other.number
        if isinstance(other, int):
            return self.number == other
        if isinstance(other, str):
            return {**LEVEL_NUMBERS}.get(other) == self.number
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.number)

    def __lt__(self, other: SpanLevel | LevelName | int) -> bool:
        return self.number < _number(other)

    def __le__(self, other: SpanLevel | LevelName | int) -> bool:
        return self.number <= _number(other)

    def __gt__(self, other: SpanLevel | LevelName | int) -> bool:
        return self.number > _number(other)

    def __ge__(self, other: SpanLevel | LevelName | int) -> bool:
        return self.number >= _number(other)


def _number(level: SpanLevel | LevelName | int) -> int:
    return level.number if isinstance(level, SpanLevel) else level_number(level)
