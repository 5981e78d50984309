"""From targets (a class, an instance) to patches, and to the one undo.

Each patched method has one replacement, on the class that defines it (or in the attributes of an object that holds
the method itself). A replacement asks the provider's registry, at each call, which instrumentation is in force for
that client. So an instrumented instance carries nothing: copying, pickling and freeing it are as before.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, Protocol
from weakref import ref

from logfire._internal.attributes import SPAN_TYPE, TAGS
from logfire._internal.config.tracers import ProxyTracer
from logfire._internal.forks import ForkSafeLock
from logfire._internal.integrations.llm_providers.content import binary_limit
from logfire._internal.integrations.llm_providers.cost import start_loading
from logfire._internal.integrations.llm_providers.driver import new_driver
from logfire._internal.integrations.llm_providers.invocation import InForce, message_attributes, span_name
from logfire._internal.integrations.llm_providers.metrics import LLMMetrics
from logfire._internal.integrations.llm_providers.operation import LLMRequest, Operation
from logfire._internal.integrations.llm_providers.semconv import OPERATION_NAME, PROVIDER_NAME
from logfire._internal.patching import Patch, reference
from logfire._internal.value_kinds import class_of

if TYPE_CHECKING:
    from logfire._internal.integrations.llm_providers.destination import Destination

_REMEMBERED: Final = 256


class LLMInstrumentation:
    """One `instrument_…()` call: where its spans go and what they may tell."""

    def __init__(
        self,
        destination: Destination,
        scope: str,
        *,
        price_provider: str,
        suppress_other_instrumentation: bool,
        capture_content: bool,
        stands_back: bool,
    ) -> None:
        self.settings = destination.settings
        tracer = destination.tracer_provider.get_tracer(scope)
        # Whether the span is wanted at all is found out before the request is read.
        self.start_span = tracer.start_own_span if isinstance(tracer, ProxyTracer) else tracer.start_span
        self.metrics = LLMMetrics(lambda: destination.meter_provider.get_meter(scope))
        self.price_provider = price_provider
        self.binary_limit = binary_limit()
        start_loading()
        self._tags = tuple(dict.fromkeys((*destination.tags, 'LLM')))
        self._constants: dict[Hashable, tuple[str, Mapping[str, Any]]] = {}
        self.suppress_other_instrumentation = suppress_other_instrumentation
        self.capture_content = capture_content
        self.stands_back = stands_back
        """Whether it counts only for clients that no other instrumentation means: nobody asked for it by name."""

    def constants(self, operation: Operation, request: LLMRequest) -> tuple[str, Mapping[str, Any]]:
        """The name and the attributes that all calls of an operation have that go to the same model of a server."""
        key = (operation.name, request.server_address, request.server_port, request.model)
        constants = self._constants.get(key)
        if constants is None:
            if len(self._constants) >= _REMEMBERED:
                self._constants.clear()
            attributes = {
                SPAN_TYPE: 'span',
                OPERATION_NAME: operation.name,
                PROVIDER_NAME: operation.provider,
                **operation.provider_attributes,
                **request.table(),
                **message_attributes(operation, request.model),
                TAGS: self._tags,
            }
            constants = self._constants[key] = (span_name(operation, request.model), attributes)
        return constants

    def now_quietly(self) -> int | None:
        """The clock, in nanoseconds; None where it fails, without a report."""
        clock = self.settings.advanced.ns_timestamp_generator
        if clock is time.time_ns:
            return clock()
        # Loaded when that clock was configured: a garbage collection, which may ask, must load nothing.
        from logfire._internal.config.generators import read_quietly

        return read_quietly(clock)


class _Entry:
    """One instrumentation of one target."""

    def __init__(self, target: Any, instrumentation: LLMInstrumentation) -> None:
        self.instrumentation = instrumentation
        self.target_class: type[Any] | None = target if isinstance(target, type) else None
        self.instance: Callable[[], Any] | None = None if isinstance(target, type) else reference(target)
        self.instance_id = id(target)

    @property
    def alive(self) -> bool:
        """Whether its target can still be called."""
        return self.instance is None or self.instance() is not None

    def distance(self, client: Any, mro: Sequence[type[Any]]) -> int | None:
        """How close the target is: 0 is the client itself, 1 its class, and so on; None: this client is not meant."""
        if self.instance is not None:
            return 0 if self.instance() is client else None
        return 1 + mro.index(self.target_class) if self.target_class in mro else None


class _Patched:
    """A patch and the entries that need it."""

    def __init__(self, patch: Patch) -> None:
        self.patch = patch
        self.users: list[_Entry] = []


class Neighbours(Protocol):
    """A provider's knowledge of others that trace the same methods."""

    def quiet(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """The method beneath those who would make a span of their own."""
        ...

    def adopt(self, replacement: Callable[..., Any]) -> Callable[..., Any]:
        """Our replacement, marked so that others leave it alone."""
        ...

    def restored(self, original: Any) -> Any:
        """What to put back where `original` stood."""
        ...


class Registry:
    """The instrumentations in force of one provider, and the patches they need.

    `new_transport_patches` makes the patches below the client, which stand while anything is in force.
    """

    def __init__(
        self, operations: Sequence[Operation], neighbours: Neighbours, new_transport_patches: Callable[[], list[Patch]]
    ) -> None:
        self._operations = operations
        self._neighbours = neighbours
        self._new_transport_patches = new_transport_patches
        self._transport_patches: list[Patch] = []
        self._lock = ForkSafeLock()
        self._patched: list[_Patched] = []
        # These are replaced, never changed: calls read them without a lock.
        self._entries: tuple[_Entry, ...] = ()
        self._instance_ids: frozenset[int] = frozenset()
        # By the id of a class, which stands in the value too: it tells whether the id is still that class's.
        self._by_class: dict[int, tuple[ref[type[Any]], InForce | None]] = {}

    def has_method(self, target: Any) -> bool:
        """Whether a class or an object has the method of any operation."""
        return any(_owner(target, operation.method) is not None for operation in self._operations)

    def instrument(self, targets: Sequence[Any], instrumentation: LLMInstrumentation) -> AbstractContextManager[None]:
        """Put `instrumentation` in force for the targets, for all or none. The context manager undoes it, once.

        Raises TypeError for a target that cannot be patched.
        """
        entries = [_Entry(target, instrumentation) for target in targets]
        with self._lock:
            try:
                for target, entry in zip(targets, entries, strict=True):
                    self._patch(target, entry)
            except BaseException:
                self._change((), entries)
                raise
            self._change(entries, ())
        return _Undo(lambda: self._undo(entries))

    def in_force(self, client: Any) -> InForce | None:
        """Which instrumentation decides for a client: the most specific, then the latest. None: not instrumented.

        Those that stand back count only where there is no other.
        """
        if id(client) in self._instance_ids:
            return self._decide(client)
        by_class = self._by_class
        cls = class_of(client)
        known = by_class.get(id(cls))
        if known is not None and known[0]() is cls:
            return known[1]
        decision = self._decide(client)
        key = id(cls)
        by_class[key] = (ref(cls, lambda _: by_class.pop(key, None)), decision)
        return decision

    def _decide(self, client: Any) -> InForce | None:
        mro = type(client).__mro__
        meant = [
            (at, entry.instrumentation) for entry in self._entries if (at := entry.distance(client, mro)) is not None
        ]
        if not meant:
            return None
        meant = [one for one in meant if not one[1].stands_back] or meant
        closest = min(at for at, _ in meant)
        latest = [instrumentation for at, instrumentation in meant if at == closest][-1]
        allowed = all(instrumentation.capture_content for _, instrumentation in meant)
        return InForce(latest, capture_content=allowed)

    def _undo(self, entries: list[_Entry]) -> None:
        with self._lock:
            self._change((), entries)

    def _change(self, added: Sequence[_Entry], removed: Sequence[_Entry]) -> None:
        """Take entries in or out, with those whose instance is gone, then the patches that nobody needs any more."""
        self._entries = tuple(entry for entry in (*self._entries, *added) if entry.alive and entry not in removed)
        self._instance_ids = frozenset(entry.instance_id for entry in self._entries if entry.instance is not None)
        self._by_class = {}
        for patched in self._patched:
            patched.users = [user for user in patched.users if user in self._entries]
            if not patched.users:
                patched.patch.undo()
        self._patched = [patched for patched in self._patched if patched.users]
        if self._entries and not self._transport_patches:
            self._transport_patches = self._new_transport_patches()
            for patch in self._transport_patches:
                patch.apply()
        elif not self._entries:
            for patch in self._transport_patches:
                patch.undo()
            self._transport_patches = []

    def _patch(self, target: Any, entry: _Entry) -> None:
        for operation in self._operations:
            owner = _owner(target, operation.method)
            if owner is None:
                continue
            for patched in self._patched:
                if patched.patch.name == operation.method and patched.patch.stands_on(owner):
                    break
            else:
                patched = _Patched(
                    Patch(owner, operation.method, self._replacement(owner, operation), self._neighbours.restored)
                )
                patched.patch.apply()
                self._patched.append(patched)
            patched.users.append(entry)

    def _replacement(self, owner: Any, operation: Operation) -> Callable[..., Any]:
        if isinstance(owner, type):
            method, held_by = _function(owner, operation.method), None
        else:
            # An object that holds the method itself: its calls do not name it.
            method, held_by = getattr(owner, operation.method), reference(owner)
        quiet_method = self._neighbours.quiet(method)
        return self._neighbours.adopt(new_driver(method, quiet_method, self.in_force, operation, held_by))


class _Undo(AbstractContextManager[None]):
    """Leaving it takes the instrumentation out of force. Dropping it does nothing; leaving it again neither."""

    def __init__(self, undo: Callable[[], None]) -> None:
        self._undo = undo

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exc_info: object) -> None:
        self._undo()


