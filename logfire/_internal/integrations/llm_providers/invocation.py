"""One call's life: its span begins, and ends once. Telemetry does no I/O: it serves both colours."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from opentelemetry import context as otel_context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from logfire._internal import attributes as names, errors
from logfire._internal.credentials import without_credentials
from logfire._internal.exception_events import record_exception
from logfire._internal.formatter import shown_value
from logfire._internal.integrations.llm_providers import semconv
from logfire._internal.integrations.llm_providers.cost import operation_cost
from logfire._internal.integrations.llm_providers.metrics import LLMMetrics
from logfire._internal.integrations.llm_providers.operation import (
    NOTHING_KNOWN,
    Attributes,
    LLMRequest,
    LLMResponse,
    Operation,
    RequestContent,
)
from logfire._internal.integrations.llm_providers.streams import StreamEnd, StreamRecording, record_stream
from logfire._internal.levels import level_number
from logfire._internal.stack_info import caller_attributes
from logfire._internal.suppression import suppressed
from logfire._internal.unfinished import WeaklyUnfinished
from logfire._internal.value_kinds import class_of

if TYPE_CHECKING:
    from logfire._internal.integrations.llm_providers.destination import Settings

# Every call comes by these: there a guard that costs nothing, `errors.handle`, stands.
_READ_RESPONSE = 'read the reply of an LLM call'
_PRICE = 'compute the cost of an LLM call'
_FINISH = 'finish the span of an LLM call'
_RECORD = 'record an LLM stream'
_METRICS = errors.Guard('record the metrics of an LLM call')

_JSON_AT_END = (
    semconv.OUTPUT_MESSAGES,
    semconv.CONTENT_FILTER_PROMPT_RESULTS,
    semconv.CONTENT_FILTER_COMPLETION_RESULTS,
)

# Those that stand above the driver, which is ours too, where the place in the code is looked for.
_FRAMES_ABOVE = 2

# The call that is being made right now. An overlapping instrumentation of the same client sees it and stands back.
current_invocation: ContextVar[Invocation | None] = ContextVar('logfire_llm_invocation', default=None)


StartSpan: TypeAlias = Callable[..., Span]
"""As OpenTelemetry's `Tracer.start_span`, its arguments in their order."""


class Instrumentation(Protocol):
    """What an invocation needs to know of the `instrument_…()` call in force."""

    metrics: LLMMetrics
    suppress_other_instrumentation: bool
    price_provider: str
    binary_limit: int
    start_span: StartSpan

    @property
    def settings(self) -> Settings: ...
    def constants(self, operation: Operation, request: LLMRequest) -> tuple[str, Mapping[str, Any]]: ...
    def now_quietly(self) -> int | None: ...


class InForce:
    """What decides for one client: the instrumentation, and whether all that are in force allow content."""

    __slots__ = ('capture_content', 'instrumentation')

    def __init__(self, instrumentation: Instrumentation, *, capture_content: bool) -> None:
        self.instrumentation: Final = instrumentation
        self.capture_content: Final = capture_content


