"""The configuration reference of the documentation, made from the code when the site is built."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import logfire
from logfire._internal.config import parameters
from logfire._internal.config.parameters import Parameter

ROOT = Path(__file__).parent.parent


def load_hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location('reference', ROOT / 'docs/scripts/configuration_reference.py')
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def page() -> str:
    """The page as the site shows it, in Markdown."""
    return load_hook().on_page_markdown((ROOT / 'docs/configuration.md').read_text(encoding='utf-8'))


def section(page: str, title: str) -> str:
    """What stands below a title, up to the next one of any depth."""
    _, found, rest = page.partition(f'{title}\n')
    assert found, title
    return re.split(r'^#+ ', rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(table: str) -> dict[str, list[str]]:
    """The rows of a table by their first cell; a cell that is not told is a hole in the page."""
    cells = [line.strip('| ').split(' | ') for line in table.splitlines() if line.startswith('| `')]
    assert all(cell for row in cells for cell in row), table
    return {row[0]: row[1:] for row in cells}


def test_every_argument(page: str) -> None:
    """Every argument of `logfire.configure()` is there with type, default and meaning, and no other."""
    shown = rows(section(page, '## Arguments of `logfire.configure()` { #arguments }'))
    assert list(shown) == [f'`{name}`' for name in inspect.signature(logfire.configure).parameters]
    assert shown['`console`'][:2] == [r'`ConsoleOptions \| Literal[False]`', '`ConsoleOptions()`']
    assert shown['`code_source`'][:2] == ['`CodeSource`', 'unset']
    assert shown['`inspect_arguments`'][1] == '`True` from Python 3.11'


@pytest.mark.parametrize(
    'option_type',
    [
        logfire.AdvancedOptions,
        logfire.CodeSource,
        logfire.ConsoleOptions,
        logfire.MetricsOptions,
        logfire.SamplingOptions,
        logfire.ScrubbingOptions,
    ],
)
def test_every_option(option_type: Any, page: str) -> None:
    """Every field of every class of options is there with type, default and meaning, and no other."""
    shown = rows(section(page, f'### `{option_type.__name__}`'))
    assert list(shown) == [f'`{field.name}`' for field in dataclasses.fields(option_type)]


def test_every_class_of_options(page: str) -> None:
    """Every dataclass that `logfire` exports as options has a table."""
    exported = {name for name in logfire.__all__ if name.endswith('Options')}
    assert exported <= set(re.findall(r'^### `(\w+)`$', page, re.MULTILINE))


def test_every_parameter(page: str) -> None:
    """Every declared parameter is there with its variables, what it takes, its default and its meaning."""
    table = section(page, '## Environment variables and `pyproject.toml` { #variables }')
    declared: list[Parameter[Any]] = [value for value in vars(parameters).values() if isinstance(value, Parameter)]
    for parameter in declared:
        assert parameter.in_file == (f'| `{parameter.name}` |' in table), parameter.name
        for variable in parameter.variables:
            assert f'`{variable}`' in table
    assert table.count('\n| `') + table.count('\n| none ') == len(declared)
    shown = rows(table)
    assert shown['`LOGFIRE_BASE_URL`'][1] == 'a URL that begins with http:// or https://'
    assert shown['`LOGFIRE_CONSOLE`'][:3] == ['`console`', 'true or false (1, true, t, 0, false, f)', '`True`']


def test_every_variable_the_code_names(page: str) -> None:
    """No environment variable that the code names is missing."""
    code = ''.join(module.read_text(encoding='utf-8') for module in (ROOT / 'logfire').rglob('*.py'))
    variables = set(re.findall(r"'((?:LOGFIRE|OTEL|AZURE_AI)_[A-Z_]*[A-Z])'", code))
    assert {'LOGFIRE_TOKEN', 'OTEL_TRACES_SAMPLER', 'LOGFIRE_MAX_BINARY_CONTENT'} <= variables
    assert {variable for variable in variables if f'`{variable}`' not in page} == set()


def test_no_marker_is_left(page: str) -> None:
    """Every marker of a table was replaced by one."""
    assert '<!-- table' not in page
