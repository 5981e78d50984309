"""The version of this package, from the one place that states it."""

from __future__ import annotations

VERSION = '0.1.0'
"""That of the `logfire` it was made with, and of its own distribution."""
