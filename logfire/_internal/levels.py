"""The severity levels: their names, and the OpenTelemetry severity numbers they stand for."""

from __future__ import annotations

from typing import Final, Literal

LevelName = Literal['trace', 'debug', 'info', 'notice', 'warn', 'warning', 'error', 'fatal']
"""A level by name. `warn` and `warning` are the same level."""

LEVEL_NUMBERS: Final[dict[LevelName, int]] = {
    'trace': 1,
    'debug': 5,
    'info': 9,
    'notice': 10,
    'warn': 13,
    'warning': 13,
    'error': 17,
    'fatal': 21,
}

LEVEL_NAMES: Final[dict[int, LevelName]] = {number: name for name, number in LEVEL_NUMBERS.items() if name != 'warning'}
"""The name of each number that has one; 13 is `warn`."""

_NUMBERS_BY_TEXT: Final[dict[str, int]] = {**LEVEL_NUMBERS}


def level_number(level: LevelName | int) -> int:
    """The severity number of a level.

    Args:
        level: A level name, in any case, or a severity number of 0 or more (OpenTelemetry's are 1 to 24).

    Raises:
        ValueError: `level` is neither; the message says what is allowed.
    """
    if isinstance(level, str):
        number = _NUMBERS_BY_TEXT.get(level)
        if number is None:
            number = _NUMBERS_BY_TEXT.get(level.lower())
        if number is not None:
            return number
    elif type(level) is int and level >= 0:
        return level
    raise ValueError(f'Invalid level {level!r}: use one of {", ".join(LEVEL_NUMBERS)}, or a number of 0 or more.')
