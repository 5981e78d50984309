"""structlog: a processor that makes each event a Logfire log. It needs nothing of structlog itself."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from logfire._internal.attributes import MSG
from logfire._internal.errors import Guard
from logfire._internal.log import emit_log
from logfire._internal.main import DEFAULT_LOGFIRE_INSTANCE, Logfire
from logfire._internal.message import checked_level

if TYPE_CHECKING:
    from logfire._internal.levels import LevelName

__all__ = ['LogfireProcessor', 'StructlogProcessor']

_LOG = Guard('make a log of a structlog event')

# They are told by the log itself.
_NOT_ATTRIBUTES: Final = frozenset({'event', 'level', 'timestamp', 'exc_info'})
_LEVELS: Final = {'critical': 'fatal', 'exception': 'error'}


class StructlogProcessor:
    """A processor for structlog that makes each event a log, and passes the event on unchanged.

    ```py
    structlog.configure(processors=[structlog.processors.add_log_level, logfire.StructlogProcessor(), ...])
    ```

    Put it before the processors that turn the event into text.
    """

    def __init__(self, *, console_log: bool = False, logfire_instance: Logfire | None = None) -> None:
        """A processor.

        Args:
            console_log: Whether Logfire's console shows the logs too; structlog mostly shows them already.
            logfire_instance: Makes the logs; None is the one behind `logfire.info()`.
        """
        instance = DEFAULT_LOGFIRE_INSTANCE if logfire_instance is None else logfire_instance
        self.console_log = console_log
        self.logfire_instance: Logfire = instance.with_settings(
            custom_scope_suffix='structlog', console_log=console_log
        )

    def __call__(self, logger: Any, name: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Make a log of an event, as structlog calls it."""
        with _LOG:
            level = event_dict.get('level', 'info')
            number = checked_level(cast('LevelName', _LEVELS.get(level, level)))
            if self.logfire_instance.records(number):
                event = str(event_dict.get('event', 'structlog event'))
                attributes = {key: value for key, value in event_dict.items() if key not in _NOT_ATTRIBUTES}
                emit_log(
                    self.logfire_instance,
                    number,
                    event,
                    {**attributes, MSG: event},
                    exc_info=event_dict.get('exc_info', False),
                )
        return event_dict


LogfireProcessor: TypeAlias = StructlogProcessor
"""The name of `StructlogProcessor` in this module; it is `logfire.StructlogProcessor` too."""
