"""What happens to every span between OpenTelemetry and the configured exporters.

One processor stands in front of all the others. It adds baggage and announces a span when it starts, scrubs it when
it ends, and keeps the fault of one processor from the user's call and from the other processors.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import SpanContext, Status, StatusCode

from logfire._internal import errors
from logfire._internal.attributes import LEVEL_NUM, METRICS, MSG, PENDING_PARENT_ID, SPAN_TYPE, all_carried, carried
from logfire._internal.deadline import DeadlineRunner
from logfire._internal.exporters.http_spans import http_level, http_message
from logfire._internal.levels import LEVEL_NUMBERS
from logfire._internal.scrubbing import NOOP_SCRUBBER, Scrubber
from logfire._internal.span_copy import SpanCopy, plain_attributes

if TYPE_CHECKING:
    from logfire._internal.exporters.span_metrics import SpanMetrics
    from logfire._internal.exporters.tail_sampling import TailSampler
    from logfire._internal.sampling import TailSamplingSpanInfo

MAX_BAGGAGE_VALUE: Final = 1_000
"""Longest baggage value that is kept as an attribute, in characters."""

_ERROR: Final = LEVEL_NUMBERS['error']
_NOTHING: Final[Mapping[str, Any]] = {}

_ENTER: Final = 'take a span that started'
_LEAVE: Final = 'take a span that ended'
# Each span comes by here: a guard that costs nothing, `errors.handle`, stands where every span meets it.
_START: Final = 'tell a span processor that a span started'
_BAGGAGE: Final = 'add baggage to a span'
_COMPLETE: Final = 'complete a span'
_SCRUB: Final = 'scrub a span'
_END: Final = 'hand a span to a span processor'
_PENDING_GUARD: Final = errors.Guard('announce a span that started')


def shows_live_work(processor: SpanProcessor) -> bool:
    """Whether a processor asks, by itself or by its exporter, for the copies that announce spans still running."""
    exporter = getattr(processor, 'span_exporter', None)
    return bool(getattr(processor, 'wants_pending', False) or getattr(exporter, 'wants_pending', False))


_NO_ON_START: Final = SpanProcessor.on_start


class SpanStages:
    """What spans go through in one configuration. Immutable: a new configuration has new stages.

    A processor that is `live`, or else `shows_live_work`, also gets, in `on_end`, a zero-length copy of each sampled
    span that starts (`logfire.span_type` is `pending_span`). The copy takes one id of `id_generator`; without such a
    processor none is made.
    """

    def __init__(
        self,
        processors: Sequence[SpanProcessor] = (),
        *,
        live: Sequence[SpanProcessor] = (),
        scrubber: Scrubber = NOOP_SCRUBBER,
        id_generator: IdGenerator | None = None,
        add_baggage: bool = False,
        tail: Callable[[TailSamplingSpanInfo], float] | None = None,
        span_metrics: SpanMetrics | None = None,
        shorten: Callable[[ReadableSpan], ReadableSpan] | None = None,
    ) -> None:
        self.processors = tuple(processors)
        # One item for each span that is in the stages now: appending and popping are atomic, a counter is not.
        self.inside: list[None] = []
        # Most processors have nothing to do then.
        self._on_start = tuple(
            [each.on_start for each in processors if getattr(each.on_start, '__func__', None) is not _NO_ON_START]
        )
        self._live = tuple(each for each in processors if each in live or shows_live_work(each))
        self._scrubber = scrubber
        self._id_generator = id_generator or RandomIdGenerator()
        self._add_baggage = add_baggage
        self._span_metrics = span_metrics
        self._shorten = shorten
        self._tail: TailSampler | None = None
        if tail is not None:
            from logfire._internal.exporters.tail_sampling import TailSampler

            self._tail = TailSampler(tail, announce=self._announce, finish=self._finish)

    def wait_until_left(self, timeout_seconds: float) -> None:
        """Wait, at most so long, until no span is in these stages. Call it when they have been replaced."""
        deadline = time.monotonic() + timeout_seconds
        while self.inside and time.monotonic() < deadline:
            time.sleep(0.001)

    def start(self, span: Span, context: Context | None) -> None:
        """A span started; it can still be given attributes."""
        if self._add_baggage and (context or context is None):  # An empty one has none.
            try:
                _set_baggage_attributes(span, context)
            except Exception as fault:
                errors.handle(_BAGGAGE, fault)
        if self._span_metrics is not None:
            self._span_metrics.start(span)
        for on_start in self._on_start:
            try:
                on_start(span, context)
            except Exception as fault:
                errors.handle(_START, fault)
        if self._tail is not None:
            self._tail.start(span, context)
        elif self._live:
            self._announce(span)

    def end(self, span: ReadableSpan) -> None:
        """A span ended."""
        attributes: Mapping[str, Any] | None = None
        try:
            measured = self._span_metrics.end(span) if self._span_metrics is not None else None
            attributes = plain_attributes(span)
            added, status = _told(span, attributes)
            if measured is not None:
                added = {**added, METRICS: measured}
            if added or status is not None:
                completed = {**_carried_attributes(attributes), **added}
                span = SpanCopy(span, completed, status=status)
                attributes = completed
        except Exception as fault:
            errors.handle(_COMPLETE, fault)
        if self._tail is not None:
            self._tail.end(span)
        else:
            self._finish(span, attributes)

    def _finish(self, span: ReadableSpan, attributes: Mapping[str, Any] | None = None) -> None:
        # A span that cannot be scrubbed is not exported.
        try:
            self._hand_over(self._scrubber.scrub_span(span, attributes), self.processors)
        except Exception as fault:
            errors.handle(_SCRUB, fault)

    def _announce(self, span: ReadableSpan) -> None:
        with _PENDING_GUARD:
            context = span.get_span_context()
            attributes = plain_attributes(span)
            if not (self._live and context and context.trace_flags.sampled and attributes.get(SPAN_TYPE) == 'span'):
                return
            told, status = _told(span, attributes)
            pending: dict[str, Any] = {**_carried_attributes(attributes), **told, SPAN_TYPE: 'pending_span'}
            pending[PENDING_PARENT_ID] = f'{span.parent.span_id:016x}' if span.parent else '0' * 16
            own_context = SpanContext(
                context.trace_id,
                self._id_generator.generate_span_id(),
                is_remote=False,
                trace_flags=context.trace_flags,
                trace_state=context.trace_state,
            )
            copy = SpanCopy(
                span,
                pending,
                context=own_context,
                parent=context,
                end_time=span.start_time,
                status=status,
            )
            self._hand_over(self._scrubber.scrub_span(copy), self._live)

    def _hand_over(self, span: ReadableSpan, processors: Sequence[SpanProcessor]) -> None:
        if self._shorten is not None:
            span = self._shorten(span)
        for processor in processors:
            try:
                processor.on_end(span)
            except Exception as fault:
                errors.handle(_END, fault)


class SpanPipeline(SpanProcessor):
    """The one processor of every tracer provider of a configuration: what it does follows each `configure()`.

    So a span that was running when the configuration was replaced ends in the new one.
    """

    def __init__(self, runner: DeadlineRunner) -> None:
        self._runner = runner
        self._stages = SpanStages()

    def _enter_again(self, stages: SpanStages) -> SpanStages:
        """The stages in use, entered, where those that a span entered were replaced between two steps.

        Stages are not shut down before they are left: pop from their `inside`.
        """
        while stages is not self._stages:
            stages.inside.pop()
            stages = self._stages
            stages.inside.append(None)
        return stages

    def use(self, stages: SpanStages) -> SpanStages:
        """Send spans through these stages from now on; returns those before."""
        before, self._stages = self._stages, stages
        return before

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        stages = self._stages
        stages.inside.append(None)
        if stages is not self._stages:
            stages = self._enter_again(stages)
        try:
            stages.start(span, parent_context)
        except Exception as fault:
            errors.handle(_ENTER, fault)
        finally:
            stages.inside.pop()

    def on_end(self, span: ReadableSpan) -> None:
        stages = self._stages
        stages.inside.append(None)
        if stages is not self._stages:
            stages = self._enter_again(stages)
        try:
            stages.end(span)
        except Exception as fault:
            errors.handle(_LEAVE, fault)
        finally:
            stages.inside.pop()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush every processor; whether all did in time."""
        return self._runner.run(flush_jobs(self._stages.processors, timeout_millis), timeout_millis / 1_000)

    def shutdown(self) -> None:
        """Shut every processor down, within OpenTelemetry's own 30 seconds; spans ended later go nowhere."""
        self._runner.run([each.shutdown for each in self.use(SpanStages()).processors], 30.0)


