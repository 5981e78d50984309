"""Values that no service should send and no caller should pass, as hypothesis strategies.

A reply is built of plain Python values and of `Raw` JSON text, for what Python has no value for. A request's argument
is built anew for each call, by a function: generators and files are there once.
"""

from __future__ import annotations

import copy
import decimal
import enum
import functools
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st


class Raw(str):
    """JSON text, or what pretends to be."""


class Pairs(list[tuple[str, Any]]):
    """A JSON object that may have a key twice."""


TEXTS: Sequence[str] = (
    '',
    '\x1b[2J\x1b[31mred',
    '\x1b]8;;https://evil.test\x1b\\click\x1b]8;;\x1b\\',
    '\x1b]52;c;aGk=\x07',
    '\x9b31m\x9d0;title\x9c',
    '\u202egnp.exe\u202c \u2066x\u2069',
    'nul\x00byte',
    '\ud800',
    'pair \ud83d\ude00 and \udc00 lone',
    'line\r\nline\rline\u2028line\x85line',
    '\U000e0041hidden\u200b\ufeff',
    'logfire.msg',
    'gen_ai.input.messages',
    'logfire.json_schema',
    '{"type": "object"}',
    '{unbalanced} {0} {x!z}',
    '[red]markup[/red] :smile:',
    '<think>half a thought',
    'data:image/png;base64,AAAA',
    'data:text/plain,%ff\ud800',
    'data:;;;',
    '{"a": NaN, "a": 1e999, "b": [[[[]]]]}',
    'tool_calls',
    'x' * 3000,
)

texts = st.sampled_from(TEXTS) | st.text(max_size=8)

_raw = st.sampled_from(
    [
        Raw('NaN'),
        Raw('-Infinity'),
        Raw('1e999'),
        Raw('-0'),
        Raw('1' * 400),
        Raw('[' * 150 + ']' * 150),
        Raw('{"a":' * 150 + '1' + '}' * 150),
        Raw(r'"\ud800\u0000"'),
        Raw('{"a":1,"a":2}'),
    ]
)
_scalars: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, -1, 7, 2**63, -(2**63) - 1, 2**64, 10**30])
    | st.sampled_from([0.5, -0.0, 1e308])
    | texts
    | _raw
)
json_values: st.SearchStrategy[Any] = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(texts, inner, max_size=3)
        | st.lists(st.tuples(texts, inner), max_size=3).map(Pairs)
    ),
    max_leaves=4,
)


def dumps(value: Any) -> str:
    """The JSON text of what these strategies make."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Mapping):
        value = Pairs(value.items())  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, Pairs):
        return '{' + ','.join(f'{json.dumps(key)}:{dumps(member)}' for key, member in value) + '}'
    if isinstance(value, list):
        return '[' + ','.join(map(dumps, value)) + ']'  # pyright: ignore[reportUnknownArgumentType]
    return json.dumps(value)


class Change(NamedTuple):
    """Something done to one node of a JSON tree."""

    node: int
    kind: str
    value: Any


changes = st.lists(
    st.builds(Change, st.integers(0, 40), st.sampled_from(['replace', 'drop', 'wrap', 'twice', 'extra']), json_values),
    min_size=1,
    max_size=3,
)


def changed(value: Any, what: Sequence[Change]) -> Any:
    """A copy of a JSON tree with the changes done, one after the other."""
    for change in what:
        value = _changed(copy.deepcopy(value), change)
    return value


def _changed(root: Any, change: Change) -> Any:
    places = list(_places(root))
    if not places:
        return change.value
    container, key = places[change.node % len(places)]
    if change.kind == 'replace':
        container[key] = change.value
    elif change.kind == 'drop':
        del container[key]
    elif change.kind == 'wrap':
        container[key] = [container[key]]
    elif change.kind == 'twice' and isinstance(container, list):
        container.append(container[key])  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    elif change.kind == 'twice':
        first = Pairs([*container[key].items()]) if isinstance(container[key], dict) else container[key]
        container[key] = Pairs([('a', first), ('a', change.value)])
    elif isinstance(container, list):
        container.insert(key, change.value)  # pyright: ignore[reportUnknownMemberType]
    else:
        container['extra'] = change.value
    return root


def _places(value: Any) -> Any:
    if type(value) is dict:
        for key in value:  # pyright: ignore[reportUnknownVariableType]
            yield value, key
            yield from _places(value[key])
    elif type(value) is list:
        for index in range(len(value)):  # pyright: ignore[reportUnknownArgumentType]
            yield value, index
            yield from _places(value[index])


# -- Arguments of requests

Factory = Callable[[], Any]


class Word(str):
    """A string that refuses to be one."""

    def __str__(self) -> str:
        raise RuntimeError('not to be asked')


class _Number(int):
    def __int__(self) -> int:
        raise RuntimeError('not to be asked')


class Role(str, enum.Enum):
    """As the client's own enums are."""

    USER = 'user'
    ODD = '\ud800'


class _Colour(enum.Enum):
    RED = object


def _cyclic() -> dict[str, Any]:
    cycle: dict[str, Any] = {}
    cycle['self'] = [cycle]
    return cycle


@functools.cache
def nested(levels: int) -> list[Any]:
    """A list in a list in a list, ... Made once: it is to be looked at only."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@functools.cache
def nested_dict(levels: int) -> dict[str, Any]:
    """The same of dicts."""
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {'a': value}
    return value


class Undecided:
    """As an array of numpy is: neither true nor false."""

    def __bool__(self) -> bool:
        raise ValueError('ambiguous')


ODDITIES: Sequence[Factory] = (
    object,
    _cyclic,
    lambda: nested(100_000),
    lambda: nested_dict(100_000),
    lambda: Word('word'),
    lambda: _Number(7),
    lambda: Role.USER,
    lambda: Role.ODD,
    lambda: _Colour.RED,
    lambda: (item for item in [{'role': 'user', 'content': 'once'}]),
    lambda: io.BytesIO(b'{"messages": []}'),
    lambda: io.StringIO('{}'),
    lambda: b'{"model": "b", "messages": [1, "\xff"]}',
    lambda: b'[' * 100_000,
    lambda: b'{"a": ' + b'1' * 5000 + b'}',
    lambda: bytearray(b'{}'),
    lambda: {1, 2},
    lambda: (1, 2),
    lambda: {1: 2, None: 3, ('t',): 4},
    lambda: decimal.Decimal('1e400'),
    lambda: float('nan'),
    lambda: float('inf'),
    lambda: 10**400,
    lambda: -(2**63) - 1,
    lambda: range(3),
    lambda: str,
    Undecided,
    lambda: memoryview(b'x'),
)


def _constant(value: Any) -> Factory:
    return lambda: copy.deepcopy(value)


_plain_values = json_values.filter(lambda value: not isinstance(value, (Raw, Pairs))).map(_constant)
factories: st.SearchStrategy[Factory] = st.recursive(
    _plain_values | st.sampled_from(ODDITIES),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda made: lambda: [make() for make in made])
        | st.dictionaries(texts, inner, max_size=3).map(
            lambda made: lambda: {key: make() for key, make in made.items()}
        )
    ),
    max_leaves=3,
)
