"""The JSON schema of a value as it stands in its JSON text: what lets a viewer show a dataclass as one.

Only what plain JSON does not say by itself is described: an element or a property that is a scalar or a plain container
has no entry of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, Final

from logfire._internal.json_encoder import json_dumps
from logfire._internal.value_kinds import UNKNOWN, Kind, class_of, key_text, kind_of, type_name

# Values looked at for one schema. Elements beyond are taken to be like those before, properties are left out.
MAX_SCHEMA_NODES: Final = 2000
# A level of values is two levels of schema (the object, its properties), and the schema's text is bounded too.
MAX_SCHEMA_DEPTH: Final = 40

_PLAIN: Final[tuple[dict[str, Any], ...]] = ({}, {'type': 'array'}, {'type': 'object'})
_NULL: Final = {'type': 'null'}
_ROOT_TYPES: Final = {str: 'string', int: 'integer', float: 'number', bool: 'boolean'}


def value_schema(value: Any) -> dict[str, Any]:
    """The JSON schema of one value. Never raises, is bounded, and may hold values that are JSON only after encoding."""
    try:
        return _Walk().schema(value, 0)
    except Exception:  # The caller left too little stack.
        return dict(UNKNOWN.head)


def schema_text(value: object) -> str:
    """The schema of one value as JSON text."""
    kind = kind_of(class_of(value))
    if kind.inner == 'none' and kind.detail is None:
        return _fixed_text(kind)
    return json_dumps(value_schema(value))


@functools.lru_cache(maxsize=256)
def _fixed_text(kind: Kind) -> str:
    return json_dumps({**kind.head, **kind.tail})


class _Walk:
    __slots__ = ('active', 'nodes')

    def __init__(self) -> None:
        self.active: set[int] = set()
        self.nodes = MAX_SCHEMA_NODES

    def schema(self, value: Any, depth: int) -> dict[str, Any]:
        self.nodes -= 1
        cls = class_of(value)
        if cls is str or cls is int or cls is float or cls is bool:
            return {}
        if id(value) in self.active or depth >= MAX_SCHEMA_DEPTH:
            return {}
        self.active.add(id(value))
        try:
            return self._of_kind(kind_of(cls), value, depth + 1)
        except Exception:  # The same that makes its text a repr.
            return dict(UNKNOWN.head)
        finally:
            self.active.discard(id(value))

    def _of_kind(self, kind: Kind, value: Any, depth: int) -> dict[str, Any]:
        schema = dict(kind.head)
        if kind.detail is not None:
            schema.update(kind.detail(value))
        if kind.inner == 'items':
            schema.update(self._items(kind.reduce(value), depth))
        elif kind.inner == 'properties':
            members = (kind.members or kind.reduce)(value)
            schema.update(self._properties(members, depth))
        elif kind.inner == 'same':
            return self._root(kind.reduce(value), depth)
        schema.update(kind.tail)
        return schema

    def _items(self, items: Iterable[Any], depth: int) -> dict[str, Any]:
        schemas: list[dict[str, Any]] = []
        for item in items:
            if self.nodes <= 0:
                break
            schemas.append(self.schema(item, depth))
        if all(schema in _PLAIN or schema == _NULL for schema in schemas):
            return {}
        if all(schema == schemas[0] for schema in schemas):
            return {'items': schemas[0]}
        return {'prefixItems': schemas}

    def _properties(self, pairs: Iterable[tuple[Any, Any]], depth: int) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        for key, member in pairs:
            if self.nodes <= 0:
                break
            schema = self.schema(member, depth)
            if schema not in _PLAIN and schema != _NULL:
                properties[key_text(key)] = schema
        return {'properties': properties} if properties else {}

    def _root(self, value: Any, depth: int) -> dict[str, Any]:
        # A scalar has no schema of its own, but the class it stands for made it more than a scalar.
        cls = class_of(value)
        if cls in _ROOT_TYPES:
            return {'type': _ROOT_TYPES[cls], 'x-python-datatype': type_name(cls)}
        return self.schema(value, depth)
