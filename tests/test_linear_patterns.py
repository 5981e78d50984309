from __future__ import annotations

import random
import re
import warnings
from collections.abc import Callable

import pytest

from logfire._internal import linear_patterns
from logfire._internal.linear_patterns import FLAGS, new_search


def by_automaton(pattern: str) -> Callable[[str], re.Match[str] | None]:
    """The search that long texts get, for texts of any length."""
    return linear_patterns._Automaton(linear_patterns._compile(linear_patterns._Reader(pattern).read())).search


def span_of(match: re.Match[str] | None) -> tuple[int, int] | None:
    return match and match.span()


TEXTS = [
    *('', 'a', 'b', 'aab', 'xaaay', 'foo bar', 'FOO\nBAR', 'foo\n', '\n', '\n\n', 'a1 b2', '123-45', 'a_b', 'é1'),
    *('a{b', '{}', 'k-t.', 'x]y^z'),
]

PATTERNS = [
    *('a', 'A|b', 'foo|foo bar', 'foo bar|foo', 'a*', 'a+', 'a?b', 'a*?b', 'a+?', 'a??', '(a|aa)+', '(a+)+$'),
    *('(?:a|b)*?c', 'x.*y', 'x.*?y', '.', r'\d+', r'\D', r'\w+\s\w+', r'\W', r'\S+$'),
    *('[ab]+', '[^a]', '[]x]', '[^]x]', r'[\]y]+', r'[\d-]+', '[a-c1]{2}'),
    *('^foo', 'foo$', r'\Afoo', r'bar\Z', r'foo\Z', r'\bbar', r'o\b', r'\Bo', r'o\B', '$', '^', r'\n$', r'\b'),
    *('a{2}', 'a{1,2}', 'a{,2}b', 'a{1,}y', 'a{2,3}?', 'a{,}', 'a{', '{}', 'a{b', r'\{\}', r'a\.b'),
    *(r'\x61', r'\u0061b', r'\U00000061b', r'\N{LATIN SMALL LETTER A}b', r'\0|a', r'\t|b', r'\-'),
    *('(?P<name>a)b', '(?:a)(b)', 'a{}', 'b{}|a', '(?i)FOO', '(?is)foo.bar', '(?i:FOO)', '(?s:o.b)', 'a(?#a comment)b'),
    *('()', '(|a)b', 'a||b', '(?:)+a', '(a*)*b', '(?:a?){3}b', r'\d{3}-\d{2}', 'é', 'É', '.{3}', '(?:.a)+', r'(\w)+\d'),
]


@pytest.mark.parametrize('pattern', PATTERNS)
def test_the_automaton_finds_what_re_finds(pattern: str) -> None:
    """A search takes the very match that Python's `re` takes, in every text."""
    compiled, search = re.compile(pattern, FLAGS), by_automaton(pattern)
    found = {text: span_of(search(text)) for text in TEXTS}
    assert found == {text: span_of(compiled.search(text)) for text in TEXTS}
    for text in TEXTS:
        match = new_search(pattern)(text)
        assert span_of(match) == span_of(compiled.search(text))
        assert match is None or match.string == text


def random_pattern(source: random.Random, depth: int) -> str:
    choice = source.random()
    if depth == 0 or choice < 0.35:
        return source.choice(['a', 'b', 'c', '.', r'\d', r'\w', '[ab]', '[^a]', ' ', r'\n', r'\s'])
    if choice < 0.6:
        return ''.join(random_pattern(source, depth - 1) for _ in range(source.randint(1, 3)))
    if choice < 0.75:
        return f'(?:{"|".join(random_pattern(source, depth - 1) for _ in range(source.randint(1, 3)))})'
    if choice < 0.85:
        return random_pattern(source, depth - 1) + source.choice([r'\b', '^', '$', r'\Z', r'\A'])
    body = random_pattern(source, depth - 1)
    if any(re.compile(body, FLAGS).fullmatch('a', at, at) for at in (0, 1)):
        return body  # What an empty turn of a repetition is worth, is a matter of the implementation.
    return f'(?:{body}){source.choice(["*", "+", "?", "{1,2}", "{2}", "{,2}", "{1,}"])}{source.choice(["", "", "?"])}'


