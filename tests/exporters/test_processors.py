"""What happens to every span between OpenTelemetry and the configured exporters."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import baggage, trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from logfire._internal import errors
from logfire._internal.deadline import DeadlineRunner
from logfire._internal.exporters.processors import SpanPipeline, SpanStages
from logfire._internal.exporters.span_metrics import SpanMetrics
from logfire._internal.scrubbing import new_scrubber
from logfire._internal.span_copy import SpanCopy
from logfire.testing import IncrementalIdGenerator, TestExporter


class PlainExporter(SpanExporter):
    """Keeps every span; knows nothing of spans that still run."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Any) -> SpanExportResult:
        self.spans.extend(spans)
        return SpanExportResult.SUCCESS


class RecordingProcessor(SpanProcessor):
    """Writes down what it is told; fails where it is told to."""

    def __init__(self, *fails: str) -> None:
        self.told: list[str] = []
        self._fails = fails

    def _tell(self, what: str) -> None:
        self.told.append(what)
        if what in self._fails:
            raise RuntimeError(what)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self._tell('start')

    def on_end(self, span: ReadableSpan) -> None:
        self._tell('end')

    def shutdown(self) -> None:
        self._tell('shutdown')

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        self._tell('flush')
        return True


def new_tracer(*processors: SpanProcessor, sampler: Sampler | None = None, **options: Any) -> Tracer:
    """A tracer of OpenTelemetry's own whose spans go through the stages that are asked for."""
    ids = IncrementalIdGenerator()
    pipeline = SpanPipeline(DeadlineRunner('test'))
    pipeline.use(SpanStages(processors, id_generator=ids, **options))
    return tracer_of(pipeline, ids, sampler=sampler)


def tracer_of(pipeline: SpanPipeline, ids: IncrementalIdGenerator, **options: Any) -> Tracer:
    provider = TracerProvider(id_generator=ids, shutdown_on_exit=False, **options)
    provider.add_span_processor(pipeline)
    return provider.get_tracer('test')


SPAN = {'logfire.span_type': 'span', 'logfire.msg': 'message'}


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_span_that_starts_is_announced(exporter: TestExporter) -> None:
    """Where live work is shown, a zero-length copy of each span arrives as it starts, with an id of its own."""
    tracer = new_tracer(SimpleSpanProcessor(exporter))
    link = trace.Link(trace.SpanContext(9, 9, is_remote=True))
    with tracer.start_as_current_span('outer', kind=SpanKind.SERVER, attributes=SPAN, links=[link], start_time=5):
        inner = tracer.start_span('inner', attributes=SPAN)
    pending_outer, pending_inner, outer = exporter.exported_spans
    assert attributes(pending_outer) == {
        **SPAN,
        'logfire.span_type': 'pending_span',
        'logfire.pending_parent_id': '0000000000000000',
    }
    assert attributes(pending_inner)['logfire.pending_parent_id'] == '0000000000000001'
    assert (pending_outer.name, pending_outer.kind, list(pending_outer.links)) == ('outer', SpanKind.SERVER, [link])
    assert (pending_outer.start_time, pending_outer.end_time) == (5, 5)
    assert pending_outer.parent == outer.context
    assert pending_inner.parent == inner.get_span_context()
    ids = [
        (span.get_span_context() or trace.INVALID_SPAN_CONTEXT).span_id
        for span in (outer, pending_outer, inner, pending_inner)
    ]
    assert ids == [1, 2, 3, 4]
    assert pending_outer.resource is outer.resource
    assert pending_outer.instrumentation_scope == outer.instrumentation_scope


def test_only_those_who_show_live_work_are_told(exporter: TestExporter) -> None:
    """A user's exporter gets finished spans only, whoever else gets the announcements."""
    plain = PlainExporter()
    tracer = new_tracer(SimpleSpanProcessor(plain), SimpleSpanProcessor(exporter))
    tracer.start_span('span', attributes=SPAN).end()
    assert [attributes(span)['logfire.span_type'] for span in plain.spans] == ['span']
    assert [attributes(span)['logfire.span_type'] for span in exporter.exported_spans] == ['pending_span', 'span']


