"""Carrying the trace context to another process, thread or task, and back: see `get_context` and `attach_context`."""

from __future__ import annotations

from logfire._internal.context import ContextCarrier, attach_context, get_context

__all__ = ['ContextCarrier', 'attach_context', 'get_context']
