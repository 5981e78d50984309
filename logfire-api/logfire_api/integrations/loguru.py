"""loguru."""

from __future__ import annotations

from logfire_api._bridges import LogfireHandler, loguru_handler
from logfire_api._handover import hand_over

__all__ = ['LogfireHandler', 'loguru_handler']

hand_over(globals())
