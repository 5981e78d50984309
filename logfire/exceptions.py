"""The errors and warnings of this package that a user may want to catch or filter."""

from __future__ import annotations

__all__ = ['LogfireConfigError', 'LogfireNotConfiguredWarning']


class LogfireConfigError(ValueError):
    """A configuration value is wrong.

    The message says which parameter, where the value came from (keyword, environment variable or file), what was
    given and what is allowed. A token is never quoted. Nothing has been changed when this is raised.
    """


class LogfireNotConfiguredWarning(UserWarning):
    """Telemetry was asked for before `logfire.configure()` was called, so none is recorded.

    Given once per process. Call `logfire.configure()` first, or set `LOGFIRE_IGNORE_NO_CONFIG=1` if that is intended.
    """
