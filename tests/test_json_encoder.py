from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import enum
import json
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from logfire._internal.json_encoder import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_NODES,
    bounded_text,
    encode,
    json_dumps,
    string_text,
    texts_json,
    utf8_text,
    wire_json,
)


@dataclasses.dataclass
class Box:
    content: Any


class Text(str):
    __slots__ = ()


# The same examples every time, and no limit on time: a busy machine is no fault.
EXAMPLES = settings(deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])

JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


@EXAMPLES
@given(JSON_VALUES)
def test_json_comes_back_unchanged(value: Any) -> None:
    """Any JSON value is read back from its text as it was."""
    assert json.loads(json_dumps(value)) == value


@EXAMPLES
@given(JSON_VALUES)
def test_both_ways_write_the_same(value: Any) -> None:
    """A value has one text, whether all around it is plain JSON or not."""
    assert json_dumps(Box(value)) == f'{{"content":{json_dumps(value)}}}'


class Colour(enum.Enum):
    RED = 'red'
    WIDE = (1, 2)
    NONE = None
    NAN = float('nan')


class Broken(enum.Enum):
    ONE = 1

    @property
    def value(self) -> int:
        raise ValueError('no')


@EXAMPLES
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(min_value=-(2**70), max_value=2**70)
        | st.floats()
        | st.text(alphabet=st.characters())
        | st.sampled_from(Colour)
        | st.uuids()
        | st.dates()
        | st.builds(Text, st.text()),
        lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner),
        max_leaves=20,
    )
)
def test_the_way_of_what_is_on_a_wire_writes_the_same(value: Any) -> None:
    """What is sent or came as JSON has the text that any other value has."""
    assert wire_json(value) == json_dumps(value)


@EXAMPLES
@given(st.recursive(st.text(alphabet=st.characters()), lambda inner: st.lists(inner) | st.tuples(inner, inner)))
def test_text_always_encodes(value: Any) -> None:
    """Whatever strings hold, surrogates included, the text is JSON that UTF-8 can carry."""
    json.loads(json_dumps(value).encode('utf-8'))


PLAIN: list[tuple[Any, str]] = [
    ({'a': [1, 'é', None, True, 1.5]}, '{"a":[1,"é",null,true,1.5]}'),
    ([], '[]'),
    ({}, '{}'),
    ([[], {}], '[[],{}]'),
    ((1, (2, [3])), '[1,[2,[3]]]'),
    ('a\x00\x1f\x7f\b\f\n\r\t"\\/\u2028', '"a\\u0000\\u001f\x7f\\b\\f\\n\\r\\t\\"\\\\/\u2028"'),
    ([1e16, 1.0, -0.0, 1e-7, 5e-324], '[1e+16,1.0,-0.0,1e-7,5e-324]'),
    ([2**63 - 1, -(2**63), 2**64 - 1], '[9223372036854775807,-9223372036854775808,18446744073709551615]'),
]


@pytest.mark.parametrize(('value', 'text'), PLAIN)
def test_plain_json(value: Any, text: str) -> None:
    """Plain JSON is written compactly, non-ASCII as it is; a tuple is an array."""
    assert json_dumps(value) == text
    assert json_dumps(Box(value)) == f'{{"content":{text}}}'


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        ([1, float('nan')], '[1,"nan"]'),
        ({'a': [float('inf'), None]}, '{"a":["inf",null]}'),
        ((-float('inf'),), '["-inf"]'),
        ([2**64, -(10**30)], '[18446744073709551616,-1000000000000000000000000000000]'),
        ({1: 'a', '1': 'b'}, '{"1":"a","1":"b"}'),
        ({Text('k'): 1}, '{"k":1}'),
        ([Text('s')], '["s"]'),
        ([{'when': datetime.date(2020, 1, 2)}], '[{"when":"2020-01-02"}]'),
        ({'a': {1}}, '{"a":[1]}'),
    ],
)
def test_what_orjson_would_refuse_or_change(value: Any, text: str) -> None:
    """NaN, infinities, large integers, keys that are no strings and other types are written exactly."""
    assert json_dumps(value) == text


FORMS: list[tuple[Any, bool]] = [
    ({'a': [1, 'x', None, True, 1.5, {}]}, True),
    ([], True),
    ((), False),
    ([(1,)], False),
    ([float('nan')], False),
    ([2**70], False),
    (['\ud800'], False),
    ([Text('a')], False),
    ('x', False),
    (None, False),
]