def test_nobody_to_tell_takes_no_id() -> None:
    """Where nobody shows live work, ids are those of spans alone."""
    plain = PlainExporter()
    tracer = new_tracer(SimpleSpanProcessor(plain))
    for _ in range(2):
        tracer.start_span('span', attributes=SPAN).end()
    assert [span.context.span_id for span in plain.spans if span.context] == [1, 2]


def test_a_processor_can_be_told_for_another_reason() -> None:
    """A processor that the configuration calls live is told, whatever it says of itself."""
    plain = PlainExporter()
    processor = SimpleSpanProcessor(plain)
    new_tracer(processor, live=[processor]).start_span('span', attributes=SPAN)
    assert len(plain.spans) == 1


@pytest.mark.parametrize('span_type', ['log', 'pending_span', None])
def test_logs_are_not_announced(span_type: str | None, exporter: TestExporter) -> None:
    """What is no span has nothing to announce."""
    given = {'logfire.span_type': span_type} if span_type else {}
    new_tracer(SimpleSpanProcessor(exporter)).start_span('log', attributes=given)
    assert exporter.exported_spans == []


class RecordOnly(Sampler):
    """Records every span and samples none."""

    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        return SamplingResult(Decision.RECORD_ONLY, SPAN)

    def get_description(self) -> str:
        return 'RecordOnly'


@pytest.mark.parametrize('sampler', [RecordOnly(), ALWAYS_OFF], ids=['recorded', 'dropped'])
def test_spans_that_are_not_sampled_are_not_announced(sampler: Sampler) -> None:
    """Head sampling holds for the announcements too."""
    processor = RecordingProcessor()
    new_tracer(processor, live=[processor], sampler=sampler).start_span('span', attributes=SPAN)
    assert 'end' not in processor.told


def test_every_processor_gets_scrubbed_spans(exporter: TestExporter) -> None:
    """A secret reaches no processor's `on_end`, by a finished span or by an announcement."""
    plain = PlainExporter()
    tracer = new_tracer(SimpleSpanProcessor(exporter), SimpleSpanProcessor(plain), scrubber=new_scrubber(None))
    tracer.start_span('span', attributes={**SPAN, 'password': 'hunter2'}).end()
    seen = [*exporter.exported_spans, *plain.spans]
    assert [attributes(span)['password'] for span in seen] == ["[Scrubbed due to 'password']"] * 3


