"""How many examples a property is tried with: by default a few, always the same.

`make fuzz` sets FUZZ_EXAMPLES; then each run draws others, which `print_blob` lets one repeat.
"""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, settings

_FUZZ: Final = int(os.environ.get('FUZZ_EXAMPLES', '0'))

EXAMPLES: Final = settings(
    max_examples=_FUZZ or 12,
    derandomize=not _FUZZ,
    database=None,
    deadline=None,
    print_blob=bool(_FUZZ),
    # The fixtures of a test serve all its examples: each example leaves them as it found them.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
