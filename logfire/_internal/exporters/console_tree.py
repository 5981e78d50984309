"""The spans that are open, and so where in the picture of nested spans a line belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from logfire._internal.config.options import ConsoleSpanStyle

# Spans that never end must not fill the memory: beyond this many the oldest is forgotten, its children are roots.
MAX_OPEN_SPANS: Final = 10_000


class OpenSpan(NamedTuple):
    """A span that has been shown and not ended: how deep it was shown, its message, its parent's id."""

    depth: int
    message: str
    parent_id: int | None


class Place(NamedTuple):
    """Where to show a line: the parents to repeat above it, and its depth."""

    parents: list[OpenSpan]
    depth: int


class SpanTree:
    """Which spans are open and, for `show-parents`, below which of them the last line was shown.

    Not thread-safe: the caller holds a lock.
    """

    def __init__(self, style: ConsoleSpanStyle) -> None:
        self._style: ConsoleSpanStyle = style
        self._open: dict[int, OpenSpan] = {}
        # The spans that a reader sees above the last line, outermost first; only for `show-parents`.
        self._path: list[int] = []

    def open(self, span_id: int, parent_id: int | None, message: str) -> Place:
        """Where to show a span that starts; from now on it is open."""
        place = self.place(parent_id)
        if len(self._open) >= MAX_OPEN_SPANS:
            del self._open[next(iter(self._open))]
        self._open[span_id] = OpenSpan(place.depth, message, parent_id)
        self._path.append(span_id)
        return place

    def place(self, parent_id: int | None) -> Place:
        """Where to show something with this parent. A parent that is not open is as none."""
        if self._style == 'show-parents':
            return self._place_below_parents(parent_id)
        self._path.clear()
        parent = self._open.get(parent_id) if parent_id is not None and self._style == 'indented' else None
        return Place([], parent.depth + 1 if parent is not None else 0)

    def close(self, span_id: int) -> bool:
        """The span has ended. Returns whether it was open."""
        return self._open.pop(span_id, None) is not None

    def _place_below_parents(self, parent_id: int | None) -> Place:
        repeated: list[tuple[int, OpenSpan]] = []
        # Up from the parent to the first span that is in sight; what lies between has to be shown again.
        while parent_id is not None:
            span = self._open.get(parent_id)
            if span is None:
                parent_id = None
            elif parent_id in self._path:
                break
            else:
                repeated.append((parent_id, span))
                parent_id = span.parent_id
        del self._path[self._path.index(parent_id) + 1 if parent_id is not None else 0 :]
        repeated.reverse()
        self._path.extend(span_id for span_id, _ in repeated)
        return Place([span for _, span in repeated], len(self._path))
