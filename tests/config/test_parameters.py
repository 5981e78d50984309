"""Where configuration values come from, which are taken, and what is said of those that are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from logfire._internal.config import parameters
from logfire._internal.config.parameters import Parameter, Sources
from logfire.exceptions import LogfireConfigError

# A value of each parameter as text, and what it becomes.
TEXTS: list[tuple[Parameter[Any], str, object]] = [
    (parameters.SEND_TO_LOGFIRE, 'false', False),
    (parameters.SEND_TO_LOGFIRE, 'if-token-present', 'if-token-present'),
    (parameters.BASE_URL, 'https://logfire.example/', 'https://logfire.example'),
    (parameters.SERVICE_NAME, 'shop', 'shop'),
    (parameters.SERVICE_VERSION, '1.2', '1.2'),
    (parameters.ENVIRONMENT, 'staging', 'staging'),
    (parameters.MIN_LEVEL, 'warn', 13),
    (parameters.MIN_LEVEL, ' Warning ', 13),
    (parameters.MIN_LEVEL, '17', 17),
    (parameters.TRACE_SAMPLE_RATE, '0.25', 0.25),
    (parameters.INSPECT_ARGUMENTS, '0', False),
    (parameters.IGNORE_NO_CONFIG, '1', True),
    (parameters.DISTRIBUTED_TRACING, 'T', True),
    (parameters.EXPORT_MEMORY_ITEMS, ' 100 ', 100),
    (parameters.EXPORT_MEMORY_SIZE, '1000000', 1_000_000),
    (parameters.EXPORT_BUFFER_DIR, '/var/buffer', Path('/var/buffer')),
    (parameters.EXPORT_BUFFER_DIR, '~/buffer', Path.home() / 'buffer'),
    (parameters.EXPORT_BUFFER_SIZE, '7', 7),
    (parameters.CONSOLE, 'f', False),
    (parameters.CONSOLE_COLORS, 'Never', 'never'),
    (parameters.CONSOLE_SPAN_STYLE, 'indented', 'indented'),
    (parameters.CONSOLE_INCLUDE_TIMESTAMP, 'False', False),
    (parameters.CONSOLE_INCLUDE_TAGS, 'false', False),
    (parameters.CONSOLE_VERBOSE, 'TRUE', True),
    (parameters.CONSOLE_MIN_LOG_LEVEL, 'debug', 'debug'),
]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_table(directory: Path, content: str) -> None:
    directory.joinpath('pyproject.toml').write_text(f'[tool.logfire]\n{content}\n', encoding='utf-8')


@pytest.mark.parametrize(('parameter', 'text', 'value'), TEXTS, ids=lambda each: getattr(each, 'name', None))
def test_a_variable_sets_a_parameter(
    parameter: Parameter[Any], text: str, value: object, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every parameter can be set by its environment variable."""
    assert Sources().value(parameter) == parameter.default
    monkeypatch.setenv(f'LOGFIRE_{parameter.name.upper()}', text)
    assert Sources().value(parameter) == value


@pytest.mark.parametrize(('parameter', 'text', 'value'), TEXTS, ids=lambda each: getattr(each, 'name', None))
def test_a_file_sets_a_parameter(parameter: Parameter[Any], text: str, value: object, directory: Path) -> None:
    """Every parameter can be set in `[tool.logfire]` of pyproject.toml."""
    write_table(directory, f'{parameter.name} = "{text}"')
    assert Sources().value(parameter) == value


@pytest.mark.parametrize(('literal', 'value'), [('true', True), ('false', False)])
def test_a_file_has_types_of_its_own(literal: str, value: object, directory: Path) -> None:
    """A TOML boolean or number counts as what it is."""
    write_table(directory, f'console = {literal}\ntrace_sample_rate = 0.5\nmin_level = 10')
    assert Sources().value(parameters.CONSOLE) is value
    assert Sources().value(parameters.TRACE_SAMPLE_RATE) == 0.5
    assert Sources().value(parameters.MIN_LEVEL) == 10


