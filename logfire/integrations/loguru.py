"""loguru: a sink that makes each of its messages a Logfire log."""

from __future__ import annotations

import ast
import functools
import importlib.util
import string
import sys
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final

from logfire._internal.attributes import CODE_FILEPATH, CODE_FUNCTION, CODE_LINENO, MSG
from logfire._internal.errors import Guard
from logfire._internal.log import emit_log
from logfire._internal.main import DEFAULT_LOGFIRE_INSTANCE, Logfire
from logfire.integrations.logging import LOGGER_NAME, otel_level

if TYPE_CHECKING:
    from loguru import BasicHandlerConfig, Message, Record

__all__ = ['LogfireHandler', 'loguru_handler']

_LOG = Guard('make a log of a loguru message')
_FIND_TEMPLATE = Guard('find the template of a loguru message')

_REMEMBERED: Final = 8192

# By the id of the code object, which stands in the value too, so that the id is not used again.
_templates: dict[tuple[int, int], tuple[CodeType, str | None]] = {}


def loguru_handler() -> BasicHandlerConfig:
    """A handler for loguru that makes each message a log.

    ```py
    loguru.logger.configure(handlers=[logfire.loguru_handler()])
    ```

    The format string becomes the template, so that messages of one place in the code group together, if it is written
    in the call as a plain string and `inspect_arguments` is on: loguru tells the finished text only. Keyword arguments
    and what `bind()` and `contextualize()` added become attributes; positional arguments are in the text alone.

    Returns:
        The keywords of `logger.add()`: `sink` and `format`. Add others, such as `level`, as you like.

    Raises:
        RuntimeError: loguru is not installed.
    """
    if 'loguru' not in sys.modules and importlib.util.find_spec('loguru') is None:
        raise RuntimeError('`logfire.loguru_handler()` needs the loguru package: pip install loguru')
    return {'sink': LogfireHandler(), 'format': '{message}'}


class LogfireHandler:
    """A sink for loguru that makes each message a log; `loguru_handler()` is the usual way to it."""

    def __init__(self, logfire_instance: Logfire | None = None) -> None:
        """A sink.

        Args:
            logfire_instance: Makes the logs; None is the one behind `logfire.info()`.
        """
        instance = DEFAULT_LOGFIRE_INSTANCE if logfire_instance is None else logfire_instance
        self.logfire_instance: Logfire = instance.with_settings(custom_scope_suffix='loguru')

    def __call__(self, message: Message) -> None:
        """Make a log of a message, as loguru calls it."""
        with _LOG:
            record = message.record
            level = otel_level(record['level'].no)
            if not self.logfire_instance.records(level):
                return
            text = record['message']
            template = None
            if self.logfire_instance.config.inspect_arguments:
                with _FIND_TEMPLATE:
                    template = _template_of(record, text)
            exception = record['exception']
            emit_log(
                self.logfire_instance,
                level,
                text if template is None else template,
                _attributes(record, text),
                exc_info=None if exception is None else exception.value,
                code={
                    CODE_FILEPATH: record['file'].path,
                    CODE_FUNCTION: record['function'],
                    CODE_LINENO: record['line'],
                },
            )


def _attributes(record: Record, text: str) -> Mapping[str, Any]:
    extra: dict[str, Any] = record['extra']
    return {MSG: text, LOGGER_NAME: record['name'], **extra}


def _template_of(record: Record, text: str) -> str | None:
    """The string in the call that a message came of; None if there is none, or the message cannot have come of it."""
    frame = _calling_frame(record)
    if frame is None:
        return None
    key = (id(frame.f_code), frame.f_lasti)
    known = _templates.get(key)
    if known is None:
        if len(_templates) >= _REMEMBERED:
            _templates.clear()
        known = _templates[key] = (frame.f_code, _string_in_call(frame))
    template = known[1]
    return template if template is not None and (template == text or _may_come_of(text, template)) else None


def _calling_frame(record: Record) -> FrameType | None:
    """The frame that is calling loguru, where that runs us at once; it may leave it to another thread."""
    place = (record['file'].path, record['function'], record['line'])
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if (code.co_filename, code.co_name, frame.f_lineno) == place:
            return frame
        frame = frame.f_back
    return None


def _string_in_call(frame: FrameType) -> str | None:
    from executing import Source

    node = Source.executing(frame).node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    place = 1 if node.func.attr == 'log' else 0  # `logger.log(level, message)`
    argument = node.args[place] if len(node.args) > place else None
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None


def _may_come_of(text: str, template: str) -> bool:
    """Whether a message may be what a template was filled to, found in one pass over it."""
    first, *others = _literals(template)
    if not others:
        return text == first
    last = others.pop()
    end = len(text) - len(last)
    if not text.startswith(first) or not text.endswith(last) or len(first) > end:
        return False
    position = len(first)
    for literal in others:
        position = text.find(literal, position, end)
        if position < 0:
            return False
        position += len(literal)
    return True


@functools.lru_cache(maxsize=1024)
def _literals(template: str) -> tuple[str, ...]:
    """The texts around the fields of a template: one more than it has fields."""
    pieces = ['']
    try:
        for literal, field, _, _ in string.Formatter().parse(template):
            pieces[-1] += literal
            if field is not None:
                pieces.append('')
    except ValueError:  # No template: a lone brace.
        return (template,)
    return tuple(pieces)