@pytest.mark.parametrize(('value', 'is_plain'), FORMS)
def test_what_is_plain(value: Any, is_plain: bool) -> None:
    """Only lists and string-keyed dicts of scalars count as plain JSON, whose shape needs no description."""
    assert encode(value)[1] is is_plain


def test_lone_surrogates() -> None:
    """A lone surrogate is kept as its escape, in strings and in keys."""
    text = json_dumps({'\ud800': ['é\udfff']})
    assert text == r'{"\ud800":["é\udfff"]}'
    assert json.loads(text) == {'\ud800': ['é\udfff']}
    assert string_text('\ud800"') == r'"\ud800\""'
    assert utf8_text('é\ud800') == 'é\\ud800'


def test_integers_that_python_does_not_spell_out() -> None:
    """An integer of thousands of digits is replaced by its size."""
    assert json_dumps([10**5000]) == '["<int of 16610 bits>"]'


def cycle_of_lists() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


def cycle_of_dicts() -> Any:
    value: dict[str, Any] = {'a': 1}
    value['b'] = {'c': [value]}
    return value


def cycle_of_objects() -> Any:
    box = Box(None)
    box.content = (box,)
    return box


@pytest.mark.parametrize(
    ('new_cycle', 'text'),
    [
        (cycle_of_lists, '["<circular reference>"]'),
        (cycle_of_dicts, '{"a":1,"b":{"c":["<circular reference>"]}}'),
        (cycle_of_objects, '{"content":["<circular reference>"]}'),
    ],
)
def test_cycles(new_cycle: Callable[[], Any], text: str) -> None:
    """A value that contains itself says so where it comes round."""
    assert json_dumps(new_cycle()) == text


def test_shared_values_are_no_cycle() -> None:
    """The same object in two places is written twice."""
    shared = Box([1])
    assert json_dumps([shared, shared]) == '[{"content":[1]},{"content":[1]}]'


def nested(depth: int, innermost: Any) -> Any:
    value = innermost
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize('innermost', [1, Text('x')], ids=['plain', 'other'])
def test_depth(innermost: Any) -> None:
    """A hundred levels are written, the same for plain JSON and for other values; what is deeper is replaced."""
    assert json.loads(json_dumps(nested(MAX_DEPTH, 1))) == nested(MAX_DEPTH, 1)
    assert json.loads(json_dumps(nested(MAX_DEPTH - 1, innermost))) == nested(MAX_DEPTH - 1, innermost)
    assert json.loads(json_dumps(nested(MAX_DEPTH + 1, innermost))) == nested(MAX_DEPTH, '<nested too deeply>')
    assert json.loads(json_dumps(nested(100_000, innermost))) == nested(MAX_DEPTH, '<nested too deeply>')


def test_a_small_graph_with_a_vast_tree() -> None:
    """Lists that hold one list twice, forty levels down, do not become 2**40 lists."""
    value: Any = []
    for _ in range(40):
        value = [value, value]
    text = json_dumps(value)
    json.loads(text)
    assert '"<truncated>"' in text
    assert len(text) < 20 * MAX_NODES


@pytest.mark.parametrize('wrap', [list, tuple, Box], ids=lambda wrap: wrap.__name__)
def test_one_large_string_in_many_places(wrap: Callable[[Any], Any]) -> None:
    """A large string that stands in many places is cut when the whole is full, keys counted too."""
    part = 'x' * (MAX_CHARACTERS // 4)
    for value in (wrap([part] * 100), wrap([{part: 1}] * 100)):
        text = json_dumps(value)
        json.loads(text)
        assert '<truncated>' in text
        assert MAX_CHARACTERS <= len(text) < MAX_CHARACTERS + 1000


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        ('x' * MAX_CHARACTERS, f'"{"x" * MAX_CHARACTERS}"'),
        ('x' * (MAX_CHARACTERS + 1), f'"{"x" * MAX_CHARACTERS}<truncated>"'),
        (['x' * MAX_CHARACTERS], f'["{"x" * MAX_CHARACTERS}"]'),
        (['x' * (MAX_CHARACTERS + 1)], f'["{"x" * MAX_CHARACTERS}<truncated>"]'),
        (['x' * MAX_CHARACTERS, 1], f'["{"x" * MAX_CHARACTERS}","<truncated>"]'),
        ({'x' * (MAX_CHARACTERS + 1): 1}, f'{{"{"x" * MAX_CHARACTERS}<truncated>":1}}'),
        ({'x': 'x' * MAX_CHARACTERS, 'y': 1}, None),
        (b'x' * (MAX_CHARACTERS + 2), f'"{"x" * MAX_CHARACTERS}<truncated>"'),
    ],
    ids=range(8),
)
def test_large_strings(value: Any, text: str | None) -> None:
    """A value holds 2**20 characters; what does not fit is marked."""
    if text is None:
        text = f'{{"x":"{"x" * (MAX_CHARACTERS - 1)}<truncated>","<truncated>":"<truncated>"}}'
    assert json_dumps(value) == text


