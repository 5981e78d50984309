"""Spans of a real tracer, with a clock and ids of the test's choosing, as the console's processor gets them."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from logfire._internal.config.options import ConsoleOptions
from logfire._internal.exporters.console import ConsoleSpanProcessor, new_console_processor
from logfire._internal.levels import LEVEL_NUMBERS, LevelName

SECOND = 1_000_000_000


class Pending(SpanProcessor):
    """Hands over a zero-length copy of each span that starts, as `logfire.configure()` arranges it."""

    def __init__(self, console: ConsoleSpanProcessor) -> None:
        self._console = console
        self._ids = itertools.count(1_000_000)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        attributes: Mapping[str, Any] = span.attributes or {}
        if attributes.get('logfire.span_type') == 'log':
            return
        context = span.get_span_context()
        assert context is not None
        parent_id = span.parent.span_id if span.parent is not None else 0
        self._console.on_end(
            ReadableSpan(
                name=span.name,
                context=SpanContext(context.trace_id, next(self._ids), is_remote=False, trace_flags=TraceFlags(1)),
                parent=context,
                attributes={
                    **attributes,
                    'logfire.span_type': 'pending_span',
                    'logfire.pending_parent_id': f'{parent_id:016x}',
                },
                kind=span.kind,
                resource=span.resource,  # Without one a new one is made: a millisecond.
                start_time=span.start_time,
                end_time=span.start_time,
            )
        )


class Scene:
    """A console with the given options writing to `output`, and the spans and logs to show on it.

    The clock gives 1 s, 2 s, … after the epoch; `now` sets what it gives next.
    """

    def __init__(self, *, stream: io.TextIOBase | None = None, pending: bool = True, **options: Any) -> None:
        self.output = io.StringIO()
        options.setdefault('output', self.output if stream is None else stream)
        self.console = new_console_processor(ConsoleOptions(**options))
        provider = TracerProvider(shutdown_on_exit=False)
        if pending:
            provider.add_span_processor(Pending(self.console))
        provider.add_span_processor(self.console)
        self._tracer = provider.get_tracer('scene')
        self.now: float = 0

    @property
    def text(self) -> str:
        """What has been written so far."""
        return self.output.getvalue()

    def tick(self) -> int:
        self.now += 1
        return round(self.now * SECOND)

    def start(
        self,
        message: str,
        *,
        below: Span | None = None,
        level: LevelName | None = None,
        tags: Sequence[str] = (),
        attributes: Mapping[str, Any] | None = None,
        schema: Mapping[str, Any] | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        span_type: str = 'span',
        time: int | None = None,
    ) -> Span:
        """Start a span below another, or a root."""
        all_attributes: dict[str, Any] = {'logfire.span_type': span_type, 'logfire.msg': message}
        if level is not None:
            all_attributes['logfire.level_num'] = LEVEL_NUMBERS[level]
        if tags:
            all_attributes['logfire.tags'] = tuple(tags)
        all_attributes.update(attributes or {})
        if schema is not None:
            all_attributes['logfire.json_schema'] = json.dumps({'type': 'object', 'properties': schema})
        span = self._tracer.start_span(
            message,
            context=trace.set_span_in_context(below, Context()) if below is not None else Context(),
            kind=kind,
            attributes=all_attributes,
            start_time=self.tick() if time is None else time,
        )
        assert isinstance(span, Span)
        return span

    def end(self, span: Span) -> None:
        span.end(self.tick())

    @contextmanager
    def span(self, message: str, **options: Any) -> Generator[Span]:
        span = self.start(message, **options)
        yield span
        self.end(span)

    def log(
        self, message: str, *, level: LevelName = 'info', exception: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        time = self.tick()
        span = self.start(message, level=level, span_type='log', time=time, **options)
        if exception is not None:
            span.add_event('exception', {f'exception.{key}': value for key, value in exception.items()}, time)
        span.end(time)

    def call(
        self,
        request: Mapping[str, Any],
        response: Mapping[str, Any] | None = None,
        *,
        seconds: float = 1.24,
        error: str | None = None,
        below: Span | None = None,
        **options: Any,
    ) -> None:
        """One call of a model: attributes set when it starts, and those set when it ends."""
        operation = request.get('gen_ai.operation.name', 'chat')
        span = self.start(
            'Chat completion' if operation == 'chat' else 'Embeddings',
            below=below,
            kind=SpanKind.CLIENT,
            attributes={'gen_ai.operation.name': operation, **_encoded(request)},
            tags=('LLM', *options.pop('tags', ())),
            **options,
        )
        span.set_attributes(_encoded(response or {}))
        if error is not None:
            span.set_status(Status(StatusCode.ERROR, error))
        self.now += seconds
        span.end(round(self.now * SECOND))


def text(content: str) -> dict[str, Any]:
    return {'type': 'text', 'content': content}


def message(role: str, *parts: str | Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {'role': role, 'parts': [text(part) if isinstance(part, str) else part for part in parts], **more}


def _encoded(attributes: Mapping[str, Any]) -> dict[str, Any]:
    encoded = dict(attributes)
    for name in ('gen_ai.input.messages', 'gen_ai.output.messages', 'gen_ai.tool.definitions'):
        if name in attributes and not isinstance(attributes[name], str):
            encoded[name] = json.dumps(attributes[name])
    return encoded
