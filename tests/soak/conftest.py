"""What the tests of this folder begin with."""

from __future__ import annotations

import pytest

from logfire._internal import errors


@pytest.fixture(autouse=True)
def no_fault_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests cause faults on purpose."""
    monkeypatch.setattr(errors, '_counts', {})
