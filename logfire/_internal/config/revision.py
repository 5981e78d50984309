"""The git revision of a working tree, read from git's files."""

from __future__ import annotations

from pathlib import Path


def git_revision(directory: Path) -> str | None:
    """The commit that is checked out in the working tree around `directory`, None where there is none.

    Git's files are read; git itself is not run.
    """
    try:
        for parent in (directory, *directory.parents):
            marker = parent / '.git'
            if marker.is_dir():
                return _revision(marker)
            if marker.is_file():  # A linked working tree, or a submodule.
                return _revision(parent / marker.read_text('utf-8').removeprefix('gitdir:').strip())
    except (OSError, ValueError):
        pass  # Not readable, or not text: the service has no version then.
    return None


def _revision(git_directory: Path) -> str | None:
    head = (git_directory / 'HEAD').read_text('utf-8').strip()
    if not head.startswith('ref:'):
        return head or None
    name = head.removeprefix('ref:').strip()
    # The references of a linked working tree are in the directory of the main one.
    common = git_directory / 'commondir'
    main = git_directory / common.read_text('utf-8').strip() if common.is_file() else git_directory
    for directory in (git_directory, main):
        reference = directory / name
        if reference.is_file():
            return reference.read_text('utf-8').strip() or None
    for line in (main / 'packed-refs').read_text('utf-8').splitlines():
        revision, _, packed_name = line.partition(' ')
        if packed_name == name:
            return revision
    return None
