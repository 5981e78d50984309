"""JSON text of any Python value: never raises, always bounded, always valid JSON that encodes to UTF-8.

Plain JSON goes through orjson, after a look that it is what orjson writes exactly and within the bounds. Everything
else (other types, NaN, integers beyond 64 bits, keys that are no strings, surrogates, cycles, too much of anything) is
written here, a `Kind` at a time. Both give the same text for the same value.
"""

from __future__ import annotations

import json
import marshal
import math
from collections.abc import Iterable
from typing import Any, Final, Literal

import orjson

from logfire._internal.value_kinds import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_NODES,
    TRUNCATED,
    class_of,
    key_text,
    kind_of,
    safe_repr,
)

_CIRCULAR: Final = '<circular reference>'
_TOO_DEEP: Final = '<nested too deeply>'
_NOT_ENCODED: Final = '"<not encoded>"'

LONG: Final = 1 << 15

_WORDS: Final = {None: 'null', True: 'true', False: 'false'}


def json_dumps(value: object) -> str:
    """The JSON text of any value, compact, non-ASCII kept.

    Values that JSON does not have are written as text or as the JSON nearest to them; what would be circular, too deep
    (100 levels), too many values (100,000) or too long (2**20 characters before escaping) is replaced by a short text
    saying so. NaN and the infinities are the strings `nan`, `inf`, `-inf`.
    """
    return encode(value)[0]


def texts_json(value: object, longest: int) -> str:
    """The same for exact lists and dicts with strings in them and nothing else, without a look at each.

    `longest` is the length of the longest string: a long one is written with little memory, where orjson takes eight
    bytes a character.
    """
    try:
        if longest < LONG:
            text = orjson.dumps(value)
            if len(text) < MAX_CHARACTERS:
                return text.decode()
        elif longest < MAX_CHARACTERS // 2:
            long_text = json.dumps(value, ensure_ascii=False, separators=(',', ':'))
            if len(long_text) < MAX_CHARACTERS and (long_text.isascii() or long_text.encode()):
                return long_text
    except (TypeError, UnicodeEncodeError):  # Surrogates.
        pass
    return encode(value)[0]


def wire_json(value: Any) -> str:
    """The same for what goes over a wire as JSON anyway, so that it is not too large to be written before a look at it.

    A look at each value, as `encode` takes it, costs many times what writing does.
    """
    try:
        # It refuses, fast, what is not exactly of a built-in class: orjson knows others, and not all are safe with it.
        marshal.dumps(value)
        text = orjson.dumps(value)
    except (TypeError, ValueError):
        return json_dumps(value)
    # A null may be NaN. So short a text has not too many values, and not that many brackets are not too deep.
    if len(text) < MAX_NODES and b'null' not in text and text.count(b'{') + text.count(b'[') < MAX_DEPTH:
        return text.decode()
    return json_dumps(value)


def encode(value: object) -> tuple[str, bool]:
    """The JSON text of any value, and whether it was plain JSON: an exact list or dict of such and of scalars."""
    try:
        form = _form(value)
        if form != 'other':
            try:
                return orjson.dumps(value).decode(), form == 'plain'
            except TypeError:  # Integers beyond 64 bits, surrogates.
                pass
        writer = _Writer()
        writer.write(value, 0)
        return ''.join(writer.parts), False
    except Exception:  # The caller left too little stack for even a repr.
        return _NOT_ENCODED, False


def shortened_json(text: str, limit: int) -> str:
    """JSON text of at most `limit` characters: as much of the value as fits, saying where it was cut.

    An empty string where nothing fits; what is not JSON is simply cut.
    """
    if len(text) <= limit:
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text[:limit]
    room = limit
    while room > 0:
        writer = _Writer(characters=room, nodes=room)
        writer.write(value, 0)
        if len(short := ''.join(writer.parts)) <= limit:
            return short
        room //= 2
    return '""'[:limit]


def string_text(text: str) -> str:
    """A string as JSON; a lone surrogate becomes its escape, so that the text always encodes to UTF-8."""
    try:
        return orjson.dumps(text).decode()
    except TypeError:
        return utf8_text(json.dumps(text, ensure_ascii=False))


def utf8_text(text: str) -> str:
    r"""The same text where each lone surrogate is written out as `\udXXX`: UTF-8, and so OTLP, cannot carry it."""
    return text.encode('utf-8', 'backslashreplace').decode('utf-8')


def bounded_text(text: str, limit: int = MAX_CHARACTERS) -> str:
    """A string of at most `limit` characters; what is longer ends in a marker, on top of the limit."""
    return text if len(text) <= limit else text[: max(limit, 0)] + TRUNCATED


