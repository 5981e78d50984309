"""The standard library's logging: a handler that makes each record a Logfire log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from opentelemetry.context import get_current

from logfire._internal.attributes import CODE_FILEPATH, CODE_FUNCTION, CODE_LINENO, MSG, MSG_TEMPLATE
from logfire._internal.errors import Guard
from logfire._internal.log import emit_log
from logfire._internal.main import DEFAULT_LOGFIRE_INSTANCE, Logfire
from logfire._internal.suppression import is_suppressed

if TYPE_CHECKING:
    from logfire._internal.log import ExcInfo

__all__ = ['LogfireLoggingHandler']

LOGGER_NAME: Final = 'logfire.logger_name'
"""The attribute that says which logger a log came of."""
_ARGUMENTS: Final = 'logfire.logging_args'
_CODE: Final = (CODE_FILEPATH, CODE_FUNCTION, CODE_LINENO)

# What every record has; all else came by `extra=`. A formatter adds the message and the time.
_RESERVED: Final = frozenset(vars(logging.LogRecord('', 0, '', 0, '', (), None))) | {'message', 'asctime', 'taskName'}

_CRITICAL: Final = 50

_LOG = Guard('make a log of a logging record')


class LogfireLoggingHandler(logging.Handler):
    """A handler for the standard library's logging that makes each record a log.

    ```py
    logging.basicConfig(handlers=[logfire.LogfireLoggingHandler()])
    ```

    The record's format string becomes the template, so that records of one place in the code group together; `extra`
    and the arguments become attributes.
    """

    custom_scope_suffix: ClassVar[str] = 'stdlib.logging'
    """What follows `logfire.` in the OpenTelemetry scope of the logs."""

    def __init__(
        self,
        level: int | str = logging.NOTSET,
        fallback: logging.Handler | None = None,
        logfire_instance: Logfire | None = None,
    ) -> None:
        """A handler.

        Args:
            level: Records below this level are not handled; as for any handler.
            fallback: Gets the records that are made while instrumentation is suppressed, as it is while telemetry is
                exported: a log of it would be exported in turn. None writes them to the standard error.
            logfire_instance: Makes the logs; None is the one behind `logfire.info()`.
        """
        super().__init__(level)
        self.fallback: logging.Handler = logging.StreamHandler() if fallback is None else fallback
        instance = DEFAULT_LOGFIRE_INSTANCE if logfire_instance is None else logfire_instance
        self.logfire_instance: Logfire = instance.with_settings(custom_scope_suffix=self.custom_scope_suffix)

    def emit(self, record: logging.LogRecord) -> None:
        """Make a log of a record.

        Arguments that do not fit the format are handled as logging handles them: by a note on the standard error.
        """
        if is_suppressed(get_current()):
            self.fallback.handle(record)
            return
        level = otel_level(record.levelno)
        if not self.logfire_instance.records(level):
            return
        try:
            attributes = self.fill_attributes(record)
        except Exception:
            self.handleError(record)
            return
        with _LOG:
            code = {key: attributes.pop(key) for key in _CODE if key in attributes}
            template = attributes.pop(MSG_TEMPLATE, record.msg)
            emit_log(
                self.logfire_instance,
                level,
                str(template),
                attributes,
                exc_info=cast('ExcInfo', record.exc_info),
                code=code,
            )

    def fill_attributes(self, record: logging.LogRecord) -> dict[str, Any]:
        """The attributes of the log that a record becomes. May be overridden, to add or to leave out.

        Args:
            record: The record.

        Returns:
            Names and values. `logfire.msg` is the message, `logfire.msg_template` the template if not the record's
            format, `code.*` the place in the code.
        """
        attributes = {key: value for key, value in vars(record).items() if key not in _RESERVED}
        attributes[CODE_FILEPATH] = record.pathname
        attributes[CODE_LINENO] = record.lineno
        # A record that was made by hand may have no function.
        if function := cast('str | None', record.funcName):
            attributes[CODE_FUNCTION] = function
        attributes[MSG] = record.getMessage()
        attributes[LOGGER_NAME] = record.name
        if isinstance(record.args, Mapping):
            attributes.update(record.args)
        elif record.args:
            attributes[_ARGUMENTS] = record.args
        return attributes


def otel_level(levelno: int) -> int:
    """OpenTelemetry's number for a level: DEBUG 5, INFO 9, WARNING 13, ERROR 17, CRITICAL 21, and those between."""
    if levelno > _CRITICAL:
        return levelno
    tens, ones = divmod(max(levelno, 0), 10)
    return 1 + 4 * tens + max(0, ones - 1) // 2
