"""What a user's exception callback is handed: an exception about to be recorded, and what would be recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from opentelemetry import trace
from opentelemetry.trace import Span, SpanContext
from opentelemetry.util.types import AttributeValue

from logfire._internal.attributes import LEVEL_NUM
from logfire._internal.issues import canonical_traceback, level_of, opens_issue
from logfire._internal.levels import LevelName, level_number
from logfire._internal.span_level import SpanLevel


@dataclass
class ExceptionCallbackHelper:
    """What an exception callback (`AdvancedOptions.exception_callback`) may look at and change.

    It is made for each exception about to be recorded, after the span's level and status were set.
    """

    span: Span
    """The span that records the exception."""
    exception: BaseException
    """The exception itself."""
    event_attributes: dict[str, AttributeValue]
    """Attributes of the event, added to those that tell the exception; may be changed."""
    _fingerprint_source: str | None = field(default=None, repr=False)
    _create_issue: bool | None = None
    _recorded: bool = True

    @property
    def level(self) -> SpanLevel:
        """The span's level; info where it has none. May be set to a name or a number."""
        return SpanLevel.from_span(self.span)

    @level.setter
    def level(self, value: LevelName | int) -> None:
        self.span.set_attribute(LEVEL_NUM, level_number(value))

    @property
    def level_is_unset(self) -> bool:
        """Whether nothing has set a level on the span: it was neither given one nor did the exception leave it."""
        return level_of(self.span) is None

    @property
    def parent_span(self) -> Span | None:
        """The parent of the span, where it is a span of this process and current here; else None."""
        parent = getattr(self.span, 'parent', None)
        current = trace.get_current_span()
        return current if isinstance(parent, SpanContext) and parent == current.get_span_context() else None

    @property
    def issue_fingerprint_source(self) -> str:
        """The text whose SHA-256 is the issue's fingerprint: the exception's traceback without line numbers.

        May be set: exceptions with the same source are the same issue.
        """
        if self._fingerprint_source is None:
            self._fingerprint_source = canonical_traceback(self.exception)
        return self._fingerprint_source

    @issue_fingerprint_source.setter
    def issue_fingerprint_source(self, value: str) -> None:
        self._fingerprint_source = value

    @property
    def create_issue(self) -> bool:
        """Whether the span gets the fingerprint that makes the backend open an issue. May be set.

        By default: on the outermost span of this process, whose level is unset or at least
        error.
        """
        if self._create_issue is not None:
            return self._create_issue
        return opens_issue(self.span)

    @create_issue.setter
    def create_issue(self, value: bool) -> None:
        self._create_issue = value

    @property
    def is_recorded(self) -> bool:
        """Whether the exception becomes an event of the span; False after `no_record_exception()`."""
        return self._recorded

    def no_record_exception(self) -> None:
        """Make no event of this exception, and no issue. The span's level and status stay."""
        self._recorded = False
        self._create_issue = False


ExceptionCallback: TypeAlias = Callable[[ExceptionCallbackHelper], None]
"""Called for each exception about to be recorded; may change what is. Its faults are reported, not raised."""
