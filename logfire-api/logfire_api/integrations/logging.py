"""The standard library's logging."""

from __future__ import annotations

from logfire_api._bridges import LogfireLoggingHandler
from logfire_api._handover import hand_over

__all__ = ['LogfireLoggingHandler']

hand_over(globals())