def test_a_span_that_needs_no_change_is_not_copied() -> None:
    """A clean span reaches the processors as it is."""
    handed: list[ReadableSpan] = []

    class Keeping(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            handed.append(span)

    stages = SpanStages([Keeping()], scrubber=new_scrubber(None))
    span = ReadableSpan('span', attributes=SPAN)
    stages.end(span)
    assert handed[0] is span


def test_a_span_of_another_instrumentation_gets_a_message(exporter: TestExporter) -> None:
    """Its last name is its message, in its announcement the first; if it failed its level is error."""
    tracer = new_tracer(SimpleSpanProcessor(exporter))
    span = tracer.start_span('GET', attributes={'logfire.span_type': 'span'})
    span.update_name('GET /shop')
    span.set_status(Status(StatusCode.ERROR))
    span.end()
    tracer.start_span('fine').end()
    pending, ended, fine = exporter.exported_spans
    assert attributes(pending)['logfire.msg'] == 'GET'
    assert attributes(ended) == {'logfire.span_type': 'span', 'logfire.msg': 'GET /shop', 'logfire.level_num': 17}
    assert attributes(fine) == {'logfire.msg': 'fine'}


def test_a_level_that_is_set_is_kept(exporter: TestExporter) -> None:
    """A failed span of another instrumentation keeps the level that it was given."""
    tracer = new_tracer(SimpleSpanProcessor(exporter))
    span = tracer.start_span('span', attributes={'logfire.level_num': 13})
    span.set_status(Status(StatusCode.ERROR))
    span.end()
    assert attributes(exporter.exported_spans[0])['logfire.level_num'] == 13


def test_a_span_with_a_level_of_error_failed(exporter: TestExporter) -> None:
    """Its status is ERROR, in its announcement too, unless somebody set another; below error it has none."""
    tracer = new_tracer(SimpleSpanProcessor(exporter))
    for level in (21, 17, 16):
        tracer.start_span('span', attributes={**SPAN, 'logfire.level_num': level}).end()
    late = tracer.start_span('span', attributes=SPAN)
    late.set_attribute('logfire.level_num', 17)
    late.end()
    fine = tracer.start_span('span', attributes={**SPAN, 'logfire.level_num': 17})
    fine.set_status(Status(StatusCode.OK))
    fine.end()
    codes = [span.status.status_code.name for span in exporter.exported_spans]
    assert codes == ['ERROR'] * 4 + ['UNSET'] * 2 + ['UNSET', 'ERROR'] + ['ERROR', 'OK']


def test_a_span_of_ours_that_failed_has_the_level_error(exporter: TestExporter) -> None:
    """Its level is error if only its status was set, by OpenTelemetry's method."""
    span = new_tracer(SimpleSpanProcessor(exporter)).start_span('span', attributes=SPAN)
    span.set_status(StatusCode.ERROR)
    span.end()
    assert attributes(exporter.exported_spans[-1]) == {**SPAN, 'logfire.level_num': 17}


def test_a_copy_tells_what_was_dropped() -> None:
    """What OpenTelemetry's limits dropped from a span is still counted in what is exported."""
    plain = PlainExporter()
    pipeline = SpanPipeline(DeadlineRunner('test'))
    pipeline.use(SpanStages([SimpleSpanProcessor(plain)]))
    limits = SpanLimits(max_span_attributes=1, max_events=1, max_links=1)
    tracer = tracer_of(pipeline, IncrementalIdGenerator(), span_limits=limits)
    links = [trace.Link(trace.SpanContext(9, number, is_remote=True)) for number in (1, 2)]
    span = tracer.start_span('span', attributes={'a': 1, 'b': 2}, links=links)
    span.add_event('first')
    span.add_event('second')
    span.end()
    (seen,) = plain.spans
    assert isinstance(seen, SpanCopy)
    assert (seen.dropped_attributes, seen.dropped_events, seen.dropped_links) == (1, 1, 1)


def test_baggage_becomes_attributes(exporter: TestExporter) -> None:
    """What the baggage of a span's context says is recorded on the span, and told in its announcement."""
    tracer = new_tracer(SimpleSpanProcessor(exporter), add_baggage=True)
    context = baggage.set_baggage('user', 'ada', baggage.set_baggage('kind', 'vip'))
    tracer.start_span('span', context, attributes=SPAN).end()
    assert [(attributes(span)['user'], attributes(span)['kind']) for span in exporter.exported_spans] == [
        ('ada', 'vip'),
        ('ada', 'vip'),
    ]


def test_baggage_takes_no_attributes_place(exporter: TestExporter) -> None:
    """An attribute of the span's own stays; the baggage that conflicts with it is recorded beside it."""
    tracer = new_tracer(SimpleSpanProcessor(exporter), add_baggage=True)
    context = baggage.set_baggage('user', 'ada', baggage.set_baggage('same', 'same'))
    tracer.start_span('span', context, attributes={'user': 'bob', 'same': 'same'}).end()
    assert attributes(exporter.exported_spans[0]) == {
        'user': 'bob',
        'same': 'same',
        'baggage_conflict.user': 'ada',
        'logfire.msg': 'span',
    }


def test_long_baggage_is_cut(exporter: TestExporter) -> None:
    """A long value keeps its beginning and its end; one that is no text is left out."""
    tracer = new_tracer(SimpleSpanProcessor(exporter), add_baggage=True)
    context = baggage.set_baggage('number', 1, baggage.set_baggage('fits', 'x' * 1_000))
    tracer.start_span('span', baggage.set_baggage('long', 'a' * 600 + 'b' * 600, context)).end()
    seen = attributes(exporter.exported_spans[0])
    assert seen['long'] == 'a' * 498 + '...' + 'b' * 498
    assert seen['fits'] == 'x' * 1_000
    assert 'number' not in seen


def test_baggage_can_be_left_out(exporter: TestExporter) -> None:
    """Without being asked, baggage is not recorded."""
    tracer = new_tracer(SimpleSpanProcessor(exporter), add_baggage=False)
    tracer.start_span('span', baggage.set_baggage('user', 'ada')).end()
    assert 'user' not in attributes(exporter.exported_spans[0])


def test_what_is_measured_in_a_span_is_summed(exporter: TestExporter) -> None:
    """A span tells what was measured while it ran, in itself and in the spans within."""
    sums = SpanMetrics()
    tracer = new_tracer(SimpleSpanProcessor(exporter), span_metrics=sums)
    with tracer.start_as_current_span('outer'):
        sums.record('count', 2, {'a': 1}, None)
        with tracer.start_as_current_span('inner', attributes={'logfire.msg': 'mine'}):
            sums.record('count', 5, None, None)
            sums.record('size', 1.5, None, None)
        sums.record('count', 1, {'a': 1}, None)
    sums.record('count', 100, None, None)
    tracer.start_span('nothing', attributes=SPAN).end()
    assert [attributes(span).get('logfire.metrics') for span in exporter.exported_spans] == [
        '{"count": {"details": [{"attributes": {}, "total": 5}], "total": 5}, '
        '"size": {"details": [{"attributes": {}, "total": 1.5}], "total": 1.5}}',
        '{"count": {"details": [{"attributes": {"a": 1}, "total": 3}, {"attributes": {}, "total": 5}], "total": 8}, '
        '"size": {"details": [{"attributes": {}, "total": 1.5}], "total": 1.5}}',
        None,
        None,
    ]
    assert attributes(exporter.exported_spans[0])['logfire.msg'] == 'mine'


@pytest.fixture
def forgiving(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """As in a user's program: a fault is reported and does not raise."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr(errors, '_counts', {})
    with caplog.at_level(logging.ERROR, logger='logfire'):
        yield caplog


@pytest.mark.parametrize('what', ['start', 'end'])
def test_a_processor_that_fails_disturbs_nobody(
    what: str, forgiving: pytest.LogCaptureFixture, exporter: TestExporter
) -> None:
    """The fault of a user's processor is reported, and the other processors and the user's program go on."""
    broken = RecordingProcessor(what)
    new_tracer(broken, SimpleSpanProcessor(exporter)).start_span('span').end()
    assert broken.told == ['start', 'end']
    assert [span.name for span in exporter.exported_spans] == ['span']
    assert f'could not {"tell" if what == "start" else "hand"}' in forgiving.text


class BrokenScrubber:
    """Fails on every span."""

    def scrub_span(self, span: ReadableSpan, attributes: Any = None) -> ReadableSpan:
        raise RuntimeError('scrubber')


def test_what_cannot_be_scrubbed_is_not_exported(forgiving: pytest.LogCaptureFixture, exporter: TestExporter) -> None:
    """A fault of the scrubbing costs the span, never a secret."""
    tracer = new_tracer(SimpleSpanProcessor(exporter), scrubber=BrokenScrubber())
    tracer.start_span('span', attributes=SPAN).end()
    assert exporter.exported_spans == []
    assert 'could not announce a span' in forgiving.text
    assert 'could not scrub a span' in forgiving.text


def test_a_span_that_cannot_be_completed_is_exported_as_it_is(
    forgiving: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, exporter: TestExporter
) -> None:
    """A fault in finding its message costs the message."""
    monkeypatch.setattr('logfire._internal.exporters.processors.http_message', None)
    new_tracer(SimpleSpanProcessor(exporter)).start_span('span', attributes={'a': 1}).end()
    assert [attributes(span) for span in exporter.exported_spans] == [{'a': 1}]
    assert 'could not complete a span' in forgiving.text


def test_broken_baggage_costs_itself_only(
    forgiving: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, exporter: TestExporter
) -> None:
    """A fault in reading the baggage costs its attributes."""

    def fail(context: Context | None = None) -> None:
        raise RuntimeError('baggage')

    monkeypatch.setattr(baggage, 'get_all', fail)
    new_tracer(SimpleSpanProcessor(exporter), add_baggage=True).start_span('span').end()
    assert [span.name for span in exporter.exported_spans] == ['span']
    assert 'could not add baggage' in forgiving.text


def test_a_measurement_that_cannot_be_summed_costs_itself_only(forgiving: pytest.LogCaptureFixture) -> None:
    """A fault in summing is reported and does not reach the one who measures."""
    SpanMetrics().record('count', 1, 5, None)  # pyright: ignore[reportArgumentType] - wrong on purpose.
    assert 'could not sum a measurement' in forgiving.text


def test_a_span_ends_in_the_stages_of_the_day(exporter: TestExporter) -> None:
    """A span that was running when the configuration was replaced goes where the new one says."""
    ids = IncrementalIdGenerator()
    pipeline = SpanPipeline(DeadlineRunner('test'))
    old, new = PlainExporter(), PlainExporter()
    pipeline.use(SpanStages([SimpleSpanProcessor(old)], span_metrics=SpanMetrics()))
    span = tracer_of(pipeline, ids).start_span('span')
    pipeline.use(SpanStages([SimpleSpanProcessor(new)], span_metrics=SpanMetrics()))
    span.end()
    assert (len(old.spans), len(new.spans)) == (0, 1)


def test_flush_and_shutdown_reach_every_processor() -> None:
    """Both reach all processors; after a shutdown spans go nowhere."""
    first, second = RecordingProcessor(), RecordingProcessor()
    pipeline = SpanPipeline(DeadlineRunner('test'))
    pipeline.use(SpanStages([first, second]))
    assert pipeline.force_flush(10_000)
    pipeline.shutdown()
    tracer_of(pipeline, IncrementalIdGenerator()).start_span('late').end()
    pipeline.shutdown()
    assert first.told == second.told == ['flush', 'shutdown']


@pytest.mark.usefixtures('forgiving')
def test_a_processor_that_cannot_flush_is_told_of() -> None:
    """A flush that failed for one processor says so, having flushed the others."""
    broken, sound = RecordingProcessor('flush'), RecordingProcessor()
    pipeline = SpanPipeline(DeadlineRunner('test'))
    pipeline.use(SpanStages([broken, sound]))
    assert pipeline.force_flush(10_000) is False
    assert sound.told == ['flush']


def test_stages_are_left_before_they_are_shut_down() -> None:
    """What replaces stages can wait for the spans that are in them, and no span enters them after that."""
    pipeline = SpanPipeline(DeadlineRunner('test'))
    inside, go_on = threading.Event(), threading.Event()

    class Slow(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            inside.set()
            go_on.wait(60)

    old = SpanStages([Slow()])
    pipeline.use(old)
    thread = threading.Thread(target=tracer_of(pipeline, IncrementalIdGenerator()).start_span('span').end)
    thread.start()
    inside.wait(60)
    assert pipeline.use(SpanStages()) is old
    old.wait_until_left(0)
    assert old.inside
    go_on.set()
    old.wait_until_left(60)
    assert not old.inside
    thread.join(60)


@pytest.mark.parametrize(
    ('when', 'before', 'after'), [('start', '', 'start end'), ('end', 'start', 'end')], ids=['start', 'end']
)
def test_stages_that_are_replaced_while_a_span_enters(when: str, before: str, after: str) -> None:
    """A span that finds the stages replaced just as it enters goes into the new ones."""
    pipeline = SpanPipeline(DeadlineRunner('test'))
    old, new = RecordingProcessor(), RecordingProcessor()
    stages, replacing = SpanStages([old]), SpanStages([new])
    entered: list[str] = ['end', 'start']

    class Replacing(list[None]):
        def append(self, item: None) -> None:
            super().append(item)
            if entered.pop() == when:
                pipeline.use(replacing)

    stages.inside = Replacing()
    pipeline.use(stages)
    tracer_of(pipeline, IncrementalIdGenerator()).start_span('span').end()
    assert (old.told, new.told) == (before.split(), after.split())
    assert not stages.inside
    assert not replacing.inside
