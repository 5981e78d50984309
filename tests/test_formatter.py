from __future__ import annotations

import ast
import asyncio
import datetime
import sys
from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from logfire._internal import errors, formatter
from logfire._internal.formatter import (
    FormattingFailedWarning,
    FStringCall,
    InspectArgumentsFailedWarning,
    format_message,
    inspect_call,
)
from logfire._internal.scrubbing import NOOP_SCRUBBER, new_scrubber

if TYPE_CHECKING:
    from logfire._internal.scrubbing import ScrubNote

SCRUBBER = new_scrubber(None)
PRINTABLE = ''.join(chr(33 + number % 90) for number in range(300))


class Place:
    name = 'Rome'

    @property
    def people(self) -> dict[str, list[str]]:
        return {'mayor': ['Anna', 'Bert']}


class Unprintable:
    def __repr__(self) -> str:
        raise ValueError('no repr')

    def __format__(self, spec: str) -> str:
        raise ValueError('no format')


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise ValueError('no str')


class Treacherous:
    def __format__(self, spec: str) -> str:
        raise UnprintableError


@pytest.mark.parametrize(
    ('template', 'attributes', 'message'),
    [
        ('plain', {}, 'plain'),
        ('', {}, ''),
        ('%s', {}, '%s'),
        ('hello {name}', {'name': 'x'}, 'hello x'),
        ('{name} {name}!', {'name': 'x'}, 'x x!'),
        ('{{x}} {x}', {'x': 1}, '{x} 1'),
        ('{{}}', {}, '{}'),
        ('{x!r} {x!s} {x!a}', {'x': 'é'}, "'é' é '\\xe9'"),
        ('{x!s:>5}', {'x': 'a'}, '    a'),
        ('{x:{w}.{p}f}', {'x': 3.14159, 'w': 8, 'p': 2}, '    3.14'),
        ('{x:{y.real}}|', {'x': 'a', 'y': 3}, 'a  |'),
        ('{x:}{x!r:}', {'x': 5}, '55'),
        ('{x:%Y}', {'x': datetime.date(2020, 1, 1)}, '2020'),
        ('{x}', {'x': None}, 'None'),
        ('{x}', {'x': '{y}'}, '{y}'),
        ('{p.name} {p.people[mayor][0]}', {'p': Place()}, 'Rome Anna'),
        ('{x[0]}', {'x': [5]}, '5'),
        ('{x[0]}', {'x': {0: 5}}, '5'),
        ('{x.__class__.__name__}', {'x': 1}, 'int'),
        ('{gen_ai.request.model!r}', {'gen_ai.request.model': 'gpt-4o'}, "'gpt-4o'"),
        ('{a[b]}', {'a[b]': 'as it stands'}, 'as it stands'),
        ('{a[b]}', {'a': {'c': 1}, 'a[b]': 'as it stands'}, 'as it stands'),
        ('{a.b}', {'a': 1, 'a.b': 'as it stands'}, 'as it stands'),
        ('{a.name}', {'a': Place(), 'a.name': 'as it stands'}, 'Rome'),
        ('{x=}', {'x': 'q'}, 'x=q'),
        ('{x=!r}', {'x': 'q'}, "x='q'"),
        ('{x=:>5}', {'x': 'q'}, 'x=    q'),
        ('{x.real=}', {'x': 3}, 'x.real=3'),
    ],
)
def test_messages(template: str, attributes: dict[str, Any], message: str) -> None:
    """Templates are `str.format` templates over the attributes; a dotted key may be named as it stands."""
    assert format_message(template, attributes, SCRUBBER) == message


