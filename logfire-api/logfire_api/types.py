"""Types that users annotate with or are handed. Without `logfire` none of the objects is ever made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from logfire_api._handover import hand_over
from logfire_api._span import LevelName

__all__ = ['ExceptionCallback', 'ExceptionCallbackHelper', 'SpanLevel']


@dataclass(frozen=True)
class SpanLevel:
    """The level of a span or log. Compares with other levels, with level names and with numbers."""

    number: int

    @classmethod
    def from_span(cls, span: Any) -> SpanLevel:
        """The level of a span of OpenTelemetry: info."""
        return cls(9)

    @property
    def name(self) -> LevelName | None:
        """The level's name: unknown."""
        return None

    def __lt__(self, other: SpanLevel | LevelName | int) -> bool:
        return False

    def __le__(self, other: SpanLevel | LevelName | int) -> bool:
        return False

    def __gt__(self, other: SpanLevel | LevelName | int) -> bool:
        return False

    def __ge__(self, other: SpanLevel | LevelName | int) -> bool:
        return False


@dataclass
class ExceptionCallbackHelper:
    """What an exception callback may look at and change. `Any` stands for the types of OpenTelemetry."""

    span: Any
    exception: BaseException
    event_attributes: dict[str, Any]

    @property
    def level(self) -> SpanLevel:
        """The span's level: info. May be set to a name or a number."""
        return SpanLevel(9)

    @level.setter
    def level(self, value: LevelName | int) -> None: ...

    @property
    def level_is_unset(self) -> bool:
        """Whether nothing has set a level on the span."""
        return True

    @property
    def parent_span(self) -> Any:
        """The parent of the span: None."""
        return None

    @property
    def issue_fingerprint_source(self) -> str:
        """The text that tells the issue from others: empty. May be set."""
        return ''

    @issue_fingerprint_source.setter
    def issue_fingerprint_source(self, value: str) -> None: ...

    @property
    def create_issue(self) -> bool:
        """Whether an issue is opened: it is not. May be set."""
        return False

    @create_issue.setter
    def create_issue(self, value: bool) -> None: ...

    @property
    def is_recorded(self) -> bool:
        """Whether the exception is recorded: it is not."""
        return False

    def no_record_exception(self) -> None:
        """Would make no event of this exception."""


ExceptionCallback: TypeAlias = Callable[[ExceptionCallbackHelper], None]
"""Would be called for each exception about to be recorded."""

hand_over(globals())
