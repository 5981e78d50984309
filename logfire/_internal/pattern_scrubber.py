"""The scrubber of the built-in patterns and the user's; see `scrubbing` for what it does."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Link

from logfire._internal.errors import Guard
from logfire._internal.scrubbing import (
    SAFE_KEYS,
    scrubbed_attribute,
)
from logfire._internal.span_copy import SpanCopy, plain_attributes

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from logfire._internal.linear_patterns import Search
    from logfire._internal.scrubbing import LogData, ScrubNote, ValuePath
    from logfire._internal.scrubbing_options import ScrubMatch

_GUARD_CALLBACK: Final = Guard('call the scrubbing callback')

# The built-in patterns, each with a text that all its matches hold, and whether `\b` or `_` stands before it. Telling
# that a text holds none of these is many times faster than `re`; so is looking only where they stand.
_RULES: Final = (
    ('passw', False, r'passw(?:or)?d'),
    ('mysql_pwd', False, r'mysql_pwd'),
    ('secret', False, r'secret'),
    ('auth', False, r'auth(?!ors?\b)'),
    ('credential', False, r'credential'),
    ('private', False, r'private[ ._-]?key'),
    ('api', False, r'api[ ._-]?key'),
    ('session', False, r'session'),
    ('cookie', False, r'cookie'),
    ('social', False, r'social[ ._-]?security'),
    ('credit', False, r'credit[ ._-]?card'),
    ('csrf', True, r'csrf(?:\b|_)'),
    ('xsrf', True, r'xsrf(?:\b|_)'),
    ('jwt', True, r'jwt(?:\b|_)'),
    ('ssn', True, r'ssn(?:\b|_)'),
    ('logfire', False, r'logfire[ ._-]?token'),
    ('pylf_v', False, r'pylf_v\d+_'),
)


@cache
def _compiled(pattern: str, *, has_edge: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A built-in pattern: as it is, and for text in lower case from its needle on. Made when first needed."""
    # In lower case `re` goes from needle to needle as fast as `find`.
    return re.compile((r'(?:\b|_)' if has_edge else '') + pattern, re.IGNORECASE), re.compile(pattern)


def _lowered(text: str) -> str:
    """The text in lower case, as `re` sees it when ignoring case; as long as the text."""
    if text.isascii():
        return text.lower()
    # Python's patterns take these four for I, I, S and K; the last is lowered to `k`. Only the first is lowered to
    # two characters.
    return text.replace('\u0130', 'i').lower().replace('\u0131', 'i').replace('\u017f', 's')


def _may_match(lowered: str) -> bool:
    """False if no built-in pattern can be found: a few parts of words, shared by the needles, are looked for."""
    return (
        ('ss' in lowered and ('passw' in lowered or 'session' in lowered or 'ssn' in lowered))
        or 'auth' in lowered
        or 'cre' in lowered  # secret, credential, credit card
        or 'api' in lowered
        or 'srf' in lowered
        or 'jwt' in lowered
        or 'cooki' in lowered
        or 'priva' in lowered
        or '_pwd' in lowered
        or 'socia' in lowered
        or 'ogfir' in lowered
        or 'lf_v' in lowered
    )


def _search_rules(text: str) -> re.Match[str] | None:
    """The first match of the built-in patterns."""
    lowered = _lowered(text)
    if not _may_match(lowered):
        return None
    first: re.Match[str] | None = None
    for needle, has_edge, source in _RULES:
        at = lowered.find(needle)
        while at >= 0 and (first is None or at - has_edge < first.start()):
            pattern, from_needle = _compiled(source, has_edge=has_edge)
            match = (has_edge and at and pattern.match(text, at - 1)) or pattern.match(text, at)
            if match:
                first = match
                break
            later = from_needle.search(lowered, at + 1)
            at = later.start() if later else -1
    return first


def _spans_all(match: re.Match[str]) -> bool:
    return match.end() - match.start() == len(match.string)


