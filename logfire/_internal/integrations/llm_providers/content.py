"""Whether prompts and replies are recorded: the argument, else the variable of the OpenTelemetry GenAI conventions."""

from __future__ import annotations

import os
import warnings

VARIABLE = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT'

_ON = frozenset(('span_only', 'span_and_event', 'true', '1', ''))
_OFF = frozenset(('no_content', 'event_only', 'false', '0'))


def content_is_captured(argument: bool | None) -> bool:
    """What the `capture_content` argument says; where it is None, what the environment variable says.

    A value that is not understood is off, with a warning: when in doubt nothing is recorded.
    """
    if argument is not None:
        return argument
    value = os.environ.get(VARIABLE, '').strip().lower()
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