class Invocation:
    """The span of one call, from the request to the end of its reply.

    Entered and left around the client's own method: our span is current inside, nowhere else. It ends when a whole
    reply is read, when the method raises, or, for a stream, when its recording does.
    """

    __slots__ = (
        '__weakref__',
        '_attempts',
        '_capture_content',
        '_current_token',
        '_instrumentation',
        '_json_names',
        '_operation',
        '_otel_token',
        '_request',
        '_span',
        '_unclaimed',
        'callers_headers',
        'client',
        'context',
        'request_start',
        'suppresses_others',
        'transport_attributes',
    )

    def __init__(
        self,
        in_force: InForce,
        operation: Operation,
        client: object,
        request: LLMRequest,
        content: RequestContent,
        context: Context,
    ) -> None:
        self._instrumentation = instrumentation = in_force.instrumentation
        self._capture_content = capture_content = in_force.capture_content
        self._operation = operation
        self.client: object | None = client
        self._request = request
        self._attempts = 0
        self.callers_headers: frozenset[str] | None = None
        """Of the headers that carry our context: those the caller passed, which are left alone. None: not looked at."""
        self.transport_attributes: Attributes | None = None
        """What was seen of the response below the client: status, request id."""
        self.suppresses_others = instrumentation.suppress_other_instrumentation
        """Whether nobody else is to make a span for this call."""
        name, constant_attributes = instrumentation.constants(operation, request)
        attributes: Attributes = {**constant_attributes, **caller_attributes(_FRAMES_ABOVE), **request.parameters}
        self._json_names = json_names = content.add_to(attributes) if capture_content else ()
        if json_names:
            attributes[names.JSON_SCHEMA] = _json_schema(json_names)
        self._span = instrumentation.start_span(name, context, SpanKind.CLIENT, attributes, None, None, False, False)
        self.context = trace.set_span_in_context(self._span, suppressed(context) if self.suppresses_others else context)
        self.request_start = perf_counter()
        # Popped by whoever ends the span first.
        self._unclaimed = [True]
        _open_invocations.add(self)

    def enter(self) -> None:
        """The client's own method is about to run: our span is current from here on."""
        self._current_token: Token[Invocation | None] = current_invocation.set(self)
        self._otel_token = otel_context.attach(self.context)

    def leave(self, exception: BaseException | None = None) -> None:
        """The method has returned, or raised: what was current before is so again."""
        self.client = None
        try:
            current_invocation.reset(self._current_token)
        except ValueError:
            # A coroutine that never finished, closed from a foreign context: what we attached is not attached here.
            pass
        else:
            otel_context.detach(self._otel_token)
        if exception is not None:
            self.end(NOTHING_KNOWN, exception=exception)

    def now(self) -> int:
        """The configured clock, in nanoseconds."""
        return self._instrumentation.settings.clock()

    def now_quietly(self) -> int | None:
        """As `now`; None where the clock fails, without a report. Safe inside a garbage collection."""
        return self._instrumentation.now_quietly()

    def new_attempt(self) -> None:
        """Another HTTP request goes out for this call."""
        self._attempts += 1

    def finish(self, result: Any) -> Any:
        """Take what the method returned: a whole reply ends the span, a stream is recorded until it ends.

        Returns what the caller gets: `result` itself wherever Python allows it.
        """
        if _is_iterator(class_of(result)):
            try:
                times = self._instrumentation.settings.has_metric_reader
                recording = StreamRecording(self, self._operation.new_accumulator(), takes_chunk_times=times)
                stream = record_stream(result, recording)
                _open_invocations.discard(self)  # From here on the recording ends it, at the exit too.
                return stream
            except Exception as fault:
                errors.handle(_RECORD, fault)
            self.end(NOTHING_KNOWN)
            return result
        response = NOTHING_KNOWN
        try:
            response = self._operation.read_response(result, self._instrumentation.binary_limit)
        except Exception as fault:
            errors.handle(_READ_RESPONSE, fault)
        self.end(response)
        return result

    def end(
        self,
        response: LLMResponse,
        *,
        exception: BaseException | None = None,
        stream: StreamEnd | None = None,
    ) -> None:
        """End the span with all that is known of the reply, and record the call's metrics.

        With `stream` the reply was streamed, and the span ends when the stream did. Only the first call counts, and in
        the process that made the call.
        """
        try:
            self._unclaimed.pop()
        except IndexError:
            return
        _open_invocations.discard(self)
        duration = perf_counter() - self.request_start
        span = self._span
        error_type = None if exception is None else self._read_error(exception)
        try:
            if span.is_recording():
                attributes = self._end_attributes(response, well=exception is None)
                if error_type is not None:
                    attributes[semconv.ERROR_TYPE] = error_type
                    attributes = {name: _without_credentials(value) for name, value in attributes.items()}
                if stream is not None:
                    attributes.update(stream.attributes())
                span.set_attributes(attributes)
                if exception is not None:
                    self._record_exception(exception)
        except Exception as fault:
            errors.handle(_FINISH, fault)
        try:
            span.end(None if stream is None else stream.time)
        except Exception as fault:
            errors.handle(_FINISH, fault)
        if self._instrumentation.settings.collects_metrics:
            with _METRICS:
                self._instrumentation.metrics.record(
                    self._operation,
                    self._request,
                    response,
                    duration=duration,
                    error_type=error_type,
                    stream=stream,
                )

    def cut(self) -> None:
        """The interpreter exits while a daemon thread is in the call: nothing is known of a reply."""
        with contextlib.suppress(IndexError):
            self._unclaimed.pop()
            self._span.end()

    def disown(self) -> None:
        """This is a forked child's copy: the parent ends the span."""
        self._unclaimed.clear()

    def _end_attributes(self, response: LLMResponse, *, well: bool) -> Attributes:
        asked = self._request.model
        attributes = response.attributes(capture_content=self._capture_content)
        if response.dimension_count is not None and semconv.EMBEDDINGS_DIMENSION_COUNT in self._request.parameters:
            del attributes[semconv.EMBEDDINGS_DIMENSION_COUNT]  # What was asked for stands.
        if response.model is None and asked is not None and well:
            attributes[semconv.RESPONSE_MODEL] = asked
        if self.transport_attributes is not None:
            attributes.update(self.transport_attributes)
        if self._attempts > 1:
            attributes[semconv.HTTP_RESEND_COUNT] = self._attempts - 1
        try:
            cost = operation_cost(self._instrumentation.price_provider, self._request, response)
            if cost is not None:
                attributes[semconv.OPERATION_COST] = cost
        except Exception as fault:
            errors.handle(_PRICE, fault)
        if asked is None and response.model is not None:
            attributes[semconv.REQUEST_MODEL] = response.model
            self._span.update_name(span_name(self._operation, response.model))
            attributes.update(message_attributes(self._operation, response.model))
        json_names = self._json_names
        for name in _JSON_AT_END:
            if name in attributes:
                json_names = (*json_names, name)
        if json_names is not self._json_names:
            attributes[names.JSON_SCHEMA] = _json_schema(json_names)
        return attributes

    def saw(self, attributes: Attributes) -> None:
        """Something was seen of the response below the client; what comes later replaces it."""
        self.transport_attributes = {**(self.transport_attributes or {}), **attributes}

    def _read_error(self, exception: BaseException) -> str:
        """What the exception tells of the response is kept; returns its `error.type`."""
        try:
            error = self._operation.read_error(exception)
            seen = self.transport_attributes or {}
            if error.status_code is not None:
                seen = {semconv.HTTP_STATUS_CODE: error.status_code, **seen}
            self.transport_attributes = {**seen, **error.provider_attributes}
            if error.code:
                return without_credentials(error.code)
        except Exception as fault:
            errors.handle(_READ_RESPONSE, fault)
        return qualified_name(type(exception))

    def _record_exception(self, exception: BaseException) -> None:
        if self._capture_content:
            callback = self._instrumentation.settings.advanced.exception_callback
            record_exception(self._span, exception, timestamp=self.now(), escaped=True, callback=callback)
            return
        # An error message may quote the prompt, and so may the traceback's last line: only the type is told.
        name = qualified_name(type(exception))
        self._span.add_event('exception', {'exception.type': name, 'exception.escaped': 'True'}, timestamp=self.now())
        self._span.set_status(Status(StatusCode.ERROR, type(exception).__name__))
        self._span.set_attribute(names.LEVEL_NUM, level_number('error'))


