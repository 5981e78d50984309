"""Reading single values of the REST API's JSON: a value of the wrong kind is no value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeGuard


def is_mapping(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """A JSON object: a dict, or one of the client's models, which are mappings over the raw data."""
    return isinstance(value, Mapping)


def is_list(value: Any) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """A JSON array. Nothing else is iterated: reading must not consume an iterator."""
    return isinstance(value, (list, tuple))


def read_str(value: Any) -> str | None:
    """A string, or an enum of strings by its value; an empty one is no value."""
    if isinstance(value, Enum):
        value = value.value
    return str(value) if isinstance(value, str) and value else None


def read_float(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def read_int(value: Any) -> int | None:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None


def plain(value: Any) -> Any:
    """The value with every mapping (models among them) as a dict, and every enum as its value, at any depth."""
    if isinstance(value, Enum):
        return value.value
    if is_mapping(value):
        return {key: plain(item) for key, item in value.items()}
    if is_list(value):
        return [plain(item) for item in value]
    return value
