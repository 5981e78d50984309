"""The instrumentation of Azure AI Inference clients as OpenTelemetry's own tools load it, without a line of code.

`opentelemetry-instrument` and OpenTelemetry distributions find it by its entry point, `azure_ai_inference`. In a
program that uses `logfire` itself, `logfire.instrument_azure_ai_inference()` is what you want.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Any, Final

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

__all__ = ['AzureAIInferenceInstrumentor']

_DEPENDENCIES: Final = ('azure-ai-inference >= 1.0.0b9',)

_ACCEPTED: Final = ('tracer_provider', 'meter_provider', 'capture_content', 'suppress_other_instrumentation')

# What others are given, and tools that instrument everything in one way pass to all.
_IGNORED: Final = ('logger_provider', 'event_logger_provider')


class AzureAIInferenceInstrumentor(BaseInstrumentor):
    """Makes a span of every call of Azure AI Inference clients, on OpenTelemetry's providers.

    The spans and metrics are those of `logfire.instrument_azure_ai_inference()`. Nothing has to be configured by
    `logfire.configure()`. A client that the program itself instruments with that function is left to it: the two
    together make one span, where and as the program says.

    Example usage:

        ```python
        from opentelemetry.sdk.trace import TracerProvider

        from logfire.integrations.azure_ai_inference import AzureAIInferenceInstrumentor

        AzureAIInferenceInstrumentor().instrument(tracer_provider=TracerProvider())
        AzureAIInferenceInstrumentor().uninstrument()
        ```

    `instrument()` takes, all optional:

    - `tracer_provider`, `meter_provider`: where spans and metrics go; without them OpenTelemetry's global ones.
    - `capture_content`: whether prompts, replies, tools and the texts of errors are recorded. Without it
      `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` says so, and they are not unless it does.
    - `suppress_other_instrumentation`: whether OpenTelemetry instrumentations of the HTTP library below make no spans
      meanwhile; they do not unless this is False.

    It raises TypeError for other keywords and for values of other types, and does nothing then.
    """

    _undo: AbstractContextManager[None]

    def instrumentation_dependencies(self) -> Collection[str]:
        """The packages, with their versions, without which it is not switched on."""
        return _DEPENDENCIES

    def _instrument(self, **kwargs: Any) -> None:
        _check(kwargs)
        from logfire._internal import lifecycle
        from logfire._internal.integrations.llm_providers.azure_ai_inference import instrument_all_clients
        from logfire._internal.integrations.llm_providers.destination import opentelemetry_destination

        self._undo = instrument_all_clients(
            opentelemetry_destination(kwargs.get('tracer_provider'), kwargs.get('meter_provider')),
            suppress_other_instrumentation=kwargs.get('suppress_other_instrumentation', True),
            capture_content=kwargs.get('capture_content'),
        )
        lifecycle.finish_first()

    def _uninstrument(self, **kwargs: Any) -> None:
        self._undo.__exit__(None, None, None)


def _check(keywords: dict[str, Any]) -> None:
    for name, value in keywords.items():
        if name in _IGNORED:
            continue
        if name not in _ACCEPTED:
            raise TypeError(
                f'AzureAIInferenceInstrumentor().instrument() does not take {name!r}. It takes: {", ".join(_ACCEPTED)}.'
            )
        method = {'tracer_provider': 'get_tracer', 'meter_provider': 'get_meter'}.get(name)
        if method is not None and value is not None and not callable(getattr(value, method, None)):
            raise TypeError(
                f'AzureAIInferenceInstrumentor().instrument() got {name} of type {type(value).__qualname__}, which has '
                f'no {method}(). Pass an OpenTelemetry provider, or nothing for the global one.'
            )
        if method is None and not isinstance(value, bool) and (value is not None or name != 'capture_content'):
            raise TypeError(f'AzureAIInferenceInstrumentor().instrument() got {name}={value!r}. It is True or False.')
