from __future__ import annotations

import array
import collections
import collections.abc
import dataclasses
import datetime
import decimal
import enum
import fractions
import importlib.util
import ipaddress
import json
import pathlib
import re
import sys
import types
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import attrs
import numpy
import pandas
import pydantic
import pydantic_core
import pytest
import sqlalchemy
from sqlalchemy import event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, synonym

from logfire._internal import value_kinds
from logfire._internal.json_encoder import json_dumps
from logfire._internal.json_schema import schema_text
from logfire._internal.value_kinds import UNKNOWN, class_of, key_text, kind_of, safe_repr

# Their own types are generic beyond use here.
np: Any = numpy
pd: Any = pandas


@dataclasses.dataclass
class Point:
    x: int
    y: Any = None
    hidden: int = dataclasses.field(default=3, repr=False)


class Color(enum.Enum):
    RED = 'red'
    TWO = 2


class Number(enum.IntEnum):
    ONE = 1


class Word(str, enum.Enum):
    HI = 'hi'


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Real(float, enum.Enum):
    HALF = 0.5


class Switch(enum.Enum):
    ON = True


class Holiday(enum.Enum):
    NEW_YEAR = datetime.date(2020, 1, 1)
    NONE = 'none'


@attrs.define
class Attrs:
    x: int
    y: Any = None
    hidden: int = attrs.field(default=3, repr=False)


class Model(pydantic.BaseModel):
    a: int = 1
    when: datetime.date | None = None
    inner: Any = None
    left_out: datetime.date = pydantic.Field(default=datetime.date(2020, 1, 1), exclude=True)


class OpenModel(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra='allow')
    secret: pydantic.SecretStr = pydantic.SecretStr('s3cret')

    @pydantic.computed_field
    def double(self) -> int:
        return 2


class Serialized(pydantic.BaseModel):
    a: int = 1

    @pydantic.field_serializer('a')
    def serialize_a(self, value: int) -> dict[str, int]:
        return {'serialized': value}


class BrokenSerializer(pydantic.BaseModel):
    a: int = pydantic.Field(default=1, repr=False)

    @pydantic.model_serializer
    def serialize(self) -> None:
        raise ValueError('no')


class Dates(pydantic.RootModel[list[datetime.date]]):
    pass


@pydantic.dataclasses.dataclass
class PydanticPoint:
    x: int


class Pair(NamedTuple):
    first: Any
    second: str


class Text(str):
    __slots__ = ()


class Integer(int):
    pass


class Float(float):
    pass


class Dict(dict[str, Any]):
    pass


class List(list[Any]):
    pass


class Tuple(tuple[Any, ...]):
    __slots__ = ()


class Set(set[int]):
    pass


class FrozenSet(frozenset[int]):
    pass


class Bytes(bytes):
    pass


class ByteArray(bytearray):
    pass


class Plain:
    def __repr__(self) -> str:
        return 'Plain!'


