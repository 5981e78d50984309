"""What each kind of Python value is as JSON: one step towards plain JSON, and its JSON schema.

A `Kind` belongs to a class, so it is looked up by `type(value)` and never by `value.__class__` or `isinstance`, which
an object can answer as it likes. Optional libraries are recognised by the classes they have loaded, and never imported.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import itertools
import os
import re
import sys
import types
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, cast

# How much of one value becomes text. What is left out is replaced by TRUNCATED.
MAX_NODES: Final = 100_000
MAX_CHARACTERS: Final = 1 << 20
MAX_DEPTH: Final = 100

# `type` of one argument, as type checkers understand it of arguments that may be anything.
class_of: Final = cast('Callable[[object], type[Any]]', type)

TRUNCATED: Final = '<truncated>'

_MAX_ARRAY_AXIS: Final = 10
_MAX_FRAME_ROWS: Final = 60
_MAX_FRAME_COLUMNS: Final = 500
# Kinds hold on to their classes; a program that makes classes without end must not keep them all.
_MAX_CACHED_CLASSES: Final = 1000


_NOTHING: Final[Mapping[str, Any]] = {}


class Kind:
    """How the values of one class are written.

    Attributes:
        shape: What `reduce` returns: the `value` to write instead, the items of an `array`, the pairs of an `object`.
        reduce: One step towards plain JSON. It may raise: the value is then written by its repr.
        head: The JSON schema, up to that of the members.
        tail: The rest of the schema, after that of the members.
        inner: Where the schema goes on: `items` of the array, `properties` of the object, or the schema of what
            `reduce` returns stands for this one (`same`).
        members: The pairs whose schemas become `properties`, where they are not those of `reduce`.
        detail: Schema entries that depend on the value, after `head`.
        is_scalar: A string, an integer or a float under another class; `reduce` returns the exact builtin.
    """

    __slots__ = ('detail', 'head', 'inner', 'is_scalar', 'members', 'reduce', 'shape', 'tail')

    def __init__(
        self,
        shape: Literal['value', 'array', 'object'],
        reduce: Callable[[Any], Any],
        head: Mapping[str, Any],
        tail: Mapping[str, Any] = _NOTHING,
        inner: Literal['none', 'items', 'properties', 'same'] = 'none',
        members: Callable[[Any], Iterable[tuple[Any, Any]]] | None = None,
        detail: Callable[[Any], Mapping[str, Any]] | None = None,
        *,
        is_scalar: bool = False,
    ) -> None:
        self.shape: Final = shape
        self.reduce: Final = reduce
        self.head: Final = head
        self.tail: Final = tail
        self.inner: Final = inner
        self.members: Final = members
        self.detail: Final = detail
        self.is_scalar: Final = is_scalar


def kind_of(cls: type) -> Kind:
    """The kind of the values of a class. Never raises, whatever its metaclass does."""
    try:
        kind = _EXACT.get(cls) or _kinds.get(cls)
        if kind is None:
            kind = _classify(cls)
            if len(_kinds) >= _MAX_CACHED_CLASSES:
                _kinds.clear()
            _kinds[cls] = kind
        return kind
    except Exception:
        return UNKNOWN


def type_name(cls: type) -> str:
    """The name of a class as an exact string, `object` where its metaclass refuses to say."""
    try:
        return str.__str__(cls.__name__)
    except Exception:
        return 'object'


def safe_repr(value: object) -> str:
    """The repr of any value as an exact string; a repr that raises gives `<TypeName object>`."""
    try:
        return str.__str__(repr(value))
    except Exception:
        return f'<{type_name(class_of(value))} object>'


def key_text(key: Any) -> str:
    """The text a mapping's key has in JSON: a string as it is, everything else by repr."""
    return str.__str__(key) if issubclass(class_of(key), str) else safe_repr(key)


def _snapshot(values: Iterable[Any]) -> list[Any]:
    # Whoever is asked for a repr on the way may change what is being written.
    return list(itertools.islice(values, MAX_NODES + 1))