@pytest.mark.parametrize(
    ('template', 'why'),
    [
        ('{missing} {x}', '{missing} is not among the attributes'),
        ('{ x }', '{ x } is not among the attributes'),
        ('{missing.real}', '{missing.real} is not among the attributes'),
        ('{x:{missing}}', '{missing} is not among the attributes'),
        ('{x.nope}', '{x.nope} cannot be read: AttributeError'),
        ('{l[3]}', '{l[3]} cannot be read: IndexError'),
        ('{x[a]}', '{x[a]} cannot be read: TypeError'),
        ('{x.}', '{x.} cannot be read: ValueError'),
        ('{x:zz}', '{x} cannot be formatted: ValueError'),
        ('{x!z}', '{x!z} has an unknown conversion'),
        ('{u}', '{u} cannot be formatted: ValueError: no format'),
        ('{u!r}', '{u} cannot be formatted: ValueError: no repr'),
        ('{t}', '{t} cannot be formatted: UnprintableError.'),
        ('{none:5}', '{none} cannot be formatted: TypeError'),
        ('{}', 'filled by name'),
        ('{:>5}', 'filled by name'),
        ('{0}', 'filled by name'),
        ('{x:{}}', 'filled by name'),
        ('{=}', 'filled by name'),
        ('{x:{w:{v}}}', 'within a format spec'),
        ('{x', "expected '}'"),
        ('x} {x}', "Single '}'"),
        ('x}', "Single '}'"),
        ('{x!}', 'The message template could not be formatted'),
    ],
)
def test_a_template_that_fails_warns_and_stands_for_the_message(template: str, why: str) -> None:
    """What cannot be formatted gives one warning that says why, at the user's line, and the template as message."""
    attributes = {'x': 1, 'w': 2, 'v': 3, 'l': [1], 'u': Unprintable(), 't': Treacherous(), 'none': None}
    with pytest.warns(FormattingFailedWarning) as caught:
        assert format_message(template, attributes, SCRUBBER) == template
    assert len(caught) == 1
    assert why in str(caught[0].message)
    assert caught[0].filename == __file__


@pytest.mark.parametrize('length', [127, 128])
def test_values_up_to_the_limit_are_whole(length: int) -> None:
    """A value of up to 128 characters stands whole in a message."""
    assert format_message('<{x}>', {'x': PRINTABLE[:length]}, NOOP_SCRUBBER) == f'<{PRINTABLE[:length]}>'


@pytest.mark.parametrize('length', [129, 130, 300])
def test_long_values_are_cut_in_the_middle(length: int) -> None:
    """A longer value keeps its first and its last 62 characters; each value by itself, the template's text never."""
    value = PRINTABLE[:length]
    cut = f'{value[:62]}...{value[-62:]}'
    template = f'{"=" * 200}{{x}}{{x}}'
    assert format_message(template, {'x': value}, NOOP_SCRUBBER) == f'{"=" * 200}{cut}{cut}'


@pytest.mark.parametrize(
    ('template', 'attributes', 'message', 'scrubbed'),
    [
        ('{x}', {'x': 'my password is'}, "[Scrubbed due to 'password']", [('x', 'password')]),
        ('{x:>50}', {'x': 'my password is'}, "[Scrubbed due to 'password']", [('x', 'password')]),
        ('{x}', {'x': 'q' * 300 + ' secret ' + 'q' * 300}, "[Scrubbed due to 'secret']", [('x', 'secret')]),
        ('{p.k}', {'p.k': 'my secret is'}, "[Scrubbed due to 'secret']", [('p.k', 'secret')]),
        ('{x}', {'x': {'password': 1}}, "[Scrubbed due to 'password']", [('x', 'password')]),
        ('{x!r}', {'x': 'password'}, "[Scrubbed due to 'password']", [('x', 'password')]),
        ('{x}', {'x': 'password'}, 'password', []),
        ('my password {x}', {'x': 1}, 'my password 1', []),
        ('{http.url}', {'http.url': 'a secret'}, 'a secret', []),
        ('{gen_ai.input.messages}', {'gen_ai.input.messages': 'a secret'}, 'a secret', []),
    ],
)
def test_values_are_scrubbed(
    template: str, attributes: dict[str, Any], message: str, scrubbed: list[tuple[str, str]]
) -> None:
    """Values are scrubbed before they are cut, unless their key is safe; what was scrubbed is noted under `message`."""
    notes: list[ScrubNote] = []
    assert format_message(template, attributes, SCRUBBER, notes) == message
    assert notes == [{'path': ('message', key), 'matched_substring': found} for key, found in scrubbed]
    assert format_message(template, attributes, SCRUBBER) == message


