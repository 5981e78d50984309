from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import json
import warnings
from typing import Any

import pytest

from logfire._internal import attributes
from logfire._internal.attributes import attribute_name, merge_json_schema, otel_attributes, otel_value
from logfire._internal.json_encoder import MAX_CHARACTERS

DAY = datetime.date(2020, 1, 2)
DATE_SCHEMA = '{"type":"string","format":"date","x-python-datatype":"date"}'


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return 'overridden'


class Integer(int):
    pass


class Float(float):
    pass


class Color(enum.Enum):
    RED = 2**70


class Word(str, enum.Enum):
    HI = 'hi'


@dataclasses.dataclass
class Box:
    content: Any


class BrokenKey:
    def __str__(self) -> str:
        raise ValueError('no')

    def __repr__(self) -> str:
        return 'BrokenKey()'


def schema_of(**schemas: str) -> str:
    return '{"type":"object","properties":{' + ','.join(f'"{name}":{text}' for name, text in schemas.items()) + '}}'


def test_scalars_stay() -> None:
    """Strings, booleans, integers and floats are attributes as they are; the schema names each, in order."""
    result = otel_attributes({'s': 'é', 'b': True, 'i': 7, 'f': 1.5})
    assert list(result.items()) == [
        ('s', 'é'),
        ('b', True),
        ('i', 7),
        ('f', 1.5),
        ('logfire.json_schema', schema_of(s='{}', b='{}', i='{}', f='{}')),
    ]
    assert result['b'] is True


def test_other_values_are_json() -> None:
    """Every other value is JSON text, its shape in the schema, among the scalars and in order."""
    result = otel_attributes({'n': None, 'i': 1, 'l': [1], 'd': {'a': 1}, 't': (1,), 'box': Box(DAY), 'e': Word.HI})
    assert result == {
        'n': 'null',
        'i': 1,
        'l': '[1]',
        'd': '{"a":1}',
        't': '[1]',
        'box': '{"content":"2020-01-02"}',
        'e': '"hi"',
        'logfire.json_schema': schema_of(
            n='{"type":"null"}',
            i='{}',
            l='{"type":"array"}',
            d='{"type":"object"}',
            t='{"type":"array","x-python-datatype":"tuple"}',
            box='{"type":"object","title":"Box","x-python-datatype":"dataclass",'
            f'"properties":{{"content":{DATE_SCHEMA}}}}}',
            e='{"type":"string","title":"Word","x-python-datatype":"Enum","enum":["hi"]}',
        ),
    }


def test_no_attributes() -> None:
    """Without attributes there is no schema."""
    assert otel_attributes({}) == {}


def test_any_mapping_will_do() -> None:
    """The attributes may come in any mapping."""
    assert otel_attributes(collections.ChainMap({'a': 1})) == {'a': 1, 'logfire.json_schema': schema_of(a='{}')}


def test_scalars_of_subclasses() -> None:
    """A string, integer or float of a class of its own becomes the builtin, without its overrides."""
    result = otel_attributes({'s': Text('x'), 'i': Integer(3), 'f': Float(2.5)})
    assert result == {'s': 'x', 'i': 3, 'f': 2.5, 'logfire.json_schema': schema_of(s='{}', i='{}', f='{}')}
    assert [type(result[name]) for name in 'sif'] == [str, int, float]
    assert type(otel_value(Text('x'))) is str


@pytest.mark.parametrize(('value', 'text'), [(float('nan'), 'nan'), (float('inf'), 'inf'), (Float('-inf'), '-inf')])
def test_floats_that_are_no_numbers(value: float, text: str) -> None:
    """NaN and the infinities are text: no JSON of any backend can carry them as numbers."""
    assert otel_value(value) == otel_attributes({'a': value})['a'] == text


def test_surrogates() -> None:
    """Text that UTF-8 cannot carry is spelled out, in values and in names, so that the export does not fail."""
    result = otel_attributes({'a\ud800': 'b\udfff', 'é': ['\ud800']})
    assert list(result) == ['a\\ud800', 'é', 'logfire.json_schema']
    assert result['a\\ud800'] == 'b\\udfff'
    assert result['é'] == r'["\ud800"]'
    assert json.loads(str(result['logfire.json_schema']))['properties'] == {'a\\ud800': {}, 'é': {'type': 'array'}}
    for name, value in result.items():
        assert (name + str(value)).encode('utf-8')


def test_long_strings() -> None:
    """A string is cut after 2**20 characters and marked, ASCII or not."""
    for letter in 'xé':
        longest = letter * MAX_CHARACTERS
        assert otel_value(longest) == longest
        assert otel_attributes({'a': longest})['a'] == longest
        assert otel_value(longest + letter) == longest + '<truncated>'
        assert otel_attributes({'a': longest + letter})['a'] == longest + '<truncated>'


@pytest.mark.parametrize('value', [2**63, -(2**63) - 1, Integer(10**30)])
def test_large_integers(value: int) -> None:
    """An integer beyond 64 bits is sent as its digits, and the user is told which attribute it is."""
    with pytest.warns(UserWarning, match=r"'count' is outside the signed 64-bit range") as caught:
        result = otel_attributes({'count': value})
    assert len(caught) == 1
    assert result == {'count': str(int(value)), 'logfire.json_schema': schema_of(count='{}')}
    assert otel_value(value) == str(int(value))


@pytest.mark.parametrize('value', [2**63 - 1, -(2**63), Integer(2**63 - 1)])
def test_the_largest_integers(value: int) -> None:
    """An integer of 64 bits stays an integer, without a warning."""
    assert otel_attributes({'count': value})['count'] == value
    assert otel_value(value) == value
    assert type(otel_value(value)) is int