@pytest.mark.parametrize('seed', range(20))
def test_random_patterns(seed: int) -> None:
    """A search takes the match that `re` takes, for patterns and texts that nobody thought of."""
    source = random.Random(seed)
    compared = 0
    while compared < 200:
        pattern = random_pattern(source, 3)
        if linear_patterns._ways(linear_patterns._Reader(pattern).read(), 8) > 10_000:
            continue
        compiled, search = re.compile(pattern, FLAGS), by_automaton(pattern)
        for _ in range(5):
            text = ''.join(source.choice('abcA1 \n') for _ in range(source.randint(0, 7)))
            assert (pattern, text, span_of(search(text))) == (pattern, text, span_of(compiled.search(text)))
            compared += 1


EXPLOSIVE = [
    ('(a+)+$', None),
    ('(a|aa)+$', None),
    ('(a|a)*b', None),
    ('(.*a){20}b', None),
    ('(?:a?){30}a{30}b', None),
    ('a*a*a*a*a*a*b', None),
    (r'^(([a-z])+.)+[0-9]([a-z])+$', None),
    ('([a-z]+)*[0-9]', None),
    (r'(\w+\s?)*!', (0, 10_001)),
    ('(?:a+)+!', (0, 10_001)),
]


@pytest.mark.parametrize(('pattern', 'span'), EXPLOSIVE)
def test_patterns_that_explode(pattern: str, span: tuple[int, int] | None) -> None:
    """Patterns that backtrack without end are searched in time that grows with the text only."""
    search = new_search(pattern)
    assert span_of(search('a' * 10_000 + '!')) == span
    assert span_of(search('a' * 50 + '!')) == (span and (0, 51))


@pytest.mark.parametrize(
    ('pattern', 'text', 'span'),
    [
        ('foo.*bar', 'x' * 5000 + 'foo' + 'y' * 5000 + 'bar' + 'z' * 5000, (5000, 10_006)),
        ('foo.*?bar', 'foo' + 'y' * 9000 + 'bar' + 'bar', (0, 9006)),
        (r'\w+@\w+', '-' * 9000 + 'me@home' + '-' * 9000, (9000, 9007)),
        (r'\bab*c', 'xab' * 5000 + ' abbc', (15_001, 15_005)),
        ('^ab*c', '-' * 5000 + 'abc', None),
        ('ab*$', 'ab' * 5000 + '\n', (9998, 10_000)),
        (r'ab*\Z', 'ab' * 5000 + '\n', None),
        (r'x*\n$', 'ab' * 5000 + '\n', (10_000, 10_001)),
        ('a*', 'b' * 5000, (0, 0)),
        ('foo.*bar', 'x' * 5000, None),
    ],
)
def test_long_texts(pattern: str, text: str, span: tuple[int, int] | None) -> None:
    """In a long text the match is found wherever it stands, and told where it stands."""
    match = new_search(pattern)(text)
    assert span_of(match) == span
    assert match is None or (match.string == text and match.group() == text[slice(*match.span())])
    if span is None or 'foo' not in pattern:
        assert span_of(re.compile(pattern, FLAGS).search(text)) == span


def test_simple_patterns_keep_their_groups() -> None:
    """A pattern that fits a text in few ways is searched by `re` itself, groups and all."""
    match = new_search(r'(?P<area>\d{3})-(\d{2})')('x' * 5000 + '123-45')
    assert match is not None
    assert (match['area'], match[2]) == ('123', '45')
    short = new_search('(f)oo.*bar')('a foo, a bar')
    assert short is not None
    assert short[1] == 'f'


