"""What stands between OpenTelemetry's queues and an outbox, so that a flush and a shutdown reach through both."""

from __future__ import annotations

import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from logfire._internal.exporters.losses import QUEUE_FULL

if TYPE_CHECKING:
    from logfire._internal.exporters.outbox import Outbox


class Draining(ABC):
    """A processor or reader with an outbox."""

    outbox: Outbox

    def start(self) -> None:
        """Begin to deliver."""
        self.outbox.start()

    def drain(self) -> None:
        """A shutdown has begun: a flush that follows need not wait where waiting longer is of no use."""
        self.outbox.drain()

    @abstractmethod
    def finish(self, timeout_millis: int) -> None:
        """Shut down in this time: deliver what is held, store it, or count it as lost."""


class Tally:
    """Counts without a lock, on callers' threads."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._readings = 0

    def add(self) -> None:
        """Count one."""
        next(self._numbers)

    def read(self) -> int:
        """How many were counted. By one thread at a time."""
        self._readings += 1
        return next(self._numbers) - self._readings + 1


class Queue:
    """OpenTelemetry's queue before an outbox. What it drops because it is full is counted: what goes in and not out."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        outbox.forked = self.begin_anew
        self.begin_anew()

    def begin_anew(self) -> None:
        """Nothing went in or out yet, as in a forked child."""
        self._entered = Tally()
        self._left = 0
        self._lost = 0

    def enter(self) -> None:
        """One goes in."""
        self._entered.add()

    def leave(self, count: int) -> None:
        """So many came out."""
        self._left += count

    def flush(self, empty: Callable[[], bool], timeout_millis: int) -> bool:
        """Empty the queue, and wait until the outbox has delivered; whether all was."""
        deadline = time.monotonic() + timeout_millis / 1_000
        lost = self.outbox.lost_so_far
        return self._emptied(empty) and self.outbox.flush(deadline - time.monotonic(), lost_before=lost)

    def shutdown(self, finish: Callable[[], object], timeout_millis: int) -> None:
        """Empty the queue for the last time, and close the outbox."""
        deadline = time.monotonic() + timeout_millis / 1_000
        self._emptied(finish)
        self.outbox.close(deadline - time.monotonic())

    def _emptied(self, empty: Callable[[], object]) -> bool:
        entered = self._entered.read()
        emptied = empty() is not False
        lost = entered - self._left - self._lost
        if emptied and lost > 0:
            self._lost += lost
            self.outbox.lose(lost, QUEUE_FULL)
        return emptied
