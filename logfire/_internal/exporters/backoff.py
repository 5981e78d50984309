"""How long to wait before the next attempt to deliver."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final

FIRST_DELAY: Final = 1.0
LONGEST_DELAY: Final = 30.0
LONGEST_RETRY_AFTER: Final = 300.0
"""All in seconds. A server that asks for more than the last is asked again after that time all the same."""


class Backoff:
    """Delays that double from `first` to `longest` seconds, each shortened at random by up to a half.

    A delay that the server asked for is kept instead: never shorter, at most a tenth longer.
    """

    def __init__(
        self,
        *,
        first: float = FIRST_DELAY,
        longest: float = LONGEST_DELAY,
        random: Callable[[], float] = random.random,
    ) -> None:
        self.first = first
        self._longest = longest
        self._random = random
        self._failures = 0

    def next(self, retry_after: float | None = None) -> float:
        """The delay after one more failure, in seconds."""
        own = min(self._longest, self.first * 2.0 ** min(self._failures, 32))
        self._failures += 1
        if retry_after is not None:
            return min(retry_after, LONGEST_RETRY_AFTER) * (1 + 0.1 * self._random())
        return own * (0.5 + 0.5 * self._random())

    def reset(self) -> None:
        """Something was delivered: begin again with the shortest."""
        self._failures = 0


def read_retry_after(value: str | None, now: Callable[[], float] = time.time) -> float | None:
    """The seconds that a `Retry-After` header asks for, as a number or as an HTTP date; None where it asks for none.

    Source: RFC 9110, section 10.2.3.
    """
    text = (value or '').strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now())
    except (ValueError, OverflowError):
        return None