def flush_jobs(parts: Iterable[_Flushes], timeout_millis: int) -> list[Callable[[], object]]:
    """What flushes these processors or readers, as jobs that return whether they did."""
    return [functools.partial(part.force_flush, timeout_millis) for part in parts]


class _Flushes(Protocol):
    def force_flush(self, timeout_millis: int, /) -> bool: ...


def _set_baggage_attributes(span: Span, context: Context | None) -> None:
    values = baggage.get_all(context)
    if not values:
        return
    present = span.attributes or {}
    for key, value in values.items():
        if not isinstance(value, str):
            continue
        name = f'baggage_conflict.{key}' if key in present else key
        if present.get(key) != value:
            span.set_attribute(name, _cut(value))


def _cut(value: str) -> str:
    if len(value) <= MAX_BAGGAGE_VALUE:
        return value
    half = (MAX_BAGGAGE_VALUE - len('...')) // 2
    return f'{value[:half]}...{value[-half:]}'


def _carried_attributes(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The attributes of a span as OTLP carries them. Ours are so already."""
    return attributes if MSG in attributes else all_carried(attributes)


def _told(span: ReadableSpan, attributes: Mapping[str, Any]) -> tuple[Mapping[str, Any], Status | None]:
    """What a span tells besides its own attributes, and the status that it gets, if that is another.

    A level of error and a status of ERROR bring each other about; one of another library gets a message, from the name
    it has now, and a level from its HTTP status code.
    """
    code = span.status.status_code
    level = attributes.get(LEVEL_NUM)
    if code is StatusCode.UNSET and MSG in attributes and (level is None or (type(level) is int and level < _ERROR)):
        return _NOTHING, None  # Nearly every span of ours.
    added: dict[str, Any] = {}
    if MSG not in attributes:
        added[MSG] = carried(http_message(span) or span.name)
        level = http_level(span) if level is None else level
    if level is None and code is StatusCode.ERROR:
        level = _ERROR
    if level is not None and LEVEL_NUM not in attributes:
        added[LEVEL_NUM] = level
    fails = code is StatusCode.UNSET and isinstance(level, int) and level >= _ERROR
    return added, Status(StatusCode.ERROR) if fails else None
