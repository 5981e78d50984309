"""Take out of an observation what differs from run to run, and between environments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

_ADDRESS = re.compile(r'0x[0-9a-f]{6,}')
_TIME_OF_DAY = re.compile(r'(?<!\d)(\d\d):(\d\d):(\d\d)\.(\d\d\d)(?!\d)')

_TRACES = frozenset({'trace'})
_SPANS = frozenset({'id'})
_TIMES = frozenset({'start', 'end', 'time'})
_FIXED = {
    'service.instance.id': '<instance>',
    'process.pid': '<pid>',
    'logfire.exception.fingerprint': '<fingerprint>',
    'start_time_unix_nano': '<time>',
    'time_unix_nano': '<time>',
}


class Normaliser:
    """Normalises what came of one case.

    An id becomes the number of its first appearance, and a time its rank among all times, so that equal ones stay equal
    and later ones later; a time of day on the console becomes the same.

    Args:
        places: Names to stand for the paths of the environment.
    """

    def __init__(self, places: Mapping[str, str]) -> None:
        # Longer paths first: one may be within another.
        self._places = sorted(places.items(), key=lambda place: -len(place[1]))
        self._traces: dict[int, str] = {}
        self._spans: dict[int, str] = {}
        self._times: dict[int, str] = {}

    def normalise(self, case: Any) -> Any:
        """What came of a case, without what differs between runs."""
        times = sorted(set(_times(case)))
        self._times = {time: f'<time {rank}>' for rank, time in enumerate(times, start=1)}
        return self._normalised(case)

    def _normalised(self, value: Any, key: str = '') -> Any:
        if key in _FIXED and value is not None:
            return _FIXED[key]
        if key == 'logfire.pending_parent_id' and isinstance(value, str):
            return self._span(int(value, 16))
        if isinstance(value, dict):
            mapping = cast('dict[str, Any]', value)
            return {self._text(name): self._normalised(item, name) for name, item in mapping.items()}
        if isinstance(value, list):
            items = cast('list[Any]', value)
            return [self._normalised(item) for item in items]
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int) and value:
            if key in _TRACES:
                return self._traces.setdefault(value, f'<trace {len(self._traces) + 1}>')
            if key in _SPANS:
                return self._span(value)
            if key in _TIMES:
                return self._times[value]
        return value

    def _span(self, span_id: int) -> Any:
        return self._spans.setdefault(span_id, f'<span {len(self._spans) + 1}>') if span_id else span_id

    def _text(self, text: str) -> str:
        for name, path in self._places:
            text = text.replace(path, name)
        text = _TIME_OF_DAY.sub(self._time_of_day, text)
        return _ADDRESS.sub('<address>', text)

    def _time_of_day(self, match: re.Match[str]) -> str:
        hours, minutes, seconds, milliseconds = map(int, match.groups())
        nanoseconds = (((hours * 60 + minutes) * 60 + seconds) * 1_000 + milliseconds) * 1_000_000
        return self._times.get(nanoseconds, match.group())


def _times(value: Any, key: str = '') -> Iterator[int]:
    """All times in an observation, in nanoseconds."""
    if isinstance(value, dict):
        mapping = cast('dict[str, Any]', value)
        for name, item in mapping.items():
            yield from _times(item, name)
    elif isinstance(value, list):
        items = cast('list[Any]', value)
        for item in items:
            yield from _times(item)
    elif key in _TIMES and isinstance(value, int):
        yield value
