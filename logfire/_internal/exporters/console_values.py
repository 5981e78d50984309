"""Attribute values as Python: JSON text and its schema turned back to something like what the user wrote."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeGuard

_INDENT: Final = '    '

# What stands before and after the items of a kind of sequence.
_SEQUENCES: Final = {
    'tuple': ('(', ')'),
    'set': ('{', '}'),
    'frozenset': ('frozenset({', '})'),
    'deque': ('deque([', '])'),
}


def format_attribute(value: Any, schema: Any) -> str:
    """The value of a span attribute, on several lines if a container. `schema` is its part of `logfire.json_schema`."""
    if isinstance(value, str) and is_mapping(schema) and schema.get('type'):
        try:
            return _format(json.loads(value), schema)
        except (ValueError, TypeError, AttributeError, RecursionError):
            # Not JSON, or cut, or a schema that is none: the text is what there is.
            return repr(value)
    return repr(value)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def is_mapping(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object: its keys are strings."""
    return isinstance(value, dict)


def _format(value: Any, schema: Mapping[str, Any]) -> str:
    match schema.get('type'):
        case 'array':
            return _format_array(value, schema)
        case 'object':
            return _format_object(value, schema)
        case _:
            return _format_scalar(value, schema)


def _format_array(value: Any, schema: Mapping[str, Any]) -> str:
    datatype, title = schema.get('x-python-datatype'), schema.get('title')
    if not is_list(value):
        return str(value)  # A generator, for one, is recorded as its repr.
    before, after = _SEQUENCES.get(str(datatype), ('[', ']') if title is None else (f'{title}([', '])'))
    schemas: list[Any] = [schema.get('items') or {}] * len(value)
    each = schema.get('prefixItems')
    if is_list(each) and len(each) == len(value):
        schemas = each
    items = [_format(item, item_schema) for item, item_schema in zip(value, schemas, strict=True)]
    return f'{before}{_block(items)}{after}'


def _format_object(value: Any, schema: Mapping[str, Any]) -> str:
    datatype, title = schema.get('x-python-datatype'), schema.get('title')
    if not is_mapping(value):
        return f'{title}({value!r})' if datatype == 'Exception' else str(value)
    properties: Mapping[str, Any] = schema.get('properties') or {}
    formatted = {key: _format(item, properties.get(key) or {}) for key, item in value.items()}
    if title is not None and datatype != 'Mapping':
        return f'{title}({_block([f"{key}={item}" for key, item in formatted.items()])})'
    mapping = f'{{{_block([f"{key!r}: {item}" for key, item in formatted.items()])}}}'
    return mapping if title is None else f'{title}({mapping})'


def _format_scalar(value: Any, schema: Mapping[str, Any]) -> str:
    datatype = schema.get('x-python-datatype')
    if datatype == 'Enum':
        return f'{schema.get("title")}({value!r})'
    if datatype is not None and schema.get('format') in ('decimal', 'path'):
        return f'{datatype}({value!r})'
    if parse := _TIMES.get(str(datatype)):
        try:
            return repr(parse(value))
        except (TypeError, ValueError, OverflowError):
            return repr(value)
    return str(value) if schema.get('type') == 'string' else repr(value)


def _block(items: list[str]) -> str:
    """Items on lines of their own, indented, or nothing for none."""
    if not items:
        return ''
    lines = ''.join(f'{item},\n' for item in items)
    return '\n' + ''.join(f'{_INDENT}{line}\n' for line in lines[:-1].split('\n'))


def _timedelta(seconds: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=seconds)


_TIMES: Final[dict[str, Callable[[Any], object]]] = {
    'datetime': datetime.datetime.fromisoformat,
    'date': datetime.date.fromisoformat,
    'time': datetime.time.fromisoformat,
    'timedelta': _timedelta,
}
