"""Every configuration parameter, declared once, and where its value comes from: keyword, environment, file, default."""

from __future__ import annotations

import importlib
import math
import os
import re
import sys
import urllib.parse
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, TypeVar, cast, get_args

from logfire._internal.levels import LEVEL_NUMBERS, LevelName, level_number
from logfire.exceptions import LogfireConfigError

if TYPE_CHECKING:
    from pathlib import Path

ConsoleColors: TypeAlias = Literal['auto', 'always', 'never']
ConsoleSpanStyle: TypeAlias = Literal['simple', 'indented', 'show-parents']

T = TypeVar('T')

IS_POSIX: Final = os.name == 'posix'
# A Logfire token that was given in place of something else, and the user and password of a URL.
_SECRETS: Final = r'pylf_v\w+|(?<=://)[^/@\s]+(?=@)'


class Rejected(Exception):
    """A value that a parameter does not take; the text says what is allowed."""


class Parameter(Generic[T]):
    """A parameter of the configuration.

    `parse` makes the value of what was given, as a keyword or as text, or raises `Rejected`. The environment
    `variables` are asked in order. A `secret` is never read from a file and never quoted.
    """

    __slots__ = ('default', 'in_file', 'name', 'parse', 'secret', 'variables')

    def __init__(
        self,
        name: str,
        parse: Callable[[object], T],
        default: T,
        variables: Sequence[str] = (),
        *,
        in_file: bool = True,
        secret: bool = False,
    ) -> None:
        self.name = name
        self.parse = parse
        self.default = default
        self.variables = variables
        self.in_file = in_file
        self.secret = secret


def read_bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = value.strip().lower() if isinstance(value, str) else ''
    if text in ('1', 'true', 't'):
        return True
    if text in ('0', 'false', 'f'):
        return False
    raise Rejected('true or false (1, true, t, 0, false, f)')


def read_send_to_logfire(value: object) -> bool | Literal['if-token-present']:
    if isinstance(value, str) and value.strip().lower() == 'if-token-present':
        return 'if-token-present'
    try:
        return read_bool(value)
    except Rejected:
        raise Rejected("true, false or 'if-token-present'") from None


def read_text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise Rejected('a string')


def read_path(value: object) -> Path:
    from pathlib import Path  # Loaded where a path is given.

    if isinstance(value, (str, Path)):
        return Path(value)
    raise Rejected('a path')


def read_buffer_dir(value: object) -> Path:
    path = read_path(value)
    if not IS_POSIX:
        raise Rejected('nothing on this system: the export buffer needs the permissions and locks of a POSIX system')
    return path.expanduser()


def read_count(value: object) -> int:
    """A whole number above zero."""
    text = value.strip() if isinstance(value, str) else ''
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else value
    if isinstance(number, int) and not isinstance(number, bool) and number > 0:
        return number
    raise Rejected('a whole number above zero')


def read_base_url(value: object) -> str:
    text = read_text(value).strip().rstrip('/')
    if text.startswith(('http://', 'https://')) and '@' not in urllib.parse.urlsplit(text).netloc:
        return text
    raise Rejected('a URL that begins with http:// or https://, without user and password')


def read_rate(value: object) -> float:
    rate = math.nan
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        try:
            rate = float(value)
        except ValueError:
            pass
    if 0.0 <= rate <= 1.0:
        return rate
    raise Rejected('a number from 0 to 1')


def read_level(value: object) -> int:
    if isinstance(value, str):
        text = value.strip()
        value = int(text) if text.isascii() and text.isdecimal() else text
    try:
        return level_number(cast('LevelName | int', value))
    except ValueError:
        raise Rejected(f'one of {listed(LEVEL_NUMBERS)}, or a severity number') from None


