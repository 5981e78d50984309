"""The client metrics of the GenAI conventions: recorded for every call, sampled or not, failed or not.

A record costs 4 to 11 µs, and a stream may have thousands of chunks: streams are recorded by a thread of our own after
they have ended, a little at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from logfire._internal.forks import ForkSafeLock
from logfire._internal.integrations.llm_providers import finalizer, semconv
from logfire._internal.integrations.llm_providers.operation import LLMRequest, LLMResponse, Operation, Usage
from logfire._internal.integrations.llm_providers.semconv import HistogramDefinition

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, Meter

    from logfire._internal.integrations.llm_providers.streams import StreamEnd

# So many records are made at once; then other threads have their turn.
_BATCH = 64


class _Histograms:
    """The four histograms."""

    def __init__(self, meter: Meter) -> None:
        def new_histogram(definition: HistogramDefinition) -> Histogram:
            return meter.create_histogram(
                definition.name,
                unit=definition.unit,
                description=definition.description,
                explicit_bucket_boundaries_advisory=definition.bucket_bounds,
            )

        self.duration = new_histogram(semconv.OPERATION_DURATION)
        self.token_usage = new_histogram(semconv.TOKEN_USAGE)
        self.time_to_first_chunk = new_histogram(semconv.TIME_TO_FIRST_CHUNK)
        self.time_per_output_chunk = new_histogram(semconv.TIME_PER_OUTPUT_CHUNK)


class LLMMetrics:
    """Records calls. The histograms are made for the first: many programs measure nothing.

    Args:
        new_meter: The meter that makes them.
    """

    def __init__(self, new_meter: Callable[[], Meter]) -> None:
        self._new_meter = new_meter
        self._lock = ForkSafeLock()
        self._made: _Histograms | None = None

    def _histograms(self) -> _Histograms:
        if self._made is None:
            with self._lock:
                if self._made is None:  # pragma: no branch - another thread may have been first
                    self._made = _Histograms(self._new_meter())
        return self._made

    def record(
        self,
        operation: Operation,
        request: LLMRequest,
        response: LLMResponse,
        *,
        duration: float,
        error_type: str | None,
        stream: StreamEnd | None,
    ) -> None:
        """Record one call. Times are in seconds."""
        table = {
            semconv.OPERATION_NAME: operation.name,
            semconv.PROVIDER_NAME: operation.provider,
            semconv.REQUEST_MODEL: response.model,
            **request.table(),
            semconv.RESPONSE_MODEL: response.model,
            semconv.ERROR_TYPE: error_type,
        }
        attributes = {name: value for name, value in table.items() if value is not None}
        if stream is None:
            _record_call(self._histograms(), attributes, response.usage, duration)
        else:
            histograms = self._histograms()
            finalizer.worker.submit(lambda: _record_stream(histograms, attributes, response.usage, duration, stream))


def _record_call(histograms: _Histograms, attributes: Mapping[str, Any], usage: Usage, duration: float) -> None:
    histograms.duration.record(duration, attributes)
    for token_type, tokens in (('input', usage.input_tokens), ('output', usage.output_tokens)):
        if tokens is not None:
            histograms.token_usage.record(tokens, {**attributes, semconv.TOKEN_TYPE: token_type})


def _record_stream(
    histograms: _Histograms, attributes: Mapping[str, Any], usage: Usage, duration: float, stream: StreamEnd
) -> None:
    _record_call(histograms, attributes, usage, duration)
    if stream.time_to_first_chunk is not None:
        histograms.time_to_first_chunk.record(stream.time_to_first_chunk, attributes)
    instants = stream.chunk_instants
    for at in range(1, len(instants)):
        histograms.time_per_output_chunk.record(instants[at] - instants[at - 1], attributes)
        if at % _BATCH == 0:
            time.sleep(0.001)
