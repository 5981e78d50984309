"""What differs between two observations, and which of it is deliberate."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, cast

ABSENT = '<absent>'


@dataclass(frozen=True)
class Difference:
    """Something that is one thing in our observation and another in the published SDK's."""

    program: str
    case: str
    path: str
    ours: Any
    published: Any

    def __str__(self) -> str:
        return f'{self.program}.{self.case} {self.path}\n    ours      {self.ours!r}\n    published {self.published!r}'


@dataclass(frozen=True)
class Deliberate:
    """Differences that are meant: those whose place matches `where`, and whose two sides, where given, match too.

    All three are patterns with `*`; `where` is `program.case path`.
    """

    where: str
    reason: str
    ours: str = '*'
    published: str = '*'

    def covers(self, difference: Difference) -> bool:
        """Whether it says so of this difference."""
        place = f'{difference.program}.{difference.case} {difference.path}'
        return (
            _matches(place, self.where)
            and _matches(str(difference.ours), self.ours)
            and _matches(str(difference.published), self.published)
        )


def _matches(text: str, pattern: str) -> bool:
    # Of fnmatch's patterns just `*` is meant: paths have brackets in them.
    return fnmatch.fnmatchcase(text, pattern.replace('[', '[[]').replace('?', '[?]'))


def differences(ours: Any, published: Any, path: str = '') -> Iterator[tuple[str, Any, Any]]:
    """Where two values differ: the path, and both sides.

    Mappings also differ, at `path.order`, if what both have comes in another order.
    """
    same = type(ours) is type(published) and ours == published
    if isinstance(ours, dict) and isinstance(published, dict):
        left = cast('dict[str, Any]', ours)
        right = cast('dict[str, Any]', published)
        for key in {**left, **right}:
            yield from differences(left.get(key, ABSENT), right.get(key, ABSENT), f'{path}.{key}' if path else key)
        both = [key for key in left if key in right], [key for key in right if key in left]
        if both[0] != both[1]:
            yield (f'{path}.order', *both)
    elif isinstance(ours, list) and isinstance(published, list):
        first = cast('list[Any]', ours)
        second = cast('list[Any]', published)
        for index, left, right in _aligned(first, second):
            yield from differences(left, right, f'{path}[{index}]')
    elif not same:
        yield path, ours, published


def _aligned(ours: list[Any], published: list[Any]) -> Iterator[tuple[int, Any, Any]]:
    """The items of two lists, side by side, so that one more or less does not set off all that follow it."""
    matcher = difflib.SequenceMatcher(None, [_kind(item) for item in ours], [_kind(item) for item in published], False)
    for _, start, end, other_start, other_end in matcher.get_opcodes():
        pairs = zip_longest(ours[start:end], published[other_start:other_end], fillvalue=ABSENT)
        for offset, (left, right) in enumerate(pairs):
            yield start + offset, left, right


def _kind(item: Any) -> tuple[Any, Any] | str | None:
    """What tells an item from its neighbours: the name of a span or a metric, a line of text itself."""
    if isinstance(item, dict):
        mapping = cast('dict[str, Any]', item)
        attributes: dict[str, Any] = mapping.get('attributes') or {}
        return mapping.get('name'), attributes.get('logfire.span_type')
    return item if isinstance(item, str) else None


def compare(program: str, ours: dict[str, Any], published: dict[str, Any]) -> Iterator[Difference]:
    """Where the cases of a program differ."""
    for case in {**ours, **published}:
        for path, left, right in differences(ours.get(case, ABSENT), published.get(case, ABSENT)):
            yield Difference(program, case, path, left, right)


@dataclass(frozen=True)
class Verdict:
    """What is left of the differences once the deliberate ones are taken away."""

    unexplained: list[Difference]
    idle: list[Deliberate]
    """Entries that cover nothing: what they speak of is gone, and they would hide its return."""


def judge(found: Iterable[Difference], deliberate: Iterable[Deliberate]) -> Verdict:
    """Hold differences against those that are meant. Each is covered by the first entry that does."""
    entries = list(deliberate)
    idle = dict.fromkeys(entries)
    unexplained: list[Difference] = []
    for difference in found:
        covering = next((entry for entry in entries if entry.covers(difference)), None)
        if covering is None:
            unexplained.append(difference)
        else:
            idle.pop(covering, None)
    return Verdict(unexplained, list(idle))
