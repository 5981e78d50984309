"""Types of the public API that users annotate with or are handed."""

from __future__ import annotations

from logfire._internal.exception_callback import ExceptionCallback, ExceptionCallbackHelper
from logfire._internal.span_level import SpanLevel

__all__ = ['ExceptionCallback', 'ExceptionCallbackHelper', 'SpanLevel']
