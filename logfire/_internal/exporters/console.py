"""The console: spans and logs as lines that a person reads, as they happen.

Imported only when the console is on, because rich comes with it.
"""

from __future__ import annotations

import json
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import StatusCode

from logfire._internal import attributes as names, forks
from logfire._internal.errors import Guard
from logfire._internal.exporters import console_llm
from logfire._internal.exporters.console_calls import OpenCalls
from logfire._internal.exporters.console_output import ConsoleOutput
from logfire._internal.exporters.console_text import PYTHON, Line, block_text, one_line, texts
from logfire._internal.exporters.console_tree import OpenSpan, Place, SpanTree
from logfire._internal.exporters.console_values import format_attribute
from logfire._internal.levels import LEVEL_NAMES, LEVEL_NUMBERS

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk._logs import ReadWriteLogRecord
    from opentelemetry.sdk.trace import Span

    from logfire._internal.config.options import ConsoleOptions

_GUARD: Final = Guard('show telemetry on the console')

_INFO: Final = LEVEL_NUMBERS['info']
_WARN: Final = LEVEL_NUMBERS['warn']
_ERROR: Final = LEVEL_NUMBERS['error']

# The width of `00:00:00.000 `; what belongs to a line stands below its message.
_TIMESTAMP_WIDTH: Final = 13


def new_console_processor(options: ConsoleOptions) -> ConsoleSpanProcessor:
    """A span processor that shows spans and logs as `options` say."""
    return ConsoleSpanProcessor(_Console(options))


class ConsoleSpanProcessor(SpanProcessor):
    """Shows spans when they start, logs when they are made, and calls of language models when they start and end.

    A start is shown from the zero-length pending copy of a span, handed to `on_end`: it has been scrubbed, a live span
    has not. A span whose copy never came is shown when it ends. Nothing is raised to the caller.
    """

    wants_pending: Final = True
    """Pending copies of spans are to be handed to `on_end`, before the spans themselves."""

    def __init__(self, console: _Console) -> None:
        self._console = console

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing: what has not been scrubbed is not shown."""

    def on_end(self, span: ReadableSpan) -> None:
        """Show a finished span, a log or a pending copy."""
        with _GUARD:
            self._console.show(span)

    def shutdown(self) -> None:
        """Show nothing from now on. The stream stays open: it is not ours."""
        self._console.closed = True

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the stream; every block was written when it came."""
        with _GUARD:
            self._console.flush()
        return True

    def new_log_processor(self) -> ConsoleLogProcessor:
        """A processor that shows the log records of OpenTelemetry's logs API in their place among these spans."""
        return ConsoleLogProcessor(self._console)


class ConsoleLogProcessor(LogRecordProcessor):
    """Shows log records of OpenTelemetry's logs API on the console of the spans. Nothing is raised to the caller."""

    def __init__(self, console: _Console) -> None:
        self._console = console

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Show a log record."""
        with _GUARD:
            self._console.show(log_record)

    def shutdown(self) -> None:
        """Nothing: the processor of the spans closes the console."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing to do: every block was written when it came."""
        return True


class _Entry(NamedTuple):
    """A span's start or a log: what a block of ordinary output is made from."""

    timestamp: int
    message: str
    attributes: Mapping[str, Any]
    level: int | None
    exceptions: Sequence[Mapping[str, Any]] = ()

    @property
    def style(self) -> str:
        if self.level is None or self.level < _WARN:
            return ''
        return 'red' if self.level >= _ERROR else 'yellow'


