"""Others that trace the same methods: azure-core's decorators, and the instrumentor Microsoft ships with the client."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

_AZURE_CORE_DECORATORS = ('azure.core.tracing.decorator', 'azure.core.tracing.decorator_async')
_MICROSOFTS_INSTRUMENTOR = 'azure.ai.inference.tracing'


def quiet(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method beneath those who would make a span of their own for the call; the method itself where nobody would.

    azure-core's `distributed_trace` opens an INTERNAL span around `embed`; Microsoft's instrumentor a CLIENT span
    around `complete`. Both keep what they wrap.
    """
    made_in = _made_in(method)
    if made_in == _MICROSOFTS_INSTRUMENTOR:
        return quiet(getattr(method, '_original', method))
    if made_in not in _AZURE_CORE_DECORATORS:
        return method
    inner: Callable[..., Any] = inspect.unwrap(method, stop=lambda wrapped: wrapped is not method)

    # The decorator takes these two keywords out; the method would pass them on to the transport.
    if inspect.iscoroutinefunction(inner):

        @functools.wraps(method)
        async def acall(*args: Any, merge_span: Any = None, parent_span: Any = None, **kwargs: Any) -> Any:
            return await inner(*args, **kwargs)

        return acall

    @functools.wraps(method)
    def call(*args: Any, merge_span: Any = None, parent_span: Any = None, **kwargs: Any) -> Any:
        return inner(*args, **kwargs)

    return call


def adopt(replacement: Callable[..., Any]) -> Callable[..., Any]:
    """Mark our replacement so that Microsoft's instrumentor neither wraps nor removes it.

    It leaves alone a method that has `_original`, and on its way out it puts back what `_original` says.
    """
    replacement._original = replacement  # pyright: ignore[reportFunctionMemberAccess]
    return replacement


def restored(original: Any) -> Any:
    """What to put back where `original` stood: not a wrapper of Microsoft's that has been switched off meanwhile."""
    if _made_in(original) == _MICROSOFTS_INSTRUMENTOR:
        instrumentor = sys.modules[_MICROSOFTS_INSTRUMENTOR].AIInferenceInstrumentor()
        if not instrumentor.is_instrumented():
            return getattr(original, '_original', original)
    return original


def _made_in(function: Any) -> str | None:
    return getattr(function, '__globals__', {}).get('__name__')