class FrozenMap(collections.abc.Mapping[str, Any]):
    def __init__(self, values: dict[str, Any]) -> None:
        self.values_ = values

    def __getitem__(self, key: str) -> Any:
        return self.values_[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


class Countdown(collections.abc.Sequence[int]):
    def __getitem__(self, index: Any) -> Any:
        numbers: Any = [3, 2, 1]
        return numbers[index]

    def __len__(self) -> int:
        return 3


class Failure(Exception):
    pass


@dataclasses.dataclass
class DataFailure(Exception):
    code: int = 1


def generator() -> Iterator[int]:
    yield from [pytest.fail('a generator was consumed')]


DATE = datetime.date(2020, 1, 2)
DATE_SCHEMA = '{"type":"string","format":"date","x-python-datatype":"date"}'
UNKNOWN_SCHEMA = '{"type":"object","x-python-datatype":"unknown"}'
POINT_SCHEMA = '{"type":"object","title":"Point","x-python-datatype":"dataclass"}'
COLOR_SCHEMA = '{"type":"string","title":"Color","x-python-datatype":"Enum","enum":["red",2]}'


def mapping_schema(title: str) -> str:
    return f'{{"type":"object","x-python-datatype":"Mapping","title":"{title}"}}'


def sequence_schema(title: str) -> str:
    return f'{{"type":"array","title":"{title}","x-python-datatype":"Sequence"}}'


def exception_schema(title: str) -> str:
    return f'{{"type":"object","title":"{title}","x-python-datatype":"Exception"}}'


def ndarray_schema(shape: str, dtype: str) -> str:
    return f'{{"type":"array","x-python-datatype":"ndarray","x-shape":{shape},"x-dtype":"{dtype}"}}'


def frame_schema(columns: str, column_count: int, indices: str, row_count: int) -> str:
    return (
        f'{{"type":"array","x-python-datatype":"DataFrame","x-columns":{columns},"x-column-count":{column_count},'
        f'"x-indices":{indices},"x-row-count":{row_count}}}'
    )


STANDARD: list[tuple[Any, str, str]] = [
    (None, 'null', '{"type":"null"}'),
    (True, 'true', '{}'),
    (False, 'false', '{}'),
    (7, '7', '{}'),
    (1.5, '1.5', '{}'),
    ('x"é', '"x\\"é"', '{}'),
    (Text('s'), '"s"', '{}'),
    (Integer(3), '3', '{}'),
    (Float(2.5), '2.5', '{}'),
    ([1], '[1]', '{"type":"array"}'),
    ({'a': 1}, '{"a":1}', '{"type":"object"}'),
    ((1, 'a'), '[1,"a"]', '{"type":"array","x-python-datatype":"tuple"}'),
    ({1}, '[1]', '{"type":"array","x-python-datatype":"set"}'),
    (frozenset({1}), '[1]', '{"type":"array","x-python-datatype":"frozenset"}'),
    (collections.deque([1, 2]), '[1,2]', '{"type":"array","x-python-datatype":"deque"}'),
    (range(1, 5, 2), '[1,3]', '{"type":"array","x-python-datatype":"range"}'),
    (Set([1]), '[1]', UNKNOWN_SCHEMA),
    (FrozenSet([1]), '[1]', UNKNOWN_SCHEMA),
    (List([1]), '[1]', sequence_schema('List')),
    (Tuple([DATE]), '["2020-01-02"]', sequence_schema('Tuple')),
    (Pair(DATE, 'x'), '["2020-01-02","x"]', sequence_schema('Pair')),
    (Countdown(), '[3,2,1]', sequence_schema('Countdown')),
    (collections.UserList([1]), '[1]', sequence_schema('UserList')),
    (array.array('i', [1]), '[1]', sequence_schema('array')),
    (memoryview(b'abc'), '[97,98,99]', sequence_schema('memoryview')),
    (collections.UserString('x'), '"x"', '{"type":"string","x-python-datatype":"UserString"}'),
    (Dict(a=1), '{"a":1}', mapping_schema('Dict')),
    (collections.Counter('aab'), '{"a":2,"b":1}', mapping_schema('Counter')),
    (collections.defaultdict(list, a=[1]), '{"a":[1]}', mapping_schema('defaultdict')),
    (collections.ChainMap({'a': 1}, {'b': 2}), '{"b":2,"a":1}', mapping_schema('ChainMap')),
    (types.MappingProxyType({'a': 1}), '{"a":1}', mapping_schema('mappingproxy')),
    (FrozenMap({'a': 1}), '{"a":1}', mapping_schema('FrozenMap')),
    (
        FrozenMap({'a': DATE}),
        '{"a":"2020-01-02"}',
        f'{{"type":"object","properties":{{"a":{DATE_SCHEMA}}},"x-python-datatype":"Mapping","title":"FrozenMap"}}',
    ),
    (b'abc', '"abc"', '{"type":"string","x-python-datatype":"bytes"}'),
    (b'\xff\x00"\'', '"\\\\xff\\\\x00\\"\\\\\'"', '{"type":"string","x-python-datatype":"bytes"}'),
    (bytearray(b'a\xff'), '"a\\\\xff"', '{"type":"string","x-python-datatype":"bytearray"}'),
    (Bytes(b'a'), '"a"', '{"type":"string","x-python-datatype":"bytes","title":"Bytes"}'),
    (ByteArray(b'a'), '"a"', '{"type":"string","x-python-datatype":"bytearray","title":"ByteArray"}'),
    (
        datetime.datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc),
        '"2020-01-02T03:04:05.000006+00:00"',
        '{"type":"string","format":"date-time","x-python-datatype":"datetime"}',
    ),
    (DATE, '"2020-01-02"', DATE_SCHEMA),
    (datetime.time(1, 2, 3), '"01:02:03"', '{"type":"string","format":"time","x-python-datatype":"time"}'),
    (datetime.timedelta(days=-1, seconds=2.5), '-86397.5', '{"type":"string","x-python-datatype":"timedelta"}'),
    (decimal.Decimal('1.10'), '"1.10"', '{"type":"string","format":"decimal","x-python-datatype":"Decimal"}'),
    (uuid.UUID(int=5), '"00000000-0000-0000-0000-000000000005"', '{"type":"string","format":"uuid"}'),
    (ipaddress.ip_address('1.2.3.4'), '"1.2.3.4"', '{"type":"string","format":"ipv4"}'),
    (ipaddress.ip_address('::1'), '"::1"', '{"type":"string","format":"ipv6"}'),
    (ipaddress.ip_network('10.0.0.0/8'), '"10.0.0.0/8"', '{"type":"string","format":"ipv4network"}'),
    (ipaddress.ip_network('::/8'), '"::/8"', '{"type":"string","format":"ipv6network"}'),
    (ipaddress.ip_interface('10.0.0.1/8'), '"10.0.0.1/8"', '{"type":"string","format":"ipv4interface"}'),
    (ipaddress.ip_interface('::1/8'), '"::1/8"', '{"type":"string","format":"ipv6interface"}'),
    (re.compile('a.*"', re.IGNORECASE), '"a.*\\""', '{"type":"string","format":"regex"}'),
    (re.compile(b'a'), '"a"', '{"type":"string","format":"regex"}'),
    (Color.RED, '"red"', COLOR_SCHEMA),
    (Color.TWO, '2', COLOR_SCHEMA),
    (Number.ONE, '1', '{"type":"integer","title":"Number","x-python-datatype":"Enum","enum":[1]}'),
    (Word.HI, '"hi"', '{"type":"string","title":"Word","x-python-datatype":"Enum","enum":["hi"]}'),
    (Real.HALF, '0.5', '{"type":"number","title":"Real","x-python-datatype":"Enum","enum":[0.5]}'),
    (Switch.ON, 'true', '{"type":"boolean","title":"Switch","x-python-datatype":"Enum","enum":[true]}'),
    (
        Holiday.NEW_YEAR,
        '"2020-01-01"',
        '{"type":"object","title":"Holiday","x-python-datatype":"Enum","enum":["2020-01-01","none"]}',
    ),
    (ValueError('boom'), '"boom"', exception_schema('ValueError')),
    (Failure('a', 1), '"(\'a\', 1)"', exception_schema('Failure')),
    (KeyboardInterrupt(), '"KeyboardInterrupt()"', UNKNOWN_SCHEMA),
    (DataFailure(), '{"code":1}', '{"type":"object","title":"DataFailure","x-python-datatype":"dataclass"}'),
    (Point(1), '{"x":1,"y":null}', POINT_SCHEMA),
    (
        Point(1, Point(2, DATE)),
        '{"x":1,"y":{"x":2,"y":"2020-01-02"}}',
        f'{POINT_SCHEMA[:-1]},"properties":{{"y":{POINT_SCHEMA[:-1]},"properties":{{"y":{DATE_SCHEMA}}}}}}}}}',
    ),
    (Point, f'"{Point!r}"', UNKNOWN_SCHEMA),
    (Plain(), '"Plain!"', UNKNOWN_SCHEMA),
    (fractions.Fraction(1, 3), '"Fraction(1, 3)"', UNKNOWN_SCHEMA),
    (1 + 2j, '"(1+2j)"', UNKNOWN_SCHEMA),
    (len, '"<built-in function len>"', UNKNOWN_SCHEMA),
    (..., '"Ellipsis"', UNKNOWN_SCHEMA),
    ({'a': 1}.keys(), '"dict_keys([\'a\'])"', UNKNOWN_SCHEMA),
    (types.SimpleNamespace(a=1), '"namespace(a=1)"', UNKNOWN_SCHEMA),
    (pathlib.PureWindowsPath('c:/x'), '"PureWindowsPath(\'c:/x\')"', UNKNOWN_SCHEMA),
]


