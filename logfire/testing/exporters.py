"""Exporters that keep what was exported, and show it as plain data to compare with."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from logfire._internal.attributes import CODE_FILEPATH, CODE_FUNCTION, CODE_LINENO, EXCEPTION_FINGERPRINT, SPAN_TYPE

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.trace import SpanContext

# What differs between runs and machines is shown as these.
_FIXED_RESOURCE: Final[Mapping[str, Any]] = {
    'service.instance.id': '0' * 32,
    'telemetry.sdk.version': '0.0.0',
    'process.pid': 1234,
}
_FIXED_FINGERPRINT: Final = '0' * 64


class TestExporter(SpanExporter):
    """Keeps every exported span, the copies that announce running spans included, in `exported_spans`.

    Give it to `logfire.configure(additional_span_processors=[SimpleSpanProcessor(exporter)])`.
    """

    __test__ = False  # Not a class of tests, whatever pytest makes of its name.
    wants_pending = True

    def __init__(self) -> None:
        self.exported_spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Keep the spans."""
        self.exported_spans.extend(spans)
        return SpanExportResult.SUCCESS

    def clear(self) -> None:
        """Forget all spans."""
        self.exported_spans = []

    def exported_spans_as_dict(
        self,
        fixed_line_number: int | None = 123,
        strip_filepaths: bool = True,
        include_resources: bool = False,
        include_instrumentation_scope: bool = False,
        _include_pending_spans: bool = False,
        _strip_function_qualname: bool = True,
        parse_json_attributes: bool = False,
    ) -> list[dict[str, Any]]:
        """The spans as plain data, in the order they were exported; what differs between runs is made equal.

        Args:
            fixed_line_number: Stands for every line number; None keeps them.
            strip_filepaths: Keep only the last part of file paths.
            include_resources: Also show each span's resource.
            include_instrumentation_scope: Also show the name of each span's scope.
            _include_pending_spans: Also show the copies that announce spans still running.
            _strip_function_qualname: Keep only the last part of function names, which Python 3.10 has no more of.
            parse_json_attributes: Show attributes that are JSON objects and arrays as what they hold.
        """
        view = _View(
            fixed_line_number=fixed_line_number,
            strip_filepaths=strip_filepaths,
            strip_function_qualname=_strip_function_qualname,
            parse_json_attributes=parse_json_attributes,
        )
        return [
            view.span(
                span, include_resource=include_resources, include_instrumentation_scope=include_instrumentation_scope
            )
            for span in self.exported_spans
            if _include_pending_spans or (span.attributes or {}).get(SPAN_TYPE) != 'pending_span'
        ]