def test_a_failed_message_notes_nothing() -> None:
    """When a message fails at a later field, nothing is noted of values that it does not show."""
    notes: list[ScrubNote] = [{'path': ('earlier',), 'matched_substring': 'x'}]
    with pytest.warns(FormattingFailedWarning):
        format_message('{x} {y}', {'x': 'a secret x'}, SCRUBBER, notes)
    assert notes == [{'path': ('earlier',), 'matched_substring': 'x'}]
    fresh: list[ScrubNote] = []
    with pytest.warns(FormattingFailedWarning):
        format_message('{x} {y}', {'x': 'a secret x'}, SCRUBBER, fresh)
    assert fresh == []


# F-strings.


@pytest.fixture(autouse=True)
def fresh_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of call sites is of one test."""
    monkeypatch.setattr(formatter, '_call_sites', {})
    monkeypatch.setattr(formatter, '_has_fstrings', {})


def call(msg_template: str, /, **attributes: Any) -> FStringCall | None:
    """What a method that takes a template sees of its caller."""
    return inspect_call(sys._getframe(1), msg_template, attributes)


def call_with_level(level: str, msg_template: str, *_: str, **attributes: Any) -> FStringCall | None:
    return inspect_call(sys._getframe(1), msg_template, attributes, argument=1)


def seen(found: FStringCall | None) -> tuple[str, dict[str, Any], str] | None:
    return found and (found.template, found.attributes, found.message(SCRUBBER))


NAME = 'global'
WIDTH = 6


def test_fields_become_attributes() -> None:
    """`f'hello {name}'` is the template `hello {name}` with an attribute `name`; expressions too."""
    name, place, items, index = 'x', Place(), [5], 0
    found = [
        call(f'hello {name}'),
        call(f'hello {NAME}'),
        call(f'hello { name }, {name}'),
        call(f'{place.name} {items[0]} {items[index]} {place.people["mayor"]}'),
        call(f'{1 + 2} {index+1} {-WIDTH} {not WIDTH} {len(items)}'),
        call(f'é {name} {{braces}}'),
        call(f'{None} {b"x"}'),
        call('lit {z}' f' b {WIDTH}' ' {plain}', z=4),
        call(
            f'hello {name}'
            f' and {WIDTH}',
            extra=1,
        ),
    ]  # fmt: skip
    assert [seen(one) for one in found] == [
        ('hello {name}', {'name': 'x'}, 'hello x'),
        ('hello {NAME}', {'NAME': 'global'}, 'hello global'),
        ('hello {name}, {name}', {'name': 'x'}, 'hello x, x'),
        (
            '{place.name} {items[0]} {items[index]} {place.people["mayor"]}',
            {'place.name': 'Rome', 'items[0]': 5, 'items[index]': 5, 'place.people["mayor"]': ['Anna', 'Bert']},
            "Rome 5 5 ['Anna', 'Bert']",
        ),
        (
            '{1 + 2} {index+1} {-WIDTH} {not WIDTH} {len(items)}',
            {'1 + 2': 3, 'index+1': 1, '-WIDTH': -6, 'not WIDTH': False, 'len(items)': 1},
            '3 1 -6 False 1',
        ),
        ('é {name} {braces}', {'name': 'x'}, 'é x {braces}'),
        ('{None} {b"x"}', {'None': None, 'b"x"': b'x'}, "None b'x'"),
        ('lit {z} b {WIDTH} {plain}', {'WIDTH': 6}, 'lit {z} b 6 {plain}'),
        ('hello {name} and {WIDTH}', {'name': 'x', 'WIDTH': 6}, 'hello x and 6'),
    ]


def test_conversions_and_specs_shape_the_message_only() -> None:
    """Conversions and specs shape the message; the attribute is the value, and the template has the bare field."""
    name, day = 'x', datetime.date(2020, 1, 2)
    found = [
        call(f'{name!r} {name!s} {name!a}'),
        call(f'{name:>5}|{name!r:>{WIDTH}}'),
        call(f'{day:%Y-%m}'),
        call(f'{name=}'),
        call(f'{name = :>3}'),
    ]
    assert [seen(one) for one in found] == [
        ('{name} {name} {name}', {'name': 'x'}, "'x' x 'x'"),
        ('{name}|{name}', {'name': 'x'}, "    x|   'x'"),
        ('{day}', {'day': day}, '2020-01'),
        ('name={name}', {'name': 'x'}, "name='x'"),
        ('name = {name}', {'name': 'x'}, 'name =   x'),
    ]


def test_inner_scopes() -> None:
    """Comprehensions, lambdas, inner f-strings and closures in a field see the variables of the function."""
    name, items = 'x', [1, 2]

    def inner() -> FStringCall | None:
        return call(f'{name} {WIDTH}')

    found = [
        call(f'{[item + len(name) for item in items]}'),
        call(f'{(lambda: name)()}'),
        call(f'{f"in {name}"}'),
        call(f'{(_size := 3)}'),
        inner(),
        *[call(f'{item}') for item in items],
    ]
    assert [seen(one) for one in found] == [
        ('{[item + len(name) for item in items]}', {'[item + len(name) for item in items]': [2, 3]}, '[2, 3]'),
        ('{(lambda: name)()}', {'(lambda: name)()': 'x'}, 'x'),
        ('{f"in {name}"}', {'f"in {name}"': 'in x'}, 'in x'),
        ('{(_size := 3)}', {'(_size := 3)': 3}, '3'),
        ('{name} {WIDTH}', {'name': 'x', 'WIDTH': 6}, 'x 6'),
        ('{item}', {'item': 1}, '1'),
        ('{item}', {'item': 2}, '2'),
    ]


def test_an_expression_over_several_lines_is_written_on_one() -> None:
    """A field that is written over several lines is named as Python would write it on one."""
    name = 'x'
    found = call(f"""{name.upper()}""")
    assert seen(found) == ('{name.upper()}', {'name.upper()': 'X'}, 'X')


def test_attributes_stand_over_variables() -> None:
    """A keyword of the call with the name of a variable is what the message and the expressions see."""
    name = 'x'
    found = [
        call(f'hello {name}', name='other'),
        call(f'hello {name.upper()}', name='other'),
        call(f'{1:{WIDTH}}', WIDTH=2),
    ]
    assert [seen(one) for one in found] == [
        ('hello {name}', {'name': 'other'}, 'hello other'),
        ('hello {name.upper()}', {'name.upper()': 'OTHER'}, 'hello OTHER'),
        ('{1}', {'1': 1}, ' 1'),
    ]


def test_the_place_of_the_template() -> None:
    """The template is found by position or by its name."""
    name = 'x'
    found = [
        call_with_level('info', f'a {name}'),
        call_with_level('info', msg_template=f'a {name}'),
        call_with_level(msg_template=f'a {name}', level='info'),
        call_with_level(f'in{"fo"}', f'a {name}'),
    ]
    assert [seen(one) for one in found] == [('a {name}', {'name': 'x'}, 'a x')] * 4


def test_a_repeated_call_is_taken_apart_anew() -> None:
    """Each run of a statement has its own values, though the statement is looked up once."""
    found = [call(f'a {number}') for number in range(3)]
    assert [seen(one) for one in found] == [('a {number}', {'number': number}, f'a {number}') for number in range(3)]


def test_values_in_f_strings_are_scrubbed_and_cut() -> None:
    """An f-string's values are scrubbed, noted and cut as a template's are; its own text is not."""
    text, long = 'my password is', PRINTABLE
    found = call(f'password: {text!r} {long}')
    assert found is not None
    notes: list[ScrubNote] = []
    expected = f"password: [Scrubbed due to 'password'] {PRINTABLE[:62]}...{PRINTABLE[-62:]}"
    assert found.message(SCRUBBER, notes) == expected
    assert notes == [{'path': ('message', 'text'), 'matched_substring': 'password'}]
    assert found.attributes == {'text': text, 'long': long}


def test_a_value_with_braces_is_no_template() -> None:
    """Braces in a value are shown as they are."""
    value = '{x} }{'
    found = call(f'a {value}', x=1)
    assert seen(found) == ('a {value}', {'value': '{x} }{'}, 'a {x} }{')


class Counter:
    count = 0

    def next(self) -> int:
        self.count += 1
        return self.count


def test_expressions_are_evaluated_a_second_time() -> None:
    """An expression in an f-string runs twice: once for the text that the call passes, once for the attribute."""
    counter = Counter()
    found = call(f'{counter.next()}')
    assert seen(found) == ('{counter.next()}', {'counter.next()': 2}, '2')
    assert counter.count == 2


class Once:
    """Can be formatted, and called, one time only."""

    used = False

    def __format__(self, spec: str) -> str:
        if self.used:
            raise ValueError('only once')
        self.used = True
        return 'fine'

    def __call__(self) -> str:
        return format(self)


class Mangled:
    __private = 3

    def call(self) -> FStringCall | None:
        return call(f'a {self.__private}')


def generator() -> Generator[int, int, FStringCall | None]:
    return call(f'a {(yield 1)}')


def test_what_cannot_be_evaluated_again_is_plain_text() -> None:
    """A field that fails the second time, a private name or a `yield` leaves the text that the call passed."""
    running = generator()
    next(running)
    with pytest.raises(StopIteration) as stopped:
        running.send(2)
    formatted, called = Once(), Once()
    found = [call(f'a {formatted}'), call(f'a {called()}'), Mangled().call(), stopped.value.value]
    assert found == [None] * 4


def test_what_is_no_f_string_is_plain_text() -> None:
    """Variables, concatenations, calls and conditions in place of the template are plain text, without a warning."""
    name = 'x'
    text = f'hello {name}'
    arguments = [f'a {name}']
    pair = ['info', 'literal']
    options = {'level': 'info', 'msg_template': f'a {name}'}
    found = [
        call(text),
        call('literal'),
        call(f'hello {name}' + ' b'),
        call('hello {}'.format(name)),  # noqa: UP032
        call('hello %s' % name),  # noqa: UP031
        call(f'a {name}' if name else 'b'),
        call(*arguments),
        call(*[f'a {name}']),
        call_with_level(**options),
        call_with_level(*pair),
        call_with_level(*pair, f'a {name}'),
        call(f''),  # noqa: F541
    ]
    assert found == [None] * 12


def test_code_without_f_strings_is_never_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function without f-strings costs no reading of its source."""
    monkeypatch.setattr(formatter, '_find_call_site', pytest.fail)
    assert call('hello {name}', name='x') is None


