"""The span that a user holds, and its twin that records nothing."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.context import Context, attach, get_current
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanContext, SpanKind, StatusCode, set_span_in_context
from opentelemetry.util.types import Attributes, AttributeValue

from logfire._internal import errors
from logfire._internal.attributes import (
    JSON_SCHEMA,
    LEVEL_NUM,
    MSG,
    MSG_TEMPLATE,
    SPAN_TYPE,
    TAGS,
    all_carried,
    any_text,
    merge_json_schema,
    otel_attributes,
)
from logfire._internal.config.tracers import ProxyTracer
from logfire._internal.errors import Guard
from logfire._internal.exception_events import record_exception
from logfire._internal.levels import LevelName, level_number
from logfire._internal.message import checked_level, new_message, unique_tags
from logfire._internal.stack_info import caller_attributes
from logfire._internal.suppression import is_suppressed
from logfire._internal.unfinished import WeaklyUnfinished

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from logfire._internal.config.configuration import LogfireConfig
    from logfire._internal.main import Logfire

_ERROR: Final = level_number('error')

_BEGIN = 'begin a span'
_SET = Guard('set something on a span')
_END = 'end a span'


class LogfireSpan:
    """A span: a context manager that starts on entering, is current inside, and ends on leaving.

    An exception that leaves it is recorded and passes on unchanged. Entering it again, or ending it again, does
    nothing; so does setting anything after the end. Before it is entered, what is set goes with it from its start. What
    is not described here (`name`, `attributes`, `parent`, `add_event`, ...) is that of OpenTelemetry's span.
    """

    __slots__ = (
        '__weakref__',
        '_attributes',
        '_before',
        '_config',
        '_context',
        '_kind',
        '_late_schema',
        '_level',
        '_links',
        '_message',
        '_name',
        '_new_trace',
        '_span',
        '_tags',
        '_template',
        '_tracer',
        '_unclaimed',
    )

    def __init__(
        self,
        config: LogfireConfig,
        tracer: ProxyTracer,
        name: str,
        attributes: dict[str, AttributeValue],
        template: str,
        message: str,
        tags: tuple[str, ...],
        level: int | None,
        links: Sequence[tuple[SpanContext, Attributes]],
        kind: SpanKind,
    ) -> None:
        self._config = config
        self._tracer = tracer
        self._name = name
        self._attributes = attributes
        self._template = template
        self._message = message
        self._tags = tags
        self._level = level
        self._links = links
        self._kind = kind
        self._new_trace = False
        self._span: Span | None = None
        # Popped by whoever ends the span first: popping is atomic, where a flag would need a lock.
        self._unclaimed = [True]
        self._context: Context | None = None
        self._before: Context | None = None
        # The schema of attributes set after the start; it is written once, at the end.
        self._late_schema: str | None = None

    def __enter__(self) -> LogfireSpan:
        if self._span is None and self._unclaimed:
            try:
                self._start()
            except Exception as fault:
                errors.handle(_BEGIN, fault)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        span = self._span
        if span is None:
            return
        self._detach()
        if exc_value is not None:
            try:
                callback = self._config.advanced.exception_callback
                record_exception(span, exc_value, escaped=True, callback=callback)
            except Exception as fault:
                errors.handle(_END, fault)
        self.end()

    def __getattr__(self, name: str) -> Any:
        return _otel_attribute(self._span, name)

    @property
    def context(self) -> SpanContext | None:
        """The span's ids, to link to it or to tell it apart; None before it is entered."""
        return None if self._span is None else self._span.get_span_context()

    def get_span_context(self) -> SpanContext | None:
        """As `context`."""
        return self.context

    @property
    def message_template(self) -> str:
        """The template that the message was made from."""
        return self._template

    @property
    def message(self) -> str:
        """The message that the span is shown with. May be set, to text that is taken as it is: it is no template."""
        return self._message

    @message.setter
    def message(self, message: str) -> None:
        with _SET:
            message = any_text(message)
            if self._set(MSG, message):
                self._message = message

    @property
    def tags(self) -> tuple[str, ...]:
        """The span's tags. May be set: the given ones replace the former, each once, in order."""
        return self._tags

    @tags.setter
    def tags(self, tags: Sequence[str]) -> None:
        with _SET:
            unique = unique_tags(tags)
            if self._set(TAGS, unique):
                self._tags = unique

    def set_level(self, level: LevelName | int) -> None:
        """Set the span's level.

        Args:
            level: A level's name, or its number. What is neither warns, and is taken as error.
        """
        number = checked_level(level)
        with _SET:
            if self._set(LEVEL_NUM, number):
                self._level = number

    def set_attribute(self, key: str, value: Any) -> None:
        """Set an attribute.

        Args:
            key: Its name; an attribute of this name is replaced.
            value: Any value. What OpenTelemetry has no type for is kept as JSON.
        """
        self.set_attributes({key: value})

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set several attributes, as `set_attribute` sets one."""
        with _SET:
            if not self._is_open() or not attributes:
                return
            otel = otel_attributes(attributes)
            del otel[JSON_SCHEMA]
            for key, value in otel.items():
                self._set(key, value)
            schema = self._late_schema or cast('str | None', self._attributes.get(JSON_SCHEMA))
            self._late_schema = merge_json_schema(schema, attributes)

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Link to another span.

        Args:
            context: Its `context`.
            attributes: What to say of the link.
        """
        with _SET:
            if self._span is None:
                self._links = (*self._links, (context, attributes))
            elif self._is_open():
                self._span.add_link(context, all_carried(attributes))

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Record an exception that did not leave the span, as an event. One that leaves it is recorded by itself.

        Args:
            exception: The exception.
            attributes: More attributes for the event.
            timestamp: When it was met, in nanoseconds since 1970; None is now.
            escaped: Whether to treat it as one that leaves the span: it then sets the span's status and level.

        Raises:
            RuntimeError: The span has not been entered yet.
        """
        if self._span is None:
            raise RuntimeError('A span records exceptions from when it is entered: use it in a `with` statement first.')
        with _SET:
            if self._is_open():
                record_exception(
                    self._span,
                    exception,
                    timestamp=timestamp,
                    escaped=escaped,
                    attributes=attributes,
                    callback=self._config.advanced.exception_callback,
                )

    def is_recording(self) -> bool:
        """Whether what is set on the span is kept: it was entered, has not ended, and is sampled."""
        return self._span is not None and self._span.is_recording()

    def end(self, end_time: int | None = None) -> None:
        """End the span, as leaving it does. One that was not entered, or has ended, stays as it is.

        Args:
            end_time: When it ended, in nanoseconds since 1970; None is now.
        """
        span = self._span
        if span is None:
            return
        try:
            self._unclaimed.pop()
        except IndexError:
            return
        _open_spans.discard(self)
        if self._context is not None:
            self._detach()
        if self._late_schema is not None or (self._level is not None and self._level >= _ERROR):
            try:
                self._complete(span)
            except Exception as fault:
                errors.handle(_END, fault)
        try:
            span.end(end_time)
        except Exception as fault:
            errors.handle(_END, fault)

    def _leave(self) -> None:
        """This is a forked child's copy: the parent ends the span. It stays the parent of what the child does."""
        self._unclaimed.clear()

    def _start(self) -> None:
        before = get_current()
        attributes = self._attributes
        attributes[SPAN_TYPE] = 'span'
        tracer = self._tracer
        start_span = tracer.start_span if is_suppressed(before) else tracer.start_own_span
        span = start_span(
            self._name,
            set_span_in_context(INVALID_SPAN, before) if self._new_trace else before,
            self._kind,
            attributes,
            [Link(context, all_carried(attributes)) for context, attributes in self._links] if self._links else None,
        )
        self._span = span
        _open_spans.add(self)
        self._before = before
        self._context = context = set_span_in_context(span, before)
        attach(context)

    def _detach(self) -> None:
        # What was current before is attached again, instead of detaching by token: a token is refused, with a logged
        # error, in another thread, task or generator context than the one that attached. There, what is current is not
        # ours to change.
        if get_current() is self._context and self._before is not None:
            attach(self._before)
        self._context = self._before = None

    def _is_open(self) -> bool:
        return bool(self._unclaimed) and (self._span is None or self._span.is_recording())

    def _set(self, key: str, value: AttributeValue) -> bool:
        """Set an attribute as it is, now or at the start; False when the span has ended."""
        if not self._unclaimed:
            return False
        if self._span is None:
            self._attributes[key] = value
        else:
            self._span.set_attribute(key, value)
        return True

    def _complete(self, span: Span) -> None:
        """Say what is known at the end only: the shapes of attributes set late, that an error level is a failure."""
        if self._late_schema is not None:
            span.set_attribute(JSON_SCHEMA, self._late_schema)
        if self._level is not None and self._level >= _ERROR and _otel_attribute(span, 'status').is_unset:
            span.set_status(StatusCode.ERROR)


