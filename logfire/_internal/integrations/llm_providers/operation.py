"""What every provider's call is made of: operation, request, response. Plain data: no OpenTelemetry, no provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, Protocol

from logfire._internal.integrations.llm_providers import semconv
from logfire._internal.integrations.llm_providers.semconv import InputMessage, OutputMessage, ToolDefinition
from logfire._internal.json_encoder import json_dumps, otlp_text, texts_json
from logfire._internal.value_kinds import MAX_CHARACTERS

Attributes = dict[str, Any]

MAX_TEXT = MAX_CHARACTERS
"""How many characters of text an attribute can hold."""

bounded_text = otlp_text
"""A string as an attribute carries it, of at most so many characters."""

json_attribute = json_dumps
"""The JSON text of an attribute."""


def _messages_json(messages: Sequence[InputMessage] | Sequence[OutputMessage]) -> str:
    longest = 0
    for message in messages:
        for part in message['parts']:
            content = part.get('content')
            # What has two members, one of them a text as `content`, has its type beside that.
            if type(content) is not str or len(part) != 2:
                return json_dumps(messages)
            if len(content) > longest:
                longest = len(content)
    return texts_json(messages, longest=longest)


class LLMRequest(NamedTuple):
    """What was asked, as it goes on the wire. A field that was not asked for is None: nothing is invented."""

    operation: str
    provider: str
    provider_attributes: Mapping[str, Any] = {}
    stop_sequences: Sequence[str] | None = None
    messages: Sequence[InputMessage] | None = None
    tool_definitions: Sequence[ToolDefinition] | None = None
    # From here on the order is that of _REQUEST_NAMES.
    server_address: str | None = None
    server_port: int | None = None
    model: str | None = None
    stream: Literal[True] | None = None
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

    def attributes(self, *, capture_content: bool) -> Attributes:
        """The span attributes of the request, absent values left out.

        Without `capture_content` nothing that a person, a model or a tool wrote is among them.
        """
        attributes: Attributes = {
            semconv.OPERATION_NAME: self.operation,
            semconv.PROVIDER_NAME: self.provider,
            **self.provider_attributes,
        }
        for name, value in zip(_REQUEST_NAMES, self[_FIRST_NAMED:], strict=True):
            if value is not None:
                attributes[name] = value
        if capture_content:
            if self.stop_sequences is not None:
                attributes[semconv.REQUEST_STOP_SEQUENCES] = self.stop_sequences
            if self.messages is not None:
                attributes[semconv.INPUT_MESSAGES] = _messages_json(self.messages)
            if self.tool_definitions is not None:
                attributes[semconv.TOOL_DEFINITIONS] = json_dumps(self.tool_definitions)
        return attributes


_REQUEST_NAMES: Final = (
    semconv.SERVER_ADDRESS,
    semconv.SERVER_PORT,
    semconv.REQUEST_MODEL,
    semconv.REQUEST_STREAM,
    semconv.REQUEST_TEMPERATURE,
    semconv.REQUEST_TOP_P,
    semconv.REQUEST_TOP_K,
    semconv.REQUEST_FREQUENCY_PENALTY,
    semconv.REQUEST_PRESENCE_PENALTY,
    semconv.REQUEST_MAX_TOKENS,
    semconv.REQUEST_SEED,
    semconv.REQUEST_CHOICE_COUNT,
    semconv.OUTPUT_TYPE,
    semconv.REQUEST_ENCODING_FORMATS,
    semconv.EMBEDDINGS_DIMENSION_COUNT,
)
_FIRST_NAMED: Final = LLMRequest._fields.index('server_address')


class Usage(NamedTuple):
    """Token counts. Cached tokens are among the input tokens, reasoning tokens among the output tokens.

    The order is that of _USAGE_NAMES.
    """

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
        attributes: Attributes = {**self.provider_attributes}
        if self.id is not None:
            attributes[semconv.RESPONSE_ID] = self.id
        if self.model is not None:
            attributes[semconv.RESPONSE_MODEL] = self.model
        if self.finish_reasons:
            attributes[semconv.RESPONSE_FINISH_REASONS] = self.finish_reasons
        for name, count in zip(_USAGE_NAMES, self.usage, strict=True):
            if count is not None:
                attributes[name] = count
        if self.dimension_count is not None:
            attributes[semconv.EMBEDDINGS_DIMENSION_COUNT] = self.dimension_count
        if capture_content and self.messages:
            attributes[semconv.OUTPUT_MESSAGES] = _messages_json(self.messages)
        return attributes


_USAGE_NAMES: Final = (
    semconv.USAGE_INPUT_TOKENS,
    semconv.USAGE_OUTPUT_TOKENS,
    semconv.USAGE_CACHE_READ_INPUT_TOKENS,
    semconv.USAGE_REASONING_OUTPUT_TOKENS,
)


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