@pytest.mark.parametrize('source', ["call(f'a {name}')", "call(msg_template)\nf'{name}'"])
def test_code_without_source_warns_once(source: str) -> None:
    """Where f-strings may be, and the source is not known, one warning tells it, at the user's line."""
    found: list[FStringCall | None] = []

    def record(msg_template: str) -> None:
        found.append(inspect_call(sys._getframe(1), msg_template, {}))

    # Not `<string>`: from 3.13 on that has a source, the command's, in a process started with `python -c`.
    code = compile(f'for _ in range(3):\n {source.replace(chr(10), chr(10) + " ")}', '<made up>', 'exec')
    with pytest.warns(InspectArgumentsFailedWarning, match='its source is not available') as caught:
        exec(code, {'call': record, 'name': 'x', 'msg_template': 'a {b}'})
    assert found == [None] * 3
    assert [one.filename for one in caught] == [__file__]
    assert 'inspect_arguments=False' in str(caught[0].message)


def test_exec_without_f_strings_does_not_warn() -> None:
    """Exec'd code without f-strings loses nothing, so nothing is said."""
    exec("call('plain')", {'call': call})


class Indexed:
    """Asks for its caller, in a statement that is no call."""

    def __getitem__(self, text: str) -> FStringCall | None:
        return inspect_call(sys._getframe(1), text, {})


