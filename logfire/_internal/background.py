"""A daemon thread for work that must not run where it arises: inside a garbage collection, or on a caller's time."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable

from logfire._internal import lifecycle
from logfire._internal.errors import Guard


class BackgroundWorker:
    """Runs jobs one after the other, in the order they were submitted.

    `submit` takes no lock and does no I/O, so it is safe in a `__del__` that interrupted any code. The thread starts
    with `start()`, never inside `submit`. A flush, and with it the interpreter's exit, waits for what was submitted
    before. In a forked child the worker begins anew: what the parent had submitted is the parent's.
    """

    def __init__(self, name: str, doing: str) -> None:
        self.generation = 0
        """Changes in a forked child."""
        self._name = name
        self._guard = Guard(doing)
        self._begin_anew()
        lifecycle.on_flush(self.flush)
        if hasattr(os, 'register_at_fork'):  # pragma: no branch - Windows has no fork
            os.register_at_fork(after_in_child=self._after_fork_in_child)

    def start(self) -> None:
        """Start the thread, once."""
        try:
            self._not_started.pop()  # Atomic: one thread wins.
        except IndexError:
            return
        threading.Thread(target=self._run, args=(self._jobs,), name=self._name, daemon=True).start()

    def submit(self, job: Callable[[], None]) -> None:
        """Have `job` run by the thread. A fault in it is reported; the next job runs."""
        self._jobs.put(job)

    def flush(self, timeout_seconds: float) -> None:
        """Wait, at most so long, until all that was submitted before this call is done."""
        if not self._not_started:
            done = threading.Event()
            self._jobs.put(done.set)
            done.wait(timeout_seconds)

    def _begin_anew(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._not_started = [True]

    def _after_fork_in_child(self) -> None:  # pragma: no cover - runs in forked children, which leave no coverage
        self.generation += 1
        self._begin_anew()

    def _run(self, jobs: queue.SimpleQueue[Callable[[], None]]) -> None:
        while True:
            job = jobs.get()
            with self._guard:
                job()
            del job  # What it holds must not live until the next job comes.
