"""Suppression of OpenTelemetry-aware instrumentations, through the documented `opentelemetry.instrumentation.utils`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from typing import Final

from opentelemetry.context import Context, attach, detach, get_current

# Whoever suppresses instrumentation has imported it; until somebody did there is nothing to ask.
_MODULE: Final = 'opentelemetry.instrumentation.utils'


@functools.cache
def suppression_values() -> Mapping[str, object]:
    """The context values under which no OpenTelemetry-aware instrumentation makes a span.

    The keys are private to OpenTelemetry: they are seen by letting its own context manager set them in an empty
    context.
    """
    from opentelemetry.instrumentation.utils import suppress_instrumentation

    token = attach(Context())
    try:
        with suppress_instrumentation():
            return dict(get_current())
    finally:
        detach(token)


def is_suppressed(context: Context) -> bool:
    """Whether instrumentation is suppressed in `context`."""
    return bool(context) and _MODULE in sys.modules and any(context.get(key) for key in suppression_values())


def suppressed(context: Context) -> Context:
    """`context`, with instrumentation suppressed in it."""
    return Context({**context, **suppression_values()}) if context else _suppressed_alone()


@functools.cache
def _suppressed_alone() -> Context:
    return Context(suppression_values())
