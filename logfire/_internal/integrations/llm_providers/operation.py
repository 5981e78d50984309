"""What every provider's call is made of: operation, request, response. Plain data: no OpenTelemetry, no provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from logfire._internal.integrations.llm_providers import semconv
from logfire._internal.json_encoder import LONG, otlp_text, texts_json, wire_json
from logfire._internal.value_kinds import MAX_CHARACTERS

if TYPE_CHECKING:
    from logfire._internal.integrations.llm_providers.semconv import InputMessage, OutputMessage, ToolDefinition

Attributes = dict[str, Any]

# Plain classes with slots: quicker to make than tuples with names, and to define. Nobody changes one that is made.

MAX_TEXT = MAX_CHARACTERS
"""How many characters of text an attribute can hold."""

LONG_TEXT = LONG
"""A text of so many characters is long: it takes another way to JSON, which needs less memory."""

bounded_text = otlp_text
"""A string as an attribute carries it, of at most so many characters."""

json_attribute = wire_json
"""The JSON text of an attribute."""

_NOTHING: Final[Mapping[str, Any]] = {}


def _messages_json(messages: Sequence[InputMessage] | Sequence[OutputMessage], longest: int | None) -> str:
    """`longest` is the length of the longest text of messages that are known to hold nothing else; None: not known."""
    if longest is not None:
        return texts_json(messages, longest)
    longest = 0
    for message in messages:
        for part in message['parts']:
            content = part.get('content')
            # What has two members, one of them a text as `content`, has its type beside that.
            if type(content) is not str or len(part) != 2:
                return wire_json(messages)
            if len(content) > longest:
                longest = len(content)
    return texts_json(messages, longest)


class LLMRequest:
    """What was asked but for its content, as it goes on the wire. What was not asked for is absent."""

    __slots__ = ('model', 'parameters', 'server_address', 'server_port')

    def __init__(
        self,
        server_address: str | None = None,
        server_port: int | None = None,
        model: str | None = None,
        parameters: Mapping[str, Any] = _NOTHING,
    ) -> None:
        self.server_address: Final = server_address
        self.server_port: Final = server_port
        self.model: Final = model
        self.parameters: Final = parameters
        """By the names of their attributes, in `semconv`."""

    def table(self) -> Attributes:
        """The span attributes of the server and the model."""
        table = {
            semconv.SERVER_ADDRESS: self.server_address,
            semconv.SERVER_PORT: self.server_port,
            semconv.REQUEST_MODEL: self.model,
        }
        return {name: value for name, value in table.items() if value is not None}


class RequestContent:
    """What a person, a model or a tool wrote, which is recorded only where that is wanted."""

    __slots__ = ('longest_text', 'messages', 'stop_sequences', 'tool_definitions')

    def __init__(
        self,
        messages: Sequence[InputMessage] | None = None,
        longest_text: int | None = None,
        tool_definitions: Sequence[ToolDefinition] | None = None,
        stop_sequences: Sequence[str] | None = None,
    ) -> None:
        self.messages: Final = messages
        self.longest_text: Final = longest_text
        """The length of the longest text of messages that are known to hold nothing else; None: not known."""
        self.tool_definitions: Final = tool_definitions
        self.stop_sequences: Final = stop_sequences

    def add_to(self, attributes: Attributes) -> tuple[str, ...]:
        """Add the span attributes, absent values left out. Returns the names of those that are JSON."""
        added: tuple[str, ...] = ()
        messages = self.messages
        if messages is not None:
            attributes[semconv.INPUT_MESSAGES] = _messages_json(messages, self.longest_text)
            added = _MESSAGES
        if self.tool_definitions is not None:
            attributes[semconv.TOOL_DEFINITIONS] = wire_json(self.tool_definitions)
            added = (*added, semconv.TOOL_DEFINITIONS)
        if self.stop_sequences is not None:
            attributes[semconv.REQUEST_STOP_SEQUENCES] = self.stop_sequences
        return added


_MESSAGES: Final = (semconv.INPUT_MESSAGES,)


class Usage:
    """Token counts. Cached tokens are among the input tokens, reasoning tokens among the output tokens."""

    __slots__ = ('cache_read_input_tokens', 'input_tokens', 'output_tokens', 'reasoning_output_tokens')

    def __init__(
        self,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cache_read_input_tokens: int | None = None,
        reasoning_output_tokens: int | None = None,
    ) -> None:
        self.input_tokens: Final = input_tokens
        self.output_tokens: Final = output_tokens
        self.cache_read_input_tokens: Final = cache_read_input_tokens
        self.reasoning_output_tokens: Final = reasoning_output_tokens


NO_USAGE: Final = Usage()


class LLMResponse:
    """What came back, whole or so far. A field the service did not send is None."""

    __slots__ = (
        'dimension_count',
        'finish_reasons',
        'id',
        'longest_text',
        'messages',
        'model',
        'provider_attributes',
        'unfinished',
        'usage',
    )

    def __init__(
        self,
        id: str | None = None,
        model: str | None = None,
        finish_reasons: Sequence[str] = (),
        messages: Sequence[OutputMessage] = (),
        usage: Usage = NO_USAGE,
        dimension_count: int | None = None,
        provider_attributes: Mapping[str, Any] = _NOTHING,
        longest_text: int | None = None,
        unfinished: bool = False,
    ) -> None:
        self.id: Final = id
        self.model: Final = model
        self.finish_reasons: Final = finish_reasons
        self.messages: Final = messages
        self.usage: Final = usage
        self.dimension_count: Final = dimension_count
        self.provider_attributes: Final = provider_attributes
        """What only this provider tells; never content."""
        self.longest_text: Final = longest_text
        """The length of the longest text of messages that are known to hold nothing else; None: not known."""
        self.unfinished: Final = unfinished
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
        usage = self.usage
        if usage.input_tokens is not None:
            attributes[semconv.USAGE_INPUT_TOKENS] = usage.input_tokens
        if usage.output_tokens is not None:
            attributes[semconv.USAGE_OUTPUT_TOKENS] = usage.output_tokens
        if usage.cache_read_input_tokens is not None:
            attributes[semconv.USAGE_CACHE_READ_INPUT_TOKENS] = usage.cache_read_input_tokens
        if usage.reasoning_output_tokens is not None:
            attributes[semconv.USAGE_REASONING_OUTPUT_TOKENS] = usage.reasoning_output_tokens
        if self.dimension_count is not None:
            attributes[semconv.EMBEDDINGS_DIMENSION_COUNT] = self.dimension_count
        if capture_content and self.messages:
            attributes[semconv.OUTPUT_MESSAGES] = _messages_json(self.messages, self.longest_text)
        return attributes


NOTHING_KNOWN: Final = LLMResponse()
"""Of a reply."""


class ServiceError:
    """What the service said of a call it refused."""

    __slots__ = ('code', 'provider_attributes', 'status_code')

    def __init__(
        self, code: str | None = None, status_code: int | None = None, provider_attributes: Mapping[str, Any] = _NOTHING
    ) -> None:
        self.code: Final = code
        self.status_code: Final = status_code
        self.provider_attributes: Final = provider_attributes


class Accumulator(Protocol):
    """Takes a stream's chunks as they come; what it has so far is an `LLMResponse` like any other."""

    def add(self, chunk: Any) -> None:
        """Take one chunk. It must not keep the chunk, nor the stream it came from."""

    def response(self) -> LLMResponse:
        """What has come so far."""
        ...


