"""The text that says whether two exceptions are the same issue."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Final, cast

_MAX_GROUP: Final = 100


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
