"""Tracers that can be had before anything is configured, and follow every configuration."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span as SDKSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanKind, Status, StatusCode

from logfire._internal.config.tracers import ClockedSpan, ProxyTracerProvider
from logfire._internal.suppression import suppressed
from logfire.testing import TestExporter, TimeGenerator


@pytest.fixture
def provider(exporter: TestExporter) -> ProxyTracerProvider:
    """Points at a provider with the system's clock."""
    provider = ProxyTracerProvider()
    provider.use(new_sdk_provider(exporter))
    return provider


@pytest.fixture
def clocked(exporter: TestExporter, clock: TimeGenerator) -> ProxyTracerProvider:
    """Points at a provider with a clock of the user's."""
    provider = ProxyTracerProvider()
    provider.use(new_sdk_provider(exporter), clock=clock)
    return provider


def new_sdk_provider(exporter: TestExporter, **options: Any) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False, **options)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def names(exporter: TestExporter) -> list[str]:
    return [span.name for span in exporter.exported_spans]


def test_a_tracer_had_early_follows_every_configuration(exporter: TestExporter) -> None:
    """A tracer records nothing before the first configuration, and then where the newest one says."""
    provider = ProxyTracerProvider()
    tracer = provider.get_tracer('test')
    assert not tracer.start_span('before').is_recording()
    first, second = TestExporter(), exporter
    provider.use(new_sdk_provider(first))
    tracer.start_span('first').end()
    provider.use(new_sdk_provider(second))
    tracer.start_span('second').end()
    provider.use(None)
    assert not tracer.start_span('after').is_recording()
    assert (names(first), names(second)) == (['first'], ['second'])


def test_tracers_nobody_holds_are_let_go() -> None:
    """A library that asks for a tracer at each call costs no memory."""
    provider = ProxyTracerProvider()
    tracer = weakref.ref(provider.get_tracer('test'))
    gc.collect()
    assert tracer() is None


def test_with_the_systems_clock_spans_are_opentelemetrys_own(provider: ProxyTracerProvider) -> None:
    """No wrapper stands between the user and a span."""
    with provider.get_tracer('test').start_as_current_span('span') as span:
        assert type(span) is type(new_sdk_provider(TestExporter()).get_tracer('x').start_span('y'))
        assert isinstance(span, SDKSpan)
        assert trace.get_current_span() is span


def test_everything_given_reaches_the_span(provider: ProxyTracerProvider, exporter: TestExporter) -> None:
    """A scope's and a span's arguments arrive as they were given."""
    tracer = provider.get_tracer('scope', '1.2', 'https://schema.example', {'scope.key': 1})
    parent = tracer.start_span('parent')
    context = trace.set_span_in_context(parent)
    link = trace.Link(parent.get_span_context(), {'a': 1})
    span = tracer.start_span('span', context, SpanKind.CLIENT, {'key': 'value'}, [link], 5, False, False)
    span.end(9)
    (seen,) = exporter.exported_spans
    assert (seen.name, seen.kind, seen.start_time, seen.end_time) == ('span', SpanKind.CLIENT, 5, 9)
    assert dict(seen.attributes or {}) == {'key': 'value', 'logfire.span_type': 'span'}
    assert seen.parent == parent.get_span_context()
    assert list(seen.links) == [link]
    scope = seen.instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.version, scope.schema_url) == ('scope', '1.2', 'https://schema.example')
    assert dict(scope.attributes or {}) == {'scope.key': 1}


def test_a_span_says_that_it_is_one(provider: ProxyTracerProvider, exporter: TestExporter) -> None:
    """A span of another instrumentation is marked as a span; a mark that is there is kept."""
    tracer = provider.get_tracer('test')
    for attributes in (None, {'a': 1}, {'logfire.span_type': 'log'}):
        tracer.start_span('span', attributes=attributes).end()
    assert [dict(span.attributes or {}) for span in exporter.exported_spans] == [
        {'logfire.span_type': 'span'},
        {'a': 1, 'logfire.span_type': 'span'},
        {'logfire.span_type': 'log'},
    ]


def test_the_clock_is_read_at_start_and_end(clocked: ProxyTracerProvider, exporter: TestExporter) -> None:
    """A clock of the user's gives a span its start and its end; times that are given stand."""
    tracer = clocked.get_tracer('test')
    tracer.start_span('read').end()
    tracer.start_span('given', start_time=7).end(8)
    times = [(span.start_time, span.end_time) for span in exporter.exported_spans]
    assert times == [(1_000_000_000, 2_000_000_000), (7, 8)]


