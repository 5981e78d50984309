"""What the pages of the documentation tell a reader to do, so that it is that which is checked."""

from __future__ import annotations

import re
from pathlib import Path

from tests.backends.servers import ROOT

_BLOCK = re.compile(r'^```(?P<language>\w+)\n(?P<code>.*?)^```$', re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r'^export (\w+)=(?:\'(.*)\'|(\S+))$', re.MULTILINE)


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page of the documentation in a language.

    Args:
        page: the page under `docs/`.
        language: what stands after the fence.
    """
    text = (ROOT / 'docs' / page).read_text(encoding='utf-8')
    return [match['code'] for match in _BLOCK.finditer(text) if match['language'] == language]


def exports(page: str, old: str, new: str) -> dict[str, str]:
    """The variables that a block of a page tells to export.

    Args:
        page: the page under `docs/`.
        old: an address that stands in one of its blocks, which is the block meant.
        new: what is to stand there in this run.
    """
    (code,) = [code for code in blocks(page, 'bash') if old in code and 'export ' in code]
    return {name: (quoted or plain).replace(old, new) for name, quoted, plain in _EXPORT.findall(code)}


def program(page: str, directory: Path) -> Path:
    """Write the last Python block of a page to a file, as a reader would.

    Args:
        page: the page under `docs/`.
        directory: where to write it, as `app.py`.
    """
    path = directory / 'app.py'
    path.write_text(blocks(page, 'python')[-1], encoding='utf-8')
    return path
