"""Carrying the trace context and baggage within a process and between processes."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from opentelemetry import baggage, trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)

from logfire._internal.forks import ForkSafeLock
from logfire._internal.stack_info import warn_user

ContextCarrier: TypeAlias = Mapping[str, Any]
"""What carries a context to another place: names and values of headers."""

_MAX_BAGGAGE = 1_000


def get_context() -> ContextCarrier:
    """The current trace context and baggage, to be attached in another process, thread or task by `attach_context`.

    Returns:
        A new dict of header names to values (`traceparent`, `tracestate` and `baggage` with the default propagators),
        which can be sent as HTTP headers or kept as JSON. Empty outside of any span.
    """
    from opentelemetry import propagate

    carrier: dict[str, Any] = {}
    propagate.inject(carrier)
    return carrier


@contextmanager
def attach_context(
    carrier: ContextCarrier, *, third_party: bool = False, propagator: TextMapPropagator | None = None
) -> Generator[None]:
    """Make what `get_context()` returned elsewhere the current context, as a context manager.

    Inside, new spans are children of the span that was current there, and its baggage is current. What was current here
    before is not, and comes back afterwards.

    Args:
        carrier: Header names (in lower case) to values. One without a valid `traceparent` begins a new trace.
        third_party: The carrier comes from somebody else's call: then `distributed_tracing` of `logfire.configure()`
            decides about it, as it does for OpenTelemetry instrumentations of servers.
        propagator: Reads the carrier instead of OpenTelemetry's global propagator.
    """
    if propagator is None:
        from opentelemetry import propagate

        propagator = propagate.get_global_textmap()
        if not third_party and isinstance(propagator, RemoteParentPropagator):
            propagator = propagator.wrapped
    token = attach(propagator.extract(carrier, context=Context()))
    try:
        yield
    finally:
        detach(token)


def get_baggage(context: Context | None = None) -> Mapping[str, object]:
    """The baggage: names and values that go along with a context, to other processes too.

    Args:
        context: The context to look in; None is the current one.
    """
    return baggage.get_all(context)


@contextmanager
def set_baggage(**values: str) -> Generator[None]:
    """Add to the baggage, as a context manager.

    Baggage goes to every service that is called from inside, those of others too: put no secrets there. Each span and
    log made inside has it as attributes, unless `add_baggage_to_attributes=False` was given to `logfire.configure()`.

    Args:
        values: Names and values. A value that is not a string becomes one, with a warning; one longer than 1,000
            characters is cut in the middle, with a warning.
    """
    context: Context | None = None
    for name, value in values.items():
        context = baggage.set_baggage(name, _baggage_text(name, value), context)
    if context is None:
        yield
        return
    token = attach(context)
    try:
        yield
    finally:
        detach(token)


def _baggage_text(name: str, value: object) -> str:
    if isinstance(value, str):
        text = value
    else:
        warn_user(f'The baggage value {name!r} is a {type(value).__name__}, not a str: it becomes one.', UserWarning)
        text = str(value)
    if len(text) > _MAX_BAGGAGE:
        warn_user(f'The baggage value {name!r} is cut to {_MAX_BAGGAGE:,} characters.', UserWarning)
        half = (_MAX_BAGGAGE - 3) // 2
        text = f'{text[:half]}...{text[-half:]}'
    return text


class RemoteParentPropagator(TextMapPropagator):
    """The global propagator, with `distributed_tracing` deciding about the parents it finds in foreign carriers.

    True takes them; False drops them and keeps the baggage; None takes them and warns once.
    """

    def __init__(self, wrapped: TextMapPropagator, *, distributed_tracing: bool | None) -> None:
        self.wrapped = wrapped
        self._distributed_tracing = distributed_tracing
        self._lock = ForkSafeLock()
        self._warned = False

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        """Read a carrier; see OpenTelemetry's `TextMapPropagator.extract`."""
        extracted = self.wrapped.extract(carrier, context, getter)
        if self._distributed_tracing is True:
            return extracted
        parent = trace.get_current_span(extracted).get_span_context()
        if not (parent.is_valid and parent.is_remote):
            return extracted
        if self._distributed_tracing is False:
            return trace.set_span_in_context(
                trace.get_current_span(Context() if context is None else context), extracted
            )
        with self._lock:
            warned, self._warned = self._warned, True
        if not warned:
            warn_user(
                'A trace context came with a call from outside, and spans became part of its trace. If that is meant,'
                ' say `logfire.configure(distributed_tracing=True)`; if not, say `distributed_tracing=False`.',
                RuntimeWarning,
            )
        return extracted

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        """Write to a carrier; see OpenTelemetry's `TextMapPropagator.inject`."""
        self.wrapped.inject(carrier, context, setter)

    @property
    def fields(self) -> set[str]:
        """The names that `inject` writes."""
        return self.wrapped.fields


def set_distributed_tracing(distributed_tracing: bool | None) -> None:
    """Make `distributed_tracing` decide about the parents that OpenTelemetry's global propagator finds, from now on.

    Called by `logfire.configure()` for the global configuration. May be called again; inner propagators are not
    stacked.
    """
    from opentelemetry import propagate

    current = propagate.get_global_textmap()
    wrapped = current.wrapped if isinstance(current, RemoteParentPropagator) else current
    propagate.set_global_textmap(RemoteParentPropagator(wrapped, distributed_tracing=distributed_tracing))
