"""What a forked child does before its own code runs: it gets back, fresh, what the parent's threads were using.

Only the forking thread lives on in the child. A lock that another thread held would stay locked there for good, and a
thread of ours would be missing.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import MethodType, TracebackType
from weakref import WeakMethod, WeakSet


class ForkSafeLock:
    """A lock, for `with` statements, that is free in a forked child, whoever held it in the parent."""

    __slots__ = ('__weakref__', '_lock', '_new')

    def __init__(self, *, reentrant: bool = False) -> None:
        self._new: Callable[[], AbstractContextManager[bool]] = threading.RLock if reentrant else threading.Lock
        self._lock = self._new()
        _locks.add(self)

    def __enter__(self) -> None:
        self._lock.__enter__()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._lock.__exit__(exc_type, exc_value, traceback)
        except RuntimeError:
            pass  # The fork was within the `with`: in the child the lock is free already.

    def renew(self) -> None:
        """Be free."""
        self._lock = self._new()


_locks: WeakSet[ForkSafeLock] = WeakSet()
_in_child: list[Callable[[], Callable[[], None] | None]] = []
_last_in_child: list[Callable[[], Callable[[], None] | None]] = []


def in_child(callback: Callable[[], None], *, last: bool = False) -> None:
    """Call `callback()` in every forked child, in the order of registration; `last=True` ones after the others.

    A bound method is held weakly.
    """
    (_last_in_child if last else _in_child).append(
        WeakMethod(callback) if isinstance(callback, MethodType) else lambda: callback
    )


def begin_child() -> None:
    """Renew the locks, then run the callbacks. Called by the fork."""
    for lock in _locks:
        lock.renew()
    for reference in (*_in_child, *_last_in_child):
        callback = reference()
        if callback is not None:
            callback()


if hasattr(os, 'register_at_fork'):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=begin_child)