def test_integers_count_by_their_digits() -> None:
    """Long integers count as long as they are, so that many of them are bounded too."""
    text = json_dumps([10**4000] * 1000)
    json.loads(text)
    assert text.endswith(',"<truncated>"]')
    assert len(text) < MAX_CHARACTERS + 5000


def test_bounded_text() -> None:
    """A text within the limit is untouched; a longer one ends in a marker."""
    assert bounded_text('abc', 3) == 'abc'
    assert bounded_text('abcd', 3) == 'abc<truncated>'
    assert bounded_text('abcd', -2) == '<truncated>'


@pytest.mark.parametrize('wrap', [list, Box], ids=['plain', 'other'])
def test_large_containers(wrap: Callable[[Any], Any]) -> None:
    """A value holds 100,000 values; the rest is marked."""
    value: Any = wrap(range(10 * MAX_NODES))
    written: Any = json.loads(json_dumps(value))
    items: list[Any] = written['content'] if wrap is Box else written
    assert items[:-1] == list(range(len(items) - 1))
    assert items[-1] == '<truncated>'
    assert MAX_NODES - 10 < len(items) <= MAX_NODES
    few_less = list(range(MAX_NODES - 1))
    assert json.loads(json_dumps(few_less)) == few_less
    assert json.loads(json_dumps([0] * MAX_NODES))[-1] == '<truncated>'


class EndlessList(list[int]):
    def __iter__(self) -> Iterator[int]:
        while True:
            yield 1


class EndlessMapping(collections.abc.Mapping[int, int]):
    def __getitem__(self, key: int) -> int:
        return key

    def __iter__(self) -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize('value', [EndlessList([1]), EndlessMapping()], ids=lambda value: type(value).__name__)
def test_endless_containers(value: Any) -> None:
    """A list or a mapping whose iteration never ends is cut."""
    text = json_dumps([value, value])
    json.loads(text)
    assert text.endswith('"<truncated>"]')
    assert len(text) < 20 * MAX_NODES


class BrokenRepr:
    def __repr__(self) -> str:
        raise ValueError('no')


class BrokenStr(Exception):
    def __str__(self) -> str:
        raise ValueError('no')


class BrokenList(list[int]):
    def __iter__(self) -> Iterator[int]:
        raise ValueError('no')


class HalfMapping(collections.abc.Mapping[str, int]):
    def __getitem__(self, key: str) -> int:
        if key == 'bad':
            raise ValueError('no')
        return 1

    def __iter__(self) -> Iterator[str]:
        return iter(['good', 'bad'])

    def __len__(self) -> int:
        return 2

    def __repr__(self) -> str:
        return 'HalfMapping()'


class WrongItems(dict[str, int]):
    def items(self) -> Any:
        return [('a', 1), 'no pair']


class BrokenProperty:
    @property
    def content(self) -> int:
        raise ValueError('no')

    def __repr__(self) -> str:
        return 'BrokenProperty()'


@dataclasses.dataclass
class Unset:
    content: int = dataclasses.field(init=False)


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        (BrokenRepr(), '"<BrokenRepr object>"'),
        (BrokenStr(), '"BrokenStr()"'),
        (BrokenList([1]), '"[1]"'),
        (HalfMapping(), '"HalfMapping()"'),
        (WrongItems(a=1), '"{\'a\': 1}"'),
        (BrokenProperty(), '"BrokenProperty()"'),
        (Unset(), '"<Unset object>"'),
    ],
    ids=lambda case: type(case).__name__,
)
def test_objects_that_raise(value: Any, text: str) -> None:
    """An object that raises when it is looked at is shown by its repr, one whose repr raises by its class."""
    assert json_dumps(value) == text
    assert json_dumps({'before': 1, 'value': [value], 'after': 2}) == f'{{"before":1,"value":[{text}],"after":2}}'


class LongRepr:
    def __repr__(self) -> str:
        return 'x' * (3 * MAX_CHARACTERS)


def test_long_reprs() -> None:
    """A repr is bounded like any string."""
    assert json_dumps(LongRepr()) == f'"{"x" * MAX_CHARACTERS}<truncated>"'


