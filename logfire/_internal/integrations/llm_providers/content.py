"""What of the content is recorded: whether at all, and up to which size of what is binary."""

from __future__ import annotations

import os
import warnings

from logfire.exceptions import LogfireConfigError

BINARY_LIMIT_VARIABLE = 'LOGFIRE_MAX_BINARY_CONTENT'
DEFAULT_BINARY_LIMIT = 32 * 1024

VARIABLE = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT'

_ON = frozenset(('span_only', 'span_and_event', 'true', '1'))
_OFF = frozenset(('no_content', 'event_only', 'false', '0'))


def content_is_captured(argument: bool | None, *, unless_set: bool = True) -> bool:
    """What the `capture_content` argument says; where it is None, what the environment variable says.

    `unless_set` is what holds where that is not set, or empty. A value that is not understood is off, with a warning:
    when in doubt nothing is recorded.
    """
    if argument is not None:
        return argument
    value = os.environ.get(VARIABLE, '').strip().lower()
    if not value:
        return unless_set
    if value in _ON:
        return True
    if value not in _OFF:
        warnings.warn(
            f'{VARIABLE}={os.environ[VARIABLE]!r} is not understood: message content is not recorded. '
            f'Accepted: NO_CONTENT, EVENT_ONLY, false, 0 (off); SPAN_ONLY, SPAN_AND_EVENT, true, 1 (on).',
            UserWarning,
            stacklevel=2,
        )
    return False


def binary_limit() -> int:
    """Up to how many characters of base64 an image or a sound is recorded; of a larger one size and digest.

    Raises:
        LogfireConfigError: the environment variable is no such number.
    """
    value = os.environ.get(BINARY_LIMIT_VARIABLE, '').strip()
    if not value:
        return DEFAULT_BINARY_LIMIT
    if not (value.isascii() and value.isdigit()):
        raise LogfireConfigError(
            f'{BINARY_LIMIT_VARIABLE}={value!r} is not accepted: it is a number of characters of base64, 0 or more '
            f'({DEFAULT_BINARY_LIMIT} if unset).'
        )
    return int(value)
