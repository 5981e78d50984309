"""structlog."""

from __future__ import annotations

from typing import TypeAlias

from logfire_api._bridges import StructlogProcessor
from logfire_api._handover import hand_over

__all__ = ['LogfireProcessor', 'StructlogProcessor']

LogfireProcessor: TypeAlias = StructlogProcessor

hand_over(globals())