@pytest.mark.parametrize(('value', 'text', 'schema'), STANDARD, ids=lambda case: type(case).__name__)
def test_standard_values(value: Any, text: str, schema: str) -> None:
    """Every standard type has one JSON text and one schema, whether it stands alone or in a list."""
    assert json_dumps(value) == text
    assert json_dumps([value]) == f'[{text}]'
    assert schema_text(value) == schema


def test_paths() -> None:
    """A path is its text; the schema names the class of concrete paths on this system."""
    name = 'WindowsPath' if sys.platform == 'win32' else 'PosixPath'
    path = pathlib.Path('a')
    assert json_dumps(path) == '"a"'
    assert schema_text(path) == f'{{"type":"string","format":"path","x-python-datatype":"{name}"}}'


def test_generators_are_not_consumed() -> None:
    """A generator, an iterator, a file: anything that is used up by looking at it is shown by its repr."""
    value = generator()
    assert json_dumps(value) == json.dumps(repr(value))
    assert schema_text(value) == '{"type":"array","x-python-datatype":"generator","title":"generator"}'
    numbers = iter([1, 2])
    assert json_dumps(numbers) == json.dumps(repr(numbers))
    assert list(numbers) == [1, 2]


def test_the_members_of_a_flag() -> None:
    """A flag is its number, whichever members it combines."""
    assert json_dumps(Access.READ | Access.WRITE) == '3'
    assert schema_text(Access.READ) == '{"type":"integer","title":"Access","x-python-datatype":"Enum","enum":[1,2]}'


