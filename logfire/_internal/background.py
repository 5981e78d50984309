"""A daemon thread for work that must not run where it arises: inside a garbage collection, or on a caller's time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from logfire._internal import forks, lifecycle
from logfire._internal.errors import Guard


class BackgroundWorker:
    """Runs jobs one after the other, in the order they were submitted.

    `submit` takes no lock and does no I/O, so it is safe in a `__del__` that interrupted any code. The thread starts
    with `start()`, never inside `submit`. A flush, and with it the interpreter's exit, waits for what was submitted
    before. In a forked child the worker begins anew: what the parent had submitted is the parent's.
    """

    def __init__(self, name: str, doing: str) -> None:
        self._name = name
        self._guard = Guard(doing, whatever=True)
        self._begin_anew()
        lifecycle.on_flush(self.flush)
        forks.in_child(self._begin_anew)

    def start(self) -> None:
        """Start the thread, once. Where none can be started (the interpreter exits), the next flush does its jobs."""
        if self._not_started.pop('thread', None) is None:  # Atomic: one thread wins.
            return
        try:
            threading.Thread(target=self._run, args=(self._jobs,), name=self._name, daemon=True).start()
        except RuntimeError:
            self._not_started['thread'] = True

    def submit(self, job: Callable[[], None]) -> None:
        """Have `job` run by the thread. A fault in it is reported; the next job runs."""
        self._jobs.put(job)

    def flush(self, timeout_seconds: float) -> bool:
        """Wait, at most so long, until all that was submitted before this call is done; whether it was."""
        if not self._not_started:
            done = threading.Event()
            self._jobs.put(done.set)
            return done.wait(timeout_seconds)
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return True
            with self._guard:
                job()

    def _begin_anew(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._not_started = {'thread': True}

    def _run(self, jobs: queue.SimpleQueue[Callable[[], None]]) -> None:
        while True:
            job = jobs.get()
            with self._guard:
                job()
            del job  # What it holds must not live until the next job comes.