# Those still open when the interpreter exits are ended there.
_open_spans: Final[WeaklyUnfinished[LogfireSpan]] = WeaklyUnfinished(
    'end a span at exit', end=LogfireSpan.end, leave=LogfireSpan._leave
)


class NoopSpan:
    """Stands for a span that is not made, with the same surface: below `min_level`, or before `configure()`."""

    __slots__ = ('__weakref__',)

    def __enter__(self) -> NoopSpan:
        return self

    def __exit__(self, *exc_info: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return _otel_attribute(None, name)

    @property
    def context(self) -> SpanContext | None:
        return None

    def get_span_context(self) -> SpanContext | None:
        return None

    @property
    def message_template(self) -> str:
        return ''

    @property
    def message(self) -> str:
        return ''

    @message.setter
    def message(self, message: str) -> None: ...

    @property
    def tags(self) -> tuple[str, ...]:
        return ()

    @tags.setter
    def tags(self, tags: Sequence[str]) -> None: ...

    def set_level(self, level: LevelName | int) -> None: ...


NOOP_SPAN: Final = NoopSpan()


def new_span(
    logfire: Logfire,
    template: str,
    attributes: Mapping[str, Any],
    *,
    tags: Sequence[str] | None = None,
    name: str | None = None,
    level: int | None = None,
    links: Sequence[tuple[SpanContext, Attributes]] = (),
    kind: SpanKind = SpanKind.INTERNAL,
    frame: FrameType | None = None,
    code: Mapping[str, str | int] | None = None,
    new_trace: bool = False,
) -> LogfireSpan:
    """A span that is not yet started.

    Args:
        logfire: Says where it goes, its tags and its scope.
        template: See `new_message`; so `attributes` and `frame`.
        attributes: The user's attributes.
        tags: More tags than the instance's.
        name: Its name; None is the template.
        level: Its severity number; None leaves it unset.
        links: Spans to link to, and what to say of each.
        kind: OpenTelemetry's kind of span.
        frame: The frame that is making the call.
        code: Where in the code it was made; None is the user's nearest frame.
        new_trace: Whether it has no parent.
    """
    template, text, user_attributes, json_schema = new_message(logfire.config, template, attributes, frame=frame)
    otel: dict[str, AttributeValue] = {**(caller_attributes(1) if code is None else code), **user_attributes}
    otel[MSG_TEMPLATE] = template
    otel[MSG] = text
    if json_schema is not None:
        otel[JSON_SCHEMA] = json_schema
    all_tags = unique_tags(logfire.tags, tags) if tags else logfire.tags
    if all_tags:
        otel[TAGS] = all_tags
    if level is not None:
        otel[LEVEL_NUM] = level
    span = LogfireSpan(
        logfire.config,
        logfire.tracer,
        template if name is None else any_text(name),
        otel,
        template,
        text,
        all_tags,
        level,
        links,
        kind,
    )
    if new_trace:
        span._new_trace = True
    return span


@functools.cache
def _blank_span() -> ReadableSpan:
    from opentelemetry.sdk.trace import ReadableSpan

    return ReadableSpan(name='')


def _otel_attribute(span: Span | None, name: str) -> Any:
    """An attribute of OpenTelemetry's span; the neutral one where there is no span, or none that records."""
    if name.startswith('_'):
        raise AttributeError(name)
    try:
        return getattr(INVALID_SPAN if span is None else span, name)
    except AttributeError:
        return getattr(_blank_span(), name)