def test_an_enum_without_members() -> None:
    """An enum whose values name no member still has a schema."""
    nothing: Any = enum.Flag('Nothing', {'AT_ALL': 0})
    assert json_dumps(nothing.AT_ALL) == '0'
    # Zero is no member of its own since Python 3.11.
    values = [member.value for member in nothing]
    assert json.loads(schema_text(nothing.AT_ALL))['enum'] == values
    assert json.loads(schema_text(nothing.AT_ALL))['type'] == ('integer' if values else 'object')


MODEL_SCHEMA = '{"type":"object","title":"Model","x-python-datatype":"PydanticModel"}'

PYDANTIC: list[tuple[Any, str, str]] = [
    (Model(), '{"a":1,"when":null,"inner":null}', MODEL_SCHEMA),
    (
        Model(when=DATE, inner=Point(1)),
        # pydantic itself unfolds the dataclass, hidden field and all.
        '{"a":1,"when":"2020-01-02","inner":{"x":1,"y":null,"hidden":3}}',
        f'{MODEL_SCHEMA[:-1]},"properties":{{"when":{DATE_SCHEMA},"inner":{POINT_SCHEMA}}}}}',
    ),
    (
        OpenModel.model_validate({'extra': DATE}),
        '{"secret":"**********","extra":"2020-01-02","double":2}',
        '{"type":"object","title":"OpenModel","x-python-datatype":"PydanticModel","properties":'
        f'{{"secret":{{"type":"string","x-python-datatype":"SecretStr"}},"extra":{DATE_SCHEMA}}}}}',
    ),
    (
        Serialized(),
        '{"a":{"serialized":1}}',
        '{"type":"object","title":"Serialized","x-python-datatype":"PydanticModel"}',
    ),
    (
        BrokenSerializer(),
        '"BrokenSerializer()"',
        '{"type":"object","title":"BrokenSerializer","x-python-datatype":"PydanticModel"}',
    ),
    (Dates([DATE]), '["2020-01-02"]', f'{{"type":"array","items":{DATE_SCHEMA}}}'),
    (pydantic.RootModel[str]('x'), '"x"', '{"type":"string","x-python-datatype":"str"}'),
    (pydantic.RootModel[int](1), '1', '{"type":"integer","x-python-datatype":"int"}'),
    (pydantic.RootModel[float](1.5), '1.5', '{"type":"number","x-python-datatype":"float"}'),
    (pydantic.RootModel[bool](True), 'true', '{"type":"boolean","x-python-datatype":"bool"}'),
    (pydantic.RootModel[None](None), 'null', '{"type":"null"}'),
    (PydanticPoint(1), '{"x":1}', '{"type":"object","title":"PydanticPoint","x-python-datatype":"dataclass"}'),
    (pydantic.SecretStr('s3cret'), '"**********"', '{"type":"string","x-python-datatype":"SecretStr"}'),
    (pydantic.SecretBytes(b's'), '"b\'**********\'"', '{"type":"string","x-python-datatype":"SecretBytes"}'),
    (pydantic.HttpUrl('http://a.b'), '"http://a.b/"', '{"type":"string","x-python-datatype":"AnyUrl"}'),
    (pydantic_core.Url('http://a.b'), '"http://a.b/"', '{"type":"string","x-python-datatype":"Url"}'),
    (Model, f'"{Model!r}"', UNKNOWN_SCHEMA),
]