_open_invocations: WeaklyUnfinished[Invocation] = WeaklyUnfinished(
    'end the span of an LLM call at exit', end=Invocation.cut, leave=Invocation.disown
)


def running_invocation() -> Invocation | None:
    """The call that is being made right now, in this thread or task."""
    running = current_invocation.get()
    return running if running is not None and running.client is not None else None


def qualified_name(exception_type: type[BaseException]) -> str:
    """`module.QualName`; builtins bare; asyncio's under the name they are caught by."""
    module = exception_type.__module__
    if module == 'builtins':
        return exception_type.__qualname__
    if module == 'asyncio.exceptions':
        module = 'asyncio'
    return f'{module}.{exception_type.__qualname__}'


@functools.lru_cache(maxsize=64)
def _is_iterator(cls: type) -> bool:
    return hasattr(cls, '__next__') or hasattr(cls, '__anext__')


def _without_credentials(value: Any) -> Any:
    return without_credentials(value) if isinstance(value, str) else value


def message_attributes(operation: Operation, model: str | None) -> Mapping[str, Any]:
    """What the span of a call of this operation to this model says."""
    template = operation.message
    if model is None:
        return {names.MSG_TEMPLATE: template, names.MSG: template}
    return {
        names.MSG_TEMPLATE: f'{template} with {{{semconv.REQUEST_MODEL}!r}}',
        names.MSG: f'{template} with {shown_value(repr(model))}',
    }


def span_name(operation: Operation, model: str | None) -> str:
    """The name of the span of a call of this operation to this model."""
    return operation.name if model is None else f'{operation.name} {model}'


@functools.lru_cache(maxsize=16)
def _json_schema(json_names: tuple[str, ...]) -> str:
    """`logfire.json_schema` of GenAI attributes, which are all arrays: known beforehand, no walk over values."""
    properties = ','.join(f'"{name}":{{"type":"array"}}' for name in json_names)
    return f'{{"type":"object","properties":{{{properties}}}}}'
