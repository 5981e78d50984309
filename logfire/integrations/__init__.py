"""Bridges from other logging libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if not TYPE_CHECKING:  # pragma: no branch - checkers would take any name for one that is there

    def __getattr__(name):
        # `import logfire` is enough to name these; what they are is loaded when it is used.
        if name not in ('logging', 'loguru', 'structlog'):
            raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
        from importlib import import_module

        return import_module(f'{__name__}.{name}')
