"""Trace context and baggage where there is none."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

ContextCarrier: TypeAlias = Mapping[str, Any]
"""What carries a context to another place: names and values of headers."""


def get_context() -> ContextCarrier:
    """The current trace context and baggage, to be attached elsewhere by `attach_context`: a new, empty dict."""
    return {}


@contextmanager
def attach_context(
    carrier: ContextCarrier, *, third_party: bool = False, propagator: Any = None
) -> Generator[None, None, None]:
    """A context manager in which what `get_context()` returned elsewhere would be the current context.

    Args:
        carrier: Header names to values.
        third_party: The carrier comes from somebody else's call.
        propagator: OpenTelemetry's; reads the carrier.
    """
    yield


def get_baggage(context: Any = None) -> Mapping[str, object]:
    """The baggage: empty.

    Args:
        context: OpenTelemetry's; the context to look in.
    """
    return {}


@contextmanager
def set_baggage(**values: str) -> Generator[None, None, None]:
    """A context manager in which these values would be added to the baggage."""
    yield