class Operation:
    """All that a provider writes of one kind of call."""

    def __init__(
        self,
        *,
        name: str,
        provider: str,
        provider_attributes: Mapping[str, Any],
        method: str,
        message: str,
        read_request: Callable[[Any, tuple[Any, ...], dict[str, Any], int], tuple[LLMRequest, RequestContent]],
        bare_request: Callable[[Any], LLMRequest],
        read_response: Callable[[Any, int], LLMResponse],
        read_error: Callable[[BaseException], ServiceError],
        new_accumulator: Callable[[], Accumulator],
    ) -> None:
        self.name: Final = name
        """`gen_ai.operation.name`."""
        self.provider: Final = provider
        """`gen_ai.provider.name`."""
        self.provider_attributes: Final = provider_attributes
        """What every span of this provider has besides."""
        self.method: Final = method
        """The method of the client that makes the call."""
        self.message: Final = message
        """What the span says without a model; with one, ` with 'MODEL'` follows."""
        self.read_request: Final = read_request
        """From the client, the call's arguments, which it does not consume, and the limit of binary content."""
        self.bare_request: Final = bare_request
        """What is known of a request whose reading failed."""
        self.read_response: Final = read_response
        """From what the method returned, and the limit of binary content."""
        self.read_error: Final = read_error
        """From an exception that the method, or its stream, raised."""
        self.new_accumulator: Final = new_accumulator
        """For a streamed reply. An operation that never streams gets no chunks."""