def _dict_items(value: dict[Any, Any]) -> list[tuple[Any, Any]]:
    # Another thread may change the dict between the making of an iterator and its use; a copy is made at once.
    return _snapshot(value.copy().items())


def _items(value: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    return _snapshot(value.items())


def _ends(length: int, limit: int) -> list[int]:
    if length <= limit:
        return list(range(length))
    return [*range(limit // 2), *range(length - limit // 2, length)]


def _isoformat(value: datetime.date | datetime.time) -> str:
    return value.isoformat()


def _bytes_text(value: bytes | bytearray) -> str:
    # One more than fits, so that what is left out is marked.
    return repr(bytes(value[: MAX_CHARACTERS + 1]))[2:-1]


def _dataclass_pairs(value: Any) -> list[tuple[str, Any]]:
    return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value) if field.repr]


def _attrs_pairs(value: Any) -> list[tuple[str, Any]]:
    fields = sys.modules['attr'].fields(type(value))
    return [(field.name, getattr(value, field.name)) for field in fields if field.repr]


def _sqlalchemy_pairs(value: Any) -> list[tuple[str, Any]]:
    state = sys.modules['sqlalchemy'].inspect(value)
    # Reading the instance's dict loads nothing; reading its attributes would query the database.
    loaded = state.dict
    return [(key, loaded.get(key, '<deferred>')) for key in state.mapper.attrs.keys()]  # noqa: SIM118 - no mapping


def _pydantic_members(value: Any) -> list[tuple[str, Any]]:
    fields = class_of(value).model_fields
    members = [(name, getattr(value, name)) for name, field in fields.items() if not field.exclude]
    return [*members, *(value.model_extra or {}).items()]


def _array_items(value: Any) -> Any:
    if value.ndim == 0:
        return value.item()
    if value.ndim == 1:
        if len(value) <= _MAX_ARRAY_AXIS:
            return value.tolist()
        half = _MAX_ARRAY_AXIS // 2
        return value[:half].tolist() + value[-half:].tolist()
    # Row by row, so that a view which repeats one element without end is not spelled out. A matrix has no rows, only
    # matrices of one.
    numpy = sys.modules['numpy']
    rows = numpy.asarray(value) if isinstance(value, numpy.matrix) else value
    return [rows[index] for index in _ends(len(rows), _MAX_ARRAY_AXIS)]


def _frame_rows(value: Any) -> list[Any]:
    row_count, column_count = value.shape
    part = value.iloc[_ends(row_count, _MAX_FRAME_ROWS), _ends(column_count, _MAX_FRAME_COLUMNS)]
    return part.values.tolist()


def _frame_detail(value: Any) -> dict[str, Any]:
    row_count, column_count = value.shape
    return {
        'x-columns': value.columns.take(_ends(column_count, _MAX_FRAME_COLUMNS)).tolist(),
        'x-column-count': column_count,
        'x-indices': value.index.take(_ends(row_count, _MAX_FRAME_ROWS)).tolist(),
        'x-row-count': row_count,
    }


def _datatype(json_type: str, name: str) -> dict[str, str]:
    return {'type': json_type, 'x-python-datatype': name}


def _text_kind(reduce: Callable[[Any], Any], datatype: str | None = None, *, text_format: str | None = None) -> Kind:
    head = {'type': 'string'}
    if text_format is not None:
        head['format'] = text_format
    if datatype is not None:
        head['x-python-datatype'] = datatype
    return Kind('value', reduce, head)


def _object_kind(cls: type, reduce: Callable[[Any], Any], datatype: str) -> Kind:
    head = {'type': 'object', 'title': type_name(cls), 'x-python-datatype': datatype}
    return Kind('object', reduce, head, inner='properties')


def _array_kind(datatype: str, reduce: Callable[[Any], Any] = _snapshot) -> Kind:
    return Kind('array', reduce, _datatype('array', datatype), inner='items')


def _scalar_kind(reduce: Callable[[Any], str | int | float]) -> Kind:
    return Kind('value', reduce, {}, is_scalar=True)


def _enum_kind(cls: Any) -> Kind:
    values = [member.value for member in itertools.islice(cls, _MAX_CACHED_CLASSES)]
    json_types = [_JSON_TYPES.get(class_of(value), 'object') for value in values]
    json_type = json_types[0] if json_types and 'object' not in json_types else 'object'
    head = {'type': json_type, 'title': type_name(cls), 'x-python-datatype': 'Enum', 'enum': values}
    return Kind('value', lambda value: value.value, head)


def _mapping_kind(cls: type) -> Kind:
    tail = {'x-python-datatype': 'Mapping', 'title': type_name(cls)}
    return Kind('object', _items, {'type': 'object'}, tail, inner='properties')


def _sequence_kind(cls: type) -> Kind:
    return Kind('array', _snapshot, {'type': 'array', 'title': type_name(cls), 'x-python-datatype': 'Sequence'})


def _bytes_kind(cls: type, datatype: str) -> Kind:
    return Kind('value', _bytes_text, _datatype('string', datatype), {'title': type_name(cls)})


def _exception_kind(cls: type) -> Kind:
    return Kind('value', str, {'type': 'object', 'title': type_name(cls), 'x-python-datatype': 'Exception'})


def _pydantic_kind(cls: type) -> Kind:
    head = {'type': 'object', 'title': type_name(cls), 'x-python-datatype': 'PydanticModel'}
    return Kind(
        'value', lambda value: value.model_dump(warnings=False), head, inner='properties', members=_pydantic_members
    )


_JSON_TYPES: Final[Mapping[type, str]] = {str: 'string', int: 'integer', float: 'number', bool: 'boolean'}

UNKNOWN: Final = Kind('value', safe_repr, _datatype('object', 'unknown'))

_EXACT: Final[Mapping[type, Kind]] = {
    types.NoneType: Kind('value', safe_repr, {'type': 'null'}),
    list: Kind('array', _snapshot, {'type': 'array'}, inner='items'),
    dict: Kind('object', _dict_items, {'type': 'object'}, inner='properties'),
    tuple: _array_kind('tuple'),
    set: _array_kind('set', set[Any].copy),
    frozenset: _array_kind('frozenset'),
    collections.deque: _array_kind('deque', collections.deque[Any].copy),
    range: Kind('array', _snapshot, _datatype('array', 'range')),
    bytes: _text_kind(_bytes_text, 'bytes'),
    bytearray: _text_kind(_bytes_text, 'bytearray'),
    types.GeneratorType: Kind('value', safe_repr, _datatype('array', 'generator'), {'title': 'generator'}),
}

_kinds: dict[type, Kind] = {}

_NewKind = Callable[[type], Kind]


def _always(kind: Kind) -> _NewKind:
    return lambda cls: kind


# A class is of the first kind whose class it inherits; the order decides where it inherits several.
_BASES: Final[Sequence[tuple[type[Any], _NewKind]]] = (
    (enum.Enum, _enum_kind),
    (str, _always(_scalar_kind(str.__str__))),
    (int, _always(_scalar_kind(int.__int__))),
    (float, _always(_scalar_kind(float.__float__))),
    (collections.UserString, _always(_text_kind(lambda value: value.data, 'UserString'))),
    (bytes, lambda cls: _bytes_kind(cls, 'bytes')),
    (bytearray, lambda cls: _bytes_kind(cls, 'bytearray')),
    (datetime.datetime, _always(_text_kind(_isoformat, 'datetime', text_format='date-time'))),
    (datetime.date, _always(_text_kind(_isoformat, 'date', text_format='date'))),
    (datetime.time, _always(_text_kind(_isoformat, 'time', text_format='time'))),
    (datetime.timedelta, _always(_text_kind(datetime.timedelta.total_seconds, 'timedelta'))),
    (uuid.UUID, _always(_text_kind(str, text_format='uuid'))),
    (re.Pattern, _always(_text_kind(lambda value: value.pattern, text_format='regex'))),
    (set, _always(Kind('array', _snapshot, UNKNOWN.head))),
    (frozenset, _always(Kind('array', _snapshot, UNKNOWN.head))),
)


# The same for classes of modules that may not be loaded.
_LOADED_BASES: Final[Sequence[tuple[str, str, _NewKind]]] = (
    (
        'pathlib',
        'Path',
        _always(_text_kind(str, 'WindowsPath' if os.name == 'nt' else 'PosixPath', text_format='path')),
    ),
    ('decimal', 'Decimal', _always(_text_kind(str, 'Decimal', text_format='decimal'))),
    ('ipaddress', 'IPv4Interface', _always(_text_kind(str, text_format='ipv4interface'))),
    ('ipaddress', 'IPv6Interface', _always(_text_kind(str, text_format='ipv6interface'))),
    ('ipaddress', 'IPv4Address', _always(_text_kind(str, text_format='ipv4'))),
    ('ipaddress', 'IPv6Address', _always(_text_kind(str, text_format='ipv6'))),
    ('ipaddress', 'IPv4Network', _always(_text_kind(str, text_format='ipv4network'))),
    ('ipaddress', 'IPv6Network', _always(_text_kind(str, text_format='ipv6network'))),
    ('pydantic.types', 'SecretStr', _always(_text_kind(str, 'SecretStr'))),
    ('pydantic.types', 'SecretBytes', _always(_text_kind(str, 'SecretBytes'))),
    ('pydantic.networks', 'AnyUrl', _always(_text_kind(str, 'AnyUrl'))),
    ('pydantic_core', 'Url', _always(_text_kind(str, 'Url'))),
    (
        'numpy',
        'ndarray',
        _always(
            Kind(
                'value',
                _array_items,
                _datatype('array', 'ndarray'),
                detail=lambda value: {'x-shape': list(value.shape), 'x-dtype': str(value.dtype)},
            )
        ),
    ),
    ('pandas', 'DataFrame', _always(Kind('array', _frame_rows, _datatype('array', 'DataFrame'), detail=_frame_detail))),
    ('pandas', 'Series', _always(Kind('object', _items, UNKNOWN.head))),
)


def _loaded(module: str, name: str) -> Any:
    """A name of a module, None where it is not loaded or has not got so far. Loads nothing, lazy modules included."""
    found = sys.modules.get(module)
    if not issubclass(class_of(found), types.ModuleType):
        return None
    return object.__getattribute__(found, '__dict__').get(name)


def _inherits(cls: type, base: type[Any] | None) -> bool:
    return base is not None and issubclass(cls, base)


def _classify(cls: type) -> Kind:
    for base, new_kind in _BASES:
        if _inherits(cls, base):
            return new_kind(cls)
    if _is_mapped(cls):
        return _object_kind(cls, _sqlalchemy_pairs, 'sqlalchemy')
    if _inherits(cls, Mapping):
        return _mapping_kind(cls)
    if _is_dataclass(cls):
        return _object_kind(cls, _dataclass_pairs, 'dataclass')
    if _inherits(cls, _loaded('pydantic.root_model', 'RootModel')):
        return Kind('value', lambda value: value.root, {}, inner='same')
    if _inherits(cls, _loaded('pydantic.main', 'BaseModel')):
        return _pydantic_kind(cls)
    if _has_attrs(cls):
        return _object_kind(cls, _attrs_pairs, 'attrs')
    if _inherits(cls, Exception):
        return _exception_kind(cls)
    for module, name, new_kind in _LOADED_BASES:
        if _inherits(cls, _loaded(module, name)):
            return new_kind(cls)
    return _sequence_kind(cls) if _inherits(cls, Sequence) else UNKNOWN


def _is_mapped(cls: type) -> bool:
    inspect = _loaded('sqlalchemy', 'inspect')
    mapper_class = _loaded('sqlalchemy.orm', 'Mapper')
    return mapper_class is not None and _inherits(class_of(inspect(cls, raiseerr=False)), mapper_class)


def _has_attrs(cls: type) -> bool:
    has = _loaded('attr', 'has')
    return has is not None and has(cls)


def _is_dataclass(cls: Any) -> bool:
    return dataclasses.is_dataclass(cls)
