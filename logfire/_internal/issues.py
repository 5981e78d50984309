"""Which exceptions open an issue in the backend, and the text that says whether two are the same one."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Final, cast

from opentelemetry.trace import Span, SpanContext

from logfire._internal.attributes import LEVEL_NUM
from logfire._internal.levels import level_number

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_MAX_GROUP: Final = 100
_ERROR: Final = level_number('error')


def opens_issue(span: Span) -> bool:
    """Whether an exception of this span opens an issue, unless the user says otherwise.

    It does on the outermost span of this process, whose level is unset or at least error.
    """
    parent = getattr(span, 'parent', None)
    if isinstance(parent, SpanContext) and not parent.is_remote:
        return False
    level = level_of(span)
    return level is None or level >= _ERROR


def level_of(span: ReadableSpan | Span) -> int | None:
    """The severity number of a span, None where it has none."""
    attributes: Mapping[str, object] = getattr(span, 'attributes', None) or {}
    level = attributes.get(LEVEL_NUM)
    return level if isinstance(level, int) else None


def canonical_traceback(exception: BaseException) -> str:
    """The exception's type and its way through the code, without anything that changes while the fault stays the same.

    Each frame is its module, function and the text of its line: no line numbers, paths or messages. Repeated frames
    (recursion) and repeated members of a group count once. Causes, contexts and the first 100 members of groups are
    followed.
    """
    return '\n'.join(_describe(exception, set()))


def _describe(exception: BaseException, seen: set[int]) -> Iterator[str]:
    link = exception
    while True:
        yield f'{type(link).__module__}.{type(link).__qualname__}'
        if id(link) in seen:
            yield '(again)'
            return
        seen.add(id(link))
        yield from _frames(link.__traceback__)
        yield from dict.fromkeys('| ' + '\n| '.join(_describe(member, seen)) for member in _members(link))
        if link.__cause__ is not None:
            yield 'caused by'
            link = link.__cause__
        elif link.__context__ is not None and not link.__suppress_context__:
            yield 'while handling'
            link = link.__context__
        else:
            return


def _frames(tb: TracebackType | None) -> Iterable[str]:
    # A deep recursion repeats a few places thousands of times: the file is asked for each place once.
    places = {(id(frame.f_code), number): frame for frame, number in traceback.walk_tb(tb)}
    return (
        f'{frame.f_globals.get("__name__", frame.f_code.co_filename)}.{frame.f_code.co_name}: '
        + linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
        for (_, number), frame in places.items()
    )


def _members(exception: BaseException) -> Iterator[BaseException]:
    """The members of an exception group; those of the `exceptiongroup` backport too."""
    members = getattr(exception, 'exceptions', ())
    if isinstance(members, tuple):
        for member in cast('tuple[object, ...]', members)[:_MAX_GROUP]:
            if isinstance(member, BaseException):
                yield member
