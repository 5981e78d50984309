"""Making a log: a span of no duration."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

from logfire._internal import errors
from logfire._internal.attributes import (
    DISABLE_CONSOLE_LOG,
    JSON_SCHEMA,
    LEVEL_NUM,
    MSG,
    MSG_TEMPLATE,
    SPAN_TYPE,
    TAGS,
)
from logfire._internal.exception_events import record_exception, set_error_status
from logfire._internal.levels import level_number
from logfire._internal.message import new_message, unique_tags
from logfire._internal.stack_info import caller_attributes

if TYPE_CHECKING:
    from logfire._internal.main import Logfire

_ExcTuple: TypeAlias = 'tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]'
ExcInfo: TypeAlias = 'bool | BaseException | _ExcTuple | None'
"""Which exception a log is about: True is the one being handled."""

_ERROR: Final = level_number('error')

_LOG: Final = 'make a log'


def emit_log(
    logfire: Logfire,
    level: int,
    template: str,
    attributes: Mapping[str, Any],
    *,
    tags: Sequence[str] | None = None,
    exc_info: ExcInfo = False,
    console_log: bool | None = None,
    frame: FrameType | None = None,
    argument: int = 0,
    code: Mapping[str, str | int] | None = None,
) -> None:
    """Make a log and export it. A fault of ours is reported.

    Args:
        logfire: Says where it goes, its tags and its scope.
        level: Its severity number.
        template: See `new_message`; so `attributes`, `frame` and `argument`.
        attributes: The user's attributes.
        tags: More tags than the instance's.
        exc_info: The exception that it tells.
        console_log: Whether the console shows it; None is as the instance says.
        frame: The frame that is making the call.
        argument: The position of the template among the call's arguments.
        code: Where in the code it was made; None is the user's nearest frame.
    """
    try:
        config = logfire.config
        template, text, user_attributes, json_schema = new_message(
            config, template, attributes, frame=frame, argument=argument
        )
        otel: dict[str, AttributeValue] = {
            SPAN_TYPE: 'log',
            LEVEL_NUM: level,
            MSG_TEMPLATE: template,
            MSG: text,
            **(caller_attributes(1) if code is None else code),
            **user_attributes,
        }
        otel[SPAN_TYPE] = 'log'  # An attribute of the user's with this name gives way: it would not be taken for a log.
        if json_schema is not None:
            otel[JSON_SCHEMA] = json_schema
        if tags:
            otel[TAGS] = unique_tags(logfire.tags, tags)
        elif logfire.tags:
            otel[TAGS] = logfire.tags
        if not (logfire.console_log if console_log is None else console_log):
            otel[DISABLE_CONSOLE_LOG] = True
        now = config.clock()
        span = logfire.tracer.start_span(template, None, SpanKind.INTERNAL, otel, None, now)
        exception = _exception(exc_info) if exc_info else None
        if exception is not None:
            record_exception(span, exception, callback=config.advanced.exception_callback)
        if level >= _ERROR:
            if exception is None:
                span.set_status(StatusCode.ERROR)
            else:
                set_error_status(span, exception)
        span.end(now)
    except Exception as fault:
        errors.handle(_LOG, fault)


def _exception(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        exception = cast('tuple[object, ...]', exc_info)[1]
        return exception if isinstance(exception, BaseException) else None
    return sys.exc_info()[1]