def otlp_text(text: str, limit: int = MAX_CHARACTERS) -> str:
    """A string as OTLP carries it: bounded, and without lone surrogates."""
    return text if text.isascii() and len(text) <= limit else utf8_text(bounded_text(text, limit))


def _form(value: object) -> Literal['plain', 'tuples', 'other']:
    """Whether orjson writes a container exactly and within the bounds, and whether it holds tuples.

    Goes down level by level, so a cycle or a small graph with a vast tree ends at the bounds.
    """
    form: Literal['plain', 'tuples'] = 'plain'
    nodes = characters = depth = 0
    level: list[Any] = [value]
    try:
        while level:
            if depth >= MAX_DEPTH:
                return 'other'
            depth += 1
            below: list[Any] = []
            for container in level:
                cls = class_of(container)
                if cls is dict:
                    characters += len(''.join(container))
                    members = container.values()
                elif cls is list:
                    members = container
                elif cls is tuple:
                    form = 'tuples'
                    members = container
                else:
                    return 'other'
                nodes += len(container)
                if nodes >= MAX_NODES:
                    return 'other'
                for member in members:
                    cls = class_of(member)
                    if cls is str:
                        characters += len(member)
                    elif cls is dict or cls is list or cls is tuple:
                        below.append(member)
                    elif cls is float:
                        if member - member != 0.0:  # NaN and the infinities, which orjson writes as null.
                            return 'other'
                    elif cls is not int and cls is not bool and member is not None:
                        return 'other'
            level = below
    except (TypeError, RuntimeError):  # A key that is no string; another thread changed the dict meanwhile.
        return 'other'
    return form if characters < MAX_CHARACTERS else 'other'


class _Writer:
    """Writes one value. Counts what it wrote, and knows the containers it is inside of."""

    __slots__ = ('active', 'characters', 'nodes', 'parts')

    def __init__(self, *, characters: int = MAX_CHARACTERS, nodes: int = MAX_NODES) -> None:
        self.parts: list[str] = []
        self.active: set[int] = set()
        self.nodes = nodes
        self.characters = characters

    def write(self, value: Any, depth: int) -> None:
        self.nodes -= 1
        cls = class_of(value)
        if cls is str:
            self._string(value)
        elif value is None or cls is bool:
            self.parts.append(_WORDS[value])
        elif cls is int:
            self._integer(value)
        elif cls is float:
            self._float(value)
        elif id(value) in self.active:
            self._string(_CIRCULAR)
        elif depth >= MAX_DEPTH:
            self._string(_TOO_DEEP)
        else:
            self._unfold(value, cls, depth)

    def _unfold(self, value: Any, cls: type[Any], depth: int) -> None:
        mark = len(self.parts)
        self.active.add(id(value))
        try:
            kind = kind_of(cls)
            plainer = kind.reduce(value)
            if kind.shape == 'object':
                self._object(plainer, depth + 1)
            elif kind.shape == 'array':
                self._array(plainer, depth + 1)
            else:
                self.write(plainer, depth + 1)
        except Exception:
            del self.parts[mark:]
            self._string(safe_repr(value))
        finally:
            self.active.discard(id(value))

    def _object(self, pairs: Iterable[tuple[Any, Any]], depth: int) -> None:
        separator = '{'
        for key, member in pairs:
            self.parts.append(separator)
            separator = ','
            if self._is_full():
                self.parts.append(f'"{TRUNCATED}":"{TRUNCATED}"')
                break
            self._string(key_text(key))
            self.parts.append(':')
            self.write(member, depth)
        self.parts.append('{}' if separator == '{' else '}')

    def _array(self, items: Iterable[Any], depth: int) -> None:
        separator = '['
        for item in items:
            self.parts.append(separator)
            separator = ','
            if self._is_full():
                self.parts.append(f'"{TRUNCATED}"')
                break
            self.write(item, depth)
        self.parts.append('[]' if separator == '[' else ']')

    def _is_full(self) -> bool:
        return self.nodes <= 0 or self.characters <= 0

    def _string(self, text: str) -> None:
        text = bounded_text(text, self.characters)
        self.characters -= len(text)
        self.parts.append(string_text(text))

    def _integer(self, value: int) -> None:
        try:
            digits = int.__repr__(value)
        except ValueError:  # Python refuses to spell out thousands of digits: it takes quadratic time.
            digits = f'"<int of {value.bit_length()} bits>"'
        self.characters -= len(digits)
        self.parts.append(digits)

    def _float(self, value: float) -> None:
        if math.isfinite(value):
            self.parts.append(orjson.dumps(value).decode())
        else:
            self.parts.append(f'"{value!r}"')