def test_a_statement_that_is_no_call_warns() -> None:
    """Where the statement is found but is no call, a warning says so."""
    name = 'x'
    with pytest.warns(InspectArgumentsFailedWarning, match='no plain call was found'):
        assert Indexed()[f'a {name}'] is None


def test_a_call_without_its_template_warns() -> None:
    """Where the call's arguments do not hold the template, as in a partial function, a warning says so."""
    name = 'x'

    prepared = partial(call, f'a {name}')
    with pytest.warns(InspectArgumentsFailedWarning, match='no template among its arguments'):
        found = prepared()
    assert found is None


def test_await_in_an_f_string_warns() -> None:
    """A field that awaits cannot be run twice: a warning says to await before the call."""

    async def value() -> int:
        return 7

    async def main() -> FStringCall | None:
        return call(f'a {await value()}')

    with pytest.warns(FormattingFailedWarning, match='Await it before the call') as caught:
        assert asyncio.run(main()) is None
    assert '{await value()}' in str(caught[0].message)


def test_a_call_within_an_f_string() -> None:
    """A call of ours within an f-string runs twice like any other expression, and the second run warns of nothing."""
    inner: list[Any] = []
    name = 'x'

    def note(msg_template: str) -> str:
        inner.append(seen(inspect_call(sys._getframe(1), msg_template, {})))
        return 'noted'

    found = call(f'a {note(f"in {name}")}')
    assert found is not None
    assert inner == [('in {name}', {'name': 'x'}, 'in x'), None]


