"""Sums, for each span, what counters and histograms measure while it runs (`MetricsOptions.collect_in_spans`)."""

from __future__ import annotations

import json
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import get_current_span
from opentelemetry.util.types import Attributes

from logfire._internal.errors import Guard
from logfire._internal.forks import ForkSafeLock

_GUARD: Final = Guard('sum a measurement for the running spans')


class _OpenSpan:
    __slots__ = ('parent_id', 'totals')

    def __init__(self, parent_id: int | None) -> None:
        self.parent_id = parent_id
        # By instrument, then by the attributes measured with, as JSON: the attributes and their total.
        self.totals: dict[str, dict[str, tuple[dict[str, Any], float]]] = {}


class SpanMetrics:
    """The sums of the spans that run now: each measurement counts for the current span and for those around it."""

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._open: dict[int, _OpenSpan] = {}

    def start(self, span: ReadableSpan) -> None:
        """A span started."""
        with self._lock:
            self._open[_span_id(span)] = _OpenSpan(span.parent.span_id if span.parent else None)

    def record(self, instrument: str, amount: float, attributes: Attributes, context: Context | None) -> None:
        """Something was measured. Never raises."""
        with _GUARD:
            span_id = get_current_span(context).get_span_context().span_id or None
            given = dict(attributes or {})
            key = json.dumps(given, sort_keys=True, default=repr)
            with self._lock:
                while span_id is not None and (span := self._open.get(span_id)) is not None:
                    totals = span.totals.setdefault(instrument, {})
                    totals[key] = (given, totals.get(key, (given, 0))[1] + amount)
                    span_id = span.parent_id

    def end(self, span: ReadableSpan) -> str | None:
        """A span ended: its sums as JSON, None where nothing was measured."""
        with self._lock:
            ended = self._open.pop(_span_id(span), None)
        if ended is None or not ended.totals:
            return None
        return json.dumps(
            {
                instrument: {
                    'details': [{'attributes': given, 'total': total} for given, total in totals.values()],
                    'total': sum(total for _, total in totals.values()),
                }
                for instrument, totals in ended.totals.items()
            },
            default=repr,
        )


def _span_id(span: ReadableSpan) -> int:
    return span.context.span_id if span.context else 0
