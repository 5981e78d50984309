"""The public names, and which of them the programs touch. Read from the programs' source: nothing is run."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

MODULES = (
    'logfire',
    'logfire.exceptions',
    'logfire.integrations.logging',
    'logfire.integrations.loguru',
    'logfire.integrations.structlog',
    'logfire.propagate',
    'logfire.sampling',
    'logfire.testing',
    'logfire.types',
)

NOT_THEIRS: Mapping[str, str] = {
    'logfire.instrument_azure_ai_inference': 'the published SDK has no such integration',
    'Logfire.instrument_azure_ai_inference': 'the published SDK has no such integration',
    'instrument_azure_ai_inference(suppress_other_instrumentation=)': 'the published SDK has no such integration',
    'instrument_azure_ai_inference(capture_content=)': 'the published SDK has no such integration',
    'ExceptionCallbackHelper.is_recorded': 'an addition of ours',
    'AdvancedOptions(export_memory_items=)': 'the published SDK has no such setting',
    'AdvancedOptions(export_memory_size=)': 'the published SDK has no such setting',
    'AdvancedOptions(export_buffer_dir=)': 'the published SDK has no such setting',
    'AdvancedOptions(export_buffer_size=)': 'the published SDK has no such setting',
    'logfire.integrations.loguru.LogfireHandler': 'made by loguru_handler(); the published one is a handler of logging',
    'logfire.integrations.loguru.loguru_handler': 'of logfire itself in the published SDK',
    'logfire.integrations.structlog.StructlogProcessor': 'of logfire itself in the published SDK',
    'Logfire.tracer': 'an internal of the published SDK, which has it under another name',
    'Logfire.meter': 'an internal of the published SDK, which has it under another name',
    'Logfire.records': 'an internal of ours',
    'Logfire(tags=)': 'instances are made by with_settings() and configure(local=True)',
    'Logfire(console_log=)': 'instances are made by with_settings() and configure(local=True)',
    'Logfire(otel_scope=)': 'instances are made by with_settings() and configure(local=True)',
    'logfire.exceptions.LogfireNotConfiguredWarning': 'the published SDK has it in a private module',
    'logfire.testing.get_collected_metrics': 'the published SDK has the method of CaptureLogfire only',
}
"""Names that only we have, each with what the published SDK has in its place: no program can touch them."""


def public_names() -> Iterator[str]:
    """Everything of ours that a user may name.

    The names of modules (`logfire.info`), the members of their classes (`LogfireSpan.set_level`), and the keywords of
    functions, methods and options that can be given by name only (`instrument(level=)`), or are fields of a dataclass.
    """
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        for name in module.__all__:
            yield f'{module_name}.{name}'
            yield from _members(name, getattr(module, name), module)


def _members(name: str, value: Any, module: ModuleType) -> Iterator[str]:
    if inspect.isclass(value) and value.__module__.startswith('logfire'):
        if not _made_by_us(value):
            yield from _keywords(name, value)
        for member, definition in vars(value).items():
            if member.startswith('_') or member in getattr(value, '__dataclass_fields__', ()):
                continue
            if inspect.isroutine(definition) or isinstance(definition, property) or hasattr(definition, 'func'):
                yield f'{name}.{member}'
    elif inspect.isroutine(value):
        yield from _keywords(name, value)


def _made_by_us(cls: type) -> bool:
    """Whether users are handed instances of a class and make none."""
    return issubclass(cls, BaseException) or cls.__name__ in {
        'LogfireSpan',
        'ScrubMatch',
        'TailSamplingSpanInfo',
        'ExceptionCallbackHelper',
        'CaptureLogfire',
    }


def _keywords(name: str, function: Any) -> Iterator[str]:
    is_options = dataclasses.is_dataclass(function)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY or (is_options and not parameter.name.startswith('_')):
            yield f'{name}({parameter.name}=)'


def touched_names(folder: Path) -> set[str]:
    """What the programs of a folder name, in the form of `public_names()`; members by `.member` alone."""
    touched: set[str] = set()
    for path in folder.glob('*.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            touched.update(_touched(node))
    return touched


def _touched(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        yield f'.{node.attr}'
        yield f'{ast.unparse(node.value)}.{node.attr}'
    elif isinstance(node, ast.ImportFrom):
        yield from (f'{node.module}.{alias.name}' for alias in node.names)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        # A fixture is used by naming a parameter after it; a method of a base class is called by others.
        yield from (f'{argument.arg}()' for argument in node.args.args)
        yield f'.{node.name}'
    elif isinstance(node, ast.Call):
        called = ast.unparse(node.func).rpartition('.')[2]
        yield from (f'{called}({keyword.arg}=)' for keyword in node.keywords)


def untouched_names(folder: Path) -> list[str]:
    """The public names that no program touches and that `NOT_THEIRS` does not list."""
    touched = touched_names(folder)
    return sorted(
        name
        for name in {*public_names()} - {*NOT_THEIRS}
        if not (
            name in touched
            or (name[0].isupper() and name.partition('.')[2] and f'.{name.partition(".")[2]}' in touched)
            or (name == 'logfire.testing.capfire' and 'capfire()' in touched)
        )
    )


def unneeded_exceptions(folder: Path) -> list[str]:
    """The names that `NOT_THEIRS` lists though they are not public, or though a program touches them."""
    names = {*public_names()}
    touched = touched_names(folder)
    return sorted(name for name in NOT_THEIRS if name not in names or name in touched)