@pytest.mark.parametrize(
    ('pattern', 'text', 'span'),
    [
        ('(?<=key: )[a-z]+', 'x' * 5000 + 'key: abc ' + 'x' * 5000, (5005, 5008)),
        ('(?<!no)thing(?! much)', 'nothing, thing much, thing', (21, 26)),
        ('(?=x)x+y', 'xxxy', (0, 4)),
        (r'(a+)-\1', 'b' * 1000 + 'aa-aa', (1000, 1005)),
        (r'(?P<q>\w+)=(?P=q)', '- ab=ab', (2, 7)),
        ('(?i:k)(?m:^a+)', 'ka', None),
        (r'(?m)^a+$', 'b\naa\nb', (2, 4)),
        (r'(?m)^a+$', 'b\n' * 1000 + 'aa\nb', (2000, 2002)),
        ('(x)?a+(?(1)y|z)', 'xaay', (0, 4)),
        ('(?<=a)b+', 'x' * 1000, None),
        ('(?<=a)b+', '', None),
    ],
)
def test_what_only_re_knows_is_searched_in_windows(pattern: str, text: str, span: tuple[int, int] | None) -> None:
    """Look-around, back-references, conditions and flags work, in texts of any length."""
    assert span_of(new_search(pattern)(text)) == span


def test_windows_are_bounded() -> None:
    """A search in windows sees every place of a long text, and matches of up to half a window whole."""
    search = new_search(r'(?<=k)\w+\.\w+!')
    for at in (0, 31, 63, 64, 500, 977):
        text = '-' * at + 'kab.cd!' + '-' * (1000 - at)
        assert span_of(search(text)) == (at + 1, at + 7)


REFUSED = [
    '(?=(a+)+$)',
    r'(a+)+\1',
    '(?m:(a+)+)$',
    r'(?<=x)\w+\s*\w+\d+',
    '(?<!x)(a|b)*',
    '(?x) a # a ( comment\n',
    '(?x) a # a ) comment\n',
]


@pytest.mark.parametrize('pattern', REFUSED)
def test_what_cannot_be_bounded_is_refused(pattern: str) -> None:
    """A pattern that only `re` knows, and that may take it forever, is refused with a word on why."""
    with pytest.raises(ValueError, match='may take exponential time') as caught:
        new_search(pattern)
    assert repr(pattern) in str(caught.value)


def test_too_large_a_pattern() -> None:
    """A pattern whose counts would make the automaton huge is refused, or searched in windows if that is bounded."""
    with pytest.raises(ValueError, match='may take exponential time'):
        new_search('(?:(?:a+b){100}){100}')
    assert span_of(new_search('(?:abc){3000}x*')('abc' * 10)) is None


def test_syntax_of_another_python() -> None:
    """What this version of Python accepts and this module does not read, is not guessed at."""
    for pattern in ('a(?i)b', 'a(?~b)'):
        with pytest.raises(linear_patterns._UnknownSyntaxError):
            linear_patterns._Reader(pattern).read()


def test_no_pattern() -> None:
    """What is no regular expression raises the error of `re`."""
    with pytest.raises(re.error):
        new_search('(')


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many characters and states a search meets, what it remembers stays bounded, and its answers right."""
    monkeypatch.setattr(linear_patterns, '_MAX_TRANSITIONS', 10)
    pattern = 'a.?b.?c|x(a|b)*!'
    automaton = linear_patterns._Automaton(linear_patterns._compile(linear_patterns._Reader(pattern).read()))
    compiled = re.compile(pattern, FLAGS)
    source = random.Random(1)
    for number in range(200):
        text = ''.join(source.choice('abcxyz!') for _ in range(20)) + chr(1000 + number)
        assert span_of(automaton.search(text)) == span_of(compiled.search(text))
        assert len(automaton._states) <= 12
        assert len(automaton._found) + sum(map(len, automaton._states.values())) <= 12


def test_possessive_and_atomic_parts() -> None:
    """Possessive and atomic parts, which Python knows from 3.11 on, are read, and searched by `re`."""
    for pattern in ('a++b', '(?>a+)b'):
        node = linear_patterns._Reader(pattern).read()
        with pytest.raises(linear_patterns._TooLargeError):
            linear_patterns._compile(node)
        assert linear_patterns._ways(node, 10) == 10


def test_reading_warns_of_nothing() -> None:
    """A pattern that `re` accepts without a warning is searched without one."""
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert new_search(r'[\[a]+x')('[ax') is not None