@pytest.mark.parametrize(('value', 'text', 'schema'), PYDANTIC, ids=lambda case: type(case).__name__)
def test_pydantic_values(value: Any, text: str, schema: str) -> None:
    """A pydantic model is written as its own serializers write it; secrets stay hidden, excluded fields stay out."""
    assert json_dumps(value) == text
    assert json_dumps([value]) == f'[{text}]'
    assert schema_text(value) == schema


def test_a_pydantic_model_in_a_cycle() -> None:
    """A model that contains itself is written down to where it comes round."""
    model = Model()
    model.inner = [model]
    assert json_dumps(model) == ('{"a":1,"when":null,"inner":[{"a":1,"when":null,"inner":["<circular reference>"]}]}')


def test_a_pydantic_model_of_the_wrong_types() -> None:
    """A model whose fields do not hold what they declare is written without a warning to the user."""
    assert json_dumps(Model.model_construct(a='x')) == '{"a":"x","when":null,"inner":null}'


ATTRS_SCHEMA = '{"type":"object","title":"Attrs","x-python-datatype":"attrs"}'


@pytest.mark.parametrize(
    ('value', 'text', 'schema'),
    [
        (Attrs(1), '{"x":1,"y":null}', ATTRS_SCHEMA),
        (
            [Attrs(1, DATE)],
            '[{"x":1,"y":"2020-01-02"}]',
            f'{{"type":"array","items":{ATTRS_SCHEMA[:-1]},"properties":{{"y":{DATE_SCHEMA}}}}}}}',
        ),
        (Attrs, f'"{Attrs!r}"', UNKNOWN_SCHEMA),
    ],
)
def test_attrs_values(value: Any, text: str, schema: str) -> None:
    """An attrs object is written by the fields that its repr has."""
    assert json_dumps(value) == text
    assert schema_text(value) == schema


