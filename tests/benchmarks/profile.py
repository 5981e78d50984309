"""Where the time of an instrumented `complete()` goes: a thread looks at the caller's stack again and again."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

_INTERVAL = 0.001


def profile(call: Callable[[], object], *, seconds: float) -> Mapping[str, float]:
    """The share of each file in the time of a call made again and again, the largest first."""
    caller = threading.get_ident()
    seen: Counter[str] = Counter()
    stop = threading.Event()

    def sample() -> None:
        while not stop.wait(_INTERVAL):
            frame = sys._current_frames().get(caller)
            if frame is not None:
                seen[_place(frame.f_code.co_filename)] += 1

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _ in range(100):
                call()
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)
    total = seen.total()
    return {place: count / total for place, count in seen.most_common()}


def _place(filename: str) -> str:
    """The library of a file; of ours, the file."""
    for library, words in (('opentelemetry', 'OpenTelemetry'), ('azure', "azure-ai-inference's models")):
        if f'/{library}/' in filename:
            return words
    _, found, ours = filename.partition('/logfire/_internal/')
    if found:
        return f'ours: {ours}'
    return 'the benchmark' if '/tests/benchmarks/' in filename else 'the standard library'
