"""Writes the tables of the configuration reference from the code: a hook of MkDocs, named in `mkdocs.yml`.

In `docs/configuration.md` a line `<!-- table: NAME -->` stands where the table NAME goes.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import griffe

import logfire
from logfire._internal.config import configuration, parameters
from logfire._internal.config.parameters import ConsoleColors, ConsoleSpanStyle, Parameter, Rejected
from logfire._internal.levels import LevelName

# Aliases whose name does not tell what may be written.
CHOICES: Final = {
    name: f'Literal[{", ".join(repr(choice) for choice in get_args(alias))}]'
    for name, alias in {
        'ConsoleColors': ConsoleColors,
        'ConsoleSpanStyle': ConsoleSpanStyle,
        'LevelName': LevelName,
    }.items()
}

MARKER: Final = re.compile(r'^<!-- table: (?P<name>[\w-]+) -->$', re.MULTILINE)

# Whose default is not written as a value that a reader could give.
DEFAULTS: Final = {'inspect_arguments': '`True` from Python 3.11', 'ns_timestamp_generator': '`time.time_ns`'}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the tables; called by MkDocs for each page."""
    return MARKER.sub(lambda match: TABLES[match['name']](), markdown)


def arguments() -> str:
    """The arguments of `logfire.configure()`."""
    meanings = _argument_meanings(configuration.configure)
    rows: list[Sequence[str]] = []
    for argument in inspect.signature(configuration.configure).parameters.values():
        annotation = str(argument.annotation).removesuffix(' | None')
        default = DEFAULTS.get(argument.name) or _default_options(annotation)
        if default is None:
            default = _default(argument.default, _parameter(argument.name))
        facts = f'{_code(annotation)}, default {default}'
        rows.append((f'`{argument.name}`', _cell(meanings[argument.name], facts)))
    return _table(('argument', 'meaning, type, default'), rows)


def options() -> str:
    """A table for each class of options that `logfire.configure()` takes."""
    return '\n\n'.join(f'### `{taken.__name__}`\n\n{_option_table(taken)}' for taken in option_types())


def option_types() -> list[type[Any]]:
    """The classes of options that `logfire.configure()` takes."""
    arguments = inspect.signature(configuration.configure).parameters.values()
    found = (option_type for argument in arguments for option_type in _option_types(str(argument.annotation)))
    return list(dict.fromkeys(found))


def variables() -> str:
    """The environment variables that stand for a parameter, and the parameter's name in `pyproject.toml`."""
    rows: list[Sequence[str]] = []
    for constant, parameter in declared():
        names = ', '.join(f'`{variable}`' for variable in parameter.variables)
        key = f', in the file `{parameter.name}`' if parameter.in_file else ', not read from the file'
        default = DEFAULTS.get(parameter.name) or _default(None, parameter)
        facts = f'{accepted(parameter)}; default {default}{key}'
        rows.append(
            (
                names or f'no variable for `{parameter.name}`',
                _cell(_docstring(_members(parameters.__name__)[constant]), facts),
            )
        )
    return _table(('variable', 'meaning, what it takes, default, name in `[tool.logfire]`'), rows)


def declared() -> Iterator[tuple[str, Parameter[Any]]]:
    """Every declared parameter, with the name of its constant."""
    for constant, value in vars(parameters).items():
        if isinstance(value, Parameter):
            yield constant, value


def accepted(parameter: Parameter[Any]) -> str:
    """What a parameter takes, in the words of its error messages: of that for a text, if it does not take any text."""
    told = ''
    for wrong in (object(), '\x00'):
        try:
            parameter.parse(wrong)
        except Rejected as rejected:
            told = str(rejected)
    return told


TABLES: Final[dict[str, Callable[[], str]]] = {'arguments': arguments, 'options': options, 'variables': variables}


def _option_types(annotation: str) -> Iterator[type[Any]]:
    for name in re.findall(r'\w+', annotation):
        option_type = getattr(logfire, name, None)
        if isinstance(option_type, type) and dataclasses.is_dataclass(option_type):
            yield option_type


def _default_options(annotation: str) -> str | None:
    """How the options are written that hold when none are given."""
    for option_type in _option_types(annotation):
        if all(field.default is not dataclasses.MISSING for field in dataclasses.fields(option_type)):
            return f'`{option_type.__name__}()`'
    return None


def _option_table(option_type: type[Any]) -> str:
    members = _members(option_type.__module__)[option_type.__name__].members
    rows: list[Sequence[str]] = []
    for field in dataclasses.fields(option_type):
        required = field.default is dataclasses.MISSING
        default = 'required' if required else f'default {DEFAULTS.get(field.name) or _default(field.default)}'
        facts = f'{_code(str(field.type))}, {default}'
        rows.append((f'`{field.name}`', _cell(_docstring(members[field.name]), facts)))
    return _table(('field', 'meaning, type, default'), rows)


def _argument_meanings(function: Callable[..., Any]) -> dict[str, str]:
    docstring = griffe.Docstring(inspect.getdoc(function) or '', parser='google')
    for section in docstring.parse(warnings=False):
        if isinstance(section, griffe.DocstringSectionParameters):
            return {item.name: item.description for item in section.value}
    raise ValueError(f'{function.__name__} has no `Args:`.')


@functools.cache
def _members(module: str) -> Mapping[str, griffe.Object | griffe.Alias]:
    """What a module defines, with the docstrings below assignments, which Python itself does not keep."""
    path = Path(importlib.import_module(module).__file__ or '')
    return griffe.visit(module, filepath=path, code=path.read_text(encoding='utf-8')).members


def _docstring(member: griffe.Object | griffe.Alias) -> str:
    if member.docstring is None:
        raise ValueError(f'{member.path} has no docstring.')
    return member.docstring.value


def _parameter(name: str) -> Parameter[Any] | None:
    return next((parameter for _, parameter in declared() if parameter.name == name), None)


def _default(default: object, parameter: Parameter[Any] | None = None) -> str:
    if default is None and parameter is not None:
        default = parameter.default
    return 'unset' if default is None or default == () else f'`{default!r}`'


def _code(annotation: str) -> str:
    return f'`{re.sub(r"[A-Za-z]+", lambda match: CHOICES.get(match[0], match[0]), annotation)}`'


def _cell(meaning: str, facts: str) -> str:
    """A meaning on one line, and below it what else there is to know."""
    return f'{" ".join(meaning.split())}<br><small>{facts}</small>'


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ['---'] * len(header), *rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)
