"""The public names, and what importing them costs."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any, get_origin

import pytest

import logfire

MODULES = [
    'logfire',
    'logfire.types',
    'logfire.propagate',
    'logfire.integrations.azure_ai_inference',
    'logfire.integrations.logging',
    'logfire.integrations.loguru',
    'logfire.integrations.structlog',
]


@pytest.mark.parametrize('name', MODULES)
def test_public_names_are_sorted_and_exist(name: str) -> None:
    """`__all__` is sorted (constants, then classes, then functions), without repetition, and each name is there."""
    module = importlib.import_module(name)
    names: list[str] = module.__all__

    def kind(name: str) -> tuple[int, str]:
        return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)

    assert names == sorted(set(names), key=kind)
    assert [name for name in names if not hasattr(module, name)] == []
    assert module.__doc__


@pytest.mark.parametrize('name', MODULES)
def test_every_public_name_is_documented(name: str) -> None:
    """Every public class and function, and every public method and property of a class, has a docstring of its own."""
    module = importlib.import_module(name)
    missing: list[str] = []
    for public in module.__all__:
        value: Any = getattr(module, public)
        # Python 3.10 takes an alias such as `Callable[[int], None]` for a class.
        if get_origin(value) is not None or not (inspect.isclass(value) or inspect.isroutine(value)):
            continue
        if not value.__doc__:
            missing.append(public)
        if inspect.isclass(value) and value.__module__.startswith('logfire'):
            for member, definition in vars(value).items():
                is_documentable = inspect.isroutine(definition) or isinstance(definition, property)
                if not member.startswith('_') and is_documentable and not definition.__doc__:
                    missing.append(f'{public}.{member}')
    assert missing == []


def test_the_version_is_the_distribution_s() -> None:
    """`VERSION` and `__version__` are the version that is installed."""
    from importlib.metadata import version

    assert logfire.VERSION == logfire.__version__ == version('logfire')


def test_the_functions_are_those_of_the_default_instance() -> None:
    """`logfire.info()` and the like are the methods of `DEFAULT_LOGFIRE_INSTANCE`."""
    bound = [name for name in logfire.__all__ if hasattr(getattr(logfire, name), '__self__')]
    assert len(bound) > 20
    for name in bound:
        assert getattr(logfire, name) == getattr(logfire.DEFAULT_LOGFIRE_INSTANCE, name)
    public = {name for name in vars(logfire.Logfire) if not name.startswith('_')}
    assert public - set(bound) == {'tracer', 'meter', 'records'}


def test_names_that_are_loaded_on_use() -> None:
    """`import logfire` makes every public name listed and usable; those that are loaded on use are the real ones."""
    code = """
import sys
import logfire

assert {*logfire.__all__} <= {*dir(logfire)}
assert 'logfire.integrations.logging' not in sys.modules and 'logfire.sampling' not in sys.modules
assert logfire.sampling.SamplingOptions is logfire.SamplingOptions is logfire.SamplingOptions
assert logfire.integrations.loguru.loguru_handler is logfire.loguru_handler
assert logfire.integrations.logging.LogfireLoggingHandler is logfire.LogfireLoggingHandler
assert logfire.integrations.structlog.StructlogProcessor is logfire.StructlogProcessor
names = {}
exec('from logfire import *', names)
assert {*logfire.__all__} <= {*names}
for module in (logfire, logfire.integrations):
    try:
        module.nonsense
    except AttributeError as error:
        print(error)
"""
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [
        "module 'logfire' has no attribute 'nonsense'",
        "module 'logfire.integrations' has no attribute 'nonsense'",
    ]


def test_what_nobody_gives_is_not_loaded(tmp_path: Path) -> None:
    """Import, `configure()` and instrumentation load neither options that are not given nor stages that are off."""
    unused = """
        logfire.integrations logfire.sampling logfire._internal.config.options logfire._internal.sampling
        logfire._internal.scrubbing_options logfire._internal.span_level logfire._internal.exception_callback
        logfire._internal.exporters.span_metrics
        logfire._internal.exporters.tail_sampling logfire._internal.exporters.value_limits
        logfire._internal.config.instruments logfire._internal.config.generators logfire._internal.environment
        logfire._internal.exporters.draining tomllib tomli
    """
    code = """
import sys
import azure.ai.inference
from opentelemetry import propagate
from opentelemetry.sdk.trace import TracerProvider
before = {*sys.modules}
import logfire
logfire.configure(send_to_logfire=False, console=False)
logfire.instrument_azure_ai_inference()
print(*sorted({*sys.modules}.difference(before).intersection(sys.argv)))
"""
    run = subprocess.run(
        [sys.executable, '-c', code, *unused.split()], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == []


def test_importing_loads_nothing_heavy() -> None:
    """`import logfire` loads no console, HTTP, exporter, protobuf or inspection library."""
    heavy = """
        rich requests urllib3 google executing pydantic numpy pytest azure aiohttp tomllib importlib.metadata
        opentelemetry.exporter opentelemetry.instrumentation opentelemetry.propagate opentelemetry.sdk.metrics
    """
    # What was loaded before, by coverage measurement for one, is not ours.
    code = (
        'import sys; before = {*sys.modules}; import logfire; '
        'print(*sorted({*sys.modules}.difference(before).intersection(sys.argv)))'
    )
    run = subprocess.run([sys.executable, '-c', code, *heavy.split()], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
