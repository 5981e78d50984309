"""Mixed traffic over HTTP with a collector that misbehaves: the hundredth part of `make soak`."""

from __future__ import annotations

from tests.soak.traffic import soak


def test_a_short_soak() -> None:
    """Every call has one span at the collector, whatever became of it; no thread and no descriptor is left."""
    figures = soak(calls=400)
    assert figures['calls'] == 400