class _Console:
    """Lays out and writes the blocks, one at a time, in the order they come."""

    def __init__(self, options: ConsoleOptions) -> None:
        self.closed = False
        self._options = options
        self._min_level = LEVEL_NUMBERS[options.min_log_level]
        self._output = ConsoleOutput(options.output, options.colors)
        self._tree = SpanTree(options.span_style)
        self._calls = OpenCalls()
        self._margin = _TIMESTAMP_WIDTH if options.include_timestamps else 0
        self._second = -1
        self._second_text = ''
        self.reset_lock()
        _consoles.add(self)

    def reset_lock(self) -> None:
        """Be idle: at the beginning, and after a fork, which copied a lock that another thread may have held."""
        self._lock = threading.RLock()
        self._busy = False
        self._late: list[ReadableSpan | ReadWriteLogRecord] = []

    def show(self, record: ReadableSpan | ReadWriteLogRecord) -> None:
        """Show one record, if the options want it shown."""
        if self.closed:
            return
        with self._lock:
            if self._busy:
                # This thread is writing: a signal handler logs, or the stream itself does.
                self._late.append(record)
                return
            self._busy = True
            try:
                self._show(record)
                # One round only: a stream that logs whenever it is written to would keep us here.
                for late in [*self._late]:
                    self._show(late)
            finally:
                self._late.clear()
                self._busy = False

    def flush(self) -> None:
        with self._lock:
            self._output.flush()

    def _show(self, record: ReadableSpan | ReadWriteLogRecord) -> None:
        if isinstance(record, ReadableSpan):
            self._show_span(record)
        else:
            self._show_log_record(record)

    def _show_span(self, span: ReadableSpan) -> None:
        attributes: Mapping[str, Any] = span.attributes or {}
        if attributes.get(names.DISABLE_CONSOLE_LOG):
            return
        parent_id = span.parent.span_id if span.parent is not None else None
        span_type = attributes.get(names.SPAN_TYPE)
        if span_type == 'log':
            self._show_entry(_entry(span, attributes), self._tree.place(parent_id))
        elif span_type == 'pending_span':
            self._show_start(span, attributes, parent_id)
        else:
            span_id = span.context.span_id if span.context is not None else 0
            was_shown = self._tree.close(span_id)
            if console_llm.is_model_call(span.kind, attributes):
                self._show_call(span, attributes, self._tree.place(parent_id), self._calls.close(span_id))
            elif not was_shown:
                self._show_entry(_entry(span, attributes), self._tree.place(parent_id))

    def _show_start(self, pending: ReadableSpan, attributes: Mapping[str, Any], span_id: int | None) -> None:
        if span_id is None:
            return  # Of no span: not a pending copy of ours.
        parent_id = int(attributes.get(names.PENDING_PARENT_ID, '0'), 16) or None
        entry = _entry(pending, attributes)
        place = self._tree.open(span_id, parent_id, entry.message)
        if not console_llm.is_model_call(pending.kind, attributes):
            self._show_entry(entry, place)
        elif self._options.span_style == 'show-parents' and self._wanted(entry.level):
            number = self._calls.open(span_id, console_llm.title(attributes))
            line = self._line_start(entry.timestamp, place) + console_llm.start_line(attributes, number)
            self._output.write([*self._repeated_parents(place), line])

    def _show_log_record(self, record: ReadWriteLogRecord) -> None:
        log = record.log_record
        attributes: Mapping[str, Any] = log.attributes or {}
        message = attributes.get(names.MSG)
        if message is None:
            body = names.any_text(log.body or {})
            message = f'{log.event_name}: {body}' if log.event_name else body
        timestamp = log.timestamp or log.observed_timestamp or 0
        level = log.severity_number.value if log.severity_number is not None else None
        entry = _Entry(timestamp, block_text(message), attributes, level)
        self._show_entry(entry, self._tree.place(log.span_id or None))

    def _show_entry(self, entry: _Entry, place: Place) -> None:
        if not self._wanted(entry.level):
            return
        line = self._line_start(entry.timestamp, place)
        line.append((self._hung(entry.message, place), entry.style))
        if self._options.include_tags and (tags := texts(entry.attributes.get(names.TAGS))):
            line += [(' ', ''), (f'[{",".join([one_line(tag) for tag in tags])}]', 'cyan')]
        if not self._options.verbose and not entry.exceptions and not place.parents:
            self._output.write([line])
            return
        margin = ' ' * self._margin + (_indent(place) if self._options.span_style == 'indented' else '')
        lines = [*self._repeated_parents(place), line]
        if self._options.verbose:
            lines += _source_lines(entry, margin)
            lines += _argument_lines(entry.attributes, margin)
        for exception in entry.exceptions:
            lines += _exception_lines(exception, margin)
        self._output.write(lines)

    def _show_call(self, span: ReadableSpan, attributes: Mapping[str, Any], place: Place, number: int) -> None:
        entry = _entry(span, attributes)
        if entry.level is None and span.status.status_code is StatusCode.ERROR:
            entry = entry._replace(level=_ERROR)
        if not self._wanted(entry.level):
            return
        lines = self._repeated_parents(place)
        start = self._line_start(span.end_time or 0, place)
        layout = console_llm.new_layout(
            width=self._output.width(),
            start=self._margin + len(_indent(place)),
            verbose=self._options.verbose,
            tags=self._options.include_tags,
        )
        head, *rows = console_llm.block(span, attributes, entry.style, layout, number)
        lines.append(start + head)
        if self._options.verbose:
            lines += _source_lines(entry, ' ' * layout.margin)
        self._output.write([*lines, *rows])

    def _wanted(self, level: int | None) -> bool:
        return (_INFO if level is None else level) >= self._min_level

    def _line_start(self, timestamp: int, place: Place) -> Line:
        if not self._margin:
            return [(_indent(place), '')]
        second, nanoseconds = divmod(timestamp, 1_000_000_000)
        if second != self._second:
            self._second_text = time.strftime('%H:%M:%S', time.localtime(second))
            self._second = second
        return [(f'{self._second_text}.{nanoseconds // 1_000_000:03}', 'green'), (f' {_indent(place)}', '')]

    def _repeated_parents(self, place: Place) -> list[Line]:
        return [
            [(f'{" " * self._margin}{_indent(parent)}{self._hung(parent.message, parent)}', 'dim')]
            for parent in place.parents
        ]

    def _hung(self, message: str, place: Place | OpenSpan) -> str:
        """The message, its further lines below its first: none begins where a time would, and passes for another."""
        return message.replace('\n', '\n' + ' ' * self._margin + _indent(place)) if '\n' in message else message


