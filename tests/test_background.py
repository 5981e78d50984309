"""The thread for what must not run where it arises."""

from __future__ import annotations

import sys
import threading

import pytest

from logfire._internal import errors
from logfire._internal.background import BackgroundWorker


def test_jobs_run_in_order_on_another_thread() -> None:
    """Jobs run one after the other, in the order they came, and a flush waits for them."""
    worker = BackgroundWorker('test worker', 'test')
    ran: list[tuple[int, str]] = []
    for number in range(3):
        worker.submit(lambda number=number: ran.append((number, threading.current_thread().name)))
    worker.start()
    worker.start()
    worker.flush(10)
    assert ran == [(number, 'test worker') for number in range(3)]
    assert [thread.name for thread in threading.enumerate()].count('test worker') == 1


def fail() -> None:
    raise LookupError


def test_a_job_that_fails_harms_no_other(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A fault in a job is reported, and the next job runs."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr(errors, '_counts', {})
    worker = BackgroundWorker('test worker', 'do the job')
    ran = threading.Event()
    worker.start()
    worker.submit(fail)
    worker.submit(ran.set)
    assert ran.wait(10)
    assert 'could not do the job' in caplog.text


def test_several_threads_start_one() -> None:
    """However many threads start the worker at once, it has one."""
    worker = BackgroundWorker('raced worker', 'test')
    gate = threading.Barrier(8)

    def start() -> None:
        gate.wait(10)
        worker.start()

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [thread.name for thread in threading.enumerate()].count('raced worker') == 1


def test_a_flush_of_a_worker_that_never_ran_waits_for_nothing() -> None:
    """Nothing was submitted to a thread that does not exist."""
    BackgroundWorker('idle worker', 'test').flush(10)
    assert 'idle worker' not in [thread.name for thread in threading.enumerate()]


def test_no_exception_ends_the_thread(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Even a job that asks for the end of the program is told and survived: nobody else hears it on this thread."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr(errors, '_counts', {})
    worker = BackgroundWorker('test worker', 'do the job')
    ran = threading.Event()
    worker.start()
    worker.submit(lambda: sys.exit('enough'))
    worker.submit(ran.set)
    assert ran.wait(10)
    assert 'could not do the job' in caplog.text


def test_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the interpreter exits, a flush does what was submitted; a later start is tried again."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    worker = BackgroundWorker('late worker', 'test')
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, 'start', refuse)
        worker.start()
    ran: list[int] = []
    for number in range(3):
        worker.submit(lambda number=number: ran.append(number))
    assert worker.flush(10)
    assert ran == [0, 1, 2]
    worker.start()
    assert 'late worker' in [thread.name for thread in threading.enumerate()]


def test_a_flush_that_is_not_done_in_time_says_so() -> None:
    """A flush tells whether all was done."""
    worker = BackgroundWorker('slow worker', 'test')
    gate = threading.Event()

    def wait() -> None:
        gate.wait(60)

    worker.start()
    worker.submit(wait)
    try:
        assert not worker.flush(0)
    finally:
        gate.set()
    assert worker.flush(10)
