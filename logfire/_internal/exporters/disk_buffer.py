"""Batches kept in a folder until they can be delivered: by this process, or by a later one.

    FOLDER/                        0700, the user's own
      DESTINATION.RUN/             of one process at a time: who holds its lock
        lock
        STAMP-NUMBER-ITEMS.batch   0600: one line of JSON that describes the body, and the body

What is not the user's own, or could have been written by somebody else, is left alone and reported.
"""

from __future__ import annotations

import bisect
import hashlib
import json
import logging
import os
import re
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from logfire._internal.exporters.batch import ENCODINGS, Batch

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows, where `is_supported` says no
    fcntl = None

logger: Final = logging.getLogger('logfire')

is_supported: Final = fcntl is not None
"""Whether this system has the permissions and locks that the buffer relies on."""

_FORMAT: Final = 'logfire export buffer 1'
_FILE: Final = re.compile(r'(?P<stamp>[0-9]{20})-(?P<number>[0-9]+)-(?P<items>[0-9]+)\.batch')
_RUN: Final = re.compile(r'[0-9a-f]{32}\.[0-9a-f]{16}')
_LOCK: Final = 'lock'
_OPEN: Final = os.O_NOFOLLOW | os.O_CLOEXEC if is_supported else 0
_FOLDER: Final = _OPEN | os.O_DIRECTORY if is_supported else 0


class NoRoom(Exception):
    """A batch that is larger than the folder may be."""


class Distrusted(Exception):
    """Something that is not to be used; the text says why."""


@dataclass(frozen=True, order=True)
class StoredBatch:
    """A batch in the folder. In the order in which they are to be delivered."""

    stamp: int
    number: int
    run: str
    items: int = field(compare=False)
    size: int = field(compare=False)

    @property
    def name(self) -> str:
        return f'{self.stamp:020d}-{self.number}-{self.items}.batch'


class DiskBuffer:
    """The batches for one destination, in a folder that several processes and destinations share.

    Only one thread at a time may use it, and never a caller's: it reads and writes files. Nothing is written before
    the first batch is stored. It survives the process; a power failure may cost what was written last.

    Args:
        folder: Is made if it is not there, its parents are not.
        size: The most that all files in the folder may hold, in bytes. The oldest make room.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._path = folder
        self._size = size
        self._root: int | None = None
        self._key: str | None = None
        self._own: str | None = None
        self._runs: dict[str, tuple[int, int]] = {}
        """The descriptors of the folder and the lock of each run that is ours."""
        self._index: list[StoredBatch] = []
        self._number = 0
        self._told: set[str] = set()

    def open(self, key: str) -> bool:
        """Use the folder for a destination; whether it can be trusted. Why not is logged."""
        try:
            self._root = _open_private_folder(self._path)
        except (OSError, Distrusted) as problem:
            self._distrust(str(self._path), problem)
            return False
        self._key = key
        return True

    @property
    def is_open(self) -> bool:
        """Whether batches can be stored."""
        return self._root is not None

    @property
    def oldest(self) -> StoredBatch | None:
        """The batch that comes first."""
        return self._index[0] if self._index else None

    def adopt(self) -> None:
        """Take over what processes that have ended left for this destination."""
        for run in _names(self._root):
            if run.startswith(f'{self._key}.') and _RUN.fullmatch(run) and run not in self._runs:
                try:
                    if self._lock(run):
                        self._read_index(run)
                except FileNotFoundError:
                    pass  # Its owner has just removed it.
                except (OSError, Distrusted) as problem:
                    self._distrust(f'{self._path / run}', problem)

    def store(self, batch: Batch, *, keep: StoredBatch | None = None) -> list[StoredBatch]:
        """Write a batch; nobody sees it before it is whole. Returns the batches, oldest first, that made room for it.

        Args:
            batch: What to write.
            keep: A stored batch that makes no room because it is being delivered.

        Raises:
            NoRoom: The folder may not hold so much. Nothing has been removed.
            OSError: It cannot be written.
        """
        content = _encoded(batch)
        removed = self._make_room(len(content), keep)
        run, folder = self._own_run()
        self._number += 1
        stored = StoredBatch(batch.stamp, self._number, run, batch.items, len(content))
        unfinished = f'{stored.name}.new'
        try:
            with _created(unfinished, folder) as file:
                file.write(content)
            os.rename(unfinished, stored.name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            _unlink(unfinished, folder)
            raise
        bisect.insort(self._index, stored)
        return removed

    def _own_run(self) -> tuple[str, int]:
        if self._own is None:
            own = f'{self._key}.{secrets.token_hex(8)}'
            os.mkdir(own, 0o700, dir_fd=self._root)
            self._lock(own)
            self._own = own
        return self._own, self._runs[self._own][0]

    def _make_room(self, size: int, keep: StoredBatch | None) -> list[StoredBatch]:
        """Remove the oldest batches, whosever they are, until so many bytes more fit in."""
        present = sorted(self._everything())
        over = sum(stored.size for stored in present) + size - self._size
        removed: list[StoredBatch] = []
        for stored in present:
            if over > 0 and stored != keep:
                removed.append(stored)
                over -= stored.size
        if over > 0:
            raise NoRoom
        for stored in removed:
            self.remove(stored)
        return removed

    def load(self, stored: StoredBatch) -> Batch | None:
        """Read a batch; None if it has gone, or is not to be trusted: then it stays, and is not met again."""
        try:
            return _decoded(self._read(stored), stored)
        except FileNotFoundError:
            pass  # Another process needed the room, and counted it.
        except (OSError, Distrusted) as problem:
            self._distrust(f'{self._path / stored.run / stored.name}', problem)
        self._forget(stored)
        return None

    def remove(self, stored: StoredBatch) -> None:
        """Delete a batch: it is delivered, or given up."""
        self._forget(stored)
        if stored.run in self._runs:
            _unlink(stored.name, self._runs[stored.run][0])
        else:
            _unlink(f'{stored.run}/{stored.name}', self._root)

    def close(self) -> None:
        """Leave what is stored to a later process."""
        for run, (folder, lock) in self._runs.items():
            if _names(folder) == [_LOCK]:
                _unlink(_LOCK, folder)
                try:
                    os.rmdir(run, dir_fd=self._root)
                except OSError:
                    pass  # Somebody has just opened it: then it stays, empty.
            os.close(folder)
            os.close(lock)
        if self._root is not None:
            os.close(self._root)
        self._begin_anew()

    def forsake(self) -> None:  # pragma: no cover - runs in forked children, which leave no coverage
        """In a forked child: the parent keeps all of it. Its locks stay, for its descriptors are still open."""
        for folder, lock in self._runs.values():
            os.close(folder)
            os.close(lock)
        if self._root is not None:
            os.close(self._root)
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._root = self._own = None
        self._runs.clear()
        self._index.clear()

    def _lock(self, run: str) -> bool:
        """Make a run ours, if it is nobody's."""
        assert fcntl is not None
        folder = _open_trusted(run, _FOLDER, self._root)
        try:
            lock = os.open(_LOCK, os.O_RDWR | os.O_CREAT | _OPEN, 0o600, dir_fd=folder)
        except OSError:
            os.close(folder)
            raise
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(folder)
            os.close(lock)
            return False  # Its process lives.
        self._runs[run] = (folder, lock)
        return True

    def _read_index(self, run: str) -> None:
        folder, _ = self._runs[run]
        for stored in _stored(run, folder):
            bisect.insort(self._index, stored)
        for name in _names(folder):
            if name.endswith('.new'):
                _unlink(name, folder)  # Its process ended while it wrote.
            elif name != _LOCK and not _FILE.fullmatch(name):
                self._distrust(f'{self._path / run / name}', Distrusted('it is not part of an export buffer'))

    def _everything(self) -> Iterator[StoredBatch]:
        for run in _names(self._root):
            if not _RUN.fullmatch(run):
                continue
            try:
                folder = _open_trusted(run, _FOLDER, self._root)
            except (OSError, Distrusted):
                continue  # It has gone, or is told where it is adopted.
            try:
                yield from _stored(run, folder)
            finally:
                os.close(folder)

    def _read(self, stored: StoredBatch) -> bytes:
        folder, _ = self._runs[stored.run]
        descriptor = _open_trusted(stored.name, os.O_RDONLY | os.O_NONBLOCK | _OPEN, folder)
        with open(descriptor, 'rb') as file:
            # One more, so that a file that has grown is seen to be another.
            return file.read(stored.size + 1)

    def _forget(self, stored: StoredBatch) -> None:
        if stored in self._index:
            self._index.remove(stored)

    def _distrust(self, what: str, problem: Exception) -> None:
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        if what not in self._told:
            self._told.add(what)
            logger.warning('logfire: %r of the export buffer is not used: %s.', what, reason)


