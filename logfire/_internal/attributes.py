"""The names of our span attributes, and the way of the user's attributes to OpenTelemetry's.

A string, boolean, integer or float goes as it is; every other value as JSON text, its shape in `logfire.json_schema`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from opentelemetry.util.types import AttributeValue

from logfire._internal.json_encoder import (
    MAX_CHARACTERS,
    encode,
    json_dumps,
    otlp_text,
    string_text,
    utf8_text,
)
from logfire._internal.json_schema import schema_text
from logfire._internal.stack_info import warn_user
from logfire._internal.value_kinds import class_of, kind_of, safe_repr

SPAN_TYPE: Final = 'logfire.span_type'
LEVEL_NUM: Final = 'logfire.level_num'
MSG_TEMPLATE: Final = 'logfire.msg_template'
MSG: Final = 'logfire.msg'
TAGS: Final = 'logfire.tags'
JSON_SCHEMA: Final = 'logfire.json_schema'
PENDING_PARENT_ID: Final = 'logfire.pending_parent_id'
METRICS: Final = 'logfire.metrics'  # What counters and histograms measured while a span ran, as JSON.
SCRUBBED: Final = 'logfire.scrubbed'
EXCEPTION_FINGERPRINT: Final = 'logfire.exception.fingerprint'
SAMPLE_RATE: Final = 'logfire.sample_rate'
DISABLE_CONSOLE_LOG: Final = 'logfire.disable_console_log'  # On a log that `with_settings(console_log=False)` made.
CODE_FILEPATH: Final = 'code.filepath'
CODE_LINENO: Final = 'code.lineno'
CODE_FUNCTION: Final = 'code.function'

MAX_NAME: Final = 1_000
"""Longest name of an attribute that is kept whole, in characters."""

_MIN_INTEGER: Final = -(2**63)
_MAX_INTEGER: Final = 2**63 - 1

_SCHEMA_START: Final = '{"type":"object","properties":{'
_SCHEMA_END: Final = '}}'
_PLAIN_SCHEMAS: Final[Mapping[type, str]] = {dict: '{"type":"object"}', list: '{"type":"array"}'}

# Schemas of attributes that are all scalars, by their names: a call site gives the same names every time.
_MAX_CACHED_SCHEMAS: Final = 1000
_scalar_schemas: dict[tuple[str, ...], str] = {}


def otel_attributes(attributes: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """OpenTelemetry attributes for the user's, in their order, then `logfire.json_schema` unless there are none.

    An integer beyond 64 bits becomes its digits, with a warning that names the attribute.

    Raises:
        UserWarning: The user's warning filters turn that warning into an error.
    """
    result: dict[str, AttributeValue] = {}
    schemas: dict[str, str] = {}
    for key, value in attributes.items():
        cls = class_of(value)
        name = key if type(key) is str and key.isascii() and len(key) <= MAX_NAME else attribute_name(key)
        if cls is str:
            result[name] = value if value.isascii() and len(value) <= MAX_CHARACTERS else otlp_text(value)
        elif cls is int:
            result[name] = value if _MIN_INTEGER <= value <= _MAX_INTEGER else _large_integer(value, name)
        elif cls is bool:
            result[name] = value
        elif cls is float:
            result[name] = value if value - value == 0.0 else repr(value)  # NaN and the infinities as text.
        elif kind_of(cls).is_scalar:
            scalar = kind_of(cls).reduce(value)
            is_large = type(scalar) is int and not _MIN_INTEGER <= scalar <= _MAX_INTEGER
            result[name] = _large_integer(scalar, name) if is_large else otel_value(scalar)
        else:
            result[name], is_plain = encode(value)
            schemas[name] = _PLAIN_SCHEMAS[cls] if is_plain else schema_text(value)
    if result:
        result[JSON_SCHEMA] = _schema_of(_properties(result, schemas)) if schemas else _scalars_schema(tuple(result))
    return result


def otel_value(value: Any) -> AttributeValue:
    """One value as OpenTelemetry carries it: scalars as they are, everything else as JSON text.

    A string gets its lone surrogates spelled out and is cut after 2**20 characters; an integer beyond 64 bits is its
    digits; NaN and the infinities are `nan`, `inf`, `-inf`.
    """
    cls = class_of(value)
    if cls is str:
        return otlp_text(value)
    if cls is int:
        return value if _MIN_INTEGER <= value <= _MAX_INTEGER else _digits(value)
    if cls is bool:
        return value
    if cls is float:
        return value if value - value == 0.0 else repr(value)
    kind = kind_of(cls)
    return otel_value(kind.reduce(value)) if kind.is_scalar else json_dumps(value)


def merge_json_schema(existing: str | None, attributes: Mapping[str, Any]) -> str:
    """The `logfire.json_schema` of a span that had `existing` when `attributes` are set on it; the later schema wins.

    An `existing` that is no schema of ours counts as none.
    """
    schemas = {attribute_name(key): schema_text(value) for key, value in attributes.items()}
    properties = _properties(schemas, schemas)
    if existing is None or not existing.startswith(_SCHEMA_START) or not existing.endswith(_SCHEMA_END):
        return _schema_of(properties)
    if any(f'{string_text(name)}:' in existing for name in schemas):
        return _replaced_schema(existing, properties)
    old = existing[len(_SCHEMA_START) : -len(_SCHEMA_END)]
    return _schema_of([old, *properties] if old else properties)


def attribute_name(key: Any) -> str:
    """An attribute's name as OpenTelemetry carries it: text of at most `MAX_NAME` characters."""
    return any_text(key, MAX_NAME)


