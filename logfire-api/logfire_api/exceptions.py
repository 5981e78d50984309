"""The errors and warnings of `logfire` that a user may want to catch or filter. Nothing raises them without it."""

from __future__ import annotations

from logfire_api._handover import hand_over

__all__ = ['LogfireConfigError', 'LogfireNotConfiguredWarning']


class LogfireConfigError(ValueError):
    """A configuration value is wrong."""


class LogfireNotConfiguredWarning(UserWarning):
    """Telemetry was asked for before `logfire.configure()` was called."""


hand_over(globals())