def read_choice(allowed: Iterable[str]) -> Callable[[object], Any]:
    """A parser that takes one of these texts, in any case."""
    choices = tuple(allowed)

    def read(value: object) -> str:
        text = value.strip().lower() if isinstance(value, str) else ''
        if text in choices:
            return text
        raise Rejected(f'one of {listed(choices)}')

    return read


def read_tokens(value: object) -> tuple[str, ...]:
    parts = value.split(',') if isinstance(value, str) else value
    if isinstance(parts, (list, tuple)):
        tokens = [part.strip() if isinstance(part, str) else '\n' for part in cast('Sequence[object]', parts)]
        # What is not printable ASCII cannot stand in an HTTP header.
        if all(token.isascii() and token.isprintable() for token in tokens):
            return tuple(dict.fromkeys(token for token in tokens if token))
    raise Rejected('one token, or several as a list or separated by commas, of printable ASCII characters')


def listed(values: Iterable[str]) -> str:
    """The texts as a person writes them in a sentence."""
    return ', '.join(repr(value) for value in values)


TOKEN: Final[Parameter[tuple[str, ...]]] = Parameter(
    'token', read_tokens, (), ('LOGFIRE_TOKEN',), in_file=False, secret=True
)
"""Write tokens of Logfire projects, separated by commas. Each says which region it belongs to."""
SEND_TO_LOGFIRE: Final[Parameter[bool | Literal['if-token-present']]] = Parameter(
    'send_to_logfire', read_send_to_logfire, 'if-token-present', ('LOGFIRE_SEND_TO_LOGFIRE',)
)
"""Whether to send to Logfire; true requires a token."""
BASE_URL: Final[Parameter[str | None]] = Parameter('base_url', read_base_url, None, ('LOGFIRE_BASE_URL',))
"""Root URL of the Logfire backend, instead of that of the token's region."""
SERVICE_NAME: Final[Parameter[str | None]] = Parameter(
    'service_name', read_text, None, ('LOGFIRE_SERVICE_NAME', 'OTEL_SERVICE_NAME')
)
"""What this program is called: `service.name`. Unset, OpenTelemetry calls it `unknown_service`."""
SERVICE_VERSION: Final[Parameter[str | None]] = Parameter(
    'service_version', read_text, None, ('LOGFIRE_SERVICE_VERSION', 'OTEL_SERVICE_VERSION')
)
"""The version that runs: `service.version`. Unset, the git revision of the working directory, if it has one."""
ENVIRONMENT: Final[Parameter[str | None]] = Parameter('environment', read_text, None, ('LOGFIRE_ENVIRONMENT',))
"""Such as `production`: `deployment.environment.name`."""
MIN_LEVEL: Final = Parameter('min_level', read_level, 0, ('LOGFIRE_MIN_LEVEL',))
"""Logs below this level, and spans given a lower one, are not recorded."""
TRACE_SAMPLE_RATE: Final[Parameter[float | None]] = Parameter(
    'trace_sample_rate', read_rate, None, ('LOGFIRE_TRACE_SAMPLE_RATE', 'OTEL_TRACES_SAMPLER_ARG')
)
"""Share of traces to record. Where `OTEL_TRACES_SAMPLER` is set, `OTEL_TRACES_SAMPLER_ARG` belongs to that sampler."""
INSPECT_ARGUMENTS: Final = Parameter(
    'inspect_arguments', read_bool, sys.version_info >= (3, 11), ('LOGFIRE_INSPECT_ARGUMENTS',)
)
"""Take f-strings apart, so that `f'hello {name}'` records `name`."""
IGNORE_NO_CONFIG: Final = Parameter('ignore_no_config', read_bool, False, ('LOGFIRE_IGNORE_NO_CONFIG',))
"""No warning when something is recorded before `logfire.configure()`."""
DISTRIBUTED_TRACING: Final[Parameter[bool | None]] = Parameter(
    'distributed_tracing', read_bool, None, ('LOGFIRE_DISTRIBUTED_TRACING',)
)
"""Whether to continue traces that requests from elsewhere carry. Unset continues them and warns once."""
CONFIG_DIR: Final[Parameter[Path | None]] = Parameter(
    'config_dir', read_path, None, ('LOGFIRE_CONFIG_DIR',), in_file=False
)
"""Where `pyproject.toml` is. Unset, the working directory."""
EXPORT_MEMORY_ITEMS: Final = Parameter('export_memory_items', read_count, 20_000, ('LOGFIRE_EXPORT_MEMORY_ITEMS',))
"""How many spans (or log records, or metrics) wait in memory for a collector that does not take them."""
EXPORT_MEMORY_SIZE: Final = Parameter(
    'export_memory_size', read_count, 64 * 1_024 * 1_024, ('LOGFIRE_EXPORT_MEMORY_SIZE',)
)
"""How many bytes of them wait in memory."""
EXPORT_BUFFER_DIR: Final[Parameter[Path | None]] = Parameter(
    'export_buffer_dir', read_buffer_dir, None, ('LOGFIRE_EXPORT_BUFFER_DIR',)
)
"""A folder for what memory has no room for, and for what is left when the program ends."""
EXPORT_BUFFER_SIZE: Final = Parameter(
    'export_buffer_size', read_count, 512 * 1_024 * 1_024, ('LOGFIRE_EXPORT_BUFFER_SIZE',)
)
"""How many bytes may wait in that folder."""
ADD_BAGGAGE_TO_ATTRIBUTES: Final = Parameter('add_baggage_to_attributes', read_bool, True)
"""Record the OpenTelemetry baggage as attributes of every span."""
CONSOLE: Final = Parameter('console', read_bool, True, ('LOGFIRE_CONSOLE',))
"""Show spans and logs on the console."""
CONSOLE_COLORS: Final[Parameter[ConsoleColors]] = Parameter(
    'console_colors', read_choice(get_args(ConsoleColors)), 'auto', ('LOGFIRE_CONSOLE_COLORS',)
)
"""`colors` of `ConsoleOptions`."""
CONSOLE_SPAN_STYLE: Final[Parameter[ConsoleSpanStyle]] = Parameter(
    'console_span_style', read_choice(get_args(ConsoleSpanStyle)), 'show-parents', ('LOGFIRE_CONSOLE_SPAN_STYLE',)
)
"""`span_style` of `ConsoleOptions`."""
CONSOLE_INCLUDE_TIMESTAMP: Final = Parameter(
    'console_include_timestamp', read_bool, True, ('LOGFIRE_CONSOLE_INCLUDE_TIMESTAMP',)
)
"""`include_timestamps` of `ConsoleOptions`."""
CONSOLE_INCLUDE_TAGS: Final = Parameter('console_include_tags', read_bool, True, ('LOGFIRE_CONSOLE_INCLUDE_TAGS',))
"""`include_tags` of `ConsoleOptions`."""
CONSOLE_VERBOSE: Final = Parameter('console_verbose', read_bool, False, ('LOGFIRE_CONSOLE_VERBOSE',))
"""`verbose` of `ConsoleOptions`."""
CONSOLE_MIN_LOG_LEVEL: Final[Parameter[LevelName]] = Parameter(
    'console_min_log_level', read_choice(LEVEL_NUMBERS), 'info', ('LOGFIRE_CONSOLE_MIN_LOG_LEVEL',)
)
"""`min_log_level` of `ConsoleOptions`."""


