"""The batches that one place has not been given yet, oldest first: in memory, and beyond that in a folder."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logfire._internal.exporters.batch import Batch
from logfire._internal.exporters.disk_buffer import DiskBuffer, NoRoom, StoredBatch
from logfire._internal.exporters.losses import BUFFER_FULL, DISK_FAILED, NOT_DELIVERED


@dataclass(frozen=True)
class MemoryLimits:
    """The most that is kept in memory. The newest batch is kept whatever its size."""

    items: int
    size: int
    """In bytes, as sent."""


@dataclass
class _Current:
    """The batch that is delivered next, in parts if the collector wants it so."""

    parts: deque[Batch]
    stored: StoredBatch | None
    """Where it is in the folder; None if it is in memory only."""
    is_whole: bool = True
    in_flight: bool = False


class Backlog:
    """Batches come in at one end, in the order of their stamps, and leave at the other.

    The order is: the current batch, then the folder, then memory; when memory is full its oldest move to the folder,
    so the order holds. Where nothing is left, the oldest of all are dropped, and `lost` is told.

    `_lock` guards the state and is never held during I/O. `_moving` is held while batches move between memory and
    folder; only background threads take it.
    """

    def __init__(self, limits: MemoryLimits, disk: DiskBuffer | None, lost: Callable[[int, str], None]) -> None:
        self._limits = limits
        self._disk = disk
        self._lost = lost
        self.begin_anew()

    def begin_anew(self) -> None:
        """Empty, with locks that nobody holds."""
        self._lock = threading.Lock()
        self._moving = threading.Lock()
        self._memory: deque[Batch] = deque()
        self._current: _Current | None = None
        self._oldest_stored: int | None = None

    def forsake(self) -> None:  # pragma: no cover - runs in forked children, which leave no coverage
        """In a forked child: everything stays the parent's."""
        if self._disk is not None:
            self._disk.forsake()
        self.begin_anew()

    @property
    def oldest(self) -> int | None:
        """The stamp of the batch that leaves first; None when there is none."""
        with self._lock:
            if self._current is not None:
                return self._current.parts[0].stamp
            if self._oldest_stored is not None:
                return self._oldest_stored
            return self._memory[0].stamp if self._memory else None

    @property
    def has_folder(self) -> bool:
        """Whether there is a folder that can be used."""
        return self._disk is not None and self._disk.is_open

    def open_folder(self, key: str) -> None:
        """Begin to use the folder for the destination of this name, and take over what others left there."""
        if self._disk is None:
            return
        with self._moving:
            if self._disk.is_open or self._disk.open(key):
                self._disk.adopt()
                self._note_stored()

    def put(self, batch: Batch) -> None:
        """Take the newest batch."""
        with self._lock:
            self._memory.append(batch)
        self._shrink()

    def next(self) -> Batch | None:
        """The batch to deliver now; it stays until one of the methods below says what became of it."""
        with self._moving:
            if self._current is None:
                self._choose()
            if self._current is None:
                return None
            self._current.in_flight = True
            return self._current.parts[0]

    def settled(self) -> None:
        """The batch given last is delivered or given up."""
        with self._moving:
            current = self._current
            if current is None:
                return  # All was left meanwhile.
            with self._lock:
                current.parts.popleft()
                current.is_whole = current.in_flight = False
                if current.parts:
                    return
                self._current = None
            if current.stored is not None:
                self._remove(current.stored)

    def split(self, halves: Sequence[Batch]) -> None:
        """The batch given last is to be delivered in halves."""
        with self._lock:
            if self._current is not None:
                self._current.parts.popleft()
                self._current.parts.extendleft(reversed(halves))
                self._current.is_whole = self._current.in_flight = False

    def returned(self) -> None:
        """The batch given last could not be delivered now."""
        with self._lock:
            if self._current is not None:
                self._current.in_flight = False
        self._shrink()

    def leave(self, deadline: float) -> None:
        """Write all to the folder, as far as `time.monotonic()` is before the deadline; what is not is lost."""
        if not self._moving.acquire(timeout=max(0.0, deadline - time.monotonic())):
            self._give_up(self._take_all()[1])
            return
        try:
            current, batches = self._take_all()
            folder = self._disk if self.has_folder else None
            while batches and folder is not None and time.monotonic() < deadline:
                self._store(folder, batches.popleft(), keep=None)
            if folder is not None:
                if current is not None and current.stored is not None and not current.is_whole and not batches:
                    folder.remove(current.stored)  # Its parts were written anew.
                folder.close()
            self._give_up(batches)
        finally:
            self._moving.release()

    def _take_all(self) -> tuple[_Current | None, deque[Batch]]:
        with self._lock:
            current, self._current = self._current, None
            batches, self._memory = self._memory, deque()
            self._oldest_stored = None
        if current is not None and not (current.stored is not None and current.is_whole):
            batches.extendleft(reversed(current.parts))
        return current, batches

    def _give_up(self, batches: deque[Batch]) -> None:
        self._lost(sum(batch.items for batch in batches), NOT_DELIVERED)

    def _choose(self) -> None:
        while self._disk is not None and (stored := self._disk.oldest) is not None:
            batch = self._disk.load(stored)
            if batch is not None:
                with self._lock:
                    self._current = _Current(deque([batch]), stored)
                return
            self._note_stored()
        with self._lock:
            if self._memory:
                self._current = _Current(deque([self._memory.popleft()]), None)

    def _shrink(self) -> None:
        with self._moving:
            while self._is_over():
                current = self._current
                waits = current is not None and current.stored is None and not current.in_flight
                if not self._memory or (len(self._memory) == 1 and not waits):
                    return
                if self._disk is not None and self._disk.is_open:
                    in_flight = current.stored if current is not None and current.in_flight else None
                    self._store(self._disk, self._memory[0], keep=in_flight)
                elif current is not None and waits:
                    with self._lock:
                        self._current = None
                    self._lost(sum(part.items for part in current.parts), BUFFER_FULL)
                    continue
                else:
                    self._lost(self._memory[0].items, BUFFER_FULL)
                with self._lock:
                    self._memory.popleft()

    def _is_over(self) -> bool:
        with self._lock:
            held = list(self._memory)
            if self._current is not None and self._current.stored is None:
                held += self._current.parts
        return (
            sum(batch.items for batch in held) > self._limits.items
            or sum(len(batch.body) for batch in held) > self._limits.size
        )

    def _store(self, folder: DiskBuffer, batch: Batch, *, keep: StoredBatch | None) -> None:
        try:
            removed = folder.store(batch, keep=keep)
        except NoRoom:
            self._lost(batch.items, BUFFER_FULL)
            return
        except OSError:
            self._lost(batch.items, DISK_FAILED)
            return
        finally:
            self._note_stored()
        for stored in removed:
            self._lost(stored.items, BUFFER_FULL)
            with self._lock:
                if self._current is not None and self._current.stored == stored:
                    self._current = None

    def _remove(self, stored: StoredBatch) -> None:
        assert self._disk is not None
        self._disk.remove(stored)
        self._note_stored()

    def _note_stored(self) -> None:
        """Keep at hand, for those who may not wait for the disk, what is the oldest there."""
        assert self._disk is not None
        oldest = self._disk.oldest
        with self._lock:
            self._oldest_stored = oldest.stamp if oldest is not None else None
