"""What is on its way to one place, and the thread that delivers it for as long as it takes."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Final

from opentelemetry.context import attach, get_current

from logfire._internal.errors import Guard
from logfire._internal.exporters.backlog import Backlog, MemoryLimits
from logfire._internal.exporters.backoff import Backoff
from logfire._internal.exporters.batch import Batch, Signal
from logfire._internal.exporters.disk_buffer import DiskBuffer
from logfire._internal.exporters.losses import FAULT, NOT_DELIVERED, REJECTED, Losses
from logfire._internal.exporters.sending import Delivered, Destination, Outcome, Refused, Sender, TooLarge, Unavailable
from logfire._internal.suppression import suppressed

ADOPTION_INTERVAL: Final = 60.0
"""How often at most, in seconds, to look for what other processes left in the folder."""

DRAINING_DELAY: Final = 1.0
"""The longest delay between attempts while a shutdown waits, in seconds, unless the collector asks for more."""

DRAINING_SHARE: Final = 0.6
"""The part of its time that a shutdown spends delivering; the rest is for writing to the folder."""

_FOLDER_GUARD: Final = Guard('look into the export buffer')
_PRIME_GUARD: Final = Guard('learn where telemetry is sent to')
_SEND_GUARD: Final = Guard('deliver telemetry')
_SPLIT_GUARD: Final = Guard('split a batch of telemetry')

logger: Final = logging.getLogger('logfire')


class Outbox:
    """Takes batches from the thread that encodes them, and delivers them in order.

    Nothing here waits for the network, the disk, or a lock held while either is used, but the outbox's own thread;
    `put` may wait for the disk, on the thread that encodes. `flush` and `close` wait no longer than they are told.
    A batch may be delivered twice when a connection breaks before the answer, and never is lost in silence.

    Args:
        signal: What it delivers.
        limits: How much it keeps in memory.
        disk: Where more is kept; None is nowhere.
        sender: Makes the attempts.
        backoff: Says how long to wait after one that failed.
    """

    def __init__(
        self,
        signal: Signal,
        limits: MemoryLimits,
        disk: DiskBuffer | None = None,
        *,
        sender: Callable[[Signal], Sender] = Sender,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self.signal: Final = signal
        self.prime: Callable[[], object]
        """Called on the thread before anything else: makes an exporter put an empty batch, so that the destination is
        known, and what an earlier process left for it is delivered. Set by the exporter."""
        self.forked: Callable[[], None] | None = None
        """Called in a forked child."""
        self._new_sender = sender
        self._new_backoff = backoff
        self._backlog = Backlog(limits, disk, self.lose)
        self._closed = False
        self._begin_anew()
        _outboxes.add(self)

    def _begin_anew(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._sender = self._new_sender(self.signal)
        self._backoff = self._new_backoff()
        self._losses = Losses(self.signal.noun)
        self._lost = 0
        self._thread: threading.Thread | None = None
        self._destination: Destination | None = None
        self._last_stamp = 0
        self._failing = False
        self._sending = False
        self._draining = False
        self._failed_while_draining = False
        self._not_before = 0.0
        """When the next attempt is due."""
        self._earliest = 0.0
        """Before this not even a flush makes one."""
        self._look_again = 0.0
        self._told_of_answer = False

    def start(self) -> None:
        """Start the thread. After the interpreter has begun to exit none can be started."""
        with self._changed:
            if self._thread is not None or self._closed:
                return
            self._thread = threading.Thread(target=self._run, name=f'logfire-{self.signal.name}', daemon=True)
            self._thread.start()

    def put(self, destination: Destination, items: int, encoding: str, body: bytes) -> None:
        """Deliver a request with so many items as soon as may be. One without items only tells the destination."""
        with self._changed:
            is_first = self._destination is None
            if is_first:
                self._look_again = time.monotonic() + ADOPTION_INTERVAL
            self._destination = destination
            self._losses.where = destination.shown
            self._last_stamp = max(self._last_stamp + 1, time.time_ns())
            batch = Batch(self._last_stamp, items, encoding, body)
            closed = self._closed
        if closed:
            self.lose(items, NOT_DELIVERED)
            return
        if is_first:
            # At once, so that what is put next does not find memory full and no folder open.
            with _FOLDER_GUARD:
                self._backlog.open_folder(destination.key)
        if items:
            self._backlog.put(batch)
        self._notify()
        self.start()

    def lose(self, count: int, reason: str, problem: str = '') -> None:
        """Count what is lost."""
        with self._changed:
            self._lost += count
        self._losses.add(count, reason, problem)

    def lost(self) -> dict[str, int]:
        """How much was lost so far, by reason."""
        return self._losses.counts()

    def drain(self) -> None:
        """A shutdown has begun: try more often, and let a flush end where trying longer is of no use."""
        with self._changed:
            self._draining = True
            self._changed.notify_all()

    @property
    def lost_so_far(self) -> int:
        """How much was lost, for whatever reason."""
        return self._lost

    def flush(self, timeout_seconds: float, *, lost_before: int | None = None) -> bool:
        """Wait, at most so long, until all that was put before is delivered; whether it was.

        An attempt that is due later is made at once, unless the collector asked for the delay.

        Args:
            timeout_seconds: How long to wait.
            lost_before: What `lost_so_far` was before the last was put; None is what it is now.
        """
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            newest, lost = self._last_stamp, self._lost if lost_before is None else lost_before
            self._not_before = min(self._not_before, self._earliest)
            self._changed.notify_all()
            while (oldest := self._backlog.oldest) is not None and oldest <= newest:
                remaining = deadline - time.monotonic()
                if remaining <= 0 or self._closed or self._is_hopeless(deadline):
                    return False
                self._changed.wait(remaining)
            return self._lost == lost

    def close(self, timeout_seconds: float) -> bool:
        """Deliver what can be, within this time; write the rest to the folder, or count it as lost.

        Returns:
            Whether all was delivered.
        """
        deadline = time.monotonic() + timeout_seconds
        self.drain()
        delivered = self.flush(timeout_seconds * DRAINING_SHARE)
        with self._changed:
            if self._closed:
                return delivered
            self._closed = True
            self._changed.notify_all()
            thread = None if self._sending else self._thread
        self._backlog.leave(deadline)
        if thread is not None:
            thread.join(max(0.0, deadline - time.monotonic()))  # It only has to close its connection.
        self._losses.close()
        return delivered

    def after_fork_in_child(self) -> None:  # pragma: no cover - runs in forked children, which leave no coverage
        """What was put before the fork is the parent's, with its folder, connection and thread."""
        was_running = self._thread is not None
        self._backlog.forsake()
        self._begin_anew()
        if self.forked is not None:
            self.forked()
        if was_running:
            self.start()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _is_hopeless(self, deadline: float) -> bool:
        """Whether a shutdown need not wait: what it waits for goes to the folder, or is not attempted in time."""
        if not self._draining:
            return False
        return (self._failed_while_draining and self._backlog.has_folder) or self._earliest > deadline

    def _run(self) -> None:
        attach(suppressed(get_current()))  # What we send is not traced.
        with _PRIME_GUARD:
            self.prime()
        while (due := self._wait()) is not None:
            destination, batch = due
            outcome: Outcome = Refused('', FAULT)
            self._sending = True
            with _SEND_GUARD:
                outcome = self._sender.send(destination, batch)
            self._sending = False
            self._settle(batch, outcome)
        self._sender.close()

    def _wait(self) -> tuple[Destination, Batch] | None:
        """The next batch, once it is due; None when the outbox has been closed."""
        while True:
            with self._changed:
                if self._closed:
                    return None
                destination = self._destination
                now = time.monotonic()
                if destination is None:
                    self._changed.wait()
                    continue
                looks = now >= self._look_again
                if looks:
                    self._look_again = now + ADOPTION_INTERVAL
                elif self._backlog.oldest is None:
                    self._changed.wait()
                    continue
                elif now < self._not_before:
                    self._changed.wait(self._not_before - now)
                    continue
            if looks:
                with _FOLDER_GUARD:
                    self._backlog.open_folder(destination.key)
            elif (batch := self._backlog.next()) is not None:
                return destination, batch

    def _settle(self, batch: Batch, outcome: Outcome) -> None:
        if isinstance(outcome, Unavailable):
            self._failed(outcome)
            self._backlog.returned()
            self._notify()
            return
        if isinstance(outcome, TooLarge) and batch.items > 1:
            halves = None
            with _SPLIT_GUARD:
                halves = batch.halves(self.signal)
            if halves is not None:
                self._backlog.split(halves)
                return
        if isinstance(outcome, Delivered):
            self.lose(outcome.rejected, REJECTED)
            self._note_answer(outcome)
        else:
            self.lose(batch.items, outcome.reason, outcome.problem)
        self._backlog.settled()
        with self._changed:
            was_failing, self._failing = self._failing, False
            self._backoff.reset()
            self._changed.notify_all()
        if was_failing:
            self._losses.outage_ended()

    def _failed(self, outcome: Unavailable) -> None:
        with self._changed:
            delay = self._backoff.next(outcome.retry_after)
            if outcome.retry_after is None:
                sooner = min(delay, self._backoff.first)
                if self._draining:
                    delay = min(delay, DRAINING_DELAY)
            else:
                sooner = delay
            now = time.monotonic()
            self._not_before = now + delay
            self._earliest = now + sooner
            was_failing, self._failing = self._failing, True
            self._failed_while_draining = self._draining
        if not was_failing:
            logger.info(
                'logfire: %s does not take %s (%s). They are kept and delivered later.',
                self._losses.where,
                self.signal.noun,
                outcome.problem,
            )

    def _note_answer(self, outcome: Delivered) -> None:
        if not outcome.understood and not self._told_of_answer:
            self._told_of_answer = True
            logger.warning(
                'logfire: what %s answers is not OTLP. Is it the URL of a collector? It said that it took the %s.',
                self._losses.where,
                self.signal.noun,
            )


_outboxes: Final = weakref.WeakSet[Outbox]()


def _after_fork_in_child() -> None:  # pragma: no cover - runs in forked children, which leave no coverage
    for outbox in list(_outboxes):
        outbox.after_fork_in_child()


if hasattr(os, 'register_at_fork'):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_after_fork_in_child)