NUMPY: list[tuple[Any, str, str]] = [
    (np.array([1, 2], dtype='int64'), '[1,2]', ndarray_schema('[2]', 'int64')),
    (np.zeros((2, 1, 2)), '[[[0.0,0.0]],[[0.0,0.0]]]', ndarray_schema('[2,1,2]', 'float64')),
    (np.array(5, dtype='int8'), '5', ndarray_schema('[]', 'int8')),
    (np.array([]), '[]', ndarray_schema('[0]', 'float64')),
    (np.arange(10, dtype='int64'), '[0,1,2,3,4,5,6,7,8,9]', ndarray_schema('[10]', 'int64')),
    (np.arange(11, dtype='int64'), '[0,1,2,3,4,6,7,8,9,10]', ndarray_schema('[11]', 'int64')),
    (
        np.arange(12, dtype='int64').reshape(12, 1),
        '[[0],[1],[2],[3],[4],[7],[8],[9],[10],[11]]',
        ndarray_schema('[12,1]', 'int64'),
    ),
    (np.array([None, Point(1)]), '[null,{"x":1,"y":null}]', ndarray_schema('[2]', 'object')),
    (np.array([float('nan')]), '["nan"]', ndarray_schema('[1]', 'float64')),
    (np.array(['2020-01-02'], dtype='datetime64[D]'), '["2020-01-02"]', ndarray_schema('[1]', 'datetime64[D]')),
    (np.array([[1, 2]], dtype='int64').view(np.matrix), '[[1,2]]', ndarray_schema('[1,2]', 'int64')),
    (np.ma.array(np.array([1, 2], dtype='int64'), mask=[0, 1]), '[1,null]', ndarray_schema('[2]', 'int64')),
    (np.ma.array(np.array([[1, 2]], dtype='int64'), mask=[[0, 1]]), '[[1,null]]', ndarray_schema('[1,2]', 'int64')),
    (np.float64(1.5), '1.5', '{}'),
    (np.str_('x'), '"x"', '{}'),
    (np.int64(3), json.dumps(repr(np.int64(3))), UNKNOWN_SCHEMA),
]


@pytest.mark.parametrize(('value', 'text', 'schema'), NUMPY, ids=lambda case: type(case).__name__)
def test_numpy_values(value: Any, text: str, schema: str) -> None:
    """An array is written by its items, at most the five first and the five last along each axis."""
    assert json_dumps(value) == text
    assert json_dumps([value]) == f'[{text}]'
    assert schema_text(value) == schema


def test_an_array_of_many_axes_is_bounded() -> None:
    """A view that repeats one number without end is not spelled out."""
    text = json_dumps(np.broadcast_to(np.array(1), (10,) * 18))
    assert text.startswith('[[[[[[[[[[[[[[[[[[1,1,')
    assert '"<truncated>"' in text
    assert len(text) < 500_000
    json.loads(text)


PANDAS: list[tuple[Any, str, str]] = [
    (
        pd.DataFrame({'a': [1, 2], 'b': ['x', None]}, index=pd.Index(['r', 's'])),
        '[[1,"x"],[2,"nan"]]' if pd.DataFrame({'b': ['x', None]}).values[1][0] is not None else '[[1,"x"],[2,null]]',
        frame_schema('["a","b"]', 2, '["r","s"]', 2),
    ),
    (pd.DataFrame(), '[]', frame_schema('[]', 0, '[]', 0)),
    (
        pd.DataFrame({('a', 'b'): [1]}, index=[pd.Timestamp('2020-01-01')]),
        '[[1]]',
        frame_schema('[["a","b"]]', 1, '["2020-01-01T00:00:00"]', 1),
    ),
    (pd.Series([1, 2], index=['a', 'b']), '{"a":1,"b":2}', UNKNOWN_SCHEMA),
    (pd.Series([1, 2]), '{"0":1,"1":2}', UNKNOWN_SCHEMA),
    (
        pd.Timestamp('2020-01-01'),
        '"2020-01-01T00:00:00"',
        '{"type":"string","format":"date-time","x-python-datatype":"datetime"}',
    ),
    (pd.NaT, '"NaT"', '{"type":"string","format":"date-time","x-python-datatype":"datetime"}'),
    (pd.Timedelta(days=1), '86400.0', '{"type":"string","x-python-datatype":"timedelta"}'),
]


@pytest.mark.parametrize(('value', 'text', 'schema'), PANDAS, ids=lambda case: type(case).__name__)
def test_pandas_values(value: Any, text: str, schema: str) -> None:
    """A frame is written by rows, its columns and index in the schema; a series by its index."""
    assert json_dumps(value) == text
    assert schema_text(value) == schema


