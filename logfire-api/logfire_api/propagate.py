"""Carrying the trace context to another process, thread or task, and back. Without `logfire` there is none."""

from __future__ import annotations

from logfire_api._context import ContextCarrier, attach_context, get_context
from logfire_api._handover import hand_over

__all__ = ['ContextCarrier', 'attach_context', 'get_context']

hand_over(globals())
