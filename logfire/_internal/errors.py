"""The one guard for our own faults: a fault of this package never reaches the user's call.

`with Guard('begin an Azure AI Inference call'): ...` swallows an `Exception` raised by our own code and reports it
once per process and fault site; later ones are counted. The report names the exception's type and the frames it
passed through, never its message: a message may quote data (a prompt, a key) that the user asked us to keep out.
"""

from __future__ import annotations

import contextlib
import logging
import os
import traceback
from types import TracebackType
from typing import Final

from logfire._internal.forks import ForkSafeLock

logger: Final = logging.getLogger('logfire')

# Set by this project's own tests: a fault of ours fails the test that met it. Tests of the guards turn it off.
strict: bool = os.environ.get('_LOGFIRE_STRICT_FAULTS') == '1'

_counts: dict[tuple[str, str, int], int] = {}
_lock = ForkSafeLock()


class Guard:
    """A re-usable, re-entrant context manager that keeps our faults from the user's code.

    `Exception`s are swallowed and reported; `BaseException`s that are not (KeyboardInterrupt, cancellation) pass
    through, unless `whatever` is set: on a thread of ours there is nobody to pass them to, and the thread must live.
    """

    __slots__ = ('_kinds', 'doing')

    def __init__(self, doing: str, *, whatever: bool = False) -> None:
        self.doing = doing
        self._kinds: type[BaseException] = BaseException if whatever else Exception

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> bool:
        if exc is None or not isinstance(exc, self._kinds) or strict:
            return False
        report(self.doing, exc)
        return True


def handle(doing: str, fault: Exception) -> None:
    """Do with a fault what a guard does, on a hot path that cannot afford one; call it in `except Exception`."""
    if strict:
        raise fault
    report(doing, fault)


def report(doing: str, exception: BaseException) -> None:
    """Log a fault of ours, the first time it happens at this place; count it afterwards. Never raises."""
    # Where telling fails too (a logging handler of the user's raises, memory or the stack is used up), nobody is told.
    with contextlib.suppress(Exception):
        _tell(doing, exception)


def _tell(doing: str, exception: BaseException) -> None:
    # Only the frames: to read the lines of their source would be disk work on the user's thread.
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(exception.__traceback__)]
    last = frames[-1] if frames else None
    site = (doing, last[0].co_filename, last[1]) if last else (doing, '', 0)
    with _lock:
        count = _counts[site] = _counts.get(site, 0) + 1
    if count > 1:
        return
    lines = ''.join(f'  File "{code.co_filename}", line {line}, in {code.co_name}\n' for code, line in frames)
    logger.error(
        'Internal error in logfire: could not %s. Your code is not affected; what is missing is telemetry. '
        'This is reported once for this place.\n%s%s (message withheld: it may quote your data)',
        doing,
        lines,
        type(exception).__qualname__,
    )


def fault_counts() -> dict[str, int]:
    """How many faults of ours were met so far, by what we were doing."""
    with _lock:
        totals: dict[str, int] = {}
        for (doing, _, _), count in _counts.items():
            totals[doing] = totals.get(doing, 0) + count
        return totals