def _open_private_folder(path: Path) -> int:
    """The descriptor of a folder that is the user's alone."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    return _open_trusted(str(path), _FOLDER, None)


def _open_trusted(name: str, flags: int, folder: int | None) -> int:
    """Open what is the user's own and nobody else's.

    Raises:
        Distrusted: It is not.
        OSError: It cannot be opened.
    """
    if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        raise Distrusted('it is a symbolic link')
    descriptor = os.open(name, flags, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid():
            raise Distrusted('it belongs to another user')
        if status.st_mode & 0o077:
            raise Distrusted('others than its owner may use it: its permissions must be 0700, of files in it 0600')
        if not stat.S_ISDIR(status.st_mode) and (not stat.S_ISREG(status.st_mode) or status.st_nlink != 1):
            raise Distrusted('it is not a file of its own')
    except Distrusted:
        os.close(descriptor)
        raise
    return descriptor


def _created(name: str, folder: int) -> Any:
    """A new file, the user's alone whatever the umask."""
    return open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o600, dir_fd=folder), 'wb')


def _names(folder: int | None) -> list[str]:
    return sorted(os.listdir(folder)) if folder is not None else []


def _stored(run: str, folder: int) -> Iterator[StoredBatch]:
    for name in _names(folder):
        if match := _FILE.fullmatch(name):
            try:
                size = os.stat(name, dir_fd=folder, follow_symlinks=False).st_size
            except FileNotFoundError:
                continue
            yield StoredBatch(int(match['stamp']), int(match['number']), run, int(match['items']), size)


def _unlink(name: str, folder: int | None) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass


def _encoded(batch: Batch) -> bytes:
    described = {
        'format': _FORMAT,
        'items': batch.items,
        'encoding': batch.encoding,
        'sha256': hashlib.sha256(batch.body).hexdigest(),
    }
    return json.dumps(described).encode() + b'\n' + batch.body


def _decoded(content: bytes, stored: StoredBatch) -> Batch:
    line, _, body = content.partition(b'\n')
    try:
        described: object = json.loads(line)
    except ValueError:
        described = None
    if not isinstance(described, dict):
        raise Distrusted('it is not in the format of an export buffer')
    known = cast('dict[str, object]', described)
    if known.get('format') != _FORMAT or known.get('items') != stored.items or known.get('encoding') not in ENCODINGS:
        raise Distrusted('it is not in the format of an export buffer')
    if known.get('sha256') != hashlib.sha256(body).hexdigest():
        raise Distrusted('it is damaged')
    return Batch(stored.stamp, stored.items, cast('str', known['encoding']), body)
