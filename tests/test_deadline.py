"""Work that may hang, done within a deadline."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from logfire._internal import errors
from logfire._internal.deadline import DeadlineRunner


@pytest.fixture
def runner() -> DeadlineRunner:
    return DeadlineRunner('test-runner')


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Opened at the end of the test at the latest, so that nothing waits for ever."""
    gate = threading.Event()
    yield gate
    gate.set()


def test_all_jobs_are_done(runner: DeadlineRunner) -> None:
    """Every job runs, and success is told."""
    done: list[int] = []
    assert runner.run([lambda: done.append(1), lambda: done.append(2)], 30)
    assert sorted(done) == [1, 2]
    assert runner.run([], 0)


def test_a_job_that_returns_false_did_not_succeed(runner: DeadlineRunner) -> None:
    """A job says by False that it did not do what it should."""
    assert runner.run([lambda: True, lambda: False], 30) is False
    assert runner.run([lambda: None], 30) is True


def test_a_job_that_hangs_is_not_waited_for(runner: DeadlineRunner, gate: threading.Event) -> None:
    """The deadline holds, and the other jobs are done all the same."""
    other = threading.Event()
    assert runner.run([gate.wait, other.set], 0.05) is False
    assert other.wait(30)


def test_a_hanging_job_does_not_hold_the_next_run(runner: DeadlineRunner, gate: threading.Event) -> None:
    """A run that follows one that hangs has threads of its own."""
    runner.run([gate.wait], 0)
    assert runner.run([lambda: True], 30)


def test_threads_are_used_again(runner: DeadlineRunner) -> None:
    """Runs one after the other take no more threads than the largest of them."""
    seen: set[int] = set()
    together = threading.Barrier(2, timeout=30)

    def job() -> None:
        seen.add(threading.get_ident())
        together.wait()

    for _ in range(5):
        assert runner.run([job, job], 30)
    assert len(seen) == 2


def test_a_job_that_fails_is_reported(
    runner: DeadlineRunner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The fault of a job does not reach the caller; it counts as not done."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr(errors, '_counts', {})
    assert runner.run([lambda: 1 / 0, lambda: True], 30) is False
    assert 'could not flush or shut down an exporter' in caplog.text
    assert 'ZeroDivisionError' in caplog.text


def test_without_threads_jobs_are_done_in_place(runner: DeadlineRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started, as when the interpreter exits, the caller does the work."""
    refuse(monkeypatch)
    seen: list[int] = []
    assert runner.run([lambda: seen.append(threading.get_ident())], 30)
    assert seen == [threading.get_ident()]


def test_prepared_threads_serve_when_no_more_can_be_started(
    runner: DeadlineRunner, monkeypatch: pytest.MonkeyPatch, gate: threading.Event
) -> None:
    """Threads prepared in time keep the deadline even then."""
    runner.prepare(2)
    refuse(monkeypatch)
    assert runner.run([gate.wait, lambda: True, lambda: True], 0.05) is False
    gate.set()
    assert runner.run([lambda: True], 30)


def refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, 'start', start)


def test_a_forked_child_begins_anew() -> None:
    """In a forked child, where the parent's threads are not, jobs are done as ever."""
    code = """
import os, warnings
from logfire._internal.deadline import DeadlineRunner
warnings.simplefilter('ignore')
runner = DeadlineRunner('test')
assert runner.run([lambda: True], 30)
child = os.fork()
if not child:
    os._exit(0 if runner.run([lambda: True], 30) else 1)
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, '-c', code], check=True, timeout=120)


def test_no_exception_ends_a_thread(
    runner: DeadlineRunner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A job that asks for the end of the program has failed, is told, and its thread does the next."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr(errors, '_counts', {})
    assert runner.run([lambda: sys.exit('enough')], 10) is False
    assert 'could not flush or shut down an exporter' in caplog.text
    assert runner.run([lambda: True], 10)
