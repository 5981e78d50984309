"""One watch for all examples of a test, and how many examples there are.

By default few, always the same. `make fuzz` sets FUZZ_EXAMPLES, and then each run draws others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.hostile.watch import Watch, watching
from tests.otel_integrations.azure_ai_inference.conftest import Colour

_EXAMPLES = int(os.environ.get('FUZZ_EXAMPLES', '0'))

settings.register_profile(
    'hostile',
    max_examples=_EXAMPLES or 20,
    derandomize=not _EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def watch() -> Iterator[Watch]:
    with watching() as watch:
        yield watch


@pytest.fixture(params=['sync', 'async'])
def colour(request: pytest.FixtureRequest) -> Colour:
    return Colour(request.param)