def test_ending_twice_reads_the_clock_once(
    clocked: ProxyTracerProvider, clock: TimeGenerator, caplog: pytest.LogCaptureFixture
) -> None:
    """The second end of a span changes nothing."""
    span = clocked.get_tracer('test').start_span('span')
    span.end()
    span.end()
    assert clock.ns_time == 2_000_000_000


def test_a_span_that_does_not_record_reads_no_clock(clock: TimeGenerator) -> None:
    """What is not recorded is not wrapped."""
    provider = ProxyTracerProvider()
    provider.use(None, clock=clock)
    assert isinstance(provider.get_tracer('test').start_span('span'), NonRecordingSpan)


def test_the_clock_times_events_and_exceptions(clocked: ProxyTracerProvider, exporter: TestExporter) -> None:
    """Events and exceptions are recorded at the time of the user's clock, unless they bring their own."""
    span = clocked.get_tracer('test').start_span('span')
    span.add_event('read', {'a': 1})
    span.add_event('given', timestamp=5)
    span.record_exception(ValueError('read'))
    span.record_exception(ValueError('given'), {'b': 2}, 6, True)
    span.end()
    events = exporter.exported_spans[0].events
    assert [event.timestamp for event in events] == [2_000_000_000, 5, 3_000_000_000, 6]
    assert dict(events[0].attributes or {}) == {'a': 1}
    attributes = events[3].attributes or {}
    assert (attributes['b'], attributes['exception.escaped']) == (2, 'True')


def test_a_clocked_span_does_what_a_span_does(clocked: ProxyTracerProvider, exporter: TestExporter) -> None:
    """With a clock of the user's a span takes everything that OpenTelemetry's own takes, and shows what it is."""
    tracer = clocked.get_tracer('test')
    other = tracer.start_span('other')
    span: Any = tracer.start_span('span')
    assert isinstance(span, ClockedSpan)
    span.set_attribute('a', 1)
    span.set_attributes({'b': 2})
    span.update_name('renamed')
    span.add_link(other.get_span_context(), {'c': 3})
    span.set_status(Status(StatusCode.ERROR, 'why'))
    assert (span.is_recording(), span.name, span.attributes['b']) == (True, 'renamed', 2)
    span.end()
    assert not span.is_recording()
    (seen,) = exporter.exported_spans
    assert seen.name == 'renamed'
    assert dict(seen.attributes or {}) == {'logfire.span_type': 'span', 'a': 1, 'b': 2}
    assert [dict(link.attributes or {}) for link in seen.links] == [{'c': 3}]
    assert seen.status.description == 'why'
    assert seen.context == span.get_span_context()
    with pytest.raises(AttributeError):
        _ = span.no_such_thing


@pytest.mark.parametrize('recorded', [True, False])
def test_an_exception_leaving_a_span_is_recorded_unless_told_not_to(
    recorded: bool, provider: ProxyTracerProvider, clocked: ProxyTracerProvider, exporter: TestExporter
) -> None:
    """Used as a context manager, a span records the exception that leaves it, with either clock in the same way."""
    seen: list[tuple[Any, ...]] = []
    for each in (provider, clocked):
        exporter.clear()
        with (
            pytest.raises(ValueError, match='boom'),
            each.get_tracer('test').start_span('span', record_exception=recorded, set_status_on_exception=recorded),
        ):
            raise ValueError('boom')
        (span,) = exporter.exported_spans
        seen.append((span.status.status_code, span.status.description, [event.name for event in span.events]))
    unseen: list[str] = []
    expected = (StatusCode.ERROR, 'ValueError: boom', ['exception']) if recorded else (StatusCode.UNSET, None, unseen)
    assert seen == [expected, expected]


def test_leaving_a_span_without_an_exception_ends_it(clocked: ProxyTracerProvider, exporter: TestExporter) -> None:
    """A span used as a context manager ends when it is left; one that has ended is left in peace."""
    with clocked.get_tracer('test').start_span('span') as span:
        span.end()
    assert names(exporter) == ['span']
    with pytest.raises(KeyboardInterrupt), clocked.get_tracer('test').start_span('interrupted'):
        raise KeyboardInterrupt
    assert exporter.exported_spans[1].events == ()


