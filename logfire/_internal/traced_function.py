"""Functions whose every call is a span: what `@logfire.instrument` makes."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from opentelemetry import trace

from logfire._internal.attributes import CODE_FILEPATH, CODE_FUNCTION, CODE_LINENO
from logfire._internal.errors import Guard
from logfire._internal.json_encoder import utf8_text
from logfire._internal.span import NOOP_SPAN, LogfireSpan, NoopSpan, new_span
from logfire._internal.stack_info import warn_user

if TYPE_CHECKING:
    from logfire._internal.main import Logfire

_RETURN = 'return'

_READ_ARGUMENTS = Guard('read the arguments of an instrumented function')
_CREATE = Guard('create the span of an instrumented function')

_NewSpan = Callable[[tuple[Any, ...], dict[str, Any]], 'LogfireSpan | NoopSpan']


@dataclass(frozen=True)
class Tracing:
    """How a function is traced; `Logfire.instrument` says what each setting means."""

    logfire: Logfire
    template: str | None = None
    span_name: str | None = None
    extract_args: bool | Iterable[str] = True
    record_return: bool = False
    allow_generator: bool = False
    new_trace: bool = False
    level: int | None = None

    def decorate(self, function: Any) -> Any:
        """A function that does what `function` does, in a span, and is of its kind: coroutine function, generator..."""
        if isinstance(function, (staticmethod, classmethod)):
            method = cast('staticmethod[..., Any] | classmethod[Any, ..., Any]', function)
            return type(method)(self.decorate(method.__func__))
        begin = self._new_spans(function)
        # Of an object with `__call__`, it is that method which is of one kind or another.
        called = function if _is_function(function) else function.__call__
        is_async_generator = inspect.isasyncgenfunction(called)
        if is_async_generator or inspect.isgeneratorfunction(called):
            if not self.allow_generator:
                warn_user(
                    f'The span of the generator {_name(function)} is current until it ends, wherever it is iterated: '
                    'what is done between its items counts as within. Pass `allow_generator=True` if that is intended, '
                    'as it is for `@contextmanager` functions.',
                    UserWarning,
                )
            traced = _traced_async_generator if is_async_generator else _traced_generator
            return traced(function, begin)
        if inspect.iscoroutinefunction(called):
            return _traced_coroutine(function, begin, record_return=self.record_return)
        return _traced(function, begin, record_return=self.record_return)

    def _new_spans(self, function: Any) -> _NewSpan:
        """What makes the span of one call, from its arguments. Never raises."""
        logfire = self.logfire
        read_arguments = self._argument_reader(function)
        code = _code_attributes(function)
        template = f'Calling {_name(function)}' if self.template is None else self.template

        def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> LogfireSpan | NoopSpan:
            if not logfire.records(self.level):
                return NOOP_SPAN
            with _CREATE:
                arguments: dict[str, Any] = {}
                with _READ_ARGUMENTS:
                    arguments = read_arguments(args, kwargs)
                current = trace.get_current_span().get_span_context()
                return new_span(
                    logfire,
                    template,
                    arguments,
                    name=self.span_name,
                    level=self.level,
                    links=((current, None),) if self.new_trace else (),
                    code=code,
                    new_trace=self.new_trace,
                )
            return NOOP_SPAN

        return begin

    def _argument_reader(self, function: Any) -> Callable[[tuple[Any, ...], dict[str, Any]], dict[str, Any]]:
        try:
            signature = inspect.signature(function)
        except ValueError:  # Some builtin functions have none.
            return _no_arguments
        names: frozenset[str] | None = None
        if isinstance(self.extract_args, bool):
            if not self.extract_args:
                return _no_arguments
        else:
            names = frozenset([self.extract_args] if isinstance(self.extract_args, str) else self.extract_args)
            if missing := names - signature.parameters.keys():
                warn_user(f'{_name(function)} has no parameter {", ".join(sorted(missing))} to extract.', UserWarning)

        def read_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError:  # The call will fail, and say so better.
                return {}
            bound.apply_defaults()
            if names is None:
                return bound.arguments
            return {name: value for name, value in bound.arguments.items() if name in names}

        return read_arguments


def _no_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    return {}


def _traced(function: Any, begin: _NewSpan, *, record_return: bool) -> Any:
    @functools.wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Any:
        with begin(args, kwargs) as span:
            result = function(*args, **kwargs)
            if record_return:
                span.set_attribute(_RETURN, result)
            return result

    return traced


def _traced_coroutine(function: Any, begin: _NewSpan, *, record_return: bool) -> Any:
    @functools.wraps(function)
    async def traced_coroutine(*args: Any, **kwargs: Any) -> Any:
        with begin(args, kwargs) as span:
            result = await function(*args, **kwargs)
            if record_return:
                span.set_attribute(_RETURN, result)
            return result

    return traced_coroutine


def _traced_generator(function: Any, begin: _NewSpan) -> Any:
    @functools.wraps(function)
    def traced_generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with begin(args, kwargs):
            return (yield from cast('Generator[Any, Any, Any]', function(*args, **kwargs)))

    return traced_generator


def _traced_async_generator(function: Any, begin: _NewSpan) -> Any:
    @functools.wraps(function)
    async def traced_async_generator(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        # What `yield from` is to a generator, which Python does not have for asynchronous ones.
        with begin(args, kwargs):
            generator = cast('AsyncGenerator[Any, Any]', function(*args, **kwargs))
            try:
                item = await generator.__anext__()
                while True:
                    try:
                        sent = yield item
                    except GeneratorExit:
                        await generator.aclose()
                        raise
                    except BaseException as exc:
                        item = await generator.athrow(exc)
                    else:
                        item = await generator.asend(sent)
            except StopAsyncIteration:
                return

    return traced_async_generator


def _is_function(function: object) -> bool:
    return inspect.isroutine(function) or isinstance(function, (type, functools.partial))


def _name(function: Any) -> str:
    qualified = getattr(function, '__qualname__', f'{type(function).__qualname__}.__call__')
    return f'{getattr(function, "__module__", None) or type(function).__module__}.{qualified}'


def _code_attributes(function: Any) -> dict[str, str | int]:
    """Where the function is defined, as far as it is Python code."""
    inner = inspect.unwrap(function)
    attributes: dict[str, str | int] = {}
    code = getattr(inner, '__code__', None) or getattr(type(inner).__call__, '__code__', None)
    if code is not None:
        path = os.path.abspath(code.co_filename)
        folder = os.path.join(os.getcwd(), '')
        attributes[CODE_FILEPATH] = utf8_text(path.removeprefix(folder))
        attributes[CODE_LINENO] = code.co_firstlineno
    attributes[CODE_FUNCTION] = getattr(inner, '__qualname__', f'{type(inner).__qualname__}.__call__')
    return attributes
