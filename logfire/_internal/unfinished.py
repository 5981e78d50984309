"""What has begun and not ended in this process: it is ended when the interpreter exits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import ref

from logfire._internal import forks, lifecycle
from logfire._internal.errors import Guard

_T = TypeVar('_T')


class Unfinished(Generic[_T]):
    """Things that are open, held until they are discarded.

    They are told apart by identity: their class has no equality of its own.

    Args:
        doing: What ending one is, for the report of a fault.
        end: Ends one, at the interpreter's exit. Another thread may end it at the same time.
        leave: In a forked child: leaves one to the parent, which began it, so that ending it does nothing.
    """

    def __init__(self, doing: str, *, end: Callable[[_T], object], leave: Callable[[_T], object]) -> None:
        self._guard = Guard(doing)
        self._end = end
        self._leave = leave
        # In order: the items, or what stands for them.
        self._open: dict[Any, None] = {}
        lifecycle.on_exit(self.end_all)
        forks.in_child(self._begin_child)

    def add(self, item: _T) -> None:
        """It began. Safe in any thread."""
        self._open[item] = None

    def discard(self, item: _T) -> None:
        """It has ended. Safe in any thread."""
        self._open.pop(item, None)

    def end_all(self) -> None:
        """End what is open, the latest first. A fault in one is reported and the others end."""
        for item in reversed(self._items()):
            with self._guard:
                self._end(item)

    def _items(self) -> list[_T]:
        # Made in one step, whatever other threads do meanwhile.
        return list(self._open)

    def _begin_child(self) -> None:
        for item in self._items():
            self._leave(item)
        self._open.clear()


class WeaklyUnfinished(Unfinished[_T]):
    """Things that are open, held weakly: those that are gone are not ended."""

    # References are equal while what they refer to lives and is the same.

    def add(self, item: _T) -> None:
        # The last is run inside the collection of an item that was not discarded.
        self._open[ref(item, self._open.pop)] = None

    def discard(self, item: _T) -> None:
        self._open.pop(ref(item), None)

    def _items(self) -> list[_T]:
        return [item for reference in list(self._open) if (item := reference()) is not None]
