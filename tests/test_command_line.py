"""The `logfire` command."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from logfire.__main__ import main
from logfire.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=60, check=False)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the version and is a success."""
    with pytest.raises(SystemExit) as exited:
        main(['--version'])
    assert exited.value.code == 0
    assert capsys.readouterr().out == f'logfire {VERSION}\n'


@pytest.mark.parametrize('argv', [[], ['nothing-like-it']])
def test_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """No command, or an unknown one, prints the usage and fails."""
    with pytest.raises(SystemExit) as exited:
        main(argv)
    assert exited.value.code == 2
    assert capsys.readouterr().err.startswith('usage: logfire')


def test_module_is_the_command() -> None:
    """`python -m logfire` is the command."""
    result = subprocess.run(
        [sys.executable, '-m', 'logfire', '--version'], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout == f'logfire {VERSION}\n'


def test_demo_without_the_azure_clients() -> None:
    """Without the Azure clients the demo says what to install, and nothing else."""
    result = run_python(
        "import sys; sys.modules['azure.ai.inference'] = None\n"
        "from logfire.__main__ import main; sys.exit(main(['demo']))"
    )
    assert result.returncode == 1
    assert result.stdout == ''
    assert result.stderr == "The demo needs the Azure clients: pip install 'logfire[azure-ai-inference]'\n"


def test_demo_without_something_else() -> None:
    """Another missing module is not blamed on the Azure clients."""
    result = run_python(
        "import sys; sys.modules['logfire._internal.demo_model'] = None\n"
        "from logfire.__main__ import main; sys.exit(main(['demo']))"
    )
    assert result.returncode == 1
    assert 'logfire[azure-ai-inference]' not in result.stderr


def raise_(exception: BaseException) -> Callable[[], int]:
    def run() -> int:
        raise exception

    return run


def test_interrupted_demo(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C ends the demo without a traceback."""
    monkeypatch.setattr('logfire._internal.demo.run', raise_(KeyboardInterrupt()))
    assert main(['demo']) == 130
    assert capsys.readouterr() == ('', '')


def test_demo_into_a_closed_pipe() -> None:
    """A reader that has seen enough ends the demo without a traceback."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = subprocess.run(
            [sys.executable, '-m', 'logfire', 'demo'], stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False
        )
    finally:
        os.close(writer)
    assert (result.returncode, result.stderr) == (0, b'')