class TestLogExporter(LogRecordExporter):
    """Keeps every exported log record of the OpenTelemetry logs API.

    Args:
        ns_timestamp_generator: The clock, in nanoseconds, that gives every record its two times when it is exported.
    """

    __test__ = False  # Not a class of tests, whatever pytest makes of its name.

    def __init__(self, ns_timestamp_generator: Callable[[], int]) -> None:
        self.ns_timestamp_generator = ns_timestamp_generator
        self._lock = threading.Lock()
        self._logs: list[ReadableLogRecord] = []

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Keep the log records, at the times of the clock."""
        with self._lock:
            for record in batch:
                record.log_record.timestamp = self.ns_timestamp_generator()
                record.log_record.observed_timestamp = self.ns_timestamp_generator()
                self._logs.append(record)
        return LogRecordExportResult.SUCCESS

    def get_finished_logs(self) -> tuple[ReadableLogRecord, ...]:
        """The log records kept so far."""
        with self._lock:
            return tuple(self._logs)

    def clear(self) -> None:
        """Forget all log records."""
        with self._lock:
            self._logs.clear()

    def shutdown(self) -> None:
        """Nothing to do: what is kept stays readable."""

    def force_flush(self, timeout_millis: int = 10_000) -> bool:
        """Nothing to do."""
        return True

    def exported_logs_as_dicts(
        self,
        fixed_line_number: int | None = 123,
        strip_filepaths: bool = True,
        include_resources: bool = False,
        include_instrumentation_scope: bool = False,
        _strip_function_qualname: bool = True,
        parse_json_attributes: bool = False,
    ) -> list[dict[str, Any]]:
        """The log records as plain data; the arguments are those of `TestExporter.exported_spans_as_dict`."""
        view = _View(
            fixed_line_number=fixed_line_number,
            strip_filepaths=strip_filepaths,
            strip_function_qualname=_strip_function_qualname,
            parse_json_attributes=parse_json_attributes,
        )
        return [
            view.log(
                record,
                include_resource=include_resources,
                include_instrumentation_scope=include_instrumentation_scope,
            )
            for record in self.get_finished_logs()
        ]


class _View:
    """How spans and log records are shown."""

    def __init__(
        self,
        *,
        fixed_line_number: int | None,
        strip_filepaths: bool,
        strip_function_qualname: bool,
        parse_json_attributes: bool,
    ) -> None:
        self._fixed_line_number = fixed_line_number
        self._strip_filepaths = strip_filepaths
        self._strip_function_qualname = strip_function_qualname
        self._parse_json_attributes = parse_json_attributes

    def span(
        self, span: ReadableSpan, *, include_resource: bool, include_instrumentation_scope: bool
    ) -> dict[str, Any]:
        shown: dict[str, Any] = {
            'name': span.name,
            'context': _context(span.context),
            'parent': _context(span.parent),
            'start_time': span.start_time,
            'end_time': span.end_time,
        }
        if include_instrumentation_scope:
            shown['instrumentation_scope'] = span.instrumentation_scope and span.instrumentation_scope.name
        shown['attributes'] = self.attributes(span.attributes)
        if span.links:
            shown['links'] = [
                {'context': _context(link.context), 'attributes': dict(link.attributes or {})} for link in span.links
            ]
        if span.events:
            shown['events'] = [_event(event) for event in span.events]
        if include_resource:
            shown['resource'] = _resource(span.resource)
        return shown

    def log(
        self, record: ReadableLogRecord, *, include_resource: bool, include_instrumentation_scope: bool
    ) -> dict[str, Any]:
        log = record.log_record
        shown: dict[str, Any] = {
            'body': log.body,
            'severity_number': log.severity_number.value if log.severity_number else None,
            'severity_text': log.severity_text,
            'attributes': self.attributes(log.attributes),
            'timestamp': log.timestamp,
            'observed_timestamp': log.observed_timestamp,
            'trace_id': log.trace_id,
            'span_id': log.span_id,
            'trace_flags': log.trace_flags,
        }
        if include_resource:
            shown['resource'] = _resource(record.resource)
        if include_instrumentation_scope:
            shown['instrumentation_scope'] = record.instrumentation_scope and record.instrumentation_scope.name
        return shown

    def attributes(self, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
        return {key: self._attribute(key, value) for key, value in (attributes or {}).items()}

    def _attribute(self, key: str, value: Any) -> Any:
        if key == CODE_LINENO:
            return value if self._fixed_line_number is None else self._fixed_line_number
        if key == CODE_FILEPATH:
            return PurePath(value).name if self._strip_filepaths else value
        if key == CODE_FUNCTION:
            return value.rpartition('.')[2] if self._strip_function_qualname else value
        if key == EXCEPTION_FINGERPRINT:
            return _FIXED_FINGERPRINT
        if self._parse_json_attributes and isinstance(value, str) and value.startswith(('{', '[')):
            try:
                return json.loads(value)
            except ValueError:
                pass
        return value


def _context(context: SpanContext | None) -> dict[str, Any] | None:
    if context is None:
        return None
    return {'trace_id': context.trace_id, 'span_id': context.span_id, 'is_remote': context.is_remote}


def _event(event: Event) -> dict[str, Any]:
    shown: dict[str, Any] = {'name': event.name, 'timestamp': event.timestamp}
    if event.attributes:
        attributes: dict[str, Any] = {**event.attributes}
        if stacktrace := attributes.get('exception.stacktrace'):
            # The lines before the last differ between Python versions.
            attributes['exception.stacktrace'] = stacktrace.rstrip().rpartition('\n')[2]
        shown['attributes'] = attributes
    return shown


def _resource(resource: Resource) -> dict[str, Any]:
    return {'attributes': {key: _FIXED_RESOURCE.get(key, value) for key, value in resource.attributes.items()}}
