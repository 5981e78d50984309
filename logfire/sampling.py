"""Which traces are kept."""

from __future__ import annotations

from logfire._internal.sampling import SamplingOptions, TailSamplingSpanInfo
from logfire._internal.span_level import SpanLevel

__all__ = ['SamplingOptions', 'SpanLevel', 'TailSamplingSpanInfo']