def test_integers_of_thousands_of_digits() -> None:
    """An integer that Python refuses to spell out is replaced by its size."""
    assert otel_value(10**5000) == '<int of 16610 bits>'


def test_the_warning_points_to_the_user() -> None:
    """The warning of a large integer is shown at the user's line, not at ours."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        otel_attributes({'count': 2**63})
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ('key', 'name'),
    [
        ('a', 'a'),
        ('', ''),
        ('a"b\n', 'a"b\n'),
        (1, '1'),
        (None, 'None'),
        (DAY, '2020-01-02'),
        (Text('a'), 'overridden'),
        (BrokenKey(), 'BrokenKey()'),
    ],
)
def test_names(key: Any, name: str) -> None:
    """An attribute's name is text: what is no string becomes one, by its repr where it cannot say more."""
    result = otel_attributes({key: 1})
    assert attribute_name(key) == name
    assert result[name] == 1
    assert json.loads(str(result['logfire.json_schema'])) == {'type': 'object', 'properties': {name: {}}}
    assert all(type(key) is str for key in result)


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        ('x', 'x'),
        (True, True),
        (3, 3),
        (1.5, 1.5),
        (None, 'null'),
        ([1, 'a'], '[1,"a"]'),
        ({1}, '[1]'),
        (DAY, '"2020-01-02"'),
        (b'x', '"x"'),
        (Word.HI, '"hi"'),
        (Color.RED, '1180591620717411303424'),
    ],
)
def test_single_values(value: Any, expected: Any) -> None:
    """One value alone is written as it is among the attributes."""
    result = otel_value(value)
    assert result == expected
    assert type(result) is type(expected)
    assert otel_attributes({'a': value})['a'] == expected


def test_schemas_of_scalars_are_kept_apart() -> None:
    """The schema follows the names, whatever was recorded before and in whatever order."""
    assert otel_attributes({'a': 1, 'b': 2})['logfire.json_schema'] == schema_of(a='{}', b='{}')
    assert otel_attributes({'b': 1, 'a': 2})['logfire.json_schema'] == schema_of(b='{}', a='{}')
    assert otel_attributes({'a': 1, 'b': None})['logfire.json_schema'] == schema_of(a='{}', b='{"type":"null"}')
    assert otel_attributes({'a': 1, 'b': 2})['logfire.json_schema'] == schema_of(a='{}', b='{}')


def test_names_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that makes up names without end does not have all their schemas kept."""
    kept: dict[tuple[str, ...], str] = {}
    monkeypatch.setattr(attributes, '_scalar_schemas', kept)
    monkeypatch.setattr(attributes, '_MAX_CACHED_SCHEMAS', 5)
    sizes: list[int] = []
    for number in range(12):
        name = f'name {number}'
        assert otel_attributes({name: 1})['logfire.json_schema'] == schema_of(**{name: '{}'})
        sizes.append(len(kept))
    assert sizes == [1, 2, 3, 4, 5] * 2 + [1, 2]


@pytest.mark.parametrize(
    ('existing', 'added', 'expected'),
    [
        (None, {'a': 1}, schema_of(a='{}')),
        (schema_of(), {'a': 1}, schema_of(a='{}')),
        (schema_of(a='{}'), {}, schema_of(a='{}')),
        (schema_of(a='{}'), {'b': DAY}, schema_of(a='{}', b=DATE_SCHEMA)),
        (schema_of(a='{}', b='{}'), {'a': DAY}, schema_of(a=DATE_SCHEMA, b='{}')),
        (schema_of(a='{}'), {'b': 1, 'a': None}, schema_of(a='{"type":"null"}', b='{}')),
        (schema_of(a='{"properties":{"b":{}}}'), {'b': 1}, schema_of(a='{"properties":{"b":{}}}', b='{}')),
        (schema_of(a=f'{{"enum":[{2**70}]}}'), {'a"': 1, 'a': 1}, schema_of(**{'a': '{}', 'a\\"': '{}'})),
        (schema_of(z=f'{{"enum":[{2**70}]}}', a='{}'), {'a': []}, None),
        ('junk', {'a': 1}, schema_of(a='{}')),
        ('{"of somebody else, and longer than ours":{"c":{}}}', {'a': 1}, schema_of(a='{}')),
        ('{"type":"object","properties":{"b":{"cut', {'a': 1}, schema_of(a='{}')),
        ('{"type":"object","properties":{"a":broken}}', {'a': 1}, schema_of(a='{}')),
        ('{"type":"object","properties":{"a":{}},"more":{"b":{}}}', {'a': []}, None),
    ],
    ids=range(14),
)
def test_merging_schemas(existing: str | None, added: dict[str, Any], expected: str | None) -> None:
    """What is set later is added to the schema of a span, in the place of its name where it had one."""
    merged = merge_json_schema(existing, added)
    if expected is None:
        assert existing is not None
        old = json.loads(existing)
        assert json.loads(merged) == {**old, 'properties': {**old['properties'], 'a': {'type': 'array'}}}
    else:
        assert merged == expected


def test_the_merged_schema_is_that_of_all() -> None:
    """Attributes set one after the other have the schema that they would have had together."""
    together: dict[str, Any] = {'a': 1, 'b': [DAY], 'c"\ud800': Box(Color.RED), 'd': 'x'}
    schema: str | None = None
    for name, value in together.items():
        schema = merge_json_schema(schema, {name: value})
    assert schema == otel_attributes(together)['logfire.json_schema']
