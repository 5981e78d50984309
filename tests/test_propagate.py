"""The trace context and baggage, across processes, threads and libraries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import baggage, propagate, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import CarrierT, Getter, TextMapPropagator, default_getter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import logfire
import logfire.propagate
from logfire._internal.context import RemoteParentPropagator, set_distributed_tracing
from logfire.testing import TestExporter

pytestmark = pytest.mark.usefixtures('configured')

TRACE_ID = 0x0AF7651916CD43DD8448EB211C80319C
SPAN_ID = 0xB7AD6B7169203331
CARRIER = {'traceparent': f'00-{TRACE_ID:032x}-{SPAN_ID:016x}-01', 'baggage': 'herd=north'}


@pytest.fixture(autouse=True)
def global_propagator() -> Iterator[TextMapPropagator]:
    """OpenTelemetry's global propagator, put back afterwards."""
    before = propagate.get_global_textmap()
    wrapped = before.wrapped if isinstance(before, RemoteParentPropagator) else before
    propagate.set_global_textmap(wrapped)
    yield wrapped
    propagate.set_global_textmap(before)


def ended(exporter: TestExporter) -> list[ReadableSpan]:
    """The spans and logs that were exported, without the copies that announce spans still running."""
    return [
        span for span in exporter.exported_spans if (span.attributes or {}).get('logfire.span_type') != 'pending_span'
    ]


def parent_of_a_log(exporter: TestExporter) -> tuple[int, int] | None:
    exporter.clear()
    logfire.info('found')
    (log,) = ended(exporter)
    return (log.parent.trace_id, log.parent.span_id) if log.parent else None


def test_the_context_of_one_place_can_be_attached_in_another(exporter: TestExporter) -> None:
    """What `get_context()` gives inside a span makes spans elsewhere its children."""
    assert logfire.get_context() == {}
    with logfire.span('outer') as outer:
        carrier = logfire.get_context()
    assert set(carrier) == {'traceparent'}
    with logfire.attach_context(carrier):
        assert outer.context is not None
        assert parent_of_a_log(exporter) == (outer.context.trace_id, outer.context.span_id)
    assert parent_of_a_log(exporter) is None


def test_an_attached_context_replaces_what_was_current(exporter: TestExporter) -> None:
    """Inside, neither the span nor the baggage from around is current; afterwards both are."""
    with logfire.span('outer') as outer, logfire.set_baggage(herd='south'):
        for carrier in ({}, {'traceparent': 'nonsense'}):
            with logfire.attach_context(carrier):
                assert parent_of_a_log(exporter) is None
                assert logfire.get_baggage() == {}
        with logfire.attach_context(CARRIER):
            assert parent_of_a_log(exporter) == (TRACE_ID, SPAN_ID)
            assert logfire.get_baggage() == {'herd': 'north'}
        assert trace.get_current_span().get_span_context() == outer.context
        assert logfire.get_baggage() == {'herd': 'south'}


def test_what_was_current_comes_back_after_an_exception() -> None:
    """An exception inside of `attach_context` or `set_baggage` passes on, and the former context is back."""
    with pytest.raises(ValueError, match='lost'), logfire.attach_context(CARRIER), logfire.set_baggage(a='b'):
        raise ValueError('lost')
    assert not trace.get_current_span().get_span_context().is_valid
    assert logfire.get_baggage() == {}


def test_another_propagator_can_read_the_carrier(exporter: TestExporter) -> None:
    """`propagator` reads instead of the global one: here, no baggage."""
    with logfire.attach_context(CARRIER, propagator=TraceContextTextMapPropagator()):
        assert parent_of_a_log(exporter) == (TRACE_ID, SPAN_ID)
        assert logfire.get_baggage() == {}


class HerdPropagator(TraceContextTextMapPropagator):
    """Reads a value into the context given, or, as OpenTelemetry has it, into the current one."""

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        return baggage.set_baggage('herd', 'east', context)


def test_nothing_of_what_was_current_gets_into_an_attached_context(exporter: TestExporter) -> None:
    """Whatever propagator reads the carrier, it begins with an empty context."""
    with logfire.span('around'), logfire.attach_context({}, propagator=HerdPropagator()):
        assert logfire.get_baggage() == {'herd': 'east'}
        assert parent_of_a_log(exporter) is None


