"""What telemetry is lost on its way to one place: counted, and reported in the log once per reason."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import Final

logger: Final = logging.getLogger('logfire')

BUFFER_FULL: Final = 'the buffer for what cannot be delivered is full; the oldest are dropped'
DISK_FAILED: Final = 'the folder of the export buffer cannot be written to'
FAULT: Final = 'a fault of this package'
NOT_DELIVERED: Final = 'they could not be delivered before the shutdown'
QUEUE_FULL: Final = 'they were made faster than they could be encoded'
REFUSED: Final = 'the collector refuses them'
REJECTED: Final = 'the collector took the rest of their batch and rejected them'
TOO_LARGE: Final = 'each alone is more than the collector takes'
UNENCODABLE: Final = 'they cannot be encoded'
UNSENDABLE: Final = 'no request can be made for this endpoint'

_OF_AN_OUTAGE: Final = (BUFFER_FULL, DISK_FAILED)


class Losses:
    """Counts what is lost.

    The first loss for a reason is reported at once, later ones are added up and reported when the outage ends or at
    the shutdown. Nothing but numbers, the reason and the endpoint is told: what a server answers may quote data.
    """

    def __init__(self, noun: str) -> None:
        self.where = 'the collector'
        """The endpoint, as it may be shown."""
        self._noun = noun
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        self._open: set[str] = set()

    def add(self, count: int, reason: str, problem: str = '') -> None:
        """So many were lost, for this reason; `problem` is what was met last."""
        if count <= 0:
            return
        with self._lock:
            self._counts[reason] += count
            is_first = reason not in self._open
            self._open.add(reason)
            if is_first:
                self._told[reason] = self._counts[reason]
        if is_first:
            logger.warning(
                'logfire: %s for %s lost: %s%s.',
                self._counted(count),
                self.where,
                reason,
                f' ({problem})' if problem else '',
            )

    def outage_ended(self) -> None:
        """Report what an outage cost beyond what was told; the next outage is reported anew."""
        self._summarise('in the outage that has ended', _OF_AN_OUTAGE)

    def close(self) -> None:
        """Report what was not told yet."""
        self._summarise('before the shutdown', tuple(self._counts))

    def counts(self) -> dict[str, int]:
        """How many were lost so far, by reason."""
        with self._lock:
            return dict(self._counts)

    def _counted(self, count: int) -> str:
        return f'{count} {self._noun if count != 1 else self._noun[:-1]}'

    def _summarise(self, when: str, reasons: tuple[str, ...]) -> None:
        with self._lock:
            untold = {reason: self._counts[reason] - self._told[reason] for reason in reasons}
            for reason in reasons:
                self._told[reason] = self._counts[reason]
                self._open.discard(reason)
        for reason, count in untold.items():
            if count:
                logger.warning('logfire: %s more for %s lost %s: %s.', self._counted(count), self.where, when, reason)
