"""The git revision of a working tree, read from git's files."""

from __future__ import annotations

import os


def git_revision(directory: str) -> str | None:
    """The commit that is checked out in the working tree around `directory`, None where there is none.

    Git's files are read; git itself is not run.
    """
    try:
        while True:
            marker = os.path.join(directory, '.git')
            if os.path.isdir(marker):
                return _revision(marker)
            if os.path.isfile(marker):  # A linked working tree, or a submodule.
                return _revision(os.path.join(directory, _text(marker).removeprefix('gitdir:').strip()))
            parent = os.path.dirname(directory)
            if parent == directory:
                return None
            directory = parent
    except (OSError, ValueError):
        return None  # Not readable, or not text: the service has no version then.


def _revision(git_directory: str) -> str | None:
    head = _text(os.path.join(git_directory, 'HEAD')).strip()
    if not head.startswith('ref:'):
        return head or None
    name = head.removeprefix('ref:').strip()
    # The references of a linked working tree are in the directory of the main one.
    common = os.path.join(git_directory, 'commondir')
    main = os.path.join(git_directory, _text(common).strip()) if os.path.isfile(common) else git_directory
    for directory in (git_directory, main):
        reference = os.path.join(directory, name)
        if os.path.isfile(reference):
            return _text(reference).strip() or None
    for line in _text(os.path.join(main, 'packed-refs')).splitlines():
        revision, _, packed_name = line.partition(' ')
        if packed_name == name:
            return revision
    return None


def _text(path: str) -> str:
    with open(path, encoding='utf-8') as file:
        return file.read()
