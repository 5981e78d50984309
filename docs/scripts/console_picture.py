"""Makes `docs/assets/console.svg`, a picture of what the demo prints in a terminal. `make screenshots` runs it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

COLUMNS: Final = 92
SCENES: Final = ('Tools', 'A refused call')
PICTURE: Final = Path(__file__).parents[1] / 'assets' / 'console.svg'

THEME: Final = TerminalTheme(
    (30, 33, 41),
    (213, 217, 224),
    [
        (30, 33, 41),
        (240, 113, 120),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 140, 236),
        (86, 194, 208),
        (213, 217, 224),
    ],
)

# What rich fills in. No font from elsewhere: the picture shows offline, in whatever monospaced font there is.
SVG: Final = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
svg {{ font-family: ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace; }}
.{unique_id}-matrix {{ font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 16px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def demo_output() -> str:
    """What the demo writes to a terminal, escape codes included."""
    terminal, its_end = pty.openpty()
    mine = ('AZURE_AI_', 'LOGFIRE_', 'OTEL_', 'NO_COLOR', 'FORCE_COLOR')
    environment = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    with os.fdopen(its_end, 'wb') as stdout:
        process = subprocess.Popen(
            [sys.executable, '-m', 'logfire', 'demo'],
            env={**environment, 'COLUMNS': str(COLUMNS), 'TERM': 'xterm-256color', 'TZ': 'UTC'},
            stdout=stdout,
        )
    pieces: list[bytes] = []
    with process, os.fdopen(terminal, 'rb', buffering=0) as screen:
        try:
            while piece := screen.read(4096):
                pieces.append(piece)
        except OSError:
            pass  # Linux's way to say that the last writer has gone.
    if process.returncode:
        raise SystemExit(f'The demo failed with {process.returncode}.')
    return b''.join(pieces).decode().replace('\r\n', '\n')


def scene(output: str, title: str) -> str:
    """The part of the output that belongs to one scene, its heading left out."""
    _, found, rest = output.partition(f'--- {title} ---')
    if not found:
        raise SystemExit(f'The demo has no scene {title!r}.')
    return rest.partition('\n')[2].partition('\n\n')[0]


def main() -> None:
    """Run the demo and write the picture."""
    output = demo_output()
    # Below the last line an empty one: rich cuts what hangs below a line there.
    shown = '\n\n'.join(scene(output, title) for title in SCENES) + '\n'
    with open(os.devnull, 'w') as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True, color_system='truecolor')
        console.print(Text.from_ansi(shown))
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(console.export_svg(title='make demo', theme=THEME, code_format=SVG, unique_id='console'))
    print(f'{PICTURE}: {PICTURE.stat().st_size:,} bytes')


if __name__ == '__main__':
    main()