_REMEMBERED_KEYS: Final = 4096
_UNSEARCHABLE: Final = '[Scrubbed: nested too deeply to be looked through]'

# What is known of a key: True if it is safe, None if it is clean, else the match.
_Verdict: TypeAlias = 'Literal[True] | re.Match[str] | None'


class PatternScrubber:
    """Scrubs by the built-in patterns and the user's."""

    def __init__(self, callback: Callable[[ScrubMatch], Any] | None = None, extra_patterns: Sequence[str] = ()) -> None:
        self._callback = callback
        self._extra: tuple[Search, ...] = ()
        if extra_patterns:
            from logfire._internal.linear_patterns import new_search  # Not loaded where nobody asks for it.

            self._extra = tuple([new_search(pattern) for pattern in extra_patterns])
        self._verdicts: dict[str, _Verdict] = dict.fromkeys(SAFE_KEYS, True)

    def scrub_span(self, span: ReadableSpan, attributes: Mapping[str, Any] | None = None) -> ReadableSpan:
        before = plain_attributes(span) if attributes is None else attributes
        events = span.events
        links = span.links
        clean = before.keys() <= SAFE_KEYS or self._is_clean(before)
        if clean and not (events or links):
            return span
        notes: list[ScrubNote] = []
        new_attributes = before if clean else self._mapping(('attributes',), before, notes)
        new_events: list[Event] = []
        for index, event in enumerate(events):
            old = event.attributes or {}
            new = self._mapping(('otel_events', index, 'attributes'), old, notes)
            new_events.append(event if new is old else Event(event.name, new, event.timestamp))
        new_links: list[Link] = []
        for index, link in enumerate(links):
            old = link.attributes or {}
            new = self._mapping(('links', index, 'attributes'), old, notes)
            new_links.append(link if new is old else Link(link.context, new))
        if new_attributes is before and new_events == [*events] and new_links == [*links]:
            return span
        if notes:
            new_attributes = {
                **new_attributes,
                'logfire.scrubbed': scrubbed_attribute(notes, before.get('logfire.scrubbed')),
            }
        return SpanCopy(span, new_attributes, events=new_events, links=new_links)

    def scrub_log(self, log_data: LogData) -> LogData:
        record = log_data.log_record
        notes: list[ScrubNote] = []
        before: Mapping[str, Any] = record.attributes or {}
        attributes = self._mapping(('attributes',), before, notes)
        body = self.scrub_value(('log_body',), record.body, notes)
        if attributes is before and body is record.body:
            return log_data
        if notes:
            attributes = {**attributes, 'logfire.scrubbed': scrubbed_attribute(notes, before.get('logfire.scrubbed'))}
        # A copy keeps whatever else a record has, in this release of OpenTelemetry and the next.
        new_record = copy.copy(record)
        new_record.attributes = attributes
        new_record.body = body
        return replace(log_data, log_record=new_record)

    def scrub_value(self, path: ValuePath, value: Any, notes: list[ScrubNote] | None = None) -> Any:
        notes = [] if notes is None else notes
        noted = len(notes)
        try:
            return self._value(path, value, notes)
        except RecursionError:
            return self._unsearchable(path, notes, noted)

    def scrub_text(self, key: str, text: str, notes: list[ScrubNote] | None = None) -> str:
        if key in SAFE_KEYS:
            return text
        if not self._extra and not _may_match(_lowered(text)):
            return text
        match = self._search(text)
        if match is None or _spans_all(match):
            return text
        return str(self._text(('message', key), text, match, [] if notes is None else notes))

    def _search(self, text: str) -> re.Match[str] | None:
        first = _search_rules(text)
        for search in self._extra:
            match = search(text)
            if match and (first is None or match.start() < first.start()):
                first = match
        return first

    def _verdict(self, key: str) -> _Verdict:
        try:
            return self._verdicts[key]
        except KeyError:
            verdict = self._search(key)
            if len(self._verdicts) >= _REMEMBERED_KEYS:
                self._verdicts = dict.fromkeys(SAFE_KEYS, True)
            self._verdicts[key] = verdict
            return verdict

    def _is_clean(self, attributes: Mapping[str, Any]) -> bool:
        """True if nothing is to be scrubbed; False if that needs a closer look. All texts are searched as one."""
        texts: list[str] = []
        verdicts = self._verdicts
        for key, value in attributes.items():
            verdict = verdicts[key] if key in verdicts else self._verdict(key)
            if verdict is True:
                continue
            if verdict is not None:
                return False
            if type(value) is str:
                texts.append(value)
            elif type(value) is not int and type(value) is not bool and type(value) is not float:
                return False
        if not texts:
            return True
        if _may_match(_lowered('\n'.join(texts))):
            return False
        return not self._extra or not any(search(text) for text in texts for search in self._extra)

    def _mapping(self, path: ValuePath, values: Mapping[str, Any], notes: list[ScrubNote]) -> Mapping[str, Any]:
        """The mapping with each value scrubbed by its key or by what it holds."""
        changed: dict[str, Any] = {}
        for key, value in values.items():
            verdict = self._verdict(key)
            if verdict is True:
                continue
            if verdict is None:
                new = self._value((*path, key), value, notes)
            else:
                new = self._redacted((*path, key), value, verdict, notes)
            if new is not value:
                changed[key] = new
        return {**values, **changed} if changed else values

    def _sequence(self, path: ValuePath, values: Sequence[Any], notes: list[ScrubNote]) -> Sequence[Any]:
        scrubbed = [self._value((*path, index), value, notes) for index, value in enumerate(values)]
        if all(new is old for new, old in zip(scrubbed, values, strict=True)):
            return values
        return tuple(scrubbed) if isinstance(values, tuple) else scrubbed

    def _value(self, path: ValuePath, value: Any, notes: list[ScrubNote]) -> Any:
        if isinstance(value, str):
            match = self._search(value)
            return value if match is None or _spans_all(match) else self._text(path, value, match, notes)
        if isinstance(value, Mapping):
            return self._mapping(path, cast('Mapping[str, Any]', value), notes)
        if isinstance(value, (list, tuple)):
            return self._sequence(path, cast('Sequence[Any]', value), notes)
        return value

    def _text(self, path: ValuePath, text: str, match: re.Match[str], notes: list[ScrubNote]) -> Any:
        """Text with a match in it: scrubbed inside if it is JSON, replaced if it is not."""
        noted = len(notes)
        try:
            parsed = json.loads(text)
        except ValueError:  # Not JSON, or a number of more digits than Python reads.
            return self._redacted(path, text, match, notes)
        except RecursionError:
            return self._unsearchable(path, notes, noted)
        try:
            scrubbed = self._value(path, parsed, notes)
            return text if scrubbed is parsed else json.dumps(scrubbed, default=str)
        except (RecursionError, TypeError, ValueError):  # The latter two: what a callback wanted is no JSON.
            return self._unsearchable(path, notes, noted)

    def _unsearchable(self, path: ValuePath, notes: list[ScrubNote], noted: int) -> str:
        del notes[noted:]
        notes.append({'path': path, 'matched_substring': ''})
        return _UNSEARCHABLE

    def _redacted(self, path: ValuePath, value: Any, match: re.Match[str], notes: list[ScrubNote]) -> Any:
        """What stands in place of a value: what the callback wants, else a text that tells why."""
        if self._callback is not None:
            with _GUARD_CALLBACK:
                from logfire._internal.scrubbing_options import ScrubMatch  # Loaded with the callback.

                wanted = self._callback(ScrubMatch(path, value, match))
                if wanted is not None:
                    return wanted
        notes.append({'path': path, 'matched_substring': match.group()})
        text = f'[Scrubbed due to {match.group()!r}]'
        if isinstance(value, list):
            return [text]
        return (text,) if isinstance(value, tuple) else text
