"""What `logfire.configure()` takes of scrubbing, and what a callback of it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import re

    from logfire._internal.scrubbing import ValuePath


@dataclass
class ScrubMatch:
    """What a scrubbing callback is told about a match."""

    path: ValuePath
    """Where the value stands, from the outside in: `('attributes', 'settings', 'api_key')`. The first item is
    `attributes`, `otel_events`, `links`, `log_body` or `message`."""

    value: Any
    """The value that is about to be replaced."""

    pattern_match: re.Match[str]
    """The match: in the value, or in its key. What it is found by is no promise; `group()`, `span()` and `string`
    are."""


@dataclass(frozen=True)
class ScrubbingOptions:
    """How secrets are scrubbed from what is exported."""

    callback: Callable[[ScrubMatch], Any] | None = None
    """Asked about every match. What it returns is kept in place of the value (return `match.value` to keep the value
    itself); on None the value is scrubbed. If it raises, the fault is reported and the value is scrubbed."""

    extra_patterns: Sequence[str] | None = None
    """Regular expressions to look for beside the built-in ones, ignoring case; `.` matches newlines too.

    The time they take grows with the text and no faster, however they are written (`(a+)+$`). To that end, patterns
    with open repetitions are not searched by `re` but by an automaton. Of these, the ones with look-around or
    back-references see a text in windows, and may miss a match of more than 32 characters; where even windows could
    take forever, `configure()` raises ValueError."""
