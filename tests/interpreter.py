"""Programs that tests run in an interpreter of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager


def run(code: str, *, seconds: float = 120, says: str = '', **environment: str) -> str:
    """Run a program that ends well and says this on its error output; its standard output."""
    done = subprocess.run(
        [sys.executable, '-W', 'error', '-c', code],
        env=_environment(environment),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, says)
    return done.stdout


@contextmanager
def running(code: str, **environment: str) -> Generator[subprocess.Popen[str]]:
    """A program to talk with by its standard input and output; killed in the end, if it has not ended."""
    with subprocess.Popen(
        [sys.executable, '-c', code],
        env=_environment(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def _environment(added: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(('LOGFIRE_', 'OTEL_'))}
    return {**kept, '_LOGFIRE_STRICT_FAULTS': '1', **added}
