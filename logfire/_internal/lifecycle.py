"""What must happen before telemetry is flushed and when the interpreter exits, in one order.

Parts that hold work of their own (streams dropped by the user, for one) register here instead of with `atexit`, so
that their spans are ended before the providers that export them are shut down.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable

from logfire._internal.errors import Guard

_HAND_OVER = Guard('hand over what is pending before a flush')
_FINISH = Guard('finish at interpreter exit')

_before_flush: list[Callable[[float], None]] = []
_before_exit: list[Callable[[], None]] = []
_at_exit: list[Callable[[], None]] = []


def on_flush(callback: Callable[[float], None]) -> None:
    """Call `callback(timeout_seconds)` before every flush or shutdown: it hands over what it still holds."""
    _before_flush.append(callback)


def on_exit(callback: Callable[[], None], *, last: bool = False) -> None:
    """Call `callback()` once when the interpreter exits; `last=True` ones (providers) after the others."""
    (_at_exit if last else _before_exit).append(callback)


def before_flush(timeout_seconds: float) -> None:
    """Run the flush callbacks; a fault in one is reported and the others run."""
    for callback in _before_flush:
        with _HAND_OVER:
            callback(timeout_seconds)


def finish_first() -> None:
    """Have the exit callbacks, but for the last ones, run before all that is registered with `atexit` so far.

    A provider that is not ours may have been made after we were imported, and `atexit` runs the latest first.
    """
    atexit.unregister(_finish)
    atexit.register(_finish)


def _finish() -> None:
    for callback in _before_exit:
        with _FINISH:
            callback()


def _exit() -> None:
    _finish()
    for callback in _at_exit:
        with _FINISH:
            callback()


atexit.register(_exit)
