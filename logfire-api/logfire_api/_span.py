"""A span that records nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, TypeAlias

LevelName: TypeAlias = Literal['trace', 'debug', 'info', 'notice', 'warn', 'warning', 'error', 'fatal']
"""A level by name."""


class LogfireSpan:
    """A span: a context manager. What is set on it is not kept.

    It also has what `logfire`'s takes over from OpenTelemetry's span. What would be an object of OpenTelemetry is None.
    """

    __slots__ = ('__weakref__',)

    def __enter__(self) -> LogfireSpan:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    @property
    def context(self) -> Any:
        """The span's ids (OpenTelemetry's `SpanContext`): None."""
        return None

    def get_span_context(self) -> Any:
        """As `context`."""
        return None

    @property
    def message_template(self) -> str:
        """The template that the message is made from: empty."""
        return ''

    @property
    def message(self) -> str:
        """The message that the span would be shown with: empty. May be set."""
        return ''

    @message.setter
    def message(self, message: str) -> None: ...

    @property
    def tags(self) -> tuple[str, ...]:
        """The span's tags: none. May be set."""
        return ()

    @tags.setter
    def tags(self, tags: Sequence[str]) -> None: ...

    def set_level(self, level: LevelName | int) -> None:
        """Would set the span's level."""

    def set_attribute(self, key: str, value: Any) -> None:
        """Would set an attribute."""

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Would set several attributes."""

    def add_link(self, context: Any, attributes: Mapping[str, Any] | None = None) -> None:
        """Would link to another span."""

    def add_event(self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None) -> None:
        """Would add an event."""

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Would record an exception."""

    def set_status(self, status: Any, description: str | None = None) -> None:
        """Would set the status."""

    def update_name(self, name: str) -> None:
        """Would rename the span."""

    def is_recording(self) -> bool:
        """Whether what is set on the span is kept: it is not."""
        return False

    def end(self, end_time: int | None = None) -> None:
        """Would end the span."""

    @property
    def name(self) -> str:
        """The span's name: empty."""
        return ''

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The span's attributes: none."""
        return {}

    @property
    def events(self) -> Sequence[Any]:
        """The span's events: none."""
        return ()

    @property
    def links(self) -> Sequence[Any]:
        """The span's links: none."""
        return ()

    @property
    def parent(self) -> Any:
        """The ids of the parent: None."""
        return None

    @property
    def start_time(self) -> int | None:
        """When it started: None."""
        return None

    @property
    def end_time(self) -> int | None:
        """When it ended: None."""
        return None

    @property
    def kind(self) -> Any:
        """OpenTelemetry's kind of span: None."""
        return None

    @property
    def status(self) -> Any:
        """OpenTelemetry's status: None."""
        return None

    @property
    def resource(self) -> Any:
        """OpenTelemetry's resource: None."""
        return None

    @property
    def instrumentation_scope(self) -> Any:
        """OpenTelemetry's instrumentation scope: None."""
        return None

    @property
    def dropped_attributes(self) -> int:
        """How many attributes exceeded a limit: 0."""
        return 0

    @property
    def dropped_events(self) -> int:
        """How many events exceeded a limit: 0."""
        return 0

    @property
    def dropped_links(self) -> int:
        """How many links exceeded a limit: 0."""
        return 0

    def to_json(self, indent: int | None = 4) -> str:
        """The span as JSON: an empty object."""
        return '{}'


NOOP_SPAN = LogfireSpan()
