"""Run the tests on every supported Python, and on the oldest and the newest OpenTelemetry: `make matrix`.

A cell is a Python and a choice of OpenTelemetry, in an environment of its own under `.venv-matrix`. By default every
Python that is found runs with the pinned OpenTelemetry, the oldest of them also with the floor that pyproject.toml
states, and the newest with the newest release, whatever constraints.txt says. Needs the standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
FOLDER: Final = ROOT / '.venv-matrix'
OPENTELEMETRY: Final = ('pinned', 'floor', 'newest')

# What OpenTelemetry's packages themselves limit: another release of them may need another of these.
_LIMITED: Final = (
    'opentelemetry',
    'protobuf',
    'googleapis-common-protos',
    'importlib-metadata',
    'importlib_metadata',
    'wrapt',
)


@dataclass(frozen=True)
class Cell:
    """A Python, by its version and interpreter, and a choice of OpenTelemetry."""

    version: str
    python: str
    opentelemetry: str

    def __str__(self) -> str:
        return f'Python {self.version}, OpenTelemetry {self.opentelemetry}'

    @property
    def folder(self) -> Path:
        return FOLDER / f'{self.version}-{self.opentelemetry}'


def supported_versions() -> list[str]:
    """The Python versions that pyproject.toml names, oldest first."""
    text = (ROOT / 'pyproject.toml').read_text(encoding='utf-8')
    return re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)


def version_of(python: str) -> str | None:
    """The version of an interpreter, `3.12`; None if it does not run, as a shim of pyenv may not."""
    code = 'import sys; print(*sys.version_info[:2], sep=".")'
    try:
        run = subprocess.run([python, '-c', code], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return run.stdout.strip()


def pyenv_pythons(version: str) -> list[str]:
    """The interpreters of a version that pyenv has installed, newest first."""
    root = os.environ.get('PYENV_ROOT', '')
    if not root and shutil.which('pyenv'):
        root = subprocess.run(['pyenv', 'root'], capture_output=True, text=True, check=False).stdout.strip()
    if not root:
        return []
    pythons = Path(root, 'versions').glob(f'{version}.*/bin/python3')
    return sorted(map(str, pythons), key=lambda path: [int(part) for part in re.findall(r'\d+', path)], reverse=True)


def find_pythons(named: Sequence[str]) -> dict[str, str]:
    """The interpreters to use, by version: those named, else those that are found.

    Raises:
        SystemExit: A named one does not run.
    """
    found: dict[str, str] = {}
    for python in named:
        version = version_of(python)
        if version is None:
            raise SystemExit(f'{python} is no Python interpreter that runs here.')
        found[version] = python
    if named:
        return found
    for version in supported_versions():
        for python in (sys.executable, f'python{version}', *pyenv_pythons(version)):
            if version_of(python) == version:
                found[version] = python
                break
    return found


def cells(pythons: dict[str, str], *, everything: bool) -> list[Cell]:
    """The cells to run."""
    versions = sorted(pythons, key=lambda version: [int(part) for part in version.split('.')])
    return [
        Cell(version, pythons[version], opentelemetry)
        for version in versions
        for opentelemetry in OPENTELEMETRY
        if everything
        or opentelemetry == 'pinned'
        or (opentelemetry == 'floor' and version == versions[0])
        or (opentelemetry == 'newest' and version == versions[-1])
    ]


def constraints(opentelemetry: str) -> str:
    """The constraints of a choice of OpenTelemetry.

    OpenTelemetry numbers its stable packages 1.x and the others 0.x, in step: one floor of a kind is that of all.
    """
    lines = (ROOT / 'constraints.txt').read_text(encoding='utf-8').splitlines()
    if opentelemetry == 'pinned':
        return '\n'.join(lines)
    kept = [line for line in lines if not line.startswith(_LIMITED)]
    if opentelemetry == 'newest':
        return '\n'.join(kept)
    project = (ROOT / 'pyproject.toml').read_text(encoding='utf-8')
    floors = dict(re.findall(r'"(opentelemetry-[\w-]+)>=([\w.]+)"', project))
    kinds = {floor[0]: floor for floor in floors.values()}
    pins = [re.match(r'(opentelemetry-[\w-]+)==(\d)', line) for line in lines]
    return '\n'.join([*kept, *(f'{pin[1]}=={kinds[pin[2]]}' for pin in pins if pin)])


def set_up(cell: Cell, pip: str) -> str:
    """Make the environment of a cell, unless it is there already; its interpreter.

    Raises:
        subprocess.CalledProcessError: Something cannot be installed.
    """
    python = str(cell.folder / 'bin' / 'python')
    limits = constraints(cell.opentelemetry)
    project = (ROOT / 'pyproject.toml').read_text(encoding='utf-8')
    wanted = hashlib.sha256(f'{cell.python}\n{pip}\n{limits}\n{project}'.encode()).hexdigest()
    mark = cell.folder / '.setup'
    # The newest release may be another one today.
    if cell.opentelemetry != 'newest' and mark.is_file() and mark.read_text(encoding='utf-8') == wanted:
        return python
    subprocess.run([cell.python, '-m', 'venv', '--clear', str(cell.folder)], check=True)
    limits_file = cell.folder / 'constraints.txt'
    limits_file.write_text(limits, encoding='utf-8')
    install = [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
    subprocess.run([*install, f'pip=={pip}'], check=True)
    options = [
        '--constraint',
        str(limits_file),
        '--editable',
        f'{ROOT}[azure-ai-inference,cost]',
        '--group',
        'test',
        '--group',
        'docs',
    ]
    subprocess.run([*install, *options], cwd=ROOT, check=True)
    mark.write_text(wanted, encoding='utf-8')
    return python


def run(cell: Cell, pip: str, tests: Iterable[str]) -> tuple[bool, str]:
    """Run the tests in a cell; whether they passed, and pytest's last line."""
    try:
        python = set_up(cell, pip)
    except subprocess.CalledProcessError as exc:
        return False, f'not set up: {exc}'
    versions = 'from importlib.metadata import version; print(version("opentelemetry-sdk"))'
    sdk = subprocess.run([python, '-c', versions], capture_output=True, text=True, check=True).stdout.strip()
    command = [python, '-m', 'pytest', '-q', '-n', '2', '-p', 'no:cacheprovider', *tests]
    log = cell.folder / 'pytest.log'
    with log.open('w', encoding='utf-8') as output:
        code = subprocess.run(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False).returncode
    lines = log.read_text(encoding='utf-8').splitlines()
    if code:
        print(*lines[-60:], sep='\n')
    totals = [line for line in lines if re.search(r'\d+ (passed|failed|error)', line)]
    return code == 0, f'sdk {sdk}: {totals[-1].strip("= ") if totals else f"ended with {code}, see {log}"}'