class Sources:
    """Where values come from, read once per configuration."""

    def __init__(self, config_dir: Path | str | None = None) -> None:
        # The directory itself comes from a keyword or the environment only.
        self._file_values: Mapping[str, object] = {}
        directory = self.value(CONFIG_DIR, config_dir)
        self._file = 'pyproject.toml' if directory is None else str(directory / 'pyproject.toml')
        self._file_values = _read_file(self._file)

    def value(self, parameter: Parameter[T], keyword: object = None) -> T:
        """The value of a parameter: the keyword, else the environment, else the file, else its default.

        None and the empty string count as unset.

        Raises:
            LogfireConfigError: the value given is not allowed.
        """
        value = self.from_code_or_environment(parameter, keyword)
        if value is not None:
            return value
        from_file = self.from_file(parameter)
        return parameter.default if from_file is None else from_file

    def from_code_or_environment(self, parameter: Parameter[T], keyword: object = None) -> T | None:
        """The value of a parameter as the keyword or the environment has it, None where neither does."""
        if not _is_unset(keyword):
            return self._parse(parameter, keyword, f'the argument `{parameter.name}`')
        for variable in parameter.variables:
            text = os.environ.get(variable)
            if not _is_unset(text):
                return self._parse(parameter, text, f'the environment variable {variable}')
        return None

    def from_file(self, parameter: Parameter[T]) -> T | None:
        """The value of a parameter as the file has it, None where it does not."""
        given = self._file_values.get(parameter.name) if parameter.in_file else None
        if _is_unset(given):
            return None
        return self._parse(parameter, given, f'[tool.logfire] of {self._file}')

    @staticmethod
    def _parse(parameter: Parameter[T], given: object, source: str) -> T:
        try:
            return parameter.parse(given)
        except Rejected as rejected:
            # Not chained: the error being handled is how the parser says no, and tells nothing more.
            what = 'the value given' if parameter.secret else shown(given)
            raise LogfireConfigError(
                f'{parameter.name}: {what}, from {source}, is not allowed. Expected {rejected}.'
            ) from None