class Interrupting(list[int]):
    def __iter__(self) -> Iterator[int]:
        raise KeyboardInterrupt


def test_interrupts_pass() -> None:
    """The user's Ctrl-C is not swallowed by an object that is being written."""
    with pytest.raises(KeyboardInterrupt):
        json_dumps([Interrupting([1])])


def results_near_the_end_of_the_stack(call: Callable[[], Any]) -> list[Any]:
    """What a call returns at every depth of a recursion, from the deepest at which it can be made at all."""
    results: list[Any] = []

    def descend() -> None:
        try:
            descend()
        except RecursionError:
            pass
        results.append(call())

    descend()
    return results


def test_a_stack_that_is_nearly_full() -> None:
    """Deep in a recursion there is less room to write, but there is a text."""
    texts = results_near_the_end_of_the_stack(lambda: json_dumps([Box(Box(Box('x')))]))
    for text in set(texts):
        json.loads(text)
    assert '"<not encoded>"' in texts
    assert texts[-1] == '[{"content":{"content":{"content":"x"}}}]'


class Meddler:
    """Changes the container that it stands in when it is looked at."""

    def __init__(self, change: Callable[[], Any]) -> None:
        self.change = change

    def __repr__(self) -> str:
        self.change()
        return 'Meddler()'


def test_containers_that_change_meanwhile() -> None:
    """A container that is changed while it is written is written as it was."""
    pairs: dict[str, Any] = {'b': 2}
    pairs['a'] = Meddler(lambda: pairs.update(new=1))
    assert json_dumps(pairs) == '{"b":2,"a":"Meddler()"}'
    assert pairs['new'] == 1


@pytest.mark.parametrize(('cls', 'add'), [(list, 'append'), (set, 'add'), (deque, 'append')])
def test_collections_that_change_meanwhile(cls: Callable[[], Any], add: str) -> None:
    """A list, set or deque that is changed while it is written is written as it was."""
    items = cls()
    getattr(items, add)(Meddler(lambda: getattr(items, add)('new')))
    assert json_dumps(items) == '["Meddler()"]'
    assert 'new' in items


def test_containers_that_other_threads_change() -> None:
    """A dict that another thread changes all the time is always written as a dict."""
    value: dict[str, Any] = {str(number): number for number in range(5000)}
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            for number in range(500):
                value[f'new {number}'] = {}
            for number in range(500):
                value.pop(f'new {number}', None)

    thread = threading.Thread(target=change)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        thread.start()
        for _ in range(30):
            written = json.loads(json_dumps(value))
            assert isinstance(written, dict)
            assert '0' in written
    finally:
        done.set()
        thread.join()
        sys.setswitchinterval(interval)


class Float(float):
    pass


def test_numbers_of_subclasses() -> None:
    """A float of a class of its own is written as a float, NaN included."""
    assert json_dumps([Float('nan'), Float(1.5)]) == '["nan",1.5]'


TEXTS = {
    'short': 'a "b" \\ \x00 é',
    'a surrogate': 'a\ud800b',
    'nearly long': 'a' * 32_000,
    'long': 'ab"' * 20_000,
    'long, not ASCII': 'é\n' * 30_000,
    'long, with a surrogate': '\udfff' + 'a' * 50_000,
    'nearly too long': 'a' * (MAX_CHARACTERS // 2),
    'too long': 'a' * (MAX_CHARACTERS + 1),
    'too long when escaped': '\x00' * (MAX_CHARACTERS // 4),
}


@pytest.mark.parametrize('text', TEXTS.values(), ids=list(TEXTS))
@pytest.mark.parametrize('count', [1, 40])
def test_values_of_texts_alone(text: str, count: int) -> None:
    """What holds nothing but texts is written as it would be after a look at it, however long the texts are."""
    value = [{'role': 'user', 'parts': [{'type': 'text', 'content': text}] * count}]
    assert texts_json(value, longest=len(text)) == json_dumps(value)


@pytest.mark.parametrize(
    'value',
    [
        *[nested(depth, 'x') for depth in (MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 300, 2_000)],
        *[[1] * count for count in (MAX_NODES // 2, MAX_NODES + 1)],
        ['x' * (MAX_CHARACTERS + 1)],
        [Broken.ONE],
        {'nullable': 'null'},
        {'a': [1.0, float('nan')]},
        [-float('inf'), None],
    ],
    ids=lambda value: type(value).__name__,
)
def test_bounds_of_what_is_on_a_wire(value: Any) -> None:
    """What is sent or came as JSON is bounded as any other value is."""
    assert wire_json(value) == json_dumps(value)
