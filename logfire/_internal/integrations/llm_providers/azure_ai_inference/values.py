"""Reading single values of the REST API's JSON: a value of the wrong kind is no value."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import Enum
from itertools import islice
from typing import Any, Final, TypeGuard, cast

from logfire._internal.integrations.llm_providers.operation import bounded_text

MAX_WORD: Final = 1_000
"""Longest name, id or other word of a request or a reply that is kept whole, in characters."""

MAX_ITEMS: Final = 1_000
"""How many choices of a reply are read, tool calls of a streamed choice, words of an array."""

class_of: Final = cast('Callable[[object], type[Any]]', type)
"""The exact class of anything."""

_MIN_INTEGER: Final = -(2**63)
_MAX_INTEGER: Final = 2**63 - 1


def is_mapping(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """A JSON object: a dict, or one of the client's models, which are mappings over the raw data."""
    return type(value) is dict or (value is not None and isinstance(value, Mapping))


def as_mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object, of a model the dict beneath; an empty one for anything else."""
    if type(value) is dict:
        return value  # pyright: ignore[reportUnknownVariableType]
    try:
        data: Any = value._data
    except Exception:
        data = None
    if type(data) is dict:
        return data  # pyright: ignore[reportUnknownVariableType]
    return value if is_mapping(value) else {}


def is_list(value: Any) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """A JSON array. Nothing else is iterated: reading must not consume an iterator."""
    return type(value) is list or isinstance(value, (list, tuple))


def read_word(value: Any) -> str | None:
    """A name, an id, a word of the service: a string, or an enum of strings by its value; an empty one is no value.

    It becomes an attribute of its own, so it is bounded and without lone surrogates.
    """
    if type(value) is str and len(value) <= MAX_WORD and value.isascii():
        return value or None
    if isinstance(value, Enum):
        value = value.value
    return bounded_text(str.__str__(value), MAX_WORD) or None if isinstance(value, str) else None


def read_words(values: Any) -> list[str]:
    """The strings of an array, which becomes an attribute of its own: the first ones."""
    words = map(read_word, islice(values, MAX_ITEMS)) if is_list(values) else ()
    return [word for word in words if word is not None]


def read_text(value: Any) -> str | None:
    """A string as it is: what goes into JSON, which bounds it."""
    return str.__str__(value) if isinstance(value, str) else None


def read_float(value: Any) -> float | None:
    """A finite number."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        number = float.__float__(value) if isinstance(value, float) else float(int.__int__(value))
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def read_int(value: Any) -> int | None:
    """An integer that OTLP can carry."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    number = int.__int__(value)
    return number if _MIN_INTEGER <= number <= _MAX_INTEGER else None


def read_count(value: Any) -> int | None:
    """An integer that counts something."""
    if type(value) is not int:
        value = read_int(value)
    return value if value is not None and 0 <= value <= _MAX_INTEGER else None


def is_given(value: Any) -> bool:
    """Whether a value is truthy. One that refuses to say so makes the client's own question fail, soon enough."""
    try:
        return bool(value)
    except Exception:
        return True
