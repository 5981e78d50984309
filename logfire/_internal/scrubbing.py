"""Replacing what looks like a secret in attributes, events, links, log bodies and messages.

A value is scrubbed when a pattern is found in its key or, for text, in the value. Text that is nothing but the match
stays (`kind='password'`), and so do numbers under a clean key. Text that is JSON is scrubbed inside, and stays JSON.
Safe keys are looked at neither in key nor in value, at any depth. Names of spans and events, status descriptions and
resources are left alone: they are the program's own words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, cast

if TYPE_CHECKING:
    from typing import TypeAlias, TypedDict, TypeVar

    # Loading OpenTelemetry's SDK takes most of the time of an import; nothing here needs it to run.
    from opentelemetry.sdk._logs import ReadableLogRecord, ReadWriteLogRecord
    from opentelemetry.sdk.trace import ReadableSpan

    from logfire._internal.scrubbing_options import ScrubbingOptions

    ValuePath: TypeAlias = tuple[str | int, ...]
    """Where a value stands: `('attributes', 'user', 'password')`, `('otel_events', 0, 'attributes', 'token')`,
    `('message', 'field')`."""

    LogData = TypeVar('LogData', ReadableLogRecord, ReadWriteLogRecord)

    class ScrubNote(TypedDict):
        """One entry of `logfire.scrubbed`: where something was scrubbed, and the text that gave it away."""

        path: ValuePath
        matched_substring: str


SAFE_KEYS: Final = frozenset(
    {
        'code.filepath',
        'code.function',
        'code.lineno',
        'db.plan',
        'db.query.text',
        'db.statement',
        'error.type',
        'exception.message',
        'exception.stacktrace',
        'exception.type',
        'http.method',
        'http.request.resend_count',
        'http.response.status_code',
        'http.route',
        'http.scheme',
        'http.status_code',
        'http.target',
        'http.url',
        'url.full',
        'url.path',
        'url.query',
        # Ours. A message's values were scrubbed when it was formatted.
        'logfire.exception.fingerprint',
        'logfire.json_schema',
        'logfire.level_num',
        'logfire.msg',
        'logfire.msg_template',
        'logfire.pending_parent_id',
        'logfire.sample_rate',
        'logfire.scrubbed',
        'logfire.span_type',
        'logfire.stream.outcome',
        'logfire.tags',
        # A GenAI call: its content is what the user came for.
        'azure.resource_provider.namespace',
        'azure.service.request.id',
        'gen_ai.embeddings.dimension.count',
        'gen_ai.input.messages',
        'gen_ai.operation.name',
        'gen_ai.output.messages',
        'gen_ai.output.type',
        'gen_ai.provider.name',
        'gen_ai.request.choice.count',
        'gen_ai.request.encoding_formats',
        'gen_ai.request.frequency_penalty',
        'gen_ai.request.max_tokens',
        'gen_ai.request.model',
        'gen_ai.request.presence_penalty',
        'gen_ai.request.seed',
        'gen_ai.request.stop_sequences',
        'gen_ai.request.stream',
        'gen_ai.request.temperature',
        'gen_ai.request.top_k',
        'gen_ai.request.top_p',
        'gen_ai.response.finish_reasons',
        'gen_ai.response.id',
        'gen_ai.response.model',
        'gen_ai.response.time_to_first_chunk',
        'gen_ai.system_instructions',
        'gen_ai.token.type',
        'gen_ai.tool.definitions',
        'gen_ai.usage.cache_read.input_tokens',
        'gen_ai.usage.input_tokens',
        'gen_ai.usage.output_tokens',
        'gen_ai.usage.reasoning.output_tokens',
        'operation.cost',
        'server.address',
        'server.port',
    }
)
"""The keys whose values are never scrubbed. A list, never a prefix: nothing under `http.request.header.` is safe."""


class Scrubber(Protocol):
    """Takes out secrets. What comes back is the object that was given, if there was nothing to take out."""

    def scrub_span(self, span: ReadableSpan, attributes: Mapping[str, Any] | None = None) -> ReadableSpan:
        """The span with its attributes, events and links scrubbed, and `logfire.scrubbed` telling what was.

        `attributes` are the span's, if the caller has read them.
        """
        ...

    def scrub_log(self, log_data: LogData) -> LogData:
        """The log with its attributes and body scrubbed, and `logfire.scrubbed` telling what was."""
        ...

    def scrub_value(self, path: ValuePath, value: Any, notes: list[ScrubNote] | None = None) -> Any:
        """A value scrubbed by what it holds, whatever its key; what was scrubbed is added to `notes`."""
        ...

    def scrub_text(self, key: str, text: str, notes: list[ScrubNote] | None = None) -> str:
        """A piece of a message, unless its key is safe; what was scrubbed is added to `notes`."""
        ...


def scrubbed_attribute(notes: list[ScrubNote], existing: object = None) -> str:
    """The value of `logfire.scrubbed` for these notes, after those that it has already."""
    earlier: Any = None
    if isinstance(existing, str):
        try:
            earlier = json.loads(existing)
        except (ValueError, RecursionError):  # Not ours; what we know now matters more.
            pass
    return json.dumps([*cast('list[Any]', earlier), *notes] if isinstance(earlier, list) else notes)


class _NoopScrubber:
    """Leaves everything as it is."""

    def scrub_span(self, span: ReadableSpan, attributes: Mapping[str, Any] | None = None) -> ReadableSpan:
        return span

    def scrub_log(self, log_data: LogData) -> LogData:
        return log_data

    def scrub_value(self, path: ValuePath, value: Any, notes: list[ScrubNote] | None = None) -> Any:
        return value

    def scrub_text(self, key: str, text: str, notes: list[ScrubNote] | None = None) -> str:
        return text


NOOP_SCRUBBER: Final[Scrubber] = _NoopScrubber()


def new_scrubber(options: ScrubbingOptions | Literal[False] | None) -> Scrubber:
    """A scrubber: of the built-in patterns by default, with what the options add; False scrubs nothing.

    Raises:
        re.error: An extra pattern is not a regular expression.
        ValueError: An extra pattern cannot be searched in bounded time.
    """
    if options is False:
        return NOOP_SCRUBBER
    from logfire._internal.pattern_scrubber import PatternScrubber  # Loaded with the SDK, by `configure()`.

    if options is None:
        return PatternScrubber()
    return PatternScrubber(options.callback, options.extra_patterns or ())