def _is_unset(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def shown(value: object) -> str:
    """What was given, as an error says it: short, without the values of a mapping, tokens and passwords of URLs."""
    if isinstance(value, Mapping):
        names = ', '.join(f'{name!r}: ...' for name in cast('Mapping[object, object]', value))
        text = f'{{{names}}}'
    else:
        text = repr(value)
    text = re.sub(_SECRETS, '...', text)
    return text if len(text) <= 100 else f'{text[:100]}...'


def _may_have_table(content: bytes) -> bool:
    """Whether a TOML document may have a table `tool.logfire`, however it is written; True where that is not plain.

    The name follows a dot (`[tool.logfire]`, `tool . "logfire".console = 1`), or it stands below a whole `tool`
    (`[tool]`, `tool = {...}`); a name with an escape can be any. So a dependency `"logfire>=1"` is none.
    """
    *before, _ = content.split(b'logfire')
    if not before:
        return False
    _, *after_tool = content.split(b'tool')
    return (
        any(text.rstrip(b' \t"\'').endswith(b'.') for text in before)
        or any(text.lstrip(b' \t"\'')[:1] in (b']', b'=', b'\r', b'\n', b'') for text in after_tool)
        or any(escape in content for escape in (b'\\u', b'\\U', b'\\x'))
    )


def _read_file(path: str) -> Mapping[str, object]:
    """The `[tool.logfire]` table of a pyproject.toml, empty where there is none."""
    try:
        with open(path, 'rb') as file:
            content = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise LogfireConfigError(f'config_dir: cannot read {path}: {error.strerror}.') from error
    if not _may_have_table(content):
        return {}  # Most projects have no such table, and the reader need not be loaded.
    reader = importlib.import_module('tomllib' if sys.version_info >= (3, 11) else 'tomli')
    try:
        document: dict[str, object] = reader.loads(content.decode('utf-8'))
    except ValueError as error:
        raise LogfireConfigError(f'config_dir: {path} is not valid TOML: {error}') from error
    tool = document.get('tool')
    table = cast('dict[str, object]', tool).get('logfire') if isinstance(tool, dict) else None
    if table is None:
        return {}
    if not isinstance(table, dict):
        raise LogfireConfigError(f'[tool.logfire] of {path} is not a table.')
    return cast('dict[str, object]', table)