def test_a_large_frame() -> None:
    """Of a large frame the first and last 30 rows and 250 columns are written, the schema naming the same ones."""
    frame = pd.DataFrame(np.arange(61 * 501).reshape(61, 501))
    rows = json.loads(json_dumps(frame))
    schema = json.loads(schema_text(frame))
    assert (len(rows), len(rows[0])) == (60, 500)
    assert schema['x-indices'] == [*range(30), *range(31, 61)]
    assert schema['x-columns'] == [*range(250), *range(251, 501)]
    assert (schema['x-row-count'], schema['x-column-count']) == (61, 501)
    assert rows[30][250] == frame.iloc[31, 251]


def test_a_large_series() -> None:
    """A series is bounded like any other object."""
    text = json_dumps(pd.Series(range(100_001)))
    assert text.startswith('{"0":0,"1":1,')
    assert text.endswith(',"<truncated>":"<truncated>"}')
    assert len(json.loads(text)) < 100_001


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = 'user'
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    born: Mapped[datetime.date]
    biography: Mapped[str] = mapped_column(deferred=True)
    nick: Mapped[str] = synonym('name')
    posts: Mapped[list[Post]] = relationship(back_populates='author')


class Post(Base):
    __tablename__ = 'post'
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(sqlalchemy.ForeignKey('user.id'))
    author: Mapped[User] = relationship(back_populates='posts')


def test_sqlalchemy_models_are_never_loaded() -> None:
    """A mapped object is written by what is loaded; writing it sends no query, not even for one that expired."""
    engine = sqlalchemy.create_engine('sqlite://')
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(User(id=1, name='n', born=DATE, biography='b', posts=[Post(id=2)]))
        session.commit()
    with Session(engine) as session:
        user = session.get(User, 1)
        assert user is not None
        queries: list[str] = []

        def note(*arguments: Any) -> None:
            queries.append(arguments[2])

        event.listen(engine, 'before_cursor_execute', note)
        written = json.loads(json_dumps(user))
        schema = schema_text(user)
        assert queries == []
        assert written == {
            'id': 1,
            'name': 'n',
            'born': '2020-01-02',
            'biography': '<deferred>',
            'nick': '<deferred>',
            'posts': '<deferred>',
        }
        assert schema == (
            f'{{"type":"object","title":"User","x-python-datatype":"sqlalchemy","properties":{{"born":{DATE_SCHEMA}}}}}'
        )

        post = user.posts[0]
        assert post.author is user
        queries.clear()
        assert json.loads(json_dumps(post))['author']['posts'] == ['<circular reference>']
        session.expire(user)
        assert set(json.loads(json_dumps(user)).values()) == {'<deferred>'}
        assert queries == []
    engine.dispose()


class Liar:
    """Answers every question about its class with something else."""

    @property
    def __class__(self) -> Any:
        return dict

    @__class__.setter
    def __class__(self, cls: Any) -> None:
        raise NotImplementedError

    def __getattr__(self, name: str) -> int:
        return 1

    def __repr__(self) -> str:
        return 'Liar()'


class NoClass:
    @property
    def __class__(self) -> Any:
        raise ValueError('no')

    @__class__.setter
    def __class__(self, cls: Any) -> None:
        raise NotImplementedError

    def __repr__(self) -> str:
        return 'NoClass()'


@pytest.mark.parametrize('cls', [Liar, NoClass])
def test_objects_cannot_lie_about_their_class(cls: type) -> None:
    """An object is judged by its real class, whatever `__class__` says."""
    assert json_dumps(cls()) == f'"{cls.__qualname__}()"'
    assert schema_text(cls()) == UNKNOWN_SCHEMA


def refuse(*arguments: Any) -> Any:
    raise ValueError('no')


class HostileMeta(type):
    __name__: Any = property(refuse)

    def __hash__(cls) -> int:
        raise ValueError('no')


class HostileClass(metaclass=HostileMeta):
    def __repr__(self) -> str:
        raise ValueError('no')


