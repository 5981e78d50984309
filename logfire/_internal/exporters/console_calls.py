"""Calls of language models that are under way at the same time, and the numbers that tell them apart."""

from __future__ import annotations

from typing import Final

# Calls that never end must not fill the memory: beyond this many the oldest is forgotten.
MAX_OPEN_CALLS: Final = 1_000


class OpenCalls:
    """The calls whose start was shown and whose end was not yet.

    A call gets the smallest number that no other of the same title has: 1 when it is alone. Start and end show the same
    number, so that each end finds its start. Not thread-safe: the caller holds a lock.
    """

    def __init__(self) -> None:
        self._open: dict[int, tuple[str, int]] = {}

    def open(self, span_id: int, title: str) -> int:
        """The number of a call that starts; from now on it is open."""
        if len(self._open) >= MAX_OPEN_CALLS:
            del self._open[next(iter(self._open))]
        taken = {number for other, number in self._open.values() if other == title}
        number = next(number for number in range(1, len(taken) + 2) if number not in taken)
        self._open[span_id] = title, number
        return number

    def close(self, span_id: int) -> int:
        """The number that the call had, 1 if its start was not shown."""
        _, number = self._open.pop(span_id, ('', 1))
        return number
