"""Fixtures of the exporters' tests."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest


@pytest.fixture
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """UTC, 80 columns, and none of the variables by which a user or a CI tells rich about the terminal."""
    for name in ('NO_COLOR', 'FORCE_COLOR', 'TTY_COMPATIBLE', 'TTY_INTERACTIVE', 'TERM', 'COLORTERM', 'LINES'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('COLUMNS', '80')
    monkeypatch.setenv('TZ', 'UTC')
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
