"""Everything that the SDK emits, and what must be true of it whatever was said."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import logfire

# All that a terminal might act on but newline and tab: C0, DEL and C1, bidirectional controls, line and paragraph
# separators, what cannot be encoded, and the invisible tag characters.
TERMINAL_ACTS_ON = re.compile(
    '[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]'
)


class Watch(logging.Handler):
    """What was exported, shown, measured and reported since the last `clear()`."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.console = io.StringIO()
        self.metrics = InMemoryMetricReader()
        self.reports: list[str] = []
        self._spans = InMemorySpanExporter()

    def configure(self) -> None:
        """Send everything here."""
        logfire.configure(
            send_to_logfire=False,
            console=logfire.ConsoleOptions(output=self.console, verbose=True, colors='never', min_log_level='trace'),
            metrics=logfire.MetricsOptions(additional_readers=[self.metrics]),
            additional_span_processors=[SimpleSpanProcessor(self._spans)],
        )

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(('logfire', 'opentelemetry')):
            self.reports.append(record.getMessage())

    def clear(self) -> None:
        self._spans.clear()
        self.reports.clear()
        self.console.seek(0)
        self.console.truncate()

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """What was exported; every dropped stream's span among it."""
        logfire.force_flush()
        return self._spans.get_finished_spans()

    def check(self) -> None:
        """Nothing was reported, the console is harmless, what says so is JSON, and OTLP carries all."""
        self.check_harmless()
        for span in self.spans:
            check_json(span.attributes or {})

    def check_harmless(self) -> None:
        """The same of spans that say what they like."""
        spans = self.spans
        assert self.reports == []
        self.check_console()
        assert all(span.end_time is not None for span in spans)
        check_otlp(spans)

    def check_console(self) -> None:
        """Nothing that was shown makes a terminal do anything but show it."""
        shown = self.console.getvalue()
        acted_on = TERMINAL_ACTS_ON.search(shown)
        assert acted_on is None, (ascii(acted_on), ascii(shown))
        shown.encode()


def check_json(attributes: Mapping[str, Any]) -> None:
    """Every attribute that `logfire.json_schema` tells to be JSON is standard JSON."""
    schema = json.loads(str(attributes.get('logfire.json_schema', '{}')), parse_constant=_no_constant)
    for name, value_schema in schema.get('properties', {}).items():
        if value_schema.get('type') in ('array', 'object') and name in attributes:
            json.loads(str(attributes[name]), parse_constant=_no_constant)


def check_otlp(spans: Sequence[ReadableSpan]) -> list[Any]:
    """The spans as the collector gets them: each with all its attributes, events, its name and its status."""
    request = ExportTraceServiceRequest.FromString(encode_spans(spans).SerializeToString())
    arrived = [
        span
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]
    by_id = {span.span_id: span for span in arrived}
    for span in spans:
        assert span.context is not None
        copy = by_id[span.context.span_id.to_bytes(8, 'big')]
        assert copy.name == span.name
        assert copy.status.message == (span.status.description or '')
        assert {each.key for each in copy.attributes} == set(span.attributes or {})
        assert [{each.key for each in event.attributes} for event in copy.events] == [
            set(event.attributes or {}) for event in span.events
        ]
    return arrived


def check_metrics(reader: InMemoryMetricReader) -> None:
    """What was measured can be sent as well."""
    data = reader.get_metrics_data()
    if data is not None:
        encode_metrics(data).SerializeToString()


@contextmanager
def watching() -> Generator[Watch]:
    """Watch all that the global configuration emits."""
    watch = Watch()
    watch.configure()
    logging.getLogger().addHandler(watch)
    try:
        yield watch
    finally:
        logging.getLogger().removeHandler(watch)
        check_metrics(watch.metrics)


def _no_constant(name: str) -> Any:
    raise AssertionError(f'{name} is no JSON')
