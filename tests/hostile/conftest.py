"""One watch for all examples of a test, in both colours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hostile.watch import Watch, watching
from tests.otel_integrations.azure_ai_inference.conftest import Colour


@pytest.fixture
def watch() -> Iterator[Watch]:
    with watching() as watch:
        yield watch


@pytest.fixture(params=['sync', 'async'])
def colour(request: pytest.FixtureRequest) -> Colour:
    return Colour(request.param)