def test_wrong_positions_are_not_believed() -> None:
    """Where the source does not hold the expression where the parser says, it is written as Python would."""
    joined = ast.parse("f'{a+b}'", mode='eval').body
    assert isinstance(joined, ast.JoinedStr)
    field = joined.values[0]
    assert isinstance(field, ast.FormattedValue)
    assert [formatter._source_of(field.value, lines) for lines in (["f'{a+b}'"], ["f'{a-b}'"], ["f'{(+b}'"], [])] == [
        'a+b',
        'a + b',
        'a + b',
        'a + b',
    ]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much code is run, what is remembered of its statements stays bounded, and right."""
    monkeypatch.setattr(formatter, '_MAX_REMEMBERED', 2)
    a = 1
    for _ in range(3):
        found = [
            call(f'{a} 1'),
            call(f'{a} 2'),
            call(f'{a} 3'),
            (lambda: call(f'{a} 4'))(),
            (lambda: call(f'{a} 5'))(),
        ]
        assert [one and one.template for one in found] == [f'{{a}} {number}' for number in range(1, 6)]
        assert len(formatter._call_sites) <= 2
        assert len(formatter._has_fstrings) <= 2


def test_a_fault_of_ours_leaves_plain_text(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """If our own code fails over an f-string, the call goes on with plain text, and the fault is reported once."""

    def fail(*_: object) -> None:
        raise RuntimeError('a fault of ours')

    monkeypatch.setattr(errors, 'strict', False)
    name = 'x'
    found: list[object] = []
    for is_broken in (True, True, False):
        with monkeypatch.context() as patch:
            if is_broken:
                patch.setattr(formatter, '_find_call_site', fail)
            found.append(call(f'a {name}'))
    assert found[:2] == [None, None]
    assert found[2] is not None  # A fault is not remembered: the next call is as before.
    assert [record.levelname for record in caplog.records] == ['ERROR']
    assert 'find the f-string of a call' in caplog.text