def test_keyword_over_environment_over_file_over_default(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each source gives way to the one nearer to the code."""
    name = parameters.SERVICE_NAME
    assert Sources().value(name) is None
    write_table(directory, 'service_name = "file"')
    assert Sources().value(name) == 'file'
    monkeypatch.setenv('OTEL_SERVICE_NAME', 'otel')
    assert Sources().value(name) == 'otel'
    monkeypatch.setenv('LOGFIRE_SERVICE_NAME', 'ours')
    assert Sources().value(name) == 'ours'
    assert Sources().value(name, 'keyword') == 'keyword'


def test_none_and_empty_text_are_unset(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None and '' in one source leave the word to the next."""
    write_table(directory, 'service_name = "file"')
    monkeypatch.setenv('LOGFIRE_SERVICE_NAME', '')
    assert Sources().value(parameters.SERVICE_NAME, '') == 'file'
    write_table(directory, 'service_name = ""')
    assert Sources().value(parameters.SERVICE_NAME, None) is None


def test_false_and_zero_are_values(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A keyword that is false is set all the same."""
    monkeypatch.setenv('LOGFIRE_CONSOLE', '1')
    monkeypatch.setenv('LOGFIRE_TRACE_SAMPLE_RATE', '1')
    assert Sources().value(parameters.CONSOLE, False) is False
    assert Sources().value(parameters.TRACE_SAMPLE_RATE, 0) == 0


@pytest.mark.parametrize(
    ('given', 'tokens'),
    [
        ('one', ('one',)),
        (' one , two,,one', ('one', 'two')),
        (['one', 'two '], ('one', 'two')),
        (('one',), ('one',)),
        ([], ()),
    ],
)
def test_tokens_come_alone_or_as_a_list(given: Any, tokens: tuple[str, ...], directory: Path) -> None:
    """Several tokens are a list, or one text with commas; each counts once."""
    assert Sources().value(parameters.TOKEN, given) == tokens


def test_a_token_is_never_read_from_a_file(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token in pyproject.toml, which is committed, is not used."""
    write_table(directory, 'token = "from-file"\nconfig_dir = "elsewhere"')
    assert Sources().value(parameters.TOKEN) == ()
    monkeypatch.setenv('LOGFIRE_TOKEN', 'from-environment')
    assert Sources().value(parameters.TOKEN) == ('from-environment',)


@pytest.mark.parametrize('given', ['se\ncret', 'sécret', 3, ['secret', 3]])
def test_a_wrong_token_is_not_quoted(given: Any, directory: Path) -> None:
    """What may be a secret does not get into an error message."""
    with pytest.raises(LogfireConfigError) as caught:
        Sources().value(parameters.TOKEN, given)
    assert 'token: the value given, from the argument `token`, is not allowed.' in str(caught.value)
    assert 'cret' not in str(caught.value)
    assert caught.value.__suppress_context__


LEVELS = "one of 'trace', 'debug', 'info', 'notice', 'warn', 'warning', 'error', 'fatal', or a severity number"

REJECTED: list[tuple[Parameter[Any], str, list[object]]] = [
    (parameters.CONSOLE, 'true or false (1, true, t, 0, false, f)', ['yes', 2]),
    (parameters.SEND_TO_LOGFIRE, "true, false or 'if-token-present'", ['maybe', 1.5]),
    (parameters.SERVICE_NAME, 'a string', [3]),
    (parameters.CONFIG_DIR, 'a path', [3]),
    (parameters.BASE_URL, 'a URL that begins with http:// or https://, without user and password', ['ftp://x']),
    (parameters.TRACE_SAMPLE_RATE, 'a number from 0 to 1', ['x', 1.5, -0.1, 'nan', True]),
    (parameters.MIN_LEVEL, LEVELS, ['loud', -1, 1.5, True]),
    (parameters.CONSOLE_COLORS, "one of 'auto', 'always', 'never'", ['red', 1]),
    (parameters.EXPORT_MEMORY_ITEMS, 'a whole number above zero', [0, -1, '0', '1.5', 'many', True, 1.0]),
    (parameters.EXPORT_BUFFER_DIR, 'a path', [3]),
]


@pytest.mark.parametrize(
    ('parameter', 'allowed', 'given'),
    [(parameter, allowed, given) for parameter, allowed, values in REJECTED for given in values],
    ids=lambda each: getattr(each, 'name', None),
)
def test_what_is_wrong_is_said(parameter: Parameter[Any], allowed: str, given: object, directory: Path) -> None:
    """The error names the parameter, what was given, where, and what is allowed."""
    with pytest.raises(LogfireConfigError) as caught:
        Sources().value(parameter, given)
    name = parameter.name
    assert str(caught.value) == f'{name}: {given!r}, from the argument `{name}`, is not allowed. Expected {allowed}.'


def test_a_long_value_is_quoted_in_part(directory: Path) -> None:
    """An error stays readable however long the value is."""
    with pytest.raises(LogfireConfigError) as caught:
        Sources().value(parameters.SERVICE_NAME, ['x' * 1_000])
    assert len(str(caught.value)) < 250


def test_an_error_says_where_the_value_came_from(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable, or the file, that a wrong value stands in."""
    write_table(directory, 'console = "maybe"')
    with pytest.raises(LogfireConfigError, match=r"^console: 'maybe', from \[tool.logfire\] of pyproject.toml, is not"):
        Sources().value(parameters.CONSOLE)
    monkeypatch.setenv('OTEL_TRACES_SAMPLER_ARG', '7')
    with pytest.raises(LogfireConfigError, match=r"^trace_sample_rate: '7', from the environment variable OTEL_"):
        Sources().value(parameters.TRACE_SAMPLE_RATE)


def test_the_file_is_in_the_directory_named(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`config_dir`, or else LOGFIRE_CONFIG_DIR, says where pyproject.toml is."""
    for name in ('keyword', 'variable'):
        directory.joinpath(name).mkdir()
        write_table(directory / name, f'service_name = "{name}"')
    write_table(directory, 'service_name = "here"')
    assert Sources().value(parameters.SERVICE_NAME) == 'here'
    monkeypatch.setenv('LOGFIRE_CONFIG_DIR', 'variable')
    assert Sources().value(parameters.SERVICE_NAME) == 'variable'
    assert Sources('keyword').value(parameters.SERVICE_NAME) == 'keyword'
    assert Sources(directory / 'keyword').value(parameters.SERVICE_NAME) == 'keyword'


@pytest.mark.parametrize(
    'content', ['', '[project]\nname = "logfire-user"', '[tool.other]\nx = "logfire"', 'tool = "logfire"']
)
def test_a_file_without_a_table_sets_nothing(content: str, directory: Path) -> None:
    """A pyproject.toml that says nothing of logfire is as good as none."""
    directory.joinpath('pyproject.toml').write_text(content, encoding='utf-8')
    assert Sources().value(parameters.SERVICE_NAME) is None


@pytest.mark.parametrize(
    'content',
    [
        '[tool.logfire]\nservice_name = "x"',
        '[ tool . "logfire" ]\nservice_name = "x"',
        "[tool.'logfire']\nservice_name = 'x'",
        '["tool"."logfire"]\r\nservice_name = "x"',
        'tool.logfire.service_name = "x"',
        'tool . "logfire" . service_name = "x"',
        'tool.logfire = {service_name = "x"}',
        '[tool]\nlogfire = {service_name = "x"}',
        '[ "tool" ]\nlogfire.service_name = "x"',
        '[tool] # all of it\n"logfire".service_name = "x"',
        'tool = {logfire = {service_name = "x"}}',
        'tool = {"other" = {}, "logfire".service_name = "x"}',
        "'tool'.logfire.service_name = 'x'",
        '# logfire\n[tool."\\u006cogfire"]\nservice_name = "x"',
        '# logfire\n["\\U00000074ool"]\nlogfire.service_name = "x"',
        '["t\\u006fol"]\nlogfire.service_name = "x"',
    ],
)
def test_every_spelling_of_the_table_is_found(content: str, directory: Path) -> None:
    """However TOML lets `[tool.logfire]` be written, it counts."""
    directory.joinpath('pyproject.toml').write_text(content, encoding='utf-8')
    assert Sources().value(parameters.SERVICE_NAME) == 'x'


@pytest.mark.parametrize(
    'content',
    [
        '[project]\nname = "logfire"\ndependencies = ["logfire", "logfire[azure-ai-inference]>=1", "logfire==1.0"]',
        '[project]\nscripts.run = "logfire.main:run"\n[tool.ruff.lint]\nisort.known-first-party = ["logfire"]',
        '[project.scripts]\nlogfire = "logfire:main"\n[tool.pytest.ini_options]\naddopts = ["--cov", "logfire"]',
    ],
)
def test_the_reader_of_toml_is_loaded_for_a_table_only(
    content: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pyproject.toml that names logfire as a dependency, a script or a text is not parsed: that takes time."""
    directory.joinpath('pyproject.toml').write_text(content, encoding='utf-8')
    monkeypatch.setattr(parameters.importlib, 'import_module', pytest.fail)
    assert Sources().value(parameters.SERVICE_NAME) is None


@pytest.mark.parametrize(
    'content', [b'[tool\nlogfire = {', b'[tool.logfire\n', b'[tool.logfire]\nservice_name = "\xff"']
)
def test_a_file_that_is_not_toml_is_refused(content: bytes, directory: Path) -> None:
    """A pyproject.toml that cannot be read as TOML is an error that names it."""
    directory.joinpath('pyproject.toml').write_bytes(content)
    with pytest.raises(LogfireConfigError, match=r'config_dir: pyproject\.toml is not valid TOML'):
        Sources()


def test_a_table_that_is_none_is_refused(directory: Path) -> None:
    """`tool.logfire` must be a table."""
    directory.joinpath('pyproject.toml').write_text('[tool]\nlogfire = "x"', encoding='utf-8')
    with pytest.raises(LogfireConfigError, match='is not a table'):
        Sources()


def test_a_file_that_cannot_be_read_is_refused(directory: Path) -> None:
    """A pyproject.toml that is there and cannot be read is an error, not silence."""
    directory.joinpath('pyproject.toml').mkdir()
    with pytest.raises(LogfireConfigError, match=r'config_dir: cannot read pyproject\.toml'):
        Sources()


def test_a_directory_that_is_not_there_has_no_file(directory: Path) -> None:
    """A configuration directory without a pyproject.toml, or that does not exist, sets nothing."""
    assert Sources('nowhere').value(parameters.SERVICE_NAME) is None
    directory.joinpath('file').write_text('')
    assert Sources('file').value(parameters.SERVICE_NAME) is None


def test_the_export_buffer_needs_a_posix_system(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its permissions and locks are unknown the export buffer is refused, not used without them."""
    monkeypatch.setattr(parameters, 'IS_POSIX', False)
    with pytest.raises(LogfireConfigError, match=r'^export_buffer_dir: .* the permissions and locks of a POSIX system'):
        Sources(directory).value(parameters.EXPORT_BUFFER_DIR, directory)
