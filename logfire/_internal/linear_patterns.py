r"""A search for a regular expression of the user's whose time grows with the text and no faster.

Python's `re` backtracks: `(a+)+$` against thirty letters and an exclamation mark takes minutes. So a pattern is read
here first, and the number of ways in which it can fit a text is bounded from above:

- few ways, however long the text (`\d{3}-\d{2}`, `token=\S`): `re` searches, as always;
- few ways in a short text (`foo.*bar`): `re` searches short texts, and long ones go through an automaton;
- many ways (`(a+)+$`, `.*a.*b`): the automaton.

The automaton is built from the pattern as one goes (about 50 ns a character once it is warm) and takes the match that
`re` would take. It knows no look-around, back-references, conditions, and no atomic or possessive parts. Patterns
with these are searched by `re` in overlapping windows, short enough that a window cannot take long, and a match
longer than half a window may be missed there; if no window is short enough, `new_search` refuses the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

Search: TypeAlias = Callable[[str], 're.Match[str] | None']
"""A search for the first match in a text."""

FLAGS: Final = re.IGNORECASE | re.DOTALL

_FEW_WAYS: Final = 1024
_SHORT: Final = 256
_WINDOWS: Final = (256, 128, 64)
_STEPS_PER_WINDOW: Final = 300_000  # About 3 ms.
_MANY: Final = 10**9
_MAX_PROGRAM: Final = 5_000
_MAX_TRANSITIONS: Final = 20_000
_CHUNK: Final = 4096


@dataclass(frozen=True)
class _Atom:
    """One character: a literal, an escape, a class or a dot, as it stands in the pattern."""

    source: str


@dataclass(frozen=True)
class _Assertion:
    """A condition on a place between characters: one of `^`, `$`, `Z`, `b`, `B`."""

    kind: str


@dataclass(frozen=True)
class _Sequence:
    items: tuple[_Node, ...]


@dataclass(frozen=True)
class _Choice:
    branches: tuple[_Node, ...]


@dataclass(frozen=True)
class _Repeat:
    body: _Node
    least: int
    most: int | None
    lazy: bool


@dataclass(frozen=True)
class _Opaque:
    """What the automaton does not know: look-around, a back-reference, an atomic or possessive part."""

    body: _Node


_Node: TypeAlias = '_Atom | _Assertion | _Sequence | _Choice | _Repeat | _Opaque'
_EMPTY: Final = _Sequence(())


class _UnknownSyntaxError(Exception):
    """The pattern has a construct that this module does not know, such as a parenthesis in a `(?x)` comment."""


class _Reader:
    """Reads a pattern that `re` has accepted."""

    _ESCAPE = re.compile(r'\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|0[0-7]{0,2}|.)', re.DOTALL)
    _CLASS = re.compile(r'\[\^?\]?(?:\\.|[^\]\\])*\]', re.DOTALL)
    _COUNT = re.compile(r'\{(\d*)(,?)(\d*)\}')
    _COMMENT = re.compile(r'\(\?#[^)]*\)')
    _GROUP = re.compile(r'\((?:\?(?:P<\w+>|[:>]|<?[=!]|[aiLmsux-]+:|\(\w+\)))?')
    _TRANSPARENT_GROUP = re.compile(r'\((?:\?(?:P<\w+>|[is]*:))?')
    _FLAGS = re.compile(r'\(\?([aiLmsux]+)\)')
    _NAMED_BACK_REFERENCE = re.compile(r'\(\?P=\w+\)')

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def read(self) -> _Node:
        flags = self._take(self._FLAGS)
        node = self._choice()
        if self._at < len(self._pattern):
            raise _UnknownSyntaxError
        # `i` and `s` are on already; with any other, signs mean something else.
        return _Opaque(node) if flags and set(flags[1]) - {'i', 's'} else node

    def _take(self, syntax: re.Pattern[str]) -> re.Match[str] | None:
        match = syntax.match(self._pattern, self._at)
        if match:
            self._at = match.end()
        return match

    def _next_is(self, text: str) -> bool:
        if not self._pattern.startswith(text, self._at):
            return False
        self._at += len(text)
        return True

    def _choice(self) -> _Node:
        branches = [self._sequence()]
        while self._next_is('|'):
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else _Choice(tuple(branches))

    def _sequence(self) -> _Node:
        items: list[_Node] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in '|)':
            if not self._take(self._COMMENT):
                items.append(self._repeated(self._item()))
        return _Sequence(tuple(items))

    def _repeated(self, body: _Node) -> _Node:
        if self._next_is('*'):
            least, most = 0, None
        elif self._next_is('+'):
            least, most = 1, None
        elif self._next_is('?'):
            least, most = 0, 1
        else:
            at = self._at
            count = self._take(self._COUNT)
            if not count or count.group() == '{}':
                self._at = at  # `{}` stands for itself, as any brace does that is no count.
                return body
            least = int(count[1] or 0)
            most = int(count[3]) if count[3] else None if count[2] else least
        lazy = self._next_is('?')
        node = _Repeat(body, least, most, lazy)
        return _Opaque(node) if not lazy and self._next_is('+') else node

    def _item(self) -> _Node:
        char = self._pattern[self._at]
        if char == '\\':
            return self._escape()
        if char == '[':
            found = self._take(self._CLASS)
            assert found, 're has accepted the pattern'
            return _Atom(found.group())
        if char == '(':
            return self._group()
        self._at += 1
        if char in '^$':
            return _Assertion(char)
        return _Atom(char if char == '.' else re.escape(char))

    def _escape(self) -> _Node:
        found = self._take(self._ESCAPE)
        assert found, 're has accepted the pattern'
        source = found.group()
        kind = source[1]
        if kind in 'bBZ':
            return _Assertion(kind)
        if kind == 'A':
            return _Assertion('^')
        if kind in '123456789':
            return _Opaque(_EMPTY)
        return _Atom(source)

    def _group(self) -> _Node:
        if self._take(self._NAMED_BACK_REFERENCE):
            return _Opaque(_EMPTY)
        opening = self._take(self._GROUP)
        assert opening, 'the next character is the parenthesis'
        if self._pattern.startswith('?', self._at):
            raise _UnknownSyntaxError
        body = self._choice()
        if not self._next_is(')'):
            raise _UnknownSyntaxError
        return body if self._TRANSPARENT_GROUP.fullmatch(opening.group()) else _Opaque(body)


def _ways(node: _Node, length: int) -> int:
    """An upper bound on the ways in which a pattern can fit a text of a length from one place on, cut at `_MANY`."""
    if isinstance(node, _Sequence):
        product = 1
        for item in node.items:
            product = min(product * _ways(item, length), _MANY)
        return product
    if isinstance(node, _Choice):
        return min(sum(_ways(branch, length) for branch in node.branches), _MANY)
    if isinstance(node, _Repeat):
        most = length if node.most is None else min(node.most, max(length, node.least))
        of_body = _ways(node.body, length)
        if of_body == 1:
            return max(most - node.least + 1, 1)
        return _MANY if most > 30 else min(of_body**most * (2 if node.least < most else 1), _MANY)
    if isinstance(node, _Opaque):
        return _ways(node.body, length)
    return 1


# The automaton. A program is a list of instructions; a thread is a place in it.


@dataclass(frozen=True)
class _Read:
    """Take one character that passes the test, then go on."""

    passes: Callable[[str], object]
    then: int


@dataclass(frozen=True)
class _Fork:
    """Go on at each of these, the first preferred. With an assertion: only where it holds."""

    to: tuple[int, ...]
    assertion: str = ''


_Program: TypeAlias = 'list[_Read | _Fork | None]'  # None: a match.


class _TooLargeError(Exception):
    """The pattern makes too long a program, or has parts that the automaton does not know."""


def _compile(node: _Node) -> _Program:
    """The program of a pattern. Instructions are laid out from the end, so that each knows where to go on."""
    program: _Program = [None]

    def add(instruction: _Read | _Fork | None) -> int:
        if len(program) >= _MAX_PROGRAM:
            raise _TooLargeError
        program.append(instruction)
        return len(program) - 1

    def emit(node: _Node, then: int) -> int:
        if isinstance(node, _Atom):
            return add(_Read(re.compile(node.source, FLAGS).match, then))
        if isinstance(node, _Assertion):
            return add(_Fork((then,), node.kind))
        if isinstance(node, _Sequence):
            for item in reversed(node.items):
                then = emit(item, then)
            return then
        if isinstance(node, _Choice):
            return add(_Fork(tuple([emit(branch, then) for branch in node.branches])))
        if isinstance(node, _Opaque):
            raise _TooLargeError
        if node.most is None:
            loop = add(None)  # Filled in once the body, which comes back here, has its place.
            body = emit(node.body, loop)
            program[loop] = _Fork((then, body) if node.lazy else (body, then))
            then = loop
        else:
            end = then
            for _ in range(node.most - node.least):
                body = emit(node.body, then)
                then = add(_Fork((end, body) if node.lazy else (body, end)))
        for _ in range(node.least):
            then = emit(node.body, then)
        return then

    program.append(_Fork((emit(node, 0),)))  # The last instruction is the start.
    return program


_is_word: Final = re.compile(r'\w').match

# What stands beside a place in the text.
_EDGE: Final = 0
_OTHER: Final = 1
_WORD: Final = 2
_FINAL_NEWLINE: Final = 3  # `$` holds before it too.
_LAST_NEWLINE: Final = '\n$'  # Stands for it in the table of a state.


def _holds(assertion: str, before: int, after: int) -> bool:
    if assertion == '^':
        return before == _EDGE
    if assertion == '$':
        return after in (_EDGE, _FINAL_NEWLINE)
    if assertion == 'Z':
        return after == _EDGE
    return ((before == _WORD) != (after == _WORD)) == (assertion == 'b')


class _State(dict[str, '_State']):
    """What is known at a place: the threads, and what stood before it. Maps the next character to the next state."""

    __slots__ = ('_automaton', 'before', 'threads')

    def __init__(self, automaton: _Automaton, threads: frozenset[int], before: int) -> None:
        super().__init__()
        self._automaton = automaton
        self.threads = threads
        self.before = before

    def __missing__(self, char: str) -> _State:
        state = self[char] = self._automaton.step(self, char)
        return state


class _Automaton:
    """Searches texts for one pattern. May be used by several threads: what they store twice is equal."""

    def __init__(self, program: _Program) -> None:
        self._program = program
        self._seed = len(program) - 1
        self._transitions = 0
        self._states: dict[tuple[frozenset[int], int], _State] = {}
        self._found = _State(self, frozenset({0}), _EDGE)

    def _reached(self, threads: list[int], before: int, after: int) -> list[int]:
        """The reading and matching places that threads come to without reading, the preferred first."""
        reached: list[int] = []
        seen: set[int] = set()
        waiting = threads[::-1]
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            instruction = self._program[place]
            if not isinstance(instruction, _Fork):
                reached.append(place)
            elif not instruction.assertion or _holds(instruction.assertion, before, after):
                waiting.extend(reversed(instruction.to))
        return reached

    def _state(self, threads: frozenset[int], before: int) -> _State:
        state = self._states.get((threads, before))
        if state is None:
            state = self._states[(threads, before)] = _State(self, threads, before)
        return state

    def step(self, state: _State, char: str) -> _State:
        """The state after a character (`''` is the end of the text, `_LAST_NEWLINE` a newline before it)."""
        self._transitions += 1
        if self._transitions > _MAX_TRANSITIONS:
            # Other threads keep the states they hold, which find their way as they go.
            self._transitions = 0
            for known in [self._found, *self._states.values()]:
                known.clear()
            self._states.clear()
        if state is self._found:
            return state
        after = _kind(char)
        reached = self._reached([*state.threads, self._seed], state.before, after)
        if 0 in reached:
            return self._found
        return self._state(
            frozenset(self._read(reached, char[:1])), min(after, _WORD) if after != _FINAL_NEWLINE else _OTHER
        )

    def _read(self, places: list[int], char: str) -> list[int]:
        next_places: list[int] = []
        for place in places:
            instruction = self._program[place]
            if isinstance(instruction, _Read) and instruction.passes(char):
                next_places.append(instruction.then)
        return next_places

    def search(self, text: str) -> re.Match[str] | None:
        state = self._state(frozenset(), _EDGE)
        origin = 0
        last = len(text) - 1 if text.endswith('\n') else len(text)
        for start in range(0, last, _CHUNK):
            if not state.threads:
                origin = start  # No match has begun: what is found later begins here or after.
            for char in text[start : min(start + _CHUNK, last)]:
                state = state[char]
            if state is self._found:
                break
        if last < len(text):
            state = state[_LAST_NEWLINE]
        if state[''] is not self._found:
            return None
        start, end = self._locate(text, origin)
        # A real match object of that place, for callbacks that ask it for its text.
        return re.compile(f'.{{{end - start}}}', re.DOTALL).match(text, start)

    def _locate(self, text: str, origin: int) -> tuple[int, int]:
        """Where the match stands that `re` would find: the leftmost, and of these the preferred."""
        found = (origin, origin)
        before = _kind(text[origin - 1]) if origin else _EDGE
        threads: list[tuple[int, int]] = []  # Place and start, the preferred first.
        matched = False
        at = origin
        while True:  # There is a match: `search` has seen its end.
            char = text[at] if at < len(text) else ''
            after = _FINAL_NEWLINE if char == '\n' and at == len(text) - 1 else _kind(char)
            if not matched:
                threads.append((self._seed, at))
            next_threads: dict[int, int] = {}
            for place, start in threads:
                for reached in self._reached([place], before, after):
                    if reached == 0:
                        found, matched = (start, at), True
                        break
                    for then in self._read([reached], char) if char else ():
                        next_threads.setdefault(then, start)
                else:
                    continue
                break  # What comes after a match is less preferred.
            threads = list(next_threads.items())
            if matched and not threads:
                return found
            before = _kind(char)
            at += 1


def _kind(char: str) -> int:
    if not char:
        return _EDGE
    if char == _LAST_NEWLINE:
        return _FINAL_NEWLINE
    return _WORD if _is_word(char) else _OTHER


def new_search(pattern: str) -> Search:
    """A search for a pattern, ignoring case, `.` matching every character; its time is linear in the text.

    Raises:
        re.error: The pattern is not a regular expression.
        ValueError: The pattern has parts that only `re` knows and repetitions that `re` may take forever on.
    """
    compiled = re.compile(pattern, FLAGS)
    try:
        node = _Reader(pattern).read()
    except _UnknownSyntaxError:
        raise _refusal(pattern) from None
    ways = _ways(node, _SHORT)
    if ways <= _FEW_WAYS and ways == _ways(node, 16 * _SHORT):
        return compiled.search
    try:
        automaton = _Automaton(_compile(node))
    except _TooLargeError:
        return _windowed(compiled, node)
    if ways > _FEW_WAYS:
        return automaton.search

    def search(text: str) -> re.Match[str] | None:
        return compiled.search(text) if len(text) <= _SHORT else automaton.search(text)

    return search


def _refusal(pattern: str) -> ValueError:
    return ValueError(
        f'The pattern {pattern!r} may take exponential time on some texts: it nests or joins repetitions together with '
        'look-around, back-references, or other parts that only a backtracking search knows.'
    )


def _windowed(compiled: re.Pattern[str], node: _Node) -> Search:
    for window in _WINDOWS:
        if _ways(node, window) * window <= _STEPS_PER_WINDOW:
            break
    else:
        raise _refusal(compiled.pattern)

    def search(text: str) -> re.Match[str] | None:
        for start in range(0, max(len(text) - window // 2, 1), window // 2):
            match = compiled.search(text, start, start + window)
            if match:
                return match
        return None

    return search
