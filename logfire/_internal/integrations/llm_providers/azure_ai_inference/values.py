"""Reading single values of the REST API's JSON: a value of the wrong kind is no value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeGuard


def is_mapping(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """A JSON object: a dict, or one of the client's models, which are mappings over the raw data."""
    return type(value) is dict or (value is not None and isinstance(value, Mapping))


def raw(value: Any) -> Any:
    """The dict beneath one of the client's models, several times faster to read than the model; else the value."""
    data = getattr(value, '_data', None)
    return data if type(data) is dict else value  # pyright: ignore[reportUnknownVariableType]


def is_list(value: Any) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """A JSON array. Nothing else is iterated: reading must not consume an iterator."""
    return isinstance(value, (list, tuple))


def read_str(value: Any) -> str | None:
    """A string, or an enum of strings by its value; an empty one is no value."""
    if type(value) is str:
        return value or None
    if isinstance(value, Enum):
        value = value.value
    return str(value) if isinstance(value, str) and value else None


def read_float(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def read_int(value: Any) -> int | None:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None
