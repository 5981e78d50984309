"""The git revision that stands in for a version of the service."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from logfire._internal.config.revision import git_revision


def git(directory: Path, *arguments: str) -> str:
    settings = ['-c', 'user.name=n', '-c', 'user.email=e@example.org', '-c', 'init.defaultBranch=main']
    command = ['git', *settings, *arguments]
    return subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    repository = tmp_path / 'repository'
    repository.mkdir()
    git(repository, 'init')
    git(repository, 'commit', '--allow-empty', '--message=first')
    return repository


def test_the_revision_is_that_of_git(repository: Path) -> None:
    """The revision is what `git rev-parse HEAD` says, from any directory of the working tree."""
    revision = git(repository, 'rev-parse', 'HEAD')
    below = repository / 'a' / 'b'
    below.mkdir(parents=True)
    assert git_revision(str(repository)) == git_revision(str(below)) == revision


def test_the_revision_of_packed_references(repository: Path) -> None:
    """References that git has packed into one file are found."""
    git(repository, 'branch', 'other')
    git(repository, 'pack-refs', '--all')
    assert git_revision(str(repository)) == git(repository, 'rev-parse', 'HEAD')


def test_the_revision_of_a_detached_head(repository: Path) -> None:
    """A commit checked out without a branch is found."""
    git(repository, 'checkout', '--detach')
    assert git_revision(str(repository)) == git(repository, 'rev-parse', 'HEAD')


def test_the_revision_of_a_linked_working_tree(repository: Path, tmp_path: Path) -> None:
    """A linked working tree has the revision of its own branch."""
    linked = tmp_path / 'linked'
    git(repository, 'worktree', 'add', '-b', 'linked', str(linked))
    git(linked, 'commit', '--allow-empty', '--message=second')
    assert git_revision(str(linked)) == git(linked, 'rev-parse', 'HEAD') != git_revision(str(repository))


def test_no_revision_before_the_first_commit(tmp_path: Path) -> None:
    """A repository without a commit has no revision."""
    git(tmp_path, 'init')
    assert git_revision(str(tmp_path)) is None
    tmp_path.joinpath('.git', 'packed-refs').write_text('0123 refs/heads/another\n', encoding='utf-8')
    assert git_revision(str(tmp_path)) is None


@pytest.mark.parametrize('head', [b'', b'ref: refs/heads/nothing', b'\xff\xfe'])
def test_no_revision_of_a_broken_repository(head: bytes, tmp_path: Path) -> None:
    """A repository that cannot be read is no error: there is no revision."""
    tmp_path.joinpath('.git').mkdir()
    tmp_path.joinpath('.git', 'HEAD').write_bytes(head)
    assert git_revision(str(tmp_path)) is None


def test_no_revision_outside_a_repository(tmp_path: Path) -> None:
    """A directory that is in no repository has no revision."""
    assert git_revision(str(tmp_path)) is None
