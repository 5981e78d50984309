"""Streams: the recording that has all the state and finishes once, and the thin pair of streams that the caller gets.

The stream holds the recording; nothing of ours holds the stream.
"""

from __future__ import annotations

import functools
import inspect
import sys
from array import array
from collections.abc import Callable, Sequence
from itertools import islice
from time import perf_counter
from traceback import walk_stack
from types import CodeType
from typing import Any, Final, Protocol

from logfire._internal import errors
from logfire._internal.attributes import LEVEL_NUM
from logfire._internal.integrations.llm_providers import finalizer, semconv
from logfire._internal.integrations.llm_providers.operation import (
    NOTHING_KNOWN,
    Accumulator,
    Attributes,
    LLMResponse,
)
from logfire._internal.integrations.llm_providers.semconv import StreamOutcome
from logfire._internal.levels import level_number

_RECORDING = '_logfire_recording'
_IS_RECORDED = '_logfire_is_recorded'
_READ_CHUNK = 'read a chunk of an LLM stream'
_END = 'end the span of an LLM stream'


class StreamEnd:
    """How and when a stream ended."""

    __slots__ = ('chunk_instants', 'outcome', 'time', 'time_to_first_chunk')

    def __init__(
        self,
        outcome: StreamOutcome,
        time: int | None,
        time_to_first_chunk: float | None,
        chunk_instants: Sequence[float],
    ) -> None:
        self.outcome: Final = outcome
        self.time: Final = time
        """Nanoseconds; None is now."""
        self.time_to_first_chunk: Final = time_to_first_chunk
        """Seconds since the request."""
        self.chunk_instants: Final = chunk_instants
        """`perf_counter()` at each chunk, where these are taken."""

    def attributes(self) -> Attributes:
        """The span attributes that streams have and whole replies have not."""
        attributes: Attributes = {semconv.STREAM_OUTCOME: self.outcome}
        if self.time_to_first_chunk is not None:
            attributes[semconv.RESPONSE_TIME_TO_FIRST_CHUNK] = self.time_to_first_chunk
        if self.outcome == 'truncated':
            attributes[LEVEL_NUM] = level_number('warn')
        return attributes


class StreamedCall(Protocol):
    """The call whose reply is streamed."""

    request_start: float
    """`perf_counter()` when the request was made."""

    def now_quietly(self) -> int | None:
        """The configured clock, in nanoseconds; None where it fails, without a report. Safe in a garbage collection."""
        ...

    def end(self, response: LLMResponse, *, exception: BaseException | None, stream: StreamEnd) -> None:
        """End the call's span."""


class StreamRecording:
    """All that is known of one stream. It finishes once, whichever comes first; what comes later changes nothing."""

    __slots__ = (
        '__weakref__',
        '_accumulator',
        '_call',
        '_instants',
        '_stream_id',
        '_time_to_first',
        '_unclaimed',
        'take',
    )

    def __init__(self, call: StreamedCall, accumulator: Accumulator, *, takes_chunk_times: bool) -> None:
        self._call = call
        self._accumulator = accumulator
        self._instants: Sequence[float] = ()
        self._time_to_first: float | None = None
        self._stream_id = 0
        # Popped by whoever finishes first: popping is atomic, where a flag would need a lock.
        self._unclaimed = [call]
        self.take: Callable[[Any], None] = self._take_first_timed if takes_chunk_times else self._take_first
        """Takes the chunk that the caller is about to get. May raise: `errors.handle` does with it what is right."""

    def opened(self, stream: object) -> None:
        """The caller's stream is ready. Its identity tells its own end from that of a copy."""
        self._stream_id = id(stream)
        finalizer.opened(self)

    def _take_first(self, chunk: Any) -> None:
        self._time_to_first = perf_counter() - self._call.request_start
        self.take = self._accumulator.add
        self.take(chunk)

    def _take_first_timed(self, chunk: Any) -> None:
        self._instants = instants = array('d', (perf_counter(),))
        self._time_to_first = instants[0] - self._call.request_start
        note, add = instants.append, self._accumulator.add

        def take(chunk: Any) -> None:
            note(perf_counter())
            add(chunk)

        self.take = take
        add(chunk)

    def finish(
        self, outcome: StreamOutcome, exception: BaseException | None = None, end_time: int | None = None
    ) -> None:
        """The stream is over. Only the first call counts, in the process that made the stream."""
        try:
            call = self._unclaimed.pop()
        except IndexError:
            return
        self.take = _ignore  # Read on after it was closed: the span has ended.
        try:
            finalizer.closed(self)
            response = NOTHING_KNOWN
            try:
                response = self._accumulator.response()
            except Exception as fault:
                errors.handle(_END, fault)
            if outcome == 'completed' and response.unfinished:
                outcome = 'truncated'
            end = StreamEnd(outcome, end_time, self._time_to_first, self._instants)
            call.end(response, exception=exception, stream=end)
        except Exception as fault:
            errors.handle(_END, fault)

    def fail(self, exception: BaseException) -> None:
        """An exception on its way to the caller, out of the stream's own iteration."""
        self.finish('cancelled' if is_cancellation(exception) else 'error', exception)

    def abandon(self, end_time: int | None) -> None:
        """Nobody will read on."""
        self.finish('abandoned', end_time=end_time)

    def leave(self) -> None:
        """This is a forked child's copy: the parent ends the span."""
        self._unclaimed.clear()
        self.take = _ignore

    def dropped(self, stream: object) -> None:
        """A stream that holds this recording is being collected: the caller's own, or a copy of it."""
        if not self._unclaimed or id(stream) != self._stream_id:
            return
        # A broken clock is reported where reporting is safe: by the thread that ends the span.
        finalizer.dropped(self, self._call.now_quietly())


