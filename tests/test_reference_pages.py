"""The reference pages of the documentation, made from the code when the site is built."""

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


def test_every_public_name_is_in_the_api_reference() -> None:
    """The reference of `logfire` has each of its public names once; other public modules are somewhere in it."""
    pages = {page.name: page.read_text(encoding='utf-8') for page in (ROOT / 'docs/reference').glob('*.md')}
    names = re.findall(r'^::: logfire\.(\w+)$', pages['logfire.md'], re.MULTILINE)
    assert sorted(names) == sorted(name for name in logfire.__all__ if not name.startswith('__'))
    shown = {module for page in pages.values() for module in re.findall(r'^::: (logfire[\w.]*)$', page, re.MULTILINE)}
    public = {
        '.'.join(path.relative_to(ROOT).with_suffix('').parts)
        for path in [*(ROOT / 'logfire').glob('*.py'), *(ROOT / 'logfire/integrations').glob('*.py')]
        if path.name[0] != '_'
    }
    assert public - {'logfire.version'} <= shown


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


def rows(table: str) -> dict[str, str]:
    """What the rows of a table say, by their first cell. All say more than the type and the default."""
    found = dict(re.findall(r'^\| (.+?) \| (.+) \|$', table, re.MULTILINE)[2:])
    assert all(re.fullmatch(r'.{10,}<br><small>.{4,}</small>', cell) for cell in found.values()), found
    return found


def test_every_argument(page: str) -> None:
    """Every argument of `logfire.configure()` is there with type, default and meaning, and no other."""
    shown = rows(section(page, '## Arguments of `logfire.configure()` { #arguments }'))
    assert list(shown) == [f'`{name}`' for name in inspect.signature(logfire.configure).parameters]
    assert '<small>`ConsoleOptions | Literal[False]`, default `ConsoleOptions()`</small>' in shown['`console`']
    assert '<small>`CodeSource`, default unset</small>' in shown['`code_source`']
    assert '<small>`bool`, default `True` from Python 3.11</small>' in shown['`inspect_arguments`']


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
        assert parameter.in_file == (f', in the file `{parameter.name}`<' in table), parameter.name
        for variable in parameter.variables:
            assert f'`{variable}`' in table
    shown = rows(table)
    assert len(shown) == len(declared)
    assert (
        'a URL that begins with http:// or https://, without user and password; default unset'
        in shown['`LOGFIRE_BASE_URL`']
    )
    assert 'true or false (1, true, t, 0, false, f); default `True`' in shown['`LOGFIRE_CONSOLE`']


def test_every_variable_the_code_names(page: str) -> None:
    """No environment variable that the code names is missing."""
    code = ''.join(module.read_text(encoding='utf-8') for module in (ROOT / 'logfire').rglob('*.py'))
    variables = set(re.findall(r"'((?:LOGFIRE|OTEL|AZURE_AI)_[A-Z_]*[A-Z])'", code))
    assert {'LOGFIRE_TOKEN', 'OTEL_TRACES_SAMPLER', 'LOGFIRE_MAX_BINARY_CONTENT'} <= variables
    assert {variable for variable in variables if f'`{variable}`' not in page} == set()


def test_no_marker_is_left(page: str) -> None:
    """Every marker of a table was replaced by one."""
    assert '<!-- table' not in page
