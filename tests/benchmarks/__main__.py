"""`make bench`: the table of what telemetry costs, as ratios in one run."""

from __future__ import annotations

import argparse

from tests.benchmarks.rows import ROWS


def main() -> None:
    parser = argparse.ArgumentParser(prog='python -m tests.benchmarks', description=__doc__)
    parser.add_argument('rows', nargs='*', help=f'rows to run, all by default: {", ".join(ROWS)}')
    parser.add_argument('--rounds', type=int, default=200)
    arguments = parser.parse_args()
    for name in arguments.rows or ROWS:
        for figure in ROWS[name](arguments.rounds):
            goal = '' if figure.goal is None else f'{figure.goal:g}'
            value = '-' if figure.value is None else f'{figure.value:.2f}{figure.unit}'
            print(f'{figure.work:70} {value:>11} goal {goal:6} {figure.detail}', flush=True)


if __name__ == '__main__':
    main()
