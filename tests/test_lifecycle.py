"""What happens before a flush and when a process ends; tests/test_process_life.py ends real ones."""

from __future__ import annotations

import multiprocessing
import threading
import time
from typing import Any

import pytest

from logfire._internal import lifecycle


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('_before_flush', '_before_exit', '_at_exit', '_at_end_of_child', '_watched'):
        monkeypatch.setattr(lifecycle, name, [])


def test_the_time_of_a_flush_is_shared() -> None:
    """All that is handed over before a flush has the flush's time together; one that was too slow is told."""
    given: list[float] = []

    def slow(seconds: float) -> bool:
        given.append(seconds)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            threading.Event().wait(until - time.monotonic())
        return False

    lifecycle.on_flush(slow)
    lifecycle.on_flush(given.append)
    assert lifecycle.before_flush(0.01) is False
    assert 0 < given[0] <= 0.01
    assert given[1] == 0


def test_the_order_of_an_exit() -> None:
    """What holds work ends it before the providers are shut down."""
    ran: list[str] = []
    lifecycle.on_exit(lambda: ran.append('providers'), last=True)
    lifecycle.on_exit(lambda: ran.append('streams'))
    lifecycle._exit()
    assert ran == ['streams', 'providers']


def test_an_interrupt_ends_the_exit() -> None:
    """Ctrl-C while the exit waits is no error to print, and nothing more is waited for."""
    ran: list[str] = []

    def interrupted() -> None:
        raise KeyboardInterrupt

    lifecycle.on_exit(interrupted)
    lifecycle.on_exit(lambda: ran.append('providers'), last=True)
    lifecycle._exit()
    assert ran == []


@pytest.mark.parametrize('is_child', [True, False])
def test_the_end_of_a_child(is_child: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the threads of a process of multiprocessing have ended, open work is ended and exported, once."""
    ran: list[str] = []
    monkeypatch.setattr(multiprocessing, 'parent_process', lambda: 'parent' if is_child else None)
    lifecycle.on_exit(lambda: ran.append('streams'))
    lifecycle.on_exit(lambda: ran.append('providers'), last=True)
    lifecycle.on_end_of_child(lambda: ran.append('flush'))
    gate = threading.Event()
    waited_for = threading.Thread(target=gate.wait, args=(60,))
    waited_for.start()
    # The main thread of the tests goes on: the watch is told of another in its place.

    def is_waited_for(thread: threading.Thread) -> bool:
        return thread is waited_for and thread.is_alive()

    monkeypatch.setattr(lifecycle, '_is_waited_for', is_waited_for)
    lifecycle.watch_end_of_child()
    lifecycle.watch_end_of_child()
    (watch,) = [thread for thread in threading.enumerate() if thread.name == 'logfire-end-of-child']
    assert not watch.daemon
    assert ran == []
    gate.set()
    watch.join(60)
    assert ran == (['streams', 'flush'] if is_child else [])


def test_who_is_waited_for() -> None:
    """Threads that are no daemons, and live, other than the one that waits."""
    gate = threading.Event()
    daemon, other = (threading.Thread(target=gate.wait, args=(60,), daemon=daemon) for daemon in (True, False))
    threads = [threading.current_thread(), daemon, other]
    assert [lifecycle._is_waited_for(thread) for thread in threads] == [False, False, False]
    daemon.start()
    other.start()
    assert [lifecycle._is_waited_for(thread) for thread in threads] == [False, False, True]
    gate.set()
    daemon.join(60)
    other.join(60)


def test_an_end_that_nobody_can_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the interpreter already exits, no thread is started: its exit hooks run."""

    def refuse(thread: Any) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, 'start', refuse)
    lifecycle.watch_end_of_child()


def test_a_program_without_multiprocessing_is_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread is started for nothing."""
    monkeypatch.delitem(__import__('sys').modules, 'multiprocessing.process')
    lifecycle.watch_end_of_child()
    assert lifecycle._watched == []
