"""Which traces are kept."""

from __future__ import annotations

from logfire._internal.sampling import SamplingOptions, SpanLevel, TailSamplingSpanInfo

__all__ = ['SamplingOptions', 'SpanLevel', 'TailSamplingSpanInfo']
