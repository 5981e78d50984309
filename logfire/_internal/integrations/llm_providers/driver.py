"""What stands in place of a client's method: it begins the call's invocation, runs the method, and ends it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from opentelemetry import context as otel_context

from logfire._internal import errors
from logfire._internal.integrations.llm_providers.invocation import InForce, Invocation, current_invocation
from logfire._internal.integrations.llm_providers.operation import Operation, RequestContent
from logfire._internal.suppression import is_suppressed

# Every call comes by these: there a guard that costs nothing, `errors.handle`, stands.
_BEGIN = 'begin the span of an LLM call'
_READ_REQUEST = 'read the request of an LLM call'

_NO_CONTENT = RequestContent()


class _NullInvocation:
    """Stands in where there is nothing to record: it lets everything pass."""

    __slots__ = ('suppresses_others',)

    def __init__(self, *, suppresses_others: bool) -> None:
        self.suppresses_others: Final = suppresses_others

    def enter(self) -> None: ...

    def leave(self, exception: BaseException | None = None) -> None: ...

    def finish(self, result: Any) -> Any:
        return result


AnyInvocation: TypeAlias = Invocation | _NullInvocation

_NULL = _NullInvocation(suppresses_others=False)
_NULL_BUT_QUIET = _NullInvocation(suppresses_others=True)


def begin(
    in_force: Callable[[Any], InForce | None], operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> AnyInvocation:
    """The invocation of the method of `args[0]`, the client, with the other arguments. Never raises.

    A null one where the client is not instrumented or instrumentation is suppressed, where this very call is being
    recorded already, or where we failed.
    """
    try:
        client = args[0]
        decision = in_force(client)
        if decision is None:
            return _NULL
        running = current_invocation.get()
        if running is not None and running.client is client:
            return _NULL_BUT_QUIET if running.suppresses_others else _NULL
        context = otel_context.get_current()
        if is_suppressed(context):
            return _NULL
        request, content = None, _NO_CONTENT
        try:
            limit = decision.instrumentation.binary_limit
            request, content = operation.read_request(client, args[1:], kwargs, limit)
        except Exception as fault:
            errors.handle(_READ_REQUEST, fault)
        if request is None:
            request = operation.bare_request(client)
        return Invocation(decision, operation, client, request, content, context)
    except Exception as fault:
        errors.handle(_BEGIN, fault)
    return _NULL


def new_driver(
    method: Callable[..., Any],
    quiet_method: Callable[..., Any],
    in_force: Callable[[Any], InForce | None],
    operation: Operation,
    held_by: Callable[[], Any] | None,
) -> Callable[..., Any]:
    """The function that stands for `method` and records its calls, of the method's own colour and looks.

    Args:
        method: A function of the client; of an object that holds it itself, if `held_by` gives that.
        quiet_method: The method without the spans that others would make for it.
        in_force: Says what decides for a client.
        operation: What the method does.
        held_by: Gives the client where a call does not name it.
    """
    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def acall(*args: Any, **kwargs: Any) -> Any:
            invocation = begin(in_force, operation, args if held_by is None else (held_by(), *args), kwargs)
            invocation.enter()
            try:
                run = quiet_method if invocation.suppresses_others else method
                result = invocation.finish(await run(*args, **kwargs))
            except BaseException as exception:
                invocation.leave(exception)
                raise
            invocation.leave()
            return result

        return acall

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        invocation = begin(in_force, operation, args if held_by is None else (held_by(), *args), kwargs)
        invocation.enter()
        try:
            run = quiet_method if invocation.suppresses_others else method
            result = invocation.finish(run(*args, **kwargs))
        except BaseException as exception:
            invocation.leave(exception)
            raise
        invocation.leave()
        return result

    return call
