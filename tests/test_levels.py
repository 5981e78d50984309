from __future__ import annotations

from typing import Any, cast

import pytest

from logfire._internal.levels import LEVEL_NAMES, LEVEL_NUMBERS, level_number


def test_names_and_numbers() -> None:
    """The levels have the OpenTelemetry severity numbers that dashboards and alerts are written against."""
    assert LEVEL_NUMBERS == {
        'trace': 1,
        'debug': 5,
        'info': 9,
        'notice': 10,
        'warn': 13,
        'warning': 13,
        'error': 17,
        'fatal': 21,
    }


def test_each_number_has_one_name() -> None:
    """A level number is shown by one name; 13 is `warn`."""
    assert LEVEL_NAMES == {1: 'trace', 5: 'debug', 9: 'info', 10: 'notice', 13: 'warn', 17: 'error', 21: 'fatal'}


@pytest.mark.parametrize(
    ('level', 'number'),
    [('trace', 1), ('warning', 13), ('INFO', 9), ('Warn', 13), (0, 0), (3, 3), (24, 24), (100, 100)],
)
def test_level_number(level: Any, number: int) -> None:
    """A level may be given by name, in any case, or by number."""
    assert level_number(level) == number


@pytest.mark.parametrize('level', ['loud', '', '9', -1, True, 5.5, None])
def test_what_is_no_level_is_refused(level: object) -> None:
    """What is no level raises a ValueError that names it and says what is allowed."""
    with pytest.raises(ValueError, match='trace, debug, info, notice, warn, warning, error, fatal') as caught:
        level_number(cast('Any', level))
    assert repr(level) in str(caught.value)
