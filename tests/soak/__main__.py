"""`python -m tests.soak`: what the default tests do with few calls, with many; prints its figures as a table."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable

from tests.soak import concurrency
from tests.soak.concurrency import Figures
from tests.soak.traffic import soak


def main() -> None:
    parser = argparse.ArgumentParser(prog='python -m tests.soak', description=__doc__)
    parser.add_argument('--seconds', type=float, default=600, help='how long the traffic over HTTP lasts (600)')
    seconds: float = parser.parse_args().seconds
    logging.basicConfig(handlers=[logging.NullHandler()])  # The clients and OpenTelemetry tell of every fault.
    parts: dict[str, Callable[[], Figures]] = {
        '8 threads x 10,000 calls': lambda: concurrency.calls_in_threads(threads=8, calls=10_000),
        '2,000 streams open at once': lambda: concurrency.concurrent_streams(2_000),
        'instrumented and not while calls run': lambda: concurrency.instrument_while_calls_run(threads=8, times=500),
        'configured anew while calls run': lambda: concurrency.configure_while_calls_run(threads=8, times=500),
        f'traffic over HTTP for {seconds:g} s': lambda: soak(seconds=seconds),
    }
    for title, part in parts.items():
        print(f'| {title} | |\n|---|---:|')
        for name, value in part().items():
            print(f'| {name} | {value:,.1f} |' if isinstance(value, float) else f'| {name} | {value:,} |')
        print(flush=True)


if __name__ == '__main__':
    main()