def main() -> int:
    """Run the cells, one after the other, and show what came of each."""
    parser = argparse.ArgumentParser(prog='python -m tests.matrix', description=__doc__)
    parser.add_argument('--pythons', default='', help='interpreters, in place of those that are found')
    parser.add_argument('--pip', required=True, help='the version of pip to install with')
    parser.add_argument('--all', action='store_true', help='every Python with every choice of OpenTelemetry')
    parser.add_argument('--version', choices=supported_versions(), help='only this version of Python')
    parser.add_argument('--opentelemetry', choices=OPENTELEMETRY, help='only this choice of OpenTelemetry')
    parser.add_argument('tests', nargs='*', help='the tests to run; all, if none are named')
    arguments = parser.parse_args()
    pythons = find_pythons(arguments.pythons.split())
    missing = [version for version in supported_versions() if version not in pythons]
    chosen = [
        cell
        for cell in cells(pythons, everything=arguments.all or bool(arguments.version and arguments.opentelemetry))
        if arguments.version in (None, cell.version) and arguments.opentelemetry in (None, cell.opentelemetry)
    ]
    results: list[tuple[Cell, bool, str]] = []
    for cell in chosen:
        print(f'{cell}: running', flush=True)
        started = time.monotonic()
        passed, told = run(cell, arguments.pip, arguments.tests)
        results.append((cell, passed, told))
        print(f'{cell}: {"passed" if passed else "FAILED"}, {time.monotonic() - started:.0f} s', flush=True)
    print()
    for cell, passed, told in results:
        print(f'{"passed" if passed else "FAILED"}  {cell}  ({told})')
    for version in missing:
        print(f'not run  Python {version}: no interpreter found; name it, as in: make matrix PYTHONS=path/to/python')
    return 0 if all(passed for _, passed, _ in results) else 1


if __name__ == '__main__':
    sys.exit(main())
