"""Which module may import which: read from the source, so that no import order hides a wrong one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import logfire

PACKAGE = Path(logfire.__file__).parent
PROVIDERS = PACKAGE / '_internal' / 'integrations' / 'llm_providers'
READERS = sorted(
    path
    for path in PROVIDERS.glob('*/*.py')
    if path.name in ('requests.py', 'messages.py', 'responses.py', 'stream.py', 'values.py')
)


def imports(path: Path) -> Iterator[str]:
    """The modules that a module imports when it runs, those for type checkers left out."""
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding='utf-8'))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == 'TYPE_CHECKING':
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            yield from (f'{node.module}.{alias.name}' for alias in node.names)
        pending.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize('path', READERS, ids=lambda path: f'{path.parent.name}/{path.name}')
def test_readers_know_data_only(path: Path) -> None:
    """A provider's readers import neither OpenTelemetry, nor the client, nor our API, nor another provider."""
    allowed = (
        'logfire._internal.integrations.llm_providers.operation.',
        'logfire._internal.integrations.llm_providers.semconv.',
        f'logfire._internal.integrations.llm_providers.{path.parent.name}.',
    )
    found = list(imports(path))
    assert not [name for name in found if name.startswith(('opentelemetry', 'azure'))]
    assert not [name for name in found if name.startswith('logfire') and not f'{name}.'.startswith(allowed)]


def test_the_engine_knows_no_provider() -> None:
    """The engine that all providers share imports none of them."""
    for path in PROVIDERS.glob('*.py'):
        assert not [name for name in imports(path) if 'llm_providers.azure' in name]


def test_there_are_readers() -> None:
    """The walk above finds what it is for."""
    assert {path.name for path in READERS} >= {'requests.py', 'messages.py', 'responses.py', 'stream.py'}
