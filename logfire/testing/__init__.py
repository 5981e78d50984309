"""What tests of instrumented code need: exporters that keep what was exported, and predictable ids and times.

Nothing here needs pytest; the `capfire` fixture comes with the package as a pytest plugin and needs no import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logfire.testing.capture import CaptureLogfire, get_collected_metrics
    from logfire.testing.exporters import TestExporter, TestLogExporter
    from logfire.testing.generators import IncrementalIdGenerator, SeededRandomIdGenerator, TimeGenerator
    from logfire_pytest_plugin import capfire

__all__ = [
    'CaptureLogfire',
    'IncrementalIdGenerator',
    'SeededRandomIdGenerator',
    'TestExporter',
    'TestLogExporter',
    'TimeGenerator',
    'capfire',
    'get_collected_metrics',
]

# Nothing is loaded until it is asked for.
_MODULES = {
    'CaptureLogfire': 'logfire.testing.capture',
    'IncrementalIdGenerator': 'logfire.testing.generators',
    'SeededRandomIdGenerator': 'logfire.testing.generators',
    'TestExporter': 'logfire.testing.exporters',
    'TestLogExporter': 'logfire.testing.exporters',
    'TimeGenerator': 'logfire.testing.generators',
    'capfire': 'logfire_pytest_plugin',
    'get_collected_metrics': 'logfire.testing.capture',
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
