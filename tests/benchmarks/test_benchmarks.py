"""The benchmark compares like with like."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_contenders_record_the_same() -> None:
    """Each row of calls runs, and stops where what is written by hand records something else than we do."""
    rows = ['complete', 'async', 'long', 'stream-100', 'first-chunk', 'embed', 'spans', 'quieter']
    done = subprocess.run(
        [sys.executable, '-m', 'tests.benchmarks', *rows, '--rounds', '1'],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert len(done.stdout.splitlines()) == 11
