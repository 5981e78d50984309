"""A backend's server: started from its own environment on a free loopback port, waited for, always stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).parent.parent.parent
START_S = 180
"""MLflow and Phoenix import for a long time, and make their databases first."""
STOP_S = 20


class ServerError(Exception):
    """A server did not start; the message has the end of its output."""


def installed(backend: str, command: str) -> str:
    """The path of a program in a backend's environment.

    Raises:
        ServerError: the environment has no such program.
    """
    path = ROOT / '.venv-ui' / backend / 'bin' / command
    if not path.exists():
        raise ServerError(
            f'{path.relative_to(ROOT)} is missing. `make ui-check` builds the environments, then runs this.'
        )
    return str(path)


def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def serving(
    command: Sequence[str], *, ready: str, directory: Path, environ: Mapping[str, str] | None = None
) -> Generator[None, None, None]:
    """Run a server while the block runs.

    Args:
        command: the program and its arguments.
        ready: the URL that answers, whatever it answers, once the server serves.
        directory: where it runs and leaves its files; its output goes to `server.log` there.
        environ: variables besides those of this process.

    Raises:
        ServerError: it ended, or did not answer within `START_S` seconds.
    """
    log = directory / 'server.log'
    with log.open('wb') as output:
        # A session of its own: servers have worker processes, which must end with them.
        process = subprocess.Popen(
            command,
            cwd=directory,
            # Its environment has packages of its own; none of this process's.
            env={**{name: value for name, value in os.environ.items() if name != 'PYTHONPATH'}, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_it_answers(process, ready, log)
            yield
        finally:
            _stop(process)


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = monotonic() + START_S
    while not _answers(url):
        try:
            status = process.wait(0.25)
        except subprocess.TimeoutExpired:
            if monotonic() > deadline:
                raise ServerError(f'{url} did not answer within {START_S} s. It said:\n{_end_of(log)}') from None
        else:
            raise ServerError(f'{process.args!r} ended with {status}. It said:\n{_end_of(log)}')


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _end_of(log: Path) -> str:
    return '\n'.join(log.read_text(encoding='utf-8', errors='replace').splitlines()[-40:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    for wish in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, wish)
            process.wait(STOP_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
