"""The order in which batches leave, what moves to the folder, and what is lost when nothing is left."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

from logfire._internal.exporters.backlog import Backlog, MemoryLimits
from logfire._internal.exporters.batch import Batch
from logfire._internal.exporters.disk_buffer import DiskBuffer
from logfire._internal.exporters.losses import BUFFER_FULL, DISK_FAILED, NOT_DELIVERED

KEY = 'a' * 32
ROOMY = MemoryLimits(1_000, 1_000_000)


def batch(stamp: int, items: int = 1) -> Batch:
    return Batch(stamp, items, '', b'x' * 100)


class Bench:
    """A backlog, and what it lost."""

    def __init__(self, limits: MemoryLimits = ROOMY, folder: Path | None = None, *, size: int = 100_000) -> None:
        self.lost: Counter[str] = Counter()
        self.disk = DiskBuffer(folder, size) if folder is not None else None
        self.backlog = Backlog(limits, self.disk, self._lose)
        self.backlog.open_folder(KEY)

    def _lose(self, count: int, reason: str) -> None:
        if count:
            self.lost[reason] += count

    def deliver(self) -> list[int]:
        """Take everything out; the stamps."""
        stamps: list[int] = []
        while (each := self.backlog.next()) is not None:
            stamps.append(each.stamp)
            self.backlog.settled()
        return stamps


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / 'buffer'


def stored(folder: Path) -> list[int]:
    """The items of the batches in the folder, in order."""
    return [int(path.stem.split('-')[2]) for path in sorted(folder.rglob('*.batch'), key=lambda path: path.name)]


def test_batches_leave_in_the_order_in_which_they_came(folder: Path) -> None:
    """With the batch on its way, the folder and memory all in use, the order is that of the stamps."""
    bench = Bench(MemoryLimits(2, 1_000_000), folder)
    bench.backlog.put(batch(1))
    assert bench.backlog.next() == batch(1)
    for stamp in (2, 3, 4, 5):
        bench.backlog.put(batch(stamp))
    bench.backlog.returned()
    assert stored(folder) == [1, 1, 1]
    assert bench.backlog.oldest == 1
    assert bench.deliver() == [1, 2, 3, 4, 5]
    assert bench.backlog.oldest is None
    assert stored(folder) == []
    assert bench.lost == {}


def test_what_waits_for_its_next_attempt_is_the_oldest_and_dropped_first() -> None:
    """So a batch on which a collector chokes for good holds up the others no longer than the memory lasts."""
    bench = Bench(MemoryLimits(2, 1_000_000))
    bench.backlog.put(batch(1))
    bench.backlog.next()
    bench.backlog.returned()
    bench.backlog.put(batch(2))
    bench.backlog.put(batch(3))
    assert bench.lost == {BUFFER_FULL: 1}
    assert bench.deliver() == [2, 3]


def test_what_is_on_its_way_is_not_dropped() -> None:
    """It may be delivered already."""
    bench = Bench(MemoryLimits(1, 1_000_000))
    bench.backlog.put(batch(1))
    bench.backlog.next()
    bench.backlog.put(batch(2))
    bench.backlog.put(batch(3))
    assert bench.lost == {BUFFER_FULL: 1}
    bench.backlog.settled()
    assert bench.deliver() == [3]


def test_a_full_folder_drops_the_oldest_even_if_it_waits_for_its_next_attempt(folder: Path) -> None:
    """What is dropped beneath a batch is not delivered again, and is counted once."""
    bench = Bench(MemoryLimits(1, 1_000_000), folder, size=2 * 320)
    for stamp in (1, 2, 3):
        bench.backlog.put(batch(stamp))
    assert bench.backlog.next() == batch(1)
    bench.backlog.returned()
    bench.backlog.put(batch(4))
    assert bench.lost == {BUFFER_FULL: 1}
    bench.backlog.settled()  # Of no effect: it is no longer there.
    bench.backlog.put(batch(5))
    assert bench.lost == {BUFFER_FULL: 2}
    assert bench.deliver() == [3, 4, 5]


def test_what_has_no_room_in_the_folder_is_lost(folder: Path) -> None:
    """A folder too small for a batch is as good as none."""
    bench = Bench(MemoryLimits(1, 1_000_000), folder, size=10)
    bench.backlog.put(batch(1))
    bench.backlog.put(batch(2))
    assert bench.lost == {BUFFER_FULL: 1}
    assert bench.deliver() == [2]


def test_a_folder_that_cannot_be_written_to_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What should have gone there is counted as lost, for that reason."""
    bench = Bench(MemoryLimits(1, 1_000_000), folder)

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'rename', full)
    bench.backlog.put(batch(1))
    bench.backlog.put(batch(2))
    assert bench.lost == {DISK_FAILED: 1}


def test_a_stored_batch_that_is_damaged_is_passed_over(folder: Path) -> None:
    """What comes after it is delivered."""
    bench = Bench(MemoryLimits(1, 1_000_000), folder)
    for stamp in (1, 2, 3):
        bench.backlog.put(batch(stamp))
    min(folder.rglob('*.batch')).write_bytes(b'')
    assert bench.deliver() == [2, 3]


def test_what_is_left_is_written_to_the_folder(folder: Path) -> None:
    """At a shutdown the batch on its way and those in memory are stored; a stored one stays as it is."""
    bench = Bench(ROOMY, folder)
    for stamp in (1, 2):
        bench.backlog.put(batch(stamp))
    bench.backlog.next()
    bench.backlog.leave(time.monotonic() + 60)
    assert stored(folder) == [1, 1]
    again = Bench(ROOMY, folder)
    again.backlog.next()
    again.backlog.leave(time.monotonic() + 60)
    assert stored(folder) == [1, 1]
    assert Bench(ROOMY, folder).deliver() == [1, 2]
    # What the attempt that was under way says now is of no effect.
    bench.backlog.settled()
    bench.backlog.split([batch(1)])
    bench.backlog.returned()
    assert bench.backlog.next() is None
    assert bench.lost == again.lost == {}


def test_the_parts_of_a_stored_batch_are_stored_anew(folder: Path) -> None:
    """A batch divided in the meantime is left without the part that was delivered."""
    first = Bench(ROOMY, folder)
    first.backlog.put(batch(1, 8))
    first.backlog.leave(time.monotonic() + 60)
    second = Bench(ROOMY, folder)
    second.backlog.next()
    second.backlog.split([batch(1, 3), batch(1, 5)])
    second.backlog.next()
    second.backlog.settled()
    second.backlog.leave(time.monotonic() + 60)
    assert stored(folder) == [5]


def test_what_cannot_be_left_in_time_is_lost(folder: Path) -> None:
    """A deadline that has passed, or a disk that is stuck, holds nobody; all is counted."""
    late = Bench(ROOMY, folder)
    late.backlog.put(batch(1, 2))
    late.backlog.leave(time.monotonic())
    assert late.lost == {NOT_DELIVERED: 2}
    stuck = Bench(ROOMY, folder)
    stuck.backlog.put(batch(1, 3))
    with stuck.backlog._moving:
        stuck.backlog.leave(time.monotonic() + 0.01)
    assert stuck.lost == {NOT_DELIVERED: 3}
    assert stored(folder) == []
