from __future__ import annotations

import dataclasses
import datetime
import enum
import json
from typing import Any

import pytest

from logfire._internal.json_schema import MAX_SCHEMA_DEPTH, MAX_SCHEMA_NODES, schema_text, value_schema

DAY = datetime.date(2020, 1, 2)
DATE: dict[str, Any] = {'type': 'string', 'format': 'date', 'x-python-datatype': 'date'}
BOX: dict[str, Any] = {'type': 'object', 'title': 'Box', 'x-python-datatype': 'dataclass'}
UNKNOWN: dict[str, Any] = {'type': 'object', 'x-python-datatype': 'unknown'}
TUPLE: dict[str, Any] = {'type': 'array', 'x-python-datatype': 'tuple'}


@dataclasses.dataclass
class Box:
    content: Any


@dataclasses.dataclass
class Unset:
    content: int = dataclasses.field(init=False)


class Size(enum.Enum):
    LARGE = 2**70
    TEXT = ('a', 1)


@pytest.mark.parametrize(
    ('value', 'schema'),
    [
        (1, {}),
        (None, {'type': 'null'}),
        ([1, 'a', None, [1], {'a': 1}], {'type': 'array'}),
        ({'a': 1, 'b': None, 'c': [None]}, {'type': 'object'}),
        ([DAY, DAY], {'type': 'array', 'items': DATE}),
        ([DAY, 1, None], {'type': 'array', 'prefixItems': [DATE, {}, {'type': 'null'}]}),
        ([1, DAY], {'type': 'array', 'prefixItems': [{}, DATE]}),
        ([Box(1), Box([2])], {'type': 'array', 'items': BOX}),
        (
            [ValueError('x')],
            {'type': 'array', 'items': {**UNKNOWN, 'title': 'ValueError', 'x-python-datatype': 'Exception'}},
        ),
        ({DAY}, {'type': 'array', 'x-python-datatype': 'set', 'items': DATE}),
        ((DAY, 1), {**TUPLE, 'prefixItems': [DATE, {}]}),
        ([(1,)], {'type': 'array', 'items': TUPLE}),
        ([None, (1,)], {'type': 'array', 'prefixItems': [{'type': 'null'}, TUPLE]}),
        ([[1], [DAY]], {'type': 'array', 'prefixItems': [{'type': 'array'}, {'type': 'array', 'items': DATE}]}),
        (
            [{'a': DAY}, {'a': DAY, 'b': 1}],
            {'type': 'array', 'items': {'type': 'object', 'properties': {'a': DATE}}},
        ),
        (
            {'a': DAY, 'b': 1, 'c': {'d': [Box(DAY)]}},
            {
                'type': 'object',
                'properties': {
                    'a': DATE,
                    'c': {
                        'type': 'object',
                        'properties': {'d': {'type': 'array', 'items': {**BOX, 'properties': {'content': DATE}}}},
                    },
                },
            },
        ),
        (Unset(), UNKNOWN),
        ([Unset(), 2], {'type': 'array', 'prefixItems': [UNKNOWN, {}]}),
    ],
    ids=lambda case: type(case).__name__,
)
def test_shapes(value: Any, schema: dict[str, Any]) -> None:
    """Only what plain JSON does not say is described: items where they are alike, else each of them, and properties."""
    assert value_schema(value) == schema
    assert list(value_schema(value)) == list(schema)
    assert json.loads(schema_text(value)) == schema


def test_cycles() -> None:
    """A value that contains itself is described down to where it comes round."""
    box = Box(None)
    box.content = (DAY, box)
    assert value_schema(box) == {**BOX, 'properties': {'content': {**TUPLE, 'prefixItems': [DATE, {}]}}}


def test_shared_values_are_no_cycle() -> None:
    """The same object in two places is described twice."""
    shared = (1,)
    assert value_schema([shared, shared]) == {'type': 'array', 'items': TUPLE}


def nested(depth: int, innermost: Any) -> Any:
    value = innermost
    for _ in range(depth):
        value = {'a': value}
    return value


def test_depth() -> None:
    """Forty levels are described, completely; deeper ones are not."""
    assert schema_text(nested(MAX_SCHEMA_DEPTH - 1, DAY)).count('"date"') == 2
    assert schema_text(nested(MAX_SCHEMA_DEPTH, DAY)) == '{"type":"object"}'
    assert schema_text(nested(50_000, DAY)) == '{"type":"object"}'


def test_large_lists() -> None:
    """Of a large list the first elements are looked at; when they are alike, all are taken to be."""
    assert value_schema([DAY] * (2 * MAX_SCHEMA_NODES)) == {'type': 'array', 'items': DATE}
    schema = value_schema([DAY, 1] * MAX_SCHEMA_NODES)
    assert len(schema['prefixItems']) == MAX_SCHEMA_NODES - 1


def test_large_objects() -> None:
    """Of a large object the first properties are described."""
    schema = value_schema({str(number): DAY for number in range(2 * MAX_SCHEMA_NODES)})
    assert len(schema['properties']) == MAX_SCHEMA_NODES - 1


def test_a_small_graph_with_a_vast_tree() -> None:
    """Lists that hold one list twice, forty levels down, do not take 2**40 steps."""
    value: Any = [DAY]
    for _ in range(30):
        value = [value, value]
    assert len(schema_text(value)) < 100 * MAX_SCHEMA_NODES


def test_schemas_are_the_callers() -> None:
    """A schema may be changed without changing the next one."""
    value_schema(DAY)['type'] = 'changed'
    value_schema(Unset())['type'] = 'changed'
    assert value_schema(DAY) == DATE
    assert value_schema(Unset()) == UNKNOWN


def test_enum_values_are_written_as_json() -> None:
    """The values of an enum are in its schema as the values themselves are written, large integers exactly."""
    assert schema_text(Size.LARGE) == (
        '{"type":"object","title":"Size","x-python-datatype":"Enum","enum":[1180591620717411303424,["a",1]]}'
    )


def test_a_stack_that_is_nearly_full() -> None:
    """Deep in a recursion a value is of unknown shape rather than a fault."""
    schemas: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def descend() -> None:
        try:
            descend()
        except RecursionError:
            pass
        schemas.append((value_schema(1), value_schema([Box(DAY)])))

    descend()
    assert (UNKNOWN, UNKNOWN) in schemas
    assert schemas[-1] == ({}, {'type': 'array', 'items': {**BOX, 'properties': {'content': DATE}}})
