"""What must happen before telemetry is flushed and when the process ends, in one order.

Parts that hold work of their own (streams dropped by the user, for one) register here instead of with `atexit`, so
that their spans are ended before the providers that export them are shut down.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable

from logfire._internal.errors import Guard

_HAND_OVER = Guard('hand over what is pending before a flush')
_FINISH = Guard('finish at interpreter exit')

_before_flush: list[Callable[[float], object]] = []
_before_exit: list[Callable[[], object]] = []
_at_exit: list[Callable[[], object]] = []
_at_end_of_child: list[Callable[[], object]] = []

# The process whose end is watched.
_watched: list[int] = []


def on_flush(callback: Callable[[float], object]) -> None:
    """Call `callback(timeout_seconds)` before every flush or shutdown: it hands over what it still holds.

    It returns False when it could not in time.
    """
    _before_flush.append(callback)


def on_exit(callback: Callable[[], object], *, last: bool = False) -> None:
    """Call `callback()` once when the interpreter exits; `last=True` ones (providers) after the others."""
    (_at_exit if last else _before_exit).append(callback)


def on_end_of_child(callback: Callable[[], object]) -> None:
    """Call `callback()` when a process of `multiprocessing` ends, after the callbacks that come before an exit."""
    _at_end_of_child.append(callback)


def before_flush(timeout_seconds: float) -> bool:
    """Run the flush callbacks, all within the time; whether they did. A fault in one is reported and the others run."""
    deadline = time.monotonic() + timeout_seconds
    all_done = True
    for callback in _before_flush:
        done: object = False
        with _HAND_OVER:
            done = callback(max(0.0, deadline - time.monotonic()))
        all_done = all_done and done is not False
    return all_done


def watch_end_of_child() -> None:
    """Where this may be a process of `multiprocessing`: run the callbacks when its threads have ended.

    Such a process ends by `os._exit()`: exit hooks run from Python 3.13 only, and never those that it inherited by a
    fork. But what all versions wait for is the threads that are no daemons.
    """
    if 'multiprocessing.process' not in sys.modules or _watched == [os.getpid()]:
        return
    _watched[:] = [os.getpid()]
    try:
        threading.Thread(target=_watch, name='logfire-end-of-child', daemon=False).start()
    except RuntimeError:
        pass  # The interpreter exits, and runs the exit hooks.


def _watch() -> None:
    while others := [thread for thread in threading.enumerate() if _is_waited_for(thread)]:
        for thread in others:
            thread.join()
    import multiprocessing

    # A child made by plain `os.fork()` runs the exit hooks next.
    if multiprocessing.parent_process() is not None:
        _run(*_before_exit, *_at_end_of_child)


def _is_waited_for(thread: threading.Thread) -> bool:
    return thread.is_alive() and not thread.daemon and thread is not threading.current_thread()


def finish_first() -> None:
    """Have the exit callbacks, but for the last ones, run before all that is registered with `atexit` so far.

    A provider that is not ours may have been made after we were imported, and `atexit` runs the latest first.
    """
    atexit.unregister(_finish)
    atexit.register(_finish)


def _finish() -> None:
    _run(*_before_exit)


def _exit() -> None:
    _run(*_before_exit, *_at_exit)


def _run(*callbacks: Callable[[], object]) -> None:
    try:
        for callback in callbacks:
            with _FINISH:
                callback()
    except KeyboardInterrupt:
        pass  # Whoever presses Ctrl-C while a program waits for its exporters wants it to end. Python would print it.


atexit.register(_exit)