def _ignore(chunk: Any) -> None:
    """Take nothing."""


def is_cancellation(exception: BaseException) -> bool:
    """Whether this is asyncio's cancellation; without loading asyncio for a program that does not use it."""
    asyncio = sys.modules.get('asyncio')
    return asyncio is not None and isinstance(exception, asyncio.CancelledError)


def record_stream(stream: Any, recording: StreamRecording) -> Any:
    """Let `recording` follow `stream`. Returns what the caller gets: the same object, of a subclass of its own type.

    An iterator whose class cannot be changed (a test double's generator, say) is stood for by a delegate.
    """
    returned: object = stream
    base = type(returned)
    try:
        if _IS_RECORDED in base.__dict__:
            # Another client's instrumented stream, passed on by this one: both are recorded.
            stream = _new_delegate(base, stream)
        else:
            stream.__class__ = _recorded_class(base)
    except TypeError:
        stream = _new_delegate(base, stream)
    object.__setattr__(stream, _RECORDING, recording)
    recording.opened(stream)
    return stream


@functools.lru_cache(maxsize=64)
def _recorded_class(base: Any) -> type[Any]:
    """The subclass of a stream's class whose iteration, closing and collection are told to its recording."""
    namespace: dict[str, Any] = {
        '__module__': base.__module__,
        '__qualname__': base.__qualname__,
        '__doc__': base.__doc__,
        _IS_RECORDED: True,
    }

    def __del__(self: Any) -> None:
        self._logfire_recording.dropped(self)
        if hasattr(base, '__del__'):
            base.__del__(self)

    namespace['__del__'] = __del__
    for name, new_method in _METHODS.items():
        if hasattr(base, name):
            namespace[name] = new_method(base, name)
    return type(base.__name__, (base,), namespace)


def _new_next(base: Any, name: str) -> Any:
    def __next__(self: Any) -> Any:
        recording: StreamRecording = self._logfire_recording
        try:
            chunk = base.__next__(self)
        except StopIteration:
            recording.finish('completed')
            raise
        except BaseException as exception:
            recording.fail(exception)
            raise
        try:
            recording.take(chunk)
        except Exception as fault:
            errors.handle(_READ_CHUNK, fault)
        return chunk

    return __next__


def _new_anext(base: Any, name: str) -> Any:
    async def __anext__(self: Any) -> Any:
        recording: StreamRecording = self._logfire_recording
        try:
            chunk = await base.__anext__(self)
        except StopAsyncIteration:
            recording.finish('completed')
            raise
        except BaseException as exception:
            recording.fail(exception)
            raise
        try:
            recording.take(chunk)
        except Exception as fault:
            errors.handle(_READ_CHUNK, fault)
        return chunk

    return __anext__


def _new_closing(base: Any, name: str) -> Any:
    """`close`, `aclose`, `__exit__` or `__aexit__`: the caller reads no further."""
    close = getattr(base, name)
    if inspect.iscoroutinefunction(close):

        async def aclosing(self: Any, *exc_info: object) -> Any:
            if not _called_by_own_iteration():
                self._logfire_recording.finish('closed')
            return await close(self, *exc_info)

        return aclosing

    def closing(self: Any, *exc_info: object) -> Any:
        if not _called_by_own_iteration():
            self._logfire_recording.finish('closed')
        return close(self, *exc_info)

    return closing


_METHODS = {
    '__next__': _new_next,
    '__anext__': _new_anext,
    'close': _new_closing,
    'aclose': _new_closing,
    '__exit__': _new_closing,
    '__aexit__': _new_closing,
}


def _called_by_own_iteration() -> bool:
    """Whether a close comes from the client, inside the stream's own `__next__`: it closes at the end of the response.

    The stack tells it apart from a close by another thread or task while a reader waits; a flag could not.
    """
    callers = islice(walk_stack(sys._getframe(2)), 4)
    return any(frame.f_code in _ITERATION_CODES for frame, _ in callers)


_ITERATION_CODES: frozenset[CodeType] = frozenset((_new_next(object, '').__code__, _new_anext(object, '').__code__))

_FORWARDED = (
    '__next__',
    '__anext__',
    '__enter__',
    '__exit__',
    '__aenter__',
    '__aexit__',
    'close',
    'aclose',
    'send',
    'asend',
    'throw',
    'athrow',
)


class _Delegate:
    """Stands for an iterator whose class cannot be changed: it is what it was to `isinstance`, attributes and all."""

    def __init__(self, stream: Any) -> None:
        self._logfire_stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._logfire_stream, name)

    def __iter__(self) -> Any:
        return self

    def __aiter__(self) -> Any:
        return self


def _new_delegate(delegated: Any, stream: Any) -> Any:
    return _recorded_class(_delegate_class(delegated))(stream)


@functools.lru_cache(maxsize=64)
def _delegate_class(delegated: Any) -> type[Any]:
    namespace: dict[str, Any] = {
        '__module__': delegated.__module__,
        '__qualname__': delegated.__qualname__,
        '__class__': property(lambda self: delegated),
    }
    for name in _FORWARDED:
        if hasattr(delegated, name):
            namespace[name] = _new_forward(getattr(delegated, name))
    return type(delegated.__name__, (_Delegate,), namespace)


def _new_forward(method: Any) -> Any:
    if inspect.iscoroutinefunction(method):

        async def aforward(self: Any, *args: Any) -> Any:
            return await method(self._logfire_stream, *args)

        return aforward

    def forward(self: Any, *args: Any) -> Any:
        return method(self._logfire_stream, *args)

    return forward
