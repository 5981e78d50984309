"""Work that may hang, such as sending to a server that does not answer, done within a deadline."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from logfire._internal import forks
from logfire._internal.errors import Guard
from logfire._internal.forks import ForkSafeLock

_GUARD: Final = Guard('flush or shut down an exporter', whatever=True)


class DeadlineRunner:
    """Runs jobs side by side on daemon threads and waits for them no longer than asked.

    Threads are kept for the next time. `prepare` starts them ahead, because none can be started once the interpreter
    has begun to exit. A forked child begins without any.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = ForkSafeLock()
        self._begin_anew()
        forks.in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        self._jobs: queue.SimpleQueue[_Run] = queue.SimpleQueue()
        self._threads = 0
        self._waiting = 0

    def prepare(self, count: int) -> None:
        """Have threads for so many jobs at once, beside those that still work on earlier ones."""
        with self._lock:
            while self._waiting < count:
                thread = threading.Thread(target=self._run, args=(self._jobs,), name=self._name, daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    return  # The interpreter exits; the jobs share the threads there are.
                self._threads += 1
                self._waiting += 1

    def run(self, jobs: Sequence[Callable[[], object]], timeout_seconds: float) -> bool:
        """Run the jobs; whether all of them ended in time, and none failed or returned False.

        A job that does not end in time goes on: it is not waited for.
        """
        deadline = time.monotonic() + timeout_seconds
        self.prepare(len(jobs))
        runs = [_Run(job) for job in jobs]
        for run in runs:
            if self._threads:
                with self._lock:
                    self._waiting -= 1
                self._jobs.put(run)
            else:
                run.do(Exception)
                run.ended.set()
        # All are waited for, whatever became of the first.
        ended = [run.ended.wait(max(0.0, deadline - time.monotonic())) for run in runs]
        for run in runs:
            if run.fault is not None:
                with _GUARD:
                    raise run.fault
        return all(ended) and all(run.succeeded for run in runs)

    def _run(self, jobs: queue.SimpleQueue[_Run]) -> None:
        while True:
            run = jobs.get()
            run.do(BaseException)  # There is nobody to pass an exit to, and the thread must live.
            with self._lock:
                self._waiting += 1
            run.ended.set()
            del run  # What it holds must not live until the next one comes.


class _Run:
    """A job, and what became of it."""

    def __init__(self, job: Callable[[], object]) -> None:
        self._job = job
        self.ended = threading.Event()
        self.succeeded = False
        self.fault: BaseException | None = None

    def do(self, kinds: type[BaseException]) -> None:
        try:
            self.succeeded = self._job() is not False
        except kinds as fault:
            self.fault = fault
