"""How `make compat` compares; the comparison itself is not part of the default run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.compat.__main__ import deliberate_differences
from tests.compat.comparison import ABSENT, Deliberate, Difference, compare, differences, judge
from tests.compat.normalisation import Normaliser
from tests.compat.surface import public_names, touched_names, unneeded_exceptions, untouched_names

PROGRAMS = Path(__file__).parent / 'programs'


def normalised(value: Any) -> Any:
    return Normaliser({'<packages>': '/env/lib/site-packages', '<env>': '/env'}).normalise(value)


def test_ids_become_numbers_of_their_first_appearance() -> None:
    """Equal ids stay equal and different ones different; no id stays no id."""
    spans = [
        {'trace': 9, 'id': 70, 'parent': {'id': 60}, 'attributes': {'logfire.pending_parent_id': f'{50:016x}'}},
        {'trace': 9, 'id': 60, 'parent': None, 'attributes': {'logfire.pending_parent_id': '0' * 16}},
        {'trace': 8, 'id': 50, 'parent': {'id': 0}, 'attributes': {'id': 'text'}},
    ]
    assert normalised(spans) == [
        {
            'trace': '<trace 1>',
            'id': '<span 1>',
            'parent': {'id': '<span 2>'},
            'attributes': {'logfire.pending_parent_id': '<span 3>'},
        },
        {'trace': '<trace 1>', 'id': '<span 2>', 'parent': None, 'attributes': {'logfire.pending_parent_id': 0}},
        {'trace': '<trace 2>', 'id': '<span 3>', 'parent': {'id': 0}, 'attributes': {'id': 'text'}},
    ]


def test_times_become_ranks_on_the_console_too() -> None:
    """Earlier times stay earlier and equal ones equal; a time of day that no span has stays as it is."""
    observed = {
        'spans': [{'start': 5_000_000_000, 'end': 9_000_000_000}, {'start': 5_000_000_000, 'end': 3_661_000_000_000}],
        'console': ['00:00:09.000 a', '\x1b[32m00:00:05.000\x1b[0m b', '01:01:01.000 c', '12:00:00.000 d'],
        'metric': {'start_time_unix_nano': 7, 'time_unix_nano': None},
    }
    assert normalised(observed) == {
        'spans': [{'start': '<time 1>', 'end': '<time 2>'}, {'start': '<time 1>', 'end': '<time 3>'}],
        'console': ['<time 2> a', '\x1b[32m<time 1>\x1b[0m b', '<time 3> c', '12:00:00.000 d'],
        'metric': {'start_time_unix_nano': '<time>', 'time_unix_nano': None},
    }


def test_addresses_paths_and_process_ids_are_taken_out() -> None:
    """What differs between two processes or environments is not compared; the longest known path is named."""
    observed = {
        'process.pid': 17,
        'text': '<a.B object at 0x7f41d76f1abc> \x1b[37m0x7f41d76f1abc of 0x10',
        '/env/bin': ['/env/lib/site-packages/a.py', '/environment/b.py'],
    }
    assert normalised(observed) == {
        'process.pid': '<pid>',
        'text': '<a.B object at <address>> \x1b[37m<address> of 0x10',
        '<env>/bin': ['<packages>/a.py', '<env>ironment/b.py'],
    }


@pytest.mark.parametrize(
    ('ours', 'published', 'found'),
    [
        ({'a': [1, {'b': None}]}, {'a': [1, {'b': None}]}, []),
        ({'a': 1, 'b': 2}, {'a': 1, 'c': 2}, [('b', 2, ABSENT), ('c', ABSENT, 2)]),
        ({'a': {'b': 1, 'c': 2}}, {'a': {'c': 2, 'b': 1}}, [('a.order', ['b', 'c'], ['c', 'b'])]),
        ({'a': 1}, {'a': True}, [('a', 1, True)]),
        ({'a': {'b': 1}}, {'a': None}, [('a', {'b': 1}, None)]),
        (['x', 'y', 'z'], ['x', 'z'], [('[1]', 'y', ABSENT)]),
        (['x', 'y'], ['x', 'w'], [('[1]', 'y', 'w')]),
        (
            [{'name': 'a', 'n': 1}, {'name': 'b', 'n': 1}],
            [{'name': 'b', 'n': 2}],
            [('[0]', {'name': 'a', 'n': 1}, ABSENT), ('[1].n', 1, 2)],
        ),
    ],
)
def test_every_difference_is_found(ours: Any, published: Any, found: list[tuple[str, Any, Any]]) -> None:
    """Values, their types, their order and what only one side has; one item more does not set off all that follow."""
    assert list(differences(ours, published)) == found


def test_a_case_that_only_one_side_has_differs() -> None:
    """A difference says in which program and case it is."""
    (difference,) = compare('spans', {'nested': {'raised': None}}, {})
    assert difference == Difference('spans', 'nested', '', {'raised': None}, ABSENT)
    assert 'spans.nested' in str(difference)


def test_what_is_deliberate_is_told_apart() -> None:
    """An entry covers what matches its place and its values; one that covers nothing is told."""
    found = [
        Difference('spans', 'nested', 'spans[0].name', 'a', 'b'),
        Difference('spans', 'nested', 'spans[1].name', 'c', 'b'),
        Difference('logs', 'plain', 'console[0]', 'a', 'b'),
    ]
    used = Deliberate('spans.* spans[*].name', 'because', ours='a')
    shadowed = Deliberate('spans.nested spans[0].name', 'because', ours='a')
    idle = Deliberate('metrics.*', 'because', published='z')
    verdict = judge(found, [used, shadowed, idle])
    assert verdict.unexplained == found[1:]
    assert verdict.idle == [shadowed, idle]


def test_brackets_and_question_marks_are_themselves() -> None:
    """Of a pattern only the star stands for other text."""
    difference = Difference('a', 'b', 'c[0]', 'really?', [1])
    assert Deliberate('a.b c[0]', '', ours='really?', published='[*').covers(difference)
    assert not Deliberate('a.b c[0]', '', ours='reall??').covers(difference)
    assert not Deliberate('a.b c0', '').covers(difference)


def test_every_deliberate_difference_has_a_reason() -> None:
    """The file can be read, and says why of each."""
    entries = deliberate_differences()
    assert entries
    assert not [entry for entry in entries if len(entry.reason) < 20]


def test_the_programs_touch_every_public_name() -> None:
    """A name that is added to the public API has to be compared, or listed as one that the published SDK has not."""
    assert untouched_names(PROGRAMS) == []
    assert unneeded_exceptions(PROGRAMS) == []


def test_a_name_that_nothing_touches_is_found(tmp_path: Path) -> None:
    """Names, members and keywords are told apart: a mention of one in a comment or a string does not count."""
    (tmp_path / 'program.py').write_text(
        'import logfire\n'
        'from logfire.propagate import get_context\n'
        'logfire.span("logfire.info", _tags=[]).set_level("warn")  # logfire.error\n'
        'def test(capfire): ...\n'
    )
    untouched = untouched_names(tmp_path)
    touched = {
        'logfire.span',
        'logfire.propagate.get_context',
        'span(_tags=)',
        'LogfireSpan.set_level',
        'logfire.testing.capfire',
    }
    assert touched.isdisjoint(untouched)
    assert touched < {*public_names()}
    assert {'logfire.info', 'logfire.error', 'span(_level=)', 'LogfireSpan.set_attribute'} < {*untouched}
    assert 'logfire.info' not in touched_names(tmp_path)
