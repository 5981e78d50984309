"""Times contenders against each other in one run: interleaved blocks, medians of paired differences.

A figure of one machine at one moment says little; the ratio of two that ran turn by turn says much. The clock is the
processor time of the calling thread, so that what else the machine does counts little. A block takes a millisecond or
so: what disturbs the machine falls on few of them, and the median leaves these out.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import thread_time_ns

Block = Callable[[int], None]
"""Runs a contender so many times."""

_BLOCK_NS = 1_500_000


@dataclass(frozen=True)
class Timing:
    """What each contender took, in nanoseconds for one run, round by round."""

    rounds: Mapping[str, list[float]]

    def median(self, name: str) -> float:
        """The median of a contender's rounds."""
        return statistics.median(self.rounds[name])

    def added(self, name: str, base: str = 'none') -> float:
        """What a contender takes more than `base`: the median of the differences, round by round."""
        return statistics.median(mine - bases for mine, bases in zip(self.rounds[name], self.rounds[base], strict=True))

    def added_ratio(self, name: str, other: str, base: str = 'none') -> float:
        """What a contender adds to `base`, to what another adds."""
        return self.added(name, base) / self.added(other, base)

    def ratio(self, name: str, other: str) -> float:
        """What a contender takes, to what another takes: the median of the ratios, round by round."""
        return statistics.median(
            mine / others for mine, others in zip(self.rounds[name], self.rounds[other], strict=True)
        )


def repeated(call: Callable[[], object]) -> Block:
    """A block that makes a call again and again."""

    def block(times: int) -> None:
        for _ in range(times):
            call()

    return block


def compare(blocks: Mapping[str, Block], *, rounds: int, between: Callable[[], object] = lambda: None) -> Timing:
    """Time the contenders in turn, `rounds` times over; who begins changes with every round.

    `between` runs after every block, outside of the time: it waits for what a contender does elsewhere.
    """
    times = {name: _times_in_a_block(block) for name, block in blocks.items()}
    timings: dict[str, list[float]] = {name: [] for name in blocks}
    names = list(blocks)
    gc.collect()
    gc.disable()
    try:
        for at in range(rounds):
            turn = at % len(names)
            for name in (*names[turn:], *names[:turn]):
                count = times[name]
                start = thread_time_ns()
                blocks[name](count)
                timings[name].append((thread_time_ns() - start) / count)
                between()
            if at % 20 == 19:
                gc.collect()
    finally:
        gc.enable()
    return Timing(timings)


def _times_in_a_block(block: Block) -> int:
    """How often a contender runs in one block. It is warm afterwards."""
    for _ in range(3):
        block(1)
    start = thread_time_ns()
    block(3)
    once = (thread_time_ns() - start) / 3
    return max(1, min(1_000, int(_BLOCK_NS / once)))