@pytest.mark.parametrize('third_party', [True, False])
@pytest.mark.parametrize('distributed_tracing', [True, False, None])
def test_who_decides_about_a_parent_from_elsewhere(
    exporter: TestExporter, distributed_tracing: bool | None, third_party: bool
) -> None:
    """The user's own carriers are taken; about those of others `distributed_tracing` decides, and unset warns once."""
    set_distributed_tracing(distributed_tracing)
    if third_party and distributed_tracing is None:
        with (
            pytest.warns(RuntimeWarning, match='distributed_tracing=True'),
            logfire.attach_context(CARRIER, third_party=True),
        ):
            pass
    with logfire.attach_context(CARRIER, third_party=third_party):
        taken = not third_party or distributed_tracing is not False
        assert parent_of_a_log(exporter) == ((TRACE_ID, SPAN_ID) if taken else None)
        assert logfire.get_baggage() == {'herd': 'north'}


def test_instrumentations_are_subject_to_distributed_tracing() -> None:
    """What reads a carrier through OpenTelemetry's global propagator counts as others' code."""
    set_distributed_tracing(False)
    extracted = propagate.extract(CARRIER)
    assert not trace.get_current_span(extracted).get_span_context().is_valid
    assert baggage.get_all(extracted) == {'herd': 'north'}
    with logfire.span('here') as here:
        assert not trace.get_current_span(propagate.extract(CARRIER)).get_span_context().is_valid
        around = trace.set_span_in_context(trace.get_current_span())
        assert trace.get_current_span(propagate.extract(CARRIER, around)).get_span_context() == here.context


def test_a_carrier_without_a_parent_is_no_reason_to_warn() -> None:
    """Only a trace that came from elsewhere is warned of, not baggage, nor a local span."""
    set_distributed_tracing(None)
    propagate.extract({'baggage': 'herd=north'})
    with logfire.span('here'):
        no_headers: dict[str, str] = {}
        propagate.extract(no_headers, trace.set_span_in_context(trace.get_current_span()))


def test_configuring_again_does_not_pile_up_propagators(global_propagator: TextMapPropagator) -> None:
    """However often it is set, one propagator of ours stands before the user's, and writes what that writes."""
    for distributed_tracing in (None, True, False):
        set_distributed_tracing(distributed_tracing)
        ours = propagate.get_global_textmap()
        assert isinstance(ours, RemoteParentPropagator)
        assert ours.wrapped is global_propagator
    assert ours.fields == global_propagator.fields
    with logfire.span('here'):
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
    assert set(carrier) == {'traceparent'}


def test_baggage_goes_with_the_context() -> None:
    """Baggage is added inside, over what was there, and travels with the context."""
    with logfire.set_baggage(herd='north', farm='hill'), logfire.set_baggage(herd='south'):
        assert logfire.get_baggage() == {'herd': 'south', 'farm': 'hill'}
        carrier = logfire.get_context()
    assert logfire.get_baggage() == {}
    with logfire.attach_context(carrier):
        assert logfire.get_baggage() == {'herd': 'south', 'farm': 'hill'}
    with logfire.set_baggage():
        assert logfire.get_baggage() == {}


def test_baggage_of_a_given_context() -> None:
    """`get_baggage` looks into a context that it is given."""
    context = baggage.set_baggage('herd', 'north')
    assert logfire.get_baggage(context) == {'herd': 'north'}


def test_baggage_is_short_text() -> None:
    """A value that is not text becomes text, and a long one is cut in the middle; both warn."""
    value: Any = 3
    with pytest.warns(UserWarning, match="'herd' is a int"), logfire.set_baggage(herd=value):
        assert logfire.get_baggage() == {'herd': '3'}
    with logfire.set_baggage(herd='a' * 1_000):
        assert logfire.get_baggage() == {'herd': 'a' * 1_000}
    with pytest.warns(UserWarning, match="'herd' is cut"), logfire.set_baggage(herd='a' * 700 + 'b' * 700):
        assert logfire.get_baggage() == {'herd': 'a' * 498 + '...' + 'b' * 498}


def test_the_public_module_has_the_same_functions() -> None:
    """`logfire.propagate` and `logfire` offer the same functions."""
    assert logfire.propagate.get_context is logfire.get_context
    assert logfire.propagate.attach_context is logfire.attach_context


@pytest.mark.parametrize('distributed_tracing', [True, False])
def test_configure_decides_about_remote_parents(distributed_tracing: bool, config_kwargs: dict[str, Any]) -> None:
    """`configure(distributed_tracing=...)` says whether a trace context from outside is taken."""
    logfire.configure(**config_kwargs, distributed_tracing=distributed_tracing)
    carrier = {'traceparent': '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'}
    parent = trace.get_current_span(propagate.extract(carrier)).get_span_context()
    assert parent.is_valid is distributed_tracing
