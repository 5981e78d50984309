"""Trace contexts and baggage, within a process and between processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import baggage, propagate, trace
from opentelemetry.context import Context

import logfire
from logfire.propagate import ContextCarrier, attach_context, get_context

if TYPE_CHECKING:
    from tests.compat.observation import Scene

REMOTE = {'traceparent': '00-0000000000000000000000000000000a-000000000000000b-01', 'baggage': 'herd=north'}


def case_carrier(scene: Scene) -> None:
    scene.configure()
    print(logfire.get_context())
    with logfire.span('parent'):
        carrier: ContextCarrier = get_context()
        print(carrier)
    with logfire.attach_context(carrier), logfire.span('child'):
        logfire.info('grandchild')
    with logfire.span('around'), attach_context({}):
        logfire.info('apart')
    with attach_context(REMOTE, third_party=False, propagator=None):
        print(sorted(logfire.get_baggage().items()))
        logfire.info('of a remote parent')


def serve() -> None:
    """What an instrumentation of a server does, and somebody else's call."""
    context = propagate.extract(REMOTE, Context())
    with trace.get_tracer('lib').start_as_current_span('server', context):
        print(sorted(logfire.get_baggage().items()))
    with attach_context(REMOTE, third_party=True):
        logfire.info('third party')


def case_distributed_tracing(scene: Scene) -> None:
    for answer in (True, False):
        scene.configure(distributed_tracing=answer)
        serve()


def case_distributed_tracing_unset(scene: Scene) -> None:
    scene.configure()
    serve()


def case_baggage(scene: Scene) -> None:
    scene.configure()
    with logfire.set_baggage(herd='north', dog='Rex'):
        print(sorted(logfire.get_baggage().items()), logfire.get_context())
        with logfire.span('span', dog='other'), logfire.set_baggage(herd='south'):
            logfire.info('log {herd}', herd='west')
            logfire.info('second')
    print(dict(logfire.get_baggage(baggage.set_baggage('a', 'b', Context()))))
    logfire.info('outside')
    with logfire.set_baggage():
        pass


def case_long_baggage(scene: Scene) -> None:
    scene.configure()
    values: dict[str, Any] = {'long': 'x' * 1500, 'number': 3}
    with logfire.set_baggage(**values):
        logfire.info('long')
        print({key: len(str(value)) for key, value in logfire.get_baggage().items()})


def case_no_baggage(scene: Scene) -> None:
    scene.configure(add_baggage_to_attributes=False)
    with logfire.set_baggage(herd='north'):
        logfire.info('none')