def _owner(target: Any, name: str) -> Any:
    """Where the method is to be replaced: the class that defines it, else the object that has it; None: nowhere."""
    given: object = target
    if isinstance(given, type):
        return _defining_class(given, name)
    own: dict[str, Any] = getattr(target, '__dict__', {})
    if name in own:
        return target if callable(own[name]) else None
    defining_class = _defining_class(type(given), name)
    if defining_class is None and callable(getattr(target, name, None)):
        return target  # It answers to any name, as mocks do.
    return defining_class


def _defining_class(cls: type[Any], name: str) -> type[Any] | None:
    for base in cls.__mro__:
        if name in vars(base):
            return base if callable(getattr(base, name)) else None
    return None


def _function(owner: type[Any], name: str) -> Callable[..., Any]:
    """The method as a function of its client, whatever kind of descriptor somebody's patch has left there."""
    raw = vars(owner)[name]
    # By its type: a proxy of wrapt's says that it is a function, and wants to be bound.
    if type(raw) is FunctionType or not hasattr(raw, '__get__'):
        return raw
    looks = getattr(owner, name)
    if inspect.iscoroutinefunction(looks):

        @functools.wraps(looks)
        async def acall(client: Any, /, *args: Any, **kwargs: Any) -> Any:
            return await raw.__get__(client, type(client))(*args, **kwargs)

        return acall

    @functools.wraps(looks)
    def call(client: Any, /, *args: Any, **kwargs: Any) -> Any:
        return raw.__get__(client, type(client))(*args, **kwargs)

    return call
