"""Every GenAI name this package emits, once: attributes, metrics, bucket bounds and the shapes of the JSON attributes.

Target: the OpenTelemetry GenAI semantic conventions v1.41.1, the last released text. The convention is still moving;
a rename is one line here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypedDict

# -- Operation and request: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
OPERATION_NAME: Final = 'gen_ai.operation.name'
PROVIDER_NAME: Final = 'gen_ai.provider.name'
REQUEST_MODEL: Final = 'gen_ai.request.model'
REQUEST_STREAM: Final = 'gen_ai.request.stream'
REQUEST_TEMPERATURE: Final = 'gen_ai.request.temperature'
REQUEST_TOP_P: Final = 'gen_ai.request.top_p'
REQUEST_TOP_K: Final = 'gen_ai.request.top_k'
REQUEST_FREQUENCY_PENALTY: Final = 'gen_ai.request.frequency_penalty'
REQUEST_PRESENCE_PENALTY: Final = 'gen_ai.request.presence_penalty'
REQUEST_MAX_TOKENS: Final = 'gen_ai.request.max_tokens'
REQUEST_SEED: Final = 'gen_ai.request.seed'
REQUEST_CHOICE_COUNT: Final = 'gen_ai.request.choice.count'
REQUEST_STOP_SEQUENCES: Final = 'gen_ai.request.stop_sequences'
REQUEST_ENCODING_FORMATS: Final = 'gen_ai.request.encoding_formats'
OUTPUT_TYPE: Final = 'gen_ai.output.type'
INPUT_MESSAGES: Final = 'gen_ai.input.messages'
TOOL_DEFINITIONS: Final = 'gen_ai.tool.definitions'
EMBEDDINGS_DIMENSION_COUNT: Final = 'gen_ai.embeddings.dimension.count'

# -- Response
RESPONSE_ID: Final = 'gen_ai.response.id'
RESPONSE_MODEL: Final = 'gen_ai.response.model'
RESPONSE_FINISH_REASONS: Final = 'gen_ai.response.finish_reasons'
RESPONSE_TIME_TO_FIRST_CHUNK: Final = 'gen_ai.response.time_to_first_chunk'
OUTPUT_MESSAGES: Final = 'gen_ai.output.messages'
USAGE_INPUT_TOKENS: Final = 'gen_ai.usage.input_tokens'
USAGE_OUTPUT_TOKENS: Final = 'gen_ai.usage.output_tokens'
USAGE_CACHE_READ_INPUT_TOKENS: Final = 'gen_ai.usage.cache_read.input_tokens'
USAGE_REASONING_OUTPUT_TOKENS: Final = 'gen_ai.usage.reasoning.output_tokens'

# -- General conventions that a GenAI span carries
ERROR_TYPE: Final = 'error.type'
SERVER_ADDRESS: Final = 'server.address'
SERVER_PORT: Final = 'server.port'
HTTP_STATUS_CODE: Final = 'http.response.status_code'
HTTP_RESEND_COUNT: Final = 'http.request.resend_count'
AZURE_RESOURCE_PROVIDER_NAMESPACE: Final = 'azure.resource_provider.namespace'
AZURE_SERVICE_REQUEST_ID: Final = 'azure.service.request.id'

# -- Ours, where the conventions have no name
OPERATION_COST: Final = 'operation.cost'
STREAM_OUTCOME: Final = 'logfire.stream.outcome'
CONTENT_FILTER_PROMPT_RESULTS: Final = 'azure.ai.inference.content_filter.prompt_results'
CONTENT_FILTER_COMPLETION_RESULTS: Final = 'azure.ai.inference.content_filter.completion_results'
RATE_LIMIT_REMAINING_REQUESTS: Final = 'azure.ai.inference.rate_limit.remaining_requests'
RATE_LIMIT_REMAINING_TOKENS: Final = 'azure.ai.inference.rate_limit.remaining_tokens'

# -- Metrics: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/ (the histograms stand below)
TOKEN_TYPE: Final = 'gen_ai.token.type'

OperationName = Literal['chat', 'embeddings']
StreamOutcome = Literal['completed', 'truncated', 'closed', 'abandoned', 'cancelled', 'error']


if TYPE_CHECKING:
    # The shapes of the JSON attributes.

    class TextPart(TypedDict):
        """Text said by a person, a system or a model."""

        type: Literal['text']
        content: str

    class ReasoningPart(TypedDict):
        """What a model thought before it answered."""

        type: Literal['reasoning']
        content: str

    class _ToolCallId(TypedDict, total=False):
        id: str

    class ToolCallPart(_ToolCallId):
        """A tool call a model asks for; `arguments` is the parsed object, or the raw string where it is not JSON."""

        type: Literal['tool_call']
        name: str
        arguments: Any

    class ToolCallResponsePart(_ToolCallId):
        """What a tool answered."""

        type: Literal['tool_call_response']
        response: Any

    class _MimeType(TypedDict, total=False):
        mime_type: str

    class UriPart(_MimeType):
        """Content that is elsewhere, by its address."""

        type: Literal['uri']
        modality: str
        uri: str

    class BlobPart(_MimeType, total=False):
        """Binary content in base64; over the limit `content` is empty and `size` and `sha256` stand for it."""

        type: Literal['blob']
        modality: str
        content: str
        size: int
        sha256: str

    # A part of a kind the convention has no shape for is kept as it is, with its own `type`.
    GenericPart = dict[str, Any]
    Part = TextPart | ReasoningPart | ToolCallPart | ToolCallResponsePart | UriPart | BlobPart | GenericPart

    class _Name(TypedDict, total=False):
        name: str

    class InputMessage(_Name):
        """One message of the history that was sent."""

        role: str
        parts: list[Part]

    class OutputMessage(TypedDict):
        """One choice of the reply."""

        role: str
        parts: list[Part]
        finish_reason: str

    # `{type, name, description?, parameters?}` for a function; a tool of another kind as it is.
    ToolDefinition = dict[str, Any]

_SECONDS_BOUNDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS_BOUNDS = tuple(4**exponent for exponent in range(14))


class HistogramDefinition:
    """A metric of the conventions."""

    __slots__ = ('bucket_bounds', 'description', 'name', 'unit')

    def __init__(self, name: str, unit: str, description: str, bucket_bounds: Sequence[float]) -> None:
        self.name: Final = name
        self.unit: Final = unit
        self.description: Final = description
        self.bucket_bounds: Final = bucket_bounds


OPERATION_DURATION: Final = HistogramDefinition(
    'gen_ai.client.operation.duration', 's', 'GenAI operation duration.', _SECONDS_BOUNDS
)
TOKEN_USAGE: Final = HistogramDefinition(
    'gen_ai.client.token.usage', '{token}', 'Number of input and output tokens used.', _TOKENS_BOUNDS
)
TIME_TO_FIRST_CHUNK: Final = HistogramDefinition(
    'gen_ai.client.operation.time_to_first_chunk',
    's',
    'Time from issuing the request to receiving the first chunk of its streamed response.',
    _SECONDS_BOUNDS,
)
TIME_PER_OUTPUT_CHUNK: Final = HistogramDefinition(
    'gen_ai.client.operation.time_per_output_chunk',
    's',
    'Time from one chunk of a streamed response to the next.',
    _SECONDS_BOUNDS,
)
