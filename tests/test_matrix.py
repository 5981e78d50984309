"""Which cells `make matrix` runs, and what it installs in them; running them is not part of the default run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.matrix import Cell, cells, constraints, find_pythons, pyenv_pythons, supported_versions, version_of

HERE = f'{sys.version_info.major}.{sys.version_info.minor}'


def test_the_floor_and_the_newest_run_once() -> None:
    """Every Python has the pinned OpenTelemetry, the oldest the floor too, and the newest the newest."""
    pythons = {'3.12': 'c', '3.9': 'a', '3.10': 'b'}
    chosen = [(cell.version, cell.opentelemetry) for cell in cells(pythons, everything=False)]
    assert chosen == [
        ('3.9', 'pinned'), ('3.9', 'floor'), ('3.10', 'pinned'), ('3.12', 'pinned'), ('3.12', 'newest')
    ]  # fmt: skip
    assert len({*cells(pythons, everything=True)}) == 9


def test_the_floor_is_that_of_the_project() -> None:
    """Every package of OpenTelemetry is held to the lowest release that pyproject.toml allows, the others as pinned."""
    pinned, floor, newest = (constraints(name).splitlines() for name in ('pinned', 'floor', 'newest'))
    assert 'opentelemetry-api==1.39.0' in floor
    assert 'opentelemetry-instrumentation-requests==0.60b0' in floor
    assert not [line for line in newest if line.startswith('opentelemetry')]
    assert {line for line in pinned if line.startswith(('pytest', 'pydantic'))} < {*floor} & {*newest}


def test_interpreters_are_asked_for_their_version(tmp_path: Path) -> None:
    """One that is there but does not run, as a shim of pyenv may not, is none; a named one ends the run."""
    broken = tmp_path / 'python3'
    broken.write_text('#!/bin/sh\nexit 127\n')
    broken.chmod(0o755)
    assert version_of(sys.executable) == HERE
    assert version_of(str(broken)) is None
    assert find_pythons([sys.executable]) == {HERE: sys.executable}
    with pytest.raises(SystemExit, match='no Python interpreter'):
        find_pythons([str(broken)])


def test_interpreters_of_pyenv_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without their names on PATH too, the newest release of a version first."""
    for name in ('3.10.2', '3.10.13', '3.1.5'):
        (tmp_path / 'versions' / name / 'bin').mkdir(parents=True)
        os.symlink(sys.executable, tmp_path / 'versions' / name / 'bin' / 'python3')
    monkeypatch.setenv('PYENV_ROOT', str(tmp_path))
    assert [Path(path).parts[-3] for path in pyenv_pythons('3.10')] == ['3.10.13', '3.10.2']
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.delenv('PYENV_ROOT')
    assert pyenv_pythons('3.10') == []


def test_this_python_is_found_and_supported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The versions are those that pyproject.toml names; what is neither on PATH nor of pyenv is not found."""
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.delenv('PYENV_ROOT', raising=False)
    assert supported_versions()[0] == '3.10'
    assert find_pythons([]) == {HERE: sys.executable}
    assert str(Cell('3.10', 'python', 'floor')) == 'Python 3.10, OpenTelemetry floor'
