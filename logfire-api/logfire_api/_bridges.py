"""Bridges from other logging libraries that lead nowhere."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any, ClassVar

from logfire_api._instance import DEFAULT_LOGFIRE_INSTANCE, Logfire


class LogfireLoggingHandler(logging.Handler):
    """A handler for the standard library's logging that drops every record."""

    custom_scope_suffix: ClassVar[str] = 'stdlib.logging'

    def __init__(
        self,
        level: int | str = logging.NOTSET,
        fallback: logging.Handler | None = None,
        logfire_instance: Logfire | None = None,
    ) -> None:
        """A handler.

        Args:
            level: Records below this level are not handled; as for any handler.
            fallback: Would get the records that are made while instrumentation is suppressed.
            logfire_instance: Would make the logs.
        """
        super().__init__(level)
        self.fallback: logging.Handler = logging.NullHandler() if fallback is None else fallback
        self.logfire_instance: Logfire = DEFAULT_LOGFIRE_INSTANCE if logfire_instance is None else logfire_instance

    def emit(self, record: logging.LogRecord) -> None:
        """Drop a record."""

    def fill_attributes(self, record: logging.LogRecord) -> dict[str, Any]:
        """The attributes of the log that a record would become: none."""
        return {}


class StructlogProcessor:
    """A processor for structlog that passes each event on unchanged."""

    def __init__(self, *, console_log: bool = False, logfire_instance: Logfire | None = None) -> None:
        """A processor.

        Args:
            console_log: Whether Logfire's console would show the logs too.
            logfire_instance: Would make the logs.
        """
        self.console_log: bool = console_log
        self.logfire_instance: Logfire = DEFAULT_LOGFIRE_INSTANCE if logfire_instance is None else logfire_instance

    def __call__(self, logger: Any, name: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """The event, as it is."""
        return event_dict


class LogfireHandler:
    """A sink for loguru that drops every message."""

    def __init__(self, logfire_instance: Logfire | None = None) -> None:
        """A sink.

        Args:
            logfire_instance: Would make the logs.
        """
        self.logfire_instance: Logfire = DEFAULT_LOGFIRE_INSTANCE if logfire_instance is None else logfire_instance

    def __call__(self, message: Any) -> None:
        """Drop a message."""


def loguru_handler() -> Any:
    """A handler for loguru that drops every message; loguru need not be installed."""
    return {'sink': LogfireHandler(), 'format': '{message}'}
