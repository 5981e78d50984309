"""The limits that OpenTelemetry's variables set on the length of attribute values, without broken JSON.

OpenTelemetry cuts a text after so many characters, wherever that is. Half of a JSON text cannot be read, so where there
is a limit spans are recorded whole, and shortened here before they are exported: JSON to the JSON of a part.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits
from opentelemetry.trace import Link
from typing_extensions import Self

from logfire._internal.attributes import JSON_SCHEMA, METRICS, SCRUBBED
from logfire._internal.exception_events import VALIDATION_ERRORS
from logfire._internal.json_encoder import shortened_json
from logfire._internal.span_copy import SpanCopy, plain_attributes

# JSON without an entry in the schema.
_ALWAYS_JSON: Final = frozenset({METRICS, SCRUBBED, VALIDATION_ERRORS})
_ANY_SCHEMA: Final = '{"type":"object"}'


@dataclass(frozen=True)
class ValueLimits:
    """How many characters a value may have; None is any number."""

    span: int | None
    """`OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT`, else the next: of a span's attributes."""
    other: int | None
    """`OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`: of the attributes of its events and links."""

    @classmethod
    def of_environment(cls) -> Self | None:
        """The limits of OpenTelemetry's variables; None where they set none.

        Raises:
            ValueError: A variable is no number.
        """
        given = SpanLimits()
        limits = cls(given.max_span_attribute_length, given.max_attribute_length)
        return None if limits.span is None and limits.other is None else limits

    @staticmethod
    def all_others() -> SpanLimits:
        """OpenTelemetry's other limits."""
        return SpanLimits(max_attribute_length=SpanLimits.UNSET, max_span_attribute_length=SpanLimits.UNSET)

    def shortened(self, span: ReadableSpan) -> ReadableSpan:
        """The span with what is too long shortened."""
        attributes = plain_attributes(span)
        new_attributes = attributes if self.span is None else _shortened(attributes, self.span)
        events, links = span.events, span.links
        if self.other is not None:
            events = [Event(each.name, _shortened(each.attributes, self.other), each.timestamp) for each in events]
            links = [Link(each.context, _shortened(each.attributes, self.other)) for each in links]
        return SpanCopy(span, new_attributes, events=events, links=links)


def _shortened(attributes: Mapping[str, Any] | None, limit: int) -> dict[str, Any]:
    attributes = attributes or {}
    json_names = _json_names(attributes.get(JSON_SCHEMA))
    return {name: _short(name, value, limit, json_names) for name, value in attributes.items()}


def _short(name: str, value: Any, limit: int, json_names: frozenset[str]) -> Any:
    if isinstance(value, str):
        if len(value) <= limit:
            return value
        if name == JSON_SCHEMA:
            return _ANY_SCHEMA if len(_ANY_SCHEMA) <= limit else shortened_json('{}', limit)
        return shortened_json(value, limit) if name in json_names else value[:limit]
    if isinstance(value, (list, tuple)):
        return [_short('', item, limit, json_names) for item in cast('Sequence[object]', value)]
    return value


def _json_names(schema: object) -> frozenset[str]:
    """The attributes that are JSON text."""
    try:
        properties: dict[str, Any] = json.loads(str(schema))['properties']
        return _ALWAYS_JSON.union(name for name, value_schema in properties.items() if 'type' in value_schema)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # None, or another library's.
        return _ALWAYS_JSON