def _entry(span: ReadableSpan, attributes: Mapping[str, Any]) -> _Entry:
    message = attributes.get(names.MSG)
    events = span.events
    exceptions = [event.attributes or {} for event in events if event.name == 'exception'] if events else ()
    text = block_text(span.name if message is None else message)
    return _Entry(span.start_time or 0, text, attributes, _level(attributes), exceptions)


def _indent(place: Place | OpenSpan) -> str:
    return '  ' * place.depth


def _level(attributes: Mapping[str, Any]) -> int | None:
    level = attributes.get(names.LEVEL_NUM)
    return level if isinstance(level, int) else None


def _source_lines(entry: _Entry, margin: str) -> list[Line]:
    """Where in the code it was, and its level."""
    line: Line = []
    if file := entry.attributes.get(names.CODE_FILEPATH):
        number = entry.attributes.get(names.CODE_LINENO)
        line.append((one_line(f' {file}' if number is None else f' {file}:{number}'), 'cyan'))
    if entry.level in LEVEL_NAMES:
        line.append((f' {LEVEL_NAMES[entry.level]}', ''))
    return [[(margin, ''), ('│', 'blue'), *line]] if line else []


def _argument_lines(attributes: Mapping[str, Any], margin: str) -> list[Line]:
    """The user's attributes, as Python."""
    schema = attributes.get(names.JSON_SCHEMA)
    if not schema:
        return []
    try:
        properties: list[tuple[str, Any]] = [*json.loads(schema).get('properties', {}).items()]
    except (TypeError, ValueError, AttributeError, RecursionError):  # Another library's idea of this attribute.
        return []
    lines: list[Line] = []
    for name, value_schema in properties:
        before, indent = f'{one_line(name)}=', 'blue'
        for text in block_text(format_attribute(attributes.get(name), value_schema)).split('\n'):
            lines.append([(margin, ''), ('│ ', 'blue'), (before, indent), (text, PYTHON)])
            before, indent = ' ' * len(before), ''
    return lines


def _exception_lines(exception: Mapping[str, Any], margin: str) -> list[Line]:
    """An exception and its traceback."""
    kind, message = exception.get('exception.type', ''), exception.get('exception.message', '')
    first, *rest = block_text(message).split('\n')
    lines: list[Line] = [[(f'{margin}│ ', 'blue'), (one_line(f'{kind}: '), 'bold red'), (first, '')]]
    lines += [[(f'{margin}│ ', 'blue'), (text, '')] for text in rest]
    if trace := exception.get('exception.stacktrace'):
        lines += [[(f'{margin}│ {text}', PYTHON)] if text else [] for text in block_text(trace).split('\n')]
    return lines


# A fork copies locks that other threads hold, and not those threads.
_consoles: Final[weakref.WeakSet[_Console]] = weakref.WeakSet()


def _begin_child() -> None:  # pragma: no cover - runs in a forked child; tests/exporters/test_console.py forks one
    for console in _consoles:
        console.reset_lock()


forks.in_child(_begin_child)
