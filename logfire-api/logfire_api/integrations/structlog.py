"""structlog."""

from __future__ import annotations

from logfire_api._bridges import StructlogProcessor
from logfire_api._handover import hand_over

__all__ = ['StructlogProcessor']

hand_over(globals())
