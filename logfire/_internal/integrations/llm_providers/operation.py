"""What every provider's call is made of: operation, request, response. Plain data: no OpenTelemetry, no provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from logfire._internal.integrations.llm_providers import semconv
from logfire._internal.integrations.llm_providers.semconv import InputMessage, OutputMessage, ToolDefinition
from logfire._internal.json_encoder import LONG, json_dumps, otlp_text, texts_json
from logfire._internal.value_kinds import MAX_CHARACTERS

Attributes = dict[str, Any]

MAX_TEXT = MAX_CHARACTERS
"""How many characters of text an attribute can hold."""

LONG_TEXT = LONG
"""A text of so many characters is long: it takes another way to JSON, which needs less memory."""

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
    return texts_json(messages, longest)


class LLMRequest(NamedTuple):
    """What was asked but for its content, as it goes on the wire. What was not asked for is absent."""

    server_address: str | None = None
    server_port: int | None = None
    model: str | None = None
    parameters: Mapping[str, Any] = {}
    """By the names of their attributes, in `semconv`."""

    def table(self) -> Attributes:
        """The span attributes of the server and the model."""
        table = {
            semconv.SERVER_ADDRESS: self.server_address,
            semconv.SERVER_PORT: self.server_port,
            semconv.REQUEST_MODEL: self.model,
        }
        return {name: value for name, value in table.items() if value is not None}


class RequestContent(NamedTuple):
    """What a person, a model or a tool wrote, which is recorded only where that is wanted."""

    messages: Sequence[InputMessage] | None = None
    longest_text: int | None = None
    """The length of the longest text of messages that are known to hold nothing else; None: not known."""
    tool_definitions: Sequence[ToolDefinition] | None = None
    stop_sequences: Sequence[str] | None = None

    def add_to(self, attributes: Attributes) -> tuple[str, ...]:
        """Add the span attributes, absent values left out. Returns the names of those that are JSON."""
        messages, longest, tool_definitions, stop_sequences = self
        added: tuple[str, ...] = ()
        if messages is not None:
            text = _messages_json(messages) if longest is None else texts_json(messages, longest)
            attributes[semconv.INPUT_MESSAGES] = text
            added = _MESSAGES
        if tool_definitions is not None:
            attributes[semconv.TOOL_DEFINITIONS] = json_dumps(tool_definitions)
            added = (*added, semconv.TOOL_DEFINITIONS)
        if stop_sequences is not None:
            attributes[semconv.REQUEST_STOP_SEQUENCES] = stop_sequences
        return added


_MESSAGES: Final = (semconv.INPUT_MESSAGES,)


class Usage(NamedTuple):
    """Token counts. Cached tokens are among the input tokens, reasoning tokens among the output tokens."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    reasoning_output_tokens: int | None = None


NO_USAGE: Final = Usage()


class LLMResponse(NamedTuple):
    """What came back, whole or so far. A field the service did not send is None."""

    id: str | None = None
    model: str | None = None
    finish_reasons: Sequence[str] = ()
    messages: Sequence[OutputMessage] = ()
    usage: Usage = NO_USAGE
    dimension_count: int | None = None
    provider_attributes: Mapping[str, Any] = {}
    """What only this provider tells; never content."""
    longest_text: int | None = None
    """The length of the longest text of messages that are known to hold nothing else; None: not known."""
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
        input_tokens, output_tokens, cached_tokens, reasoning_tokens = self.usage
        if input_tokens is not None:
            attributes[semconv.USAGE_INPUT_TOKENS] = input_tokens
        if output_tokens is not None:
            attributes[semconv.USAGE_OUTPUT_TOKENS] = output_tokens
        if cached_tokens is not None:
            attributes[semconv.USAGE_CACHE_READ_INPUT_TOKENS] = cached_tokens
        if reasoning_tokens is not None:
            attributes[semconv.USAGE_REASONING_OUTPUT_TOKENS] = reasoning_tokens
        if self.dimension_count is not None:
            attributes[semconv.EMBEDDINGS_DIMENSION_COUNT] = self.dimension_count
        if capture_content and self.messages:
            longest = self.longest_text
            attributes[semconv.OUTPUT_MESSAGES] = (
                _messages_json(self.messages) if longest is None else texts_json(self.messages, longest)
            )
        return attributes


NOTHING_KNOWN: Final = LLMResponse()
"""Of a reply."""


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
    provider: str
    """`gen_ai.provider.name`."""
    provider_attributes: Mapping[str, Any]
    """What every span of this provider has besides."""
    method: str
    """The method of the client that makes the call."""
    message: str
    """What the span says without a model; with one, ` with 'MODEL'` follows."""
    read_request: Callable[[Any, tuple[Any, ...], dict[str, Any], int], tuple[LLMRequest, RequestContent]]
    """From the client, the call's arguments, which it does not consume, and the limit of binary content."""
    bare_request: Callable[[Any], LLMRequest]
    """What is known of a request whose reading failed."""
    read_response: Callable[[Any, int], LLMResponse]
    """From what the method returned, and the limit of binary content."""
    read_error: Callable[[BaseException], ServiceError]
    """From an exception that the method, or its stream, raised."""
    new_accumulator: Callable[[], Accumulator]
    """For a streamed reply. An operation that never streams gets no chunks."""
