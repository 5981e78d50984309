"""Every Python block of the pages, the README and the docstrings does what it says: it runs."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from logfire._internal.integrations.llm_providers.instrument import Registry
from logfire.testing.azure_ai_inference import AzureAIInferenceEndpoint

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]

FENCE = re.compile(r'^(?P<reason><!-- not run: .+? -->\n)?^```python\n(?P<code>.*?)^```$', re.MULTILINE | re.DOTALL)


def blocks() -> Iterator[tuple[str, str]]:
    """Where a block stands, and its code. Those that say above them why they are not run are left out."""
    for page in PAGES:
        yield from fenced(page.relative_to(ROOT).as_posix(), 1, page.read_text(encoding='utf-8'))
    for module in sorted((ROOT / 'logfire').rglob('*.py')):
        for node in ast.walk(ast.parse(module.read_text(encoding='utf-8'))):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                docstring = ast.get_docstring(node)
                if docstring is not None:
                    # The example stands under `Example usage:`, indented four spaces further.
                    name = module.relative_to(ROOT).as_posix()
                    text = re.sub(r'^(?: {4})+(?=```python\n)', '    ', docstring, flags=re.MULTILINE)
                    for example in re.findall(r'^ {4}```python\n.*?^ {4}```$', text, re.MULTILINE | re.DOTALL):
                        yield from fenced(name, getattr(node, 'lineno', 1), textwrap.dedent(example))


def fenced(name: str, line: int, text: str) -> Iterator[tuple[str, str]]:
    for match in FENCE.finditer(text):
        if match['reason'] is None:
            yield f'{name}:{line + text.count(chr(10), 0, match.start("code"))}', match['code']


BLOCKS = dict(blocks())


@pytest.fixture
def undone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a block instruments, as a program does for its whole life, is undone when the block has run."""
    undos: list[AbstractContextManager[None]] = []
    instrument = Registry.instrument

    def noting(self: Registry, *args: Any) -> AbstractContextManager[None]:
        undos.append(instrument(self, *args))
        return undos[-1]

    monkeypatch.setattr(Registry, 'instrument', noting)
    yield
    for undo in undos:
        undo.__exit__(None, None, None)


@pytest.mark.usefixtures('undone', 'http_uninstrumented')
@pytest.mark.parametrize(('place', 'code'), BLOCKS.items(), ids=BLOCKS)
def test_block_runs(
    place: str, code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The block runs as it stands, against the loopback endpoint where it calls a service."""
    monkeypatch.chdir(tmp_path)
    with AzureAIInferenceEndpoint() as endpoint:
        monkeypatch.setenv('AZURE_AI_CHAT_ENDPOINT', endpoint.url)
        monkeypatch.setenv('AZURE_AI_CHAT_KEY', endpoint.key)
        exec(compile(code, place, 'exec'), {'__name__': '__main__'})


def test_there_are_blocks() -> None:
    """The search above finds pages and docstrings."""
    assert [place for place in BLOCKS if place.startswith('docs/')]
    assert [place for place in BLOCKS if place.startswith('logfire/')]


def test_every_fence_stands_at_column_0_of_its_page() -> None:
    """An indented fence in a page would not be found, nor run."""
    for page in PAGES:
        assert not re.search(r'^ +```python', page.read_text(encoding='utf-8'), re.MULTILINE), page
