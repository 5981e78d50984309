"""A plain provider and a plain span: what stands beside every SDK. Needs OpenTelemetry and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import Tracer


class Discard(SpanProcessor):
    """Takes every span and keeps the last: export is not what is measured."""

    def __init__(self) -> None:
        self.last: ReadableSpan | None = None

    def on_end(self, span: ReadableSpan) -> None:
        self.last = span


def new_tracer(processor: SpanProcessor) -> Tracer:
    """A tracer of a plain provider."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider.get_tracer('by-hand')


TWELVE_ATTRIBUTES: Mapping[str, Any] = {
    **{f'app.text_{at}': f'value {at}' for at in range(6)},
    **{f'app.number_{at}': at for at in range(6)},
}


def span(tracer: Tracer) -> None:
    """A span with twelve attributes around nothing."""
    with tracer.start_as_current_span('a span', attributes=TWELVE_ATTRIBUTES):
        pass
