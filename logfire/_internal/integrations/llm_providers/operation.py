"""What every provider's call is made of: operation, request, response. Plain data: no OpenTelemetry, no provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from logfire._internal.integrations.llm_providers import semconv
from logfire._internal.integrations.llm_providers.semconv import InputMessage, OutputMessage, ToolDefinition
from logfire._internal.json_encoder import json_dumps, otlp_text
from logfire._internal.value_kinds import MAX_CHARACTERS

Attributes = dict[str, Any]

MAX_TEXT = MAX_CHARACTERS
"""How many characters of text an attribute can hold."""

bounded_text = otlp_text
"""A string as an attribute carries it, of at most so many characters."""

json_attribute = json_dumps
"""The JSON text of an attribute."""


class LLMRequest(NamedTuple):
    """What was asked, as it goes on the wire. A field that was not asked for is None: nothing is invented."""

    operation: str
    provider: str
    model: str | None = None
    server_address: str | None = None
    server_port: int | None = None
    stream: bool = False
    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    choice_count: int | None = None
    output_type: str | None = None
    encoding_formats: Sequence[str] | None = None
    dimension_count: int | None = None
    stop_sequences: Sequence[str] | None = None
    messages: Sequence[InputMessage] | None = None
    tool_definitions: Sequence[ToolDefinition] | None = None
    provider_attributes: Mapping[str, Any] = {}

    def attributes(self, *, capture_content: bool) -> Attributes:
        """The span attributes of the request, absent values left out.

        Without `capture_content` nothing that a person, a model or a tool wrote is among them.
        """
        table: Attributes = {
            semconv.OPERATION_NAME: self.operation,
            semconv.PROVIDER_NAME: self.provider,
            **self.provider_attributes,
            semconv.SERVER_ADDRESS: self.server_address,
            semconv.SERVER_PORT: self.server_port,
            semconv.REQUEST_MODEL: self.model,
            semconv.REQUEST_STREAM: self.stream or None,
            semconv.REQUEST_TEMPERATURE: self.temperature,
            semconv.REQUEST_TOP_P: self.top_p,
            semconv.REQUEST_TOP_K: self.top_k,
            semconv.REQUEST_FREQUENCY_PENALTY: self.frequency_penalty,
            semconv.REQUEST_PRESENCE_PENALTY: self.presence_penalty,
            semconv.REQUEST_MAX_TOKENS: self.max_tokens,
            semconv.REQUEST_SEED: self.seed,
            semconv.REQUEST_CHOICE_COUNT: self.choice_count,
            semconv.OUTPUT_TYPE: self.output_type,
            semconv.REQUEST_ENCODING_FORMATS: self.encoding_formats,
            semconv.EMBEDDINGS_DIMENSION_COUNT: self.dimension_count,
        }
        if capture_content:
            table[semconv.REQUEST_STOP_SEQUENCES] = self.stop_sequences
            if self.messages is not None:
                table[semconv.INPUT_MESSAGES] = json_dumps(self.messages)
            if self.tool_definitions is not None:
                table[semconv.TOOL_DEFINITIONS] = json_dumps(self.tool_definitions)
        return {name: value for name, value in table.items() if value is not None}


class Usage(NamedTuple):
    """Token counts. Cached tokens are among the input tokens, reasoning tokens among the output tokens."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    reasoning_output_tokens: int | None = None


class LLMResponse(NamedTuple):
    """What came back, whole or so far. A field the service did not send is None."""

    id: str | None = None
    model: str | None = None
    finish_reasons: Sequence[str] = ()
    messages: Sequence[OutputMessage] = ()
    usage: Usage = Usage()
    dimension_count: int | None = None
    provider_attributes: Mapping[str, Any] = {}
    """What only this provider tells; never content."""
    unfinished: bool = False
    """A choice had begun and its finish reason never came."""

    def attributes(self, *, capture_content: bool) -> Attributes:
        """The span attributes of the response, absent values left out."""
        usage = self.usage
        table: Attributes = {
            semconv.RESPONSE_ID: self.id,
            semconv.RESPONSE_MODEL: self.model,
            semconv.RESPONSE_FINISH_REASONS: self.finish_reasons or None,
            semconv.USAGE_INPUT_TOKENS: usage.input_tokens,
            semconv.USAGE_OUTPUT_TOKENS: usage.output_tokens,
            semconv.USAGE_CACHE_READ_INPUT_TOKENS: usage.cache_read_input_tokens,
            semconv.USAGE_REASONING_OUTPUT_TOKENS: usage.reasoning_output_tokens,
            semconv.EMBEDDINGS_DIMENSION_COUNT: self.dimension_count,
            **self.provider_attributes,
        }
        if capture_content and self.messages:
            table[semconv.OUTPUT_MESSAGES] = json_dumps(self.messages)
        return {name: value for name, value in table.items() if value is not None}


class ServiceError(NamedTuple):
    """What the service said of a call it refused."""

    code: str | None = None
    status_code: int | None = None
    provider_attributes: Mapping[str, Any] = {}


class Accumulator(Protocol):
    """Takes a stream's chunks as they come; what it has so far is an `LLMResponse` like any other."""

    def add(self, chunk: Any) -> None:
        """Take one chunk. It must not keep the chunk, nor the stream it came from."""

    def response(self) -> LLMResponse:
        """What has come so far."""
        ...


class Operation(NamedTuple):
    """All that a provider writes of one kind of call."""

    name: str
    """`gen_ai.operation.name`."""
    method: str
    """The method of the client that makes the call."""
    message: str
    """What the span says without a model; with one, ` with 'MODEL'` follows."""
    read_request: Callable[[Any, tuple[Any, ...], dict[str, Any], int], LLMRequest]
    """From the client, the call's arguments, which it does not consume, and the limit of binary content."""
    bare_request: Callable[[Any], LLMRequest]
    """What is known of a request whose reading failed."""
    read_response: Callable[[Any, int], LLMResponse]
    """From what the method returned, and the limit of binary content."""
    read_error: Callable[[BaseException], ServiceError]
    """From an exception that the method, or its stream, raised."""
    new_accumulator: Callable[[], Accumulator]
    """For a streamed reply. An operation that never streams gets no chunks."""
