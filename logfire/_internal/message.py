"""What a call of the API says: its template, its message and its attributes, as they go on the span."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from opentelemetry.util.types import AttributeValue

from logfire._internal.attributes import JSON_SCHEMA, MAX_NAME, MSG, SCRUBBED, any_text, otel_attributes
from logfire._internal.formatter import format_message, inspect_call
from logfire._internal.json_encoder import MAX_CHARACTERS, otlp_text
from logfire._internal.levels import LevelName, level_number
from logfire._internal.scrubbing import scrubbed_attribute
from logfire._internal.stack_info import warn_user
from logfire._internal.value_kinds import class_of

if TYPE_CHECKING:
    from logfire._internal.config.configuration import LogfireConfig
    from logfire._internal.scrubbing import ScrubNote

_ERROR: Final = level_number('error')


Message: TypeAlias = 'tuple[str, str, dict[str, AttributeValue], AttributeValue | None]'
"""A template, the message it makes, the user's attributes as OpenTelemetry's, and their schema."""


def new_message(
    config: LogfireConfig,
    template: str,
    attributes: Mapping[str, Any],
    *,
    frame: FrameType | None = None,
    argument: int = 0,
) -> Message:
    """The message of a call.

    Args:
        config: Its scrubber scrubs the message; its `inspect_arguments` allows f-strings to be taken apart.
        template: A `str.format` template, or what came of an f-string.
        attributes: The user's. One named `logfire.msg` is the message, ready made.
        frame: The frame that is making the call; None where its template is no f-string.
        argument: The position of the template among the call's arguments.
    """
    call = None
    if frame is not None and config.inspect_arguments:
        call = inspect_call(frame, template, attributes, argument)
    notes: list[ScrubNote] = []
    if call is not None:
        template = any_text(call.template)
        text = otlp_text(call.message(config.scrubber, notes))
        attributes = {**attributes, **call.attributes}
    elif MSG in attributes:
        text = any_text(attributes[MSG])
        attributes = {key: value for key, value in attributes.items() if key != MSG}
        template = any_text(template)
    else:
        text = format_message(template, attributes, config.scrubber, notes)
        if not (text.isascii() and len(text) <= MAX_CHARACTERS):
            text = otlp_text(text)
        if not (class_of(template) is str and template.isascii() and len(template) <= MAX_CHARACTERS):
            template = any_text(template)
    if not attributes and not notes:
        return template, text, {}, None
    result = otel_attributes(attributes)
    json_schema = result.pop(JSON_SCHEMA, None)
    if notes:
        result[SCRUBBED] = scrubbed_attribute(notes)
    return template, text, result, json_schema


def unique_tags(*tags: Iterable[str]) -> tuple[str, ...]:
    """All tags, as text, each once, in the order in which they first come."""
    return tuple(dict.fromkeys([any_text(tag, MAX_NAME) for some in tags for tag in some]))


def checked_level(level: LevelName | int) -> int:
    """The number of a level. What is no level warns and is taken as error: telemetry never stops the user's code."""
    try:
        return level_number(level)
    except ValueError as exc:
        warn_user(str(exc), UserWarning)
        return _ERROR
