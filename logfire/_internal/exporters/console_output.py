"""Where the console writes: a stream, whether it is a terminal and how wide, its colours and its encoding."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TextIO, cast

from rich.console import Console
from rich.text import Text

from logfire._internal.exporters.console_text import PYTHON, Line

if TYPE_CHECKING:
    from rich.syntax import Syntax

    from logfire._internal.config.parameters import ConsoleColors

# Our own drawing, for streams whose encoding lacks it.
_ASCII: Final = str.maketrans({'│': '|', '┃': '>', '…': '...', '→': '->', '\N{MULTIPLICATION SIGN}': 'x'})


class ConsoleOutput:
    """Writes blocks of lines, each in one `write` and flushed, to `output`, else to the current standard output.

    Not thread-safe: the caller holds a lock. Errors of the stream are the caller's to guard.
    """

    def __init__(self, output: TextIO | None, colors: ConsoleColors) -> None:
        self._output = output
        self._colors: ConsoleColors = colors
        self._target: _Target | None = None

    def width(self) -> int | None:
        """Columns of the terminal; None where lines are not to be wrapped, because no terminal is there to wrap for."""
        target = self._current_target()
        return target.console.width if target is not None and target.is_terminal else None

    def write(self, lines: Sequence[Line]) -> None:
        """Write the lines as one block. A process without a standard output is no error."""
        target = self._current_target()
        if target is not None:
            target.write(lines)

    def flush(self) -> None:
        """Flush the stream."""
        target = self._current_target()
        if target is not None:
            target.stream.flush()

    def _current_target(self) -> _Target | None:
        # The standard output is None under pythonw and in some services.
        stream = cast('TextIO | None', sys.stdout) if self._output is None else self._output
        if stream is None:
            return None
        if self._target is None or self._target.stream is not stream:
            self._target = _Target(stream, self._colors)
        return self._target


class _Target:
    """One stream, and what rich found out about it once: its width, its colours (it knows NO_COLOR and the like)."""

    def __init__(self, stream: TextIO, colors: ConsoleColors) -> None:
        self.stream = stream
        self.is_terminal = stream.isatty()
        self.console = Console(
            file=stream, force_terminal=True if colors == 'always' else None, highlight=False, markup=False, emoji=False
        )
        self._coloured = colors != 'never' and self.console.color_system is not None
        # What to write before and after a text of a style. rich renders each style once, not each line: that would cost
        # many times as much as all the rest.
        self._around: dict[str, tuple[str, str]] = {'': ('', '')}
        self._syntax: Syntax | None = None
        self._encoding = _lossy_encoding(stream)

    def write(self, lines: Sequence[Line]) -> None:
        render = self._render_colours if self._coloured else _render_plain
        block = ''.join([render(line) + '\n' for line in lines])
        if self._encoding is not None and not block.isascii():
            block = block.translate(_ASCII).encode(self._encoding, 'replace').decode(self._encoding)
        if self._coloured and self.console.legacy_windows:
            # Old Windows consoles have no escape codes; rich calls their API. The block has no codes but ours.
            self.console.print(Text.from_ansi(block[:-1]), soft_wrap=True)
        else:
            try:
                self.stream.write(block)
                self.stream.flush()
            except BrokenPipeError:
                pass  # Whoever read the output has gone (`program | head`): no fault of anybody's.

    def _render_colours(self, line: Line) -> str:
        rendered: list[str] = []
        for text, style in line:
            if style == PYTHON:
                rendered.append(self._highlight(text))
            elif text:
                before, after = self._around.get(style) or self._learn(style)
                # A style is switched off at the end of each line, so that a cut line leaves the terminal as it was.
                rendered.append(before + text.replace('\n', f'{after}\n{before}') + after)
        return ''.join(rendered)

    def _learn(self, style: str) -> tuple[str, str]:
        with self.console.capture() as capture:
            self.console.print(Text('x', style=style), end='')
        before, _, after = capture.get().partition('x')
        self._around[style] = before, after
        return before, after

    def _highlight(self, code: str) -> str:
        if self._syntax is None:
            from rich.syntax import Syntax

            self._syntax = Syntax('', 'python', theme='monokai', background_color='default')
        highlighted = self._syntax.highlight(code)
        highlighted.rstrip()
        with self.console.capture() as capture:
            self.console.print(highlighted, end='', soft_wrap=True)
        return capture.get()


def _render_plain(line: Line) -> str:
    return ''.join([text for text, _ in line])


def _lossy_encoding(stream: TextIO) -> str | None:
    """The stream's encoding where there are characters it cannot write, else None."""
    encoding = cast('str | None', getattr(stream, 'encoding', None)) or 'utf-8'
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        return 'ascii'
    return None if name.startswith('utf') else name