def any_text(value: Any, limit: int = MAX_CHARACTERS) -> str:
    """Anything as text that OTLP carries: its `str`, or its repr where that fails."""
    cls = class_of(value)
    if cls is not str:
        try:
            value = str.__str__(str(value))
        except Exception:
            value = safe_repr(value)
    return otlp_text(value, limit)


def carried(value: Any) -> Any:
    """A value of OpenTelemetry's own types, from code that is not ours, as OTLP carries it: the same, if it does."""
    if isinstance(value, str):
        return value if value.isascii() else utf8_text(value)
    if isinstance(value, int):
        return value if _MIN_INTEGER <= value <= _MAX_INTEGER else _digits(value)
    if isinstance(value, (list, tuple)):
        given = cast('Sequence[object]', value)
        items = [carried(item) for item in given]
        return items if items != [*given] else given
    return value


def all_carried(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Attributes from code that is not ours, as OTLP carries them."""
    return {carried(name): carried(value) for name, value in (attributes or {}).items()}


def _digits(value: int) -> str:
    # JSON has the digits too, or a string that says how many there would be.
    return json_dumps(value).strip('"')


def _large_integer(value: int, name: str) -> str:
    warn_user(
        f'The integer attribute {name!r} is outside the signed 64-bit range that OpenTelemetry can carry; '
        'it is sent as a string of its digits.',
        UserWarning,
    )
    return _digits(value)


def _properties(names: Iterable[str], schemas: Mapping[str, str]) -> list[str]:
    return [f'{string_text(name)}:{schemas.get(name, "{}")}' for name in names]


def _schema_of(properties: Iterable[str]) -> str:
    return f'{_SCHEMA_START}{",".join(properties)}{_SCHEMA_END}'


def _scalars_schema(names: tuple[str, ...]) -> str:
    schema = _scalar_schemas.get(names)
    if schema is None:
        schema = _schema_of(_properties(names, {}))
        if len(_scalar_schemas) >= _MAX_CACHED_SCHEMAS:
            _scalar_schemas.clear()
        _scalar_schemas[names] = schema
    return schema


def _replaced_schema(existing: str, properties: list[str]) -> str:
    new = json.loads(_schema_of(properties))
    try:
        # orjson would turn integers beyond 64 bits, which an enum may have, into floats.
        old = json.loads(existing)
    except (ValueError, RecursionError):
        return json_dumps(new)
    old['properties'].update(new['properties'])
    return json_dumps(old)