def test_a_current_span_is_current_and_ends(clocked: ProxyTracerProvider, exporter: TestExporter) -> None:
    """`start_as_current_span` makes the span current until it is left, and ends it, unless told not to."""
    tracer = clocked.get_tracer('test')
    with tracer.start_as_current_span('outer') as outer:
        assert trace.get_current_span() is outer
        with tracer.start_as_current_span('inner', end_on_exit=False) as inner:
            pass
    assert not trace.get_current_span().is_recording()
    assert names(exporter) == ['outer']
    inner.end()
    assert exporter.exported_spans[1].parent == outer.get_span_context()


def test_a_current_span_records_an_exception(clocked: ProxyTracerProvider, exporter: TestExporter) -> None:
    """The exception that leaves a current span is recorded at the time of the clock, and goes on."""
    with pytest.raises(ValueError, match='boom'), clocked.get_tracer('test').start_as_current_span('span'):
        raise ValueError('boom')
    (span,) = exporter.exported_spans
    assert [(event.name, event.timestamp) for event in span.events] == [('exception', 2_000_000_000)]
    assert span.status.status_code is StatusCode.ERROR


def test_leaving_what_was_not_entered_is_harmless(provider: ProxyTracerProvider) -> None:
    """A context manager that was not entered has nothing to end."""
    assert provider.get_tracer('test').start_as_current_span('span').__exit__(None, None, None) is None


def test_a_function_can_be_decorated(provider: ProxyTracerProvider, exporter: TestExporter) -> None:
    """A decorated function has a span for each call, and keeps its name and its result."""

    @provider.get_tracer('test').start_as_current_span('called')
    def double(number: int) -> int:
        """Twice."""
        assert trace.get_current_span().is_recording()
        return 2 * number

    assert (double(2), double(3)) == (4, 6)
    assert (double.__name__, double.__doc__) == ('double', 'Twice.')
    assert names(exporter) == ['called', 'called']


def test_a_coroutine_function_can_be_decorated(provider: ProxyTracerProvider, exporter: TestExporter) -> None:
    """A decorated coroutine function has a span for as long as each call runs."""

    @provider.get_tracer('test').start_as_current_span('called')
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        assert trace.get_current_span().is_recording()
        return 2 * number

    async def main() -> tuple[int, int]:
        return await asyncio.gather(double(2), double(3))

    assert tuple(asyncio.run(main())) == (4, 6)
    assert names(exporter) == ['called', 'called']


def test_nothing_is_recorded_while_instrumentation_is_suppressed(
    provider: ProxyTracerProvider, exporter: TestExporter
) -> None:
    """Under suppression a span records nothing, and its children stay in the trace of the last recorded one."""
    tracer = provider.get_tracer('test')
    with tracer.start_as_current_span('outer') as outer:
        hidden = tracer.start_span('hidden')
        assert hidden.is_recording()
        hidden.end()
        token = attach(suppressed(trace.set_span_in_context(outer)))
        try:
            span = tracer.start_span('suppressed')
        finally:
            detach(token)
    assert not span.is_recording()
    assert span.get_span_context() == outer.get_span_context()
    assert names(exporter) == ['hidden', 'outer']


def test_a_scope_can_be_suppressed(provider: ProxyTracerProvider, exporter: TestExporter) -> None:
    """The spans of a suppressed scope are not recorded, whenever its tracer was made; those of others are."""
    early = provider.get_tracer('noisy')
    provider.suppress_scopes('noisy', 'other')
    for tracer in (early, provider.get_tracer('noisy'), provider.get_tracer('quiet')):
        tracer.start_span(tracer.scope).end()
    assert names(exporter) == ['quiet']
    provider.use(new_sdk_provider(exporter))
    early.start_span('again').end()
    assert names(exporter) == ['quiet']


def test_as_the_global_provider_it_serves_code_that_knows_opentelemetrys(exporter: TestExporter) -> None:
    """What others do with the global provider works: a processor of theirs, its resource, flush and shutdown."""
    provider = ProxyTracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    assert dict(provider.resource.attributes) == {}
    assert provider.force_flush()
    provider.shutdown()
    provider.use(TracerProvider(resource=Resource({'a': 1}), shutdown_on_exit=False))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer('test')
    tracer.start_span('seen').end()
    assert names(exporter) == ['seen']
    assert dict(provider.resource.attributes) == {'a': 1}
    assert provider.force_flush(1_000)
    provider.shutdown()


def test_a_context_that_is_given_is_the_parent(clocked: ProxyTracerProvider, exporter: TestExporter) -> None:
    """An empty context makes a root span even inside another span."""
    tracer = clocked.get_tracer('test')
    with tracer.start_as_current_span('outer'), tracer.start_as_current_span('root', Context()):
        pass
    assert exporter.exported_spans[0].parent is None
