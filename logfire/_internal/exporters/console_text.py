"""Text as the console may show it: control characters made visible, long text shortened, lines wrapped by cells.

A `Line` is what a block of output is made of: pieces of text, each with the name of a rich style ('' for none). User
text never goes through markup. The style `PYTHON` asks for syntax highlighting.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeAlias, cast

from rich.cells import cell_len

Segment: TypeAlias = tuple[str, str]
Line: TypeAlias = list[Segment]

PYTHON: Final = 'python'

# What could move the cursor, recolour, reorder or hide text, or cannot be encoded: C0 and C1 controls but newline and
# tab, every character with the Unicode property Bidi_Control and the deprecated ones beside them, line and paragraph
# separators, lone surrogates, annotation marks, and the invisible tag characters.
_UNSAFE: Final = re.compile(
    '[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff\ufff9-\ufffb'
    '\U000e0000-\U000e007f]'
)
_WORD: Final = re.compile(r'\s*\S+|\s+')

_LAST_PART_WORD: Final = re.compile(r'\s\S{1,15}\Z')
_FIRST_PART_WORD: Final = re.compile(r'\A\S{1,15}\s')

MAX_CHARACTERS: Final = 20_000
"""How many characters of one text are shown."""

MAX_LINES: Final = 400
"""How many lines of one that is longer than that."""

# Cutting less than this saves nothing: the note of the cut is as long.
_WORTH_CUTTING: Final = 40


def visible(text: str) -> str:
    r"""The text with what a terminal would act on spelled out (`\x1b`, `\u202e`); newlines and tabs stay."""
    if text.isprintable():
        return text
    return _UNSAFE.sub(_spelled, text.replace('\r\n', '\n'))


def block_text(value: object) -> str:
    """Anything as `visible` text, shortened where it is very long: a terminal is not the place to read a megabyte."""
    text = str(value)
    return visible(text if len(text) <= MAX_CHARACTERS else shorten(text, MAX_CHARACTERS, MAX_LINES))


def texts(value: object) -> list[str]:
    """An attribute of several texts, or of one; what another library put there instead is as absent."""
    if isinstance(value, str):
        return [value] if value else []
    return [str(item) for item in cast('Sequence[object]', value)] if isinstance(value, (list, tuple)) else []


def one_line(text: str) -> str:
    r"""`visible` text on one line: newlines and tabs are spelled `\n` and `\t` too."""
    return visible(text).replace('\n', '\\n').replace('\t', '\\t')


def shorten(text: str, characters: int, lines: int) -> str:
    """The text if it is short enough, else its beginning, how many characters are left out, and its end.

    `characters` and `lines` are what may be kept.
    """
    text = text.strip()
    newlines = text.count('\n')
    if len(text) <= characters + _WORTH_CUTTING and newlines <= lines:
        return text
    head = '\n'.join(text[: characters * 2 // 3].split('\n')[: max(1, lines * 2 // 3)])
    tail = '\n'.join(text[-(characters // 3) :].split('\n')[-max(1, lines // 3) :])
    # Between words, where words are short enough: the halves of one are noise.
    head = _LAST_PART_WORD.sub('', head).rstrip()
    tail = _FIRST_PART_WORD.sub('', tail).lstrip()
    joint = '\n' if newlines else ' '
    return f'{head}{joint}[… {len(text) - len(head) - len(tail):,} characters …]{joint}{tail}'


def wrap(text: str, width: int) -> list[str]:
    """One line of text as lines of at most `width` terminal cells, broken between words where possible."""
    if cell_len(text) <= width:
        return [text]
    lines: list[str] = []
    current, used = '', 0
    for word in _WORD.findall(text):
        cells = cell_len(word)
        if cells > width:  # A text without spaces, as in Chinese, or a long address: it fills the line that is begun.
            *full, current = _chopped(current + word, width)
            lines += full
            used = cell_len(current)
        elif used + cells > width:
            lines.append(current)
            current = word.lstrip()
            used = cell_len(current)
        else:
            current += word
            used += cells
    return [*lines, current]


def _chopped(text: str, width: int) -> list[str]:
    # rich has a function for this, which in the oldest releases we run with turns the text around.
    pieces: list[str] = []
    start = used = 0
    for position, character in enumerate(text):
        cells = cell_len(character)
        if used + cells > width:
            pieces.append(text[start:position])
            start, used = position, 0
        used += cells
    return [*pieces, text[start:]]


def _spelled(match: re.Match[str]) -> str:
    return match[0].encode('unicode_escape').decode('ascii')
