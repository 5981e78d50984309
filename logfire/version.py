"""The version of this package, from the one place that states it."""

from __future__ import annotations

__all__ = ['VERSION']

VERSION = '0.1.0'
"""The version of this package, as in its distribution metadata."""
