"""Ours, in several configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor

import logfire
from logfire._internal.integrations.llm_providers.cost import start_loading
from logfire._internal.value_kinds import class_of


def ours(processor: SpanProcessor, **options: Any) -> logfire.Logfire:
    """An instance of its own: no console, nothing sent; metrics are on, without a reader unless the options say so."""
    return logfire.configure(
        local=True, send_to_logfire=False, console=False, additional_span_processors=[processor], **options
    )


def with_reader() -> Mapping[str, Any]:
    """Options under which somebody collects the metrics."""
    return {'metrics': logfire.MetricsOptions(additional_readers=[InMemoryMetricReader()])}


def instrumented(client: Any, processor: SpanProcessor, **options: Any) -> Any:
    """The client, its class instrumented by an instance of its own."""
    ours(processor, **options).instrument_azure_ai_inference(class_of(client))
    start_loading().join()  # The prices, which take a second to load.
    return client
