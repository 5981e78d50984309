from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from logfire._internal import stack_info
from logfire._internal.stack_info import add_non_user_code_prefix, caller_attributes, is_user_code, warn_user

THIS_FILE = str(Path(__file__).relative_to(os.getcwd()))


@pytest.fixture(autouse=True)
def own_prefixes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test adds or remembers is gone after it."""
    monkeypatch.setattr(stack_info, '_prefixes', stack_info._prefixes)
    monkeypatch.setattr(stack_info, '_locations', {})


def defined_in(filename: str, source: str = 'def function():\n    return call()') -> Callable[[], Any]:
    """A function whose code says that it stands in a file; it returns what `caller_attributes` sees from there."""
    namespace: dict[str, Any] = {'call': caller_attributes}
    exec(compile(source, filename, 'exec'), namespace)
    return namespace['function']


def line_of_caller() -> int:
    return sys._getframe(1).f_lineno


def test_the_caller_is_where_the_user_called() -> None:
    """A span points to the file, the function and the line of the user's call."""
    line, found = line_of_caller(), caller_attributes()
    assert found == {
        'code.filepath': THIS_FILE,
        'code.function': 'test_the_caller_is_where_the_user_called',
        'code.lineno': line,
    }


class Shop:
    def open(self) -> dict[str, str | int]:
        return caller_attributes()


def test_the_function_is_qualified() -> None:
    """A method is told with its class, from Python 3.11 on."""
    expected = 'Shop.open' if sys.version_info >= (3, 11) else 'open'
    assert Shop().open()['code.function'] == expected


def test_no_function_at_module_level() -> None:
    """A call at module level has no `code.function`."""
    namespace: dict[str, Any] = {'call': caller_attributes}
    exec(compile('\n\nresult = call()', '/app/main.py', 'exec'), namespace)
    assert namespace['result'] == {'code.filepath': '/app/main.py', 'code.lineno': 3}


def test_a_comprehension_is_told_as_the_function_around_it() -> None:
    """A call in a comprehension is told as one of the function around it, on every version of Python."""
    function = defined_in(
        '/app/x.py', 'def function():\n    return [call() for _ in "a"] + [*{1: call() for _ in "a"}.values()]'
    )
    assert [found['code.function'] for found in function()] == ['function', 'function']


def test_a_repeated_call_is_told_anew() -> None:
    """The line is the one of each call, though the rest is remembered."""
    function = defined_in('/app/x.py', 'def function():\n    first = call()\n    return first, call()')
    first, second = function()
    assert (first['code.lineno'], second['code.lineno']) == (2, 3)
    assert function() == (first, second)


@pytest.mark.parametrize(
    ('filename', 'shown'),
    [
        ('{cwd}/shop/cart.py', 'shop/cart.py'),
        ('{cwd}/contextlib.py', 'contextlib.py'),
        ('shop/cart.py', 'shop/cart.py'),
        ('./shop/cart.py', 'shop/cart.py'),
        ('../up.py', '../up.py'),
        ('{cwd}x/y.py', '{cwd}x/y.py'),
        ('/other/place/y.py', '/other/place/y.py'),
        ('/tmp/ipykernel_123/456.py', '/tmp/ipykernel_123/456.py'),
        ('/x/my-site-packages/a.py', '/x/my-site-packages/a.py'),
        ('/x/logfire/_internal/main.py', '/x/logfire/_internal/main.py'),
    ],
)
def test_user_files(filename: str, shown: str) -> None:
    """A file of the user's is told relative to the working directory, or as it is where it is elsewhere."""
    cwd = os.getcwd()
    assert defined_in(filename.format(cwd=cwd))() == {
        'code.filepath': shown.format(cwd=cwd),
        'code.function': 'function',
        'code.lineno': 2,
    }


@pytest.mark.parametrize(
    'filename',
    [
        '<stdin>',
        '<string>',
        '<ipython-input-3-abc>',
        '<frozen importlib._bootstrap>',
        '{stdlib}/json/extra.py',
        '{cwd}/.venv/lib/python3.11/site-packages/x/y.py',
        '/other/venv/lib/python3.11/site-packages/x.py',
        '/usr/lib/python3/dist-packages/x/y.py',
        '{ours}/_internal/extra.py',
    ],
)
def test_files_that_are_not_the_users(filename: str) -> None:
    """Ours, the standard library, installed packages and code without a file are passed over: their caller is told."""
    ours = Path(stack_info.__file__).parents[1]
    function = defined_in(filename.format(cwd=os.getcwd(), stdlib=Path(os.__file__).parent, ours=ours))
    assert not is_user_code(function.__code__)
    assert function()['code.filepath'] == THIS_FILE


def test_no_frame_of_the_user() -> None:
    """Where no frame is the user's, as in a thread that runs our own method, nothing is told."""
    seen: list[dict[str, str | int]] = []
    # Formed in a file of the standard library's, so that the whole stack of the thread is.
    run = defined_in(os.__file__, 'def function():\n    seen.append(call())')
    run.__globals__['seen'] = seen
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [{}]


@pytest.mark.parametrize('as_type', [str, Path])
def test_a_prefix_of_code_that_is_not_the_users(as_type: Callable[[str], str | Path]) -> None:
    """Code under a prefix is passed over from then on, also where it was seen before; one that begins alike is not."""
    inside, beside = defined_in('/zork/x.py'), defined_in('/zorkmid/x.py')
    assert inside()['code.filepath'] == '/zork/x.py'
    add_non_user_code_prefix(as_type('/zork'))
    assert inside()['code.filepath'] == THIS_FILE
    assert beside()['code.filepath'] == '/zorkmid/x.py'


def test_a_prefix_may_be_a_file_or_relative() -> None:
    """A prefix may be one file, and may be relative to the working directory."""
    add_non_user_code_prefix('wrappers/log.py')
    assert defined_in('wrappers/log.py')()['code.filepath'] == THIS_FILE
    assert defined_in(os.path.abspath('wrappers/log.py'))()['code.filepath'] == THIS_FILE
    assert defined_in('wrappers/log2.py')()['code.filepath'] == 'wrappers/log2.py'


def test_the_working_directory_may_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deleted working directory costs the relative path, not the call."""

    def gone() -> str:
        raise FileNotFoundError

    function = defined_in('/app/x.py')
    monkeypatch.setattr(os, 'getcwd', gone)
    assert function()['code.filepath'] == '/app/x.py'


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much code is generated and run, what is remembered of it stays bounded, and right."""
    monkeypatch.setattr(stack_info, '_REMEMBERED', 3)
    for number in range(10):
        assert defined_in(f'/app/{number}.py')()['code.filepath'] == f'/app/{number}.py'
        assert len(stack_info._locations) <= 3


def test_a_warning_stands_at_the_users_line() -> None:
    """A warning of ours names the user's file and line, so that it can be found, and filtered by module."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        inner = defined_in(
            f'{Path(os.__file__).parent}/inner.py', 'def function():\n    warn_user("hello", UserWarning)'
        )
        inner.__globals__['warn_user'] = warn_user
        outer = defined_in('/app/x.py', 'def function():\n\n    inner()')
        outer.__globals__['inner'] = inner
        outer()
    assert [(str(one.message), one.category, one.filename, one.lineno) for one in caught] == [
        ('hello', UserWarning, '/app/x.py', 3)
    ]


def test_a_warning_without_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no frame is the user's, a warning is still given, at the line that asked for it."""
    monkeypatch.setattr(stack_info, '_prefixes', ('/',))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        warn_user('hello', UserWarning)
    assert [(one.filename, one.lineno) for one in caught] == [(__file__, line_of_caller() - 1)]