def test_classes_that_refuse_every_question() -> None:
    """A class that can be neither hashed nor named is unknown, and its objects are still written."""
    value = HostileClass()
    assert kind_of(class_of(value)) is UNKNOWN
    assert json_dumps(value) == '"<object object>"'
    assert schema_text([value]) == f'{{"type":"array","items":{UNKNOWN_SCHEMA}}}'


class LongRepr(str):
    __slots__ = ()

    def __len__(self) -> int:
        raise ValueError('no')


class OddRepr:
    def __repr__(self) -> str:
        return LongRepr('odd')


def test_a_repr_is_an_exact_string() -> None:
    """A repr that is a subclass of `str` loses whatever that class overrides."""
    assert type(safe_repr(OddRepr())) is str
    assert json_dumps(OddRepr()) == '"odd"'
    assert json_dumps(LongRepr('a')) == '"a"'


class UnreadableKey:
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        raise ValueError('no')


@pytest.mark.parametrize(
    ('key', 'text'),
    [
        ('a', 'a'),
        (Text('a'), 'a'),
        (Word.HI, 'hi'),
        (1, '1'),
        (None, 'None'),
        (True, 'True'),
        (float('nan'), 'nan'),
        ((1, 2), '(1, 2)'),
        (Color.RED, "<Color.RED: 'red'>"),
        (b'x', "b'x'"),
        (UnreadableKey(), '<UnreadableKey object>'),
    ],
)
def test_keys(key: Any, text: str) -> None:
    """The key of an object is a string as it is, and the repr of anything else, in the text as in the schema."""
    assert key_text(key) == text
    assert json.loads(json_dumps({key: DATE})) == {text: '2020-01-02'}
    assert json.loads(schema_text({key: DATE}))['properties'] == {text: json.loads(DATE_SCHEMA)}


def test_optional_libraries_are_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are written without importing a library, and without what is not loaded."""
    for name in ('attr', 'numpy', 'pandas', 'pydantic.main', 'sqlalchemy.orm', 'decimal'):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(value_kinds, '_kinds', {})
    value = Attrs(1)
    assert json_dumps(value) == json.dumps(repr(value))
    assert 'attr' not in sys.modules


@pytest.mark.parametrize('module', [None, object()], ids=['blocked', 'replaced'])
def test_modules_that_are_none(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    """A library whose import is blocked, or that something else stands for, counts as not loaded."""
    monkeypatch.setitem(sys.modules, 'attr', module)
    monkeypatch.setattr(value_kinds, '_kinds', {})
    assert json_dumps(Failure('x')) == '"x"'


def test_lazy_modules_stay_lazy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that loads itself on first access is not made to."""
    specification = importlib.util.find_spec('this')
    assert specification is not None
    assert specification.loader is not None
    lazy_loader = importlib.util.LazyLoader(specification.loader)
    specification.loader = lazy_loader
    module = importlib.util.module_from_spec(specification)
    lazy_loader.exec_module(module)
    lazy_type: type = type(module)
    monkeypatch.setitem(sys.modules, 'attr', module)
    monkeypatch.setattr(value_kinds, '_kinds', {})
    assert json_dumps(Failure('x')) == '"x"'
    assert type(module) is lazy_type


def test_classes_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that makes classes without end does not have them all kept, and each is written right."""
    known: dict[type, Any] = {}
    monkeypatch.setattr(value_kinds, '_kinds', known)
    monkeypatch.setattr(value_kinds, '_MAX_CACHED_CLASSES', 5)
    sizes: list[int] = []
    for number in range(12):
        cls = dataclasses.make_dataclass(f'Made{number}', [('x', int)])
        assert json_dumps(cls(number)) == f'{{"x":{number}}}'
        sizes.append(len(known))
    assert sizes == [1, 2, 3, 4, 5] * 2 + [1, 2]


def test_mutable_mappings_of_other_libraries() -> None:
    """A mapping is an object with its class's name, whatever else the class is."""

    @dataclasses.dataclass
    class Both(FrozenMap):
        values_: Any = None

    value: Mapping[str, Any] = Both({'z': 1})
    assert json_dumps(value) == '{"z":1}'
    assert schema_text(value) == mapping_schema('Both')
