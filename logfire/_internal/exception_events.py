"""How an exception is told on a span: an `exception` event, and what it does to the span's status, level and issue."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.util.types import Attributes, AttributeValue

from logfire._internal.attributes import EXCEPTION_FINGERPRINT, LEVEL_NUM, all_carried, any_text
from logfire._internal.credentials import without_credentials
from logfire._internal.errors import Guard
from logfire._internal.issues import canonical_traceback, opens_issue
from logfire._internal.json_encoder import json_dumps
from logfire._internal.levels import level_number

if TYPE_CHECKING:
    from pydantic import ValidationError

    from logfire._internal.exception_callback import ExceptionCallback, ExceptionCallbackHelper

VALIDATION_ERRORS: Final = 'exception.logfire.data'
"""The errors of a pydantic ValidationError, as JSON."""

_ERROR: Final = level_number('error')

_READ_ERRORS = Guard('read the errors of a pydantic ValidationError')
_CALL_BACK = Guard('run the exception callback')
_FIND_ISSUE = Guard('find the fingerprint of an exception')


def record_exception(
    span: Span,
    exception: BaseException,
    *,
    timestamp: int | None = None,
    escaped: bool = False,
    attributes: Attributes = None,
    callback: ExceptionCallback | None = None,
) -> None:
    """Record an exception on a span that still records; otherwise do nothing.

    Args:
        span: The span.
        exception: Any exception, with or without a traceback. Its own `__str__` may fail.
        timestamp: When it was met, in nanoseconds since 1970; None is now, by the clock of the span.
        escaped: Whether it left the span: then the span's status becomes ERROR, `Type: message`, and its level error.
        attributes: More attributes for the event.
        callback: The user's `AdvancedOptions.exception_callback`. A fault of it is reported and the exception recorded.
    """
    if not span.is_recording():
        return
    if escaped:
        span.set_attribute(LEVEL_NUM, _ERROR)
        set_error_status(span, exception)
    event: dict[str, AttributeValue] = all_carried(attributes)
    with _READ_ERRORS:
        if (errors := _validation_errors(exception)) is not None:
            span.set_attribute(VALIDATION_ERRORS, errors)
            event[VALIDATION_ERRORS] = errors
    helper: ExceptionCallbackHelper | None = None
    if callback is not None:
        with _CALL_BACK:
            from logfire._internal.exception_callback import ExceptionCallbackHelper

            helper = ExceptionCallbackHelper(span, exception, event)
            callback(helper)
    with _FIND_ISSUE:
        if opens_issue(span) if helper is None else helper.create_issue:
            source = canonical_traceback(exception) if helper is None else helper.issue_fingerprint_source
            import hashlib  # Loaded for a failure, not for every program.

            fingerprint = hashlib.sha256(source.encode('utf-8', 'backslashreplace')).hexdigest()
            span.set_attribute(EXCEPTION_FINGERPRINT, fingerprint)
    if helper is None or helper.is_recorded:
        exception_type = type(exception)
        event = {
            'exception.type': any_text(_type_name(exception_type)),
            'exception.message': _text(exception_message(exception)),
            'exception.stacktrace': _text(
                ''.join(traceback.format_exception(exception_type, exception, exception.__traceback__))
            ),
            'exception.escaped': str(escaped),
            **(event if helper is None else helper.event_attributes),
        }
        span.add_event('exception', event, timestamp)


def set_error_status(span: Span, exception: BaseException) -> None:
    """Set the status ERROR, described by the exception."""
    description = _text(f'{type(exception).__name__}: {exception_message(exception)}')
    span.set_status(Status(StatusCode.ERROR, description))


def exception_message(exception: BaseException) -> str:
    """`str(exception)`, which is the user's code and may fail."""
    try:
        return str(exception)
    except Exception:
        return '<exception str() failed>'


def _text(text: str) -> str:
    return any_text(without_credentials(text))


def _type_name(exception_type: type[BaseException]) -> str:
    module = exception_type.__module__
    name = exception_type.__qualname__
    return name if module == 'builtins' else f'{module}.{name}'


def _validation_errors(exception: BaseException) -> str | None:
    # A class of pydantic's cannot be raised without pydantic having been imported; we never import it ourselves.
    validation_error: type[Any] | None = getattr(sys.modules.get('pydantic'), 'ValidationError', None)
    if validation_error is None or not isinstance(exception, validation_error):
        return None
    return json_dumps(cast('ValidationError', exception).errors(include_url=False))
