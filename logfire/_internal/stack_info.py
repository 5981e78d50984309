"""Where in the user's code a span or a log was made.

User code is every frame that is neither ours, nor the standard library's, nor of an installed package (under
`site-packages` or `dist-packages`), nor without a file (`<stdin>`, `<frozen importlib>`, exec'd text). What is known
of a code object is remembered, so that a repeated call costs about a microsecond; the working directory is the one of
the first call.
"""

from __future__ import annotations

import os
import sys
import warnings
from types import CodeType
from typing import TYPE_CHECKING, Final

from logfire._internal.json_encoder import utf8_text

if TYPE_CHECKING:
    from pathlib import Path

_REMEMBERED: Final = 8192

# Comprehensions have a frame of their own up to Python 3.11; the function around them is the one that a reader knows.
_COMPREHENSIONS: Final = frozenset({'<listcomp>', '<setcomp>', '<dictcomp>'})
_PACKAGE_FOLDERS: Final = tuple(f'{os.sep}{name}{os.sep}' for name in ('site-packages', 'dist-packages'))

# Prefixes end in a separator: `/app/lib` does not stand for `/app/library`.
_prefixes: tuple[str, ...] = tuple(
    {
        os.path.join(folder, '')
        for path in (os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.__file__))
        for folder in (path, os.path.realpath(path))
    }
)

# By id, not by equality: equal code objects may stand in different files, and hashing one walks all its constants.
# The code object stands in the value too, which keeps the id from being used again.
_locations: dict[int, tuple[CodeType, dict[str, str | int] | None]] = {}


def add_non_user_code_prefix(path: str | Path) -> None:
    """Count the code under a path as not the user's: spans point to its callers instead.

    Args:
        path: A folder or a file; a relative one is taken from the working directory of now.
    """
    global _prefixes
    _prefixes = (*_prefixes, os.path.join(os.path.abspath(path), ''))
    _locations.clear()


def is_user_code(code: CodeType) -> bool:
    """Whether a code object is the user's own."""
    filename = code.co_filename
    if filename.startswith('<') or code.co_name in _COMPREHENSIONS:
        return False
    path = os.path.join(os.path.abspath(filename), '')
    return not (path.startswith(_prefixes) or any(folder in path for folder in _PACKAGE_FOLDERS))


def _location(code: CodeType) -> dict[str, str | int] | None:
    """The attributes of a code object but the line; None if it is not the user's."""
    location: dict[str, str | int] | None = None
    if is_user_code(code):
        from pathlib import Path  # Loaded for the first span.

        path = Path(code.co_filename)
        try:
            path = path.relative_to(os.getcwd())
        except (ValueError, OSError):  # Elsewhere, or the working directory was deleted.
            pass
        location = {'code.filepath': utf8_text(str(path))}
        if code.co_name != '<module>':
            location['code.function'] = code.co_qualname if sys.version_info >= (3, 11) else code.co_name
    if len(_locations) >= _REMEMBERED:
        _locations.clear()
    _locations[id(code)] = (code, location)
    return location


def caller_attributes(skip: int = 0) -> dict[str, str | int]:
    """Where the user's nearest frame is: `code.filepath`, `code.function` (not at module level) and `code.lineno`.

    Empty if no frame is the user's, as in a thread that runs one of our methods.

    Args:
        skip: How many frames, from the caller's own on, are known to be ours. There must be one more.
    """
    frame = sys._getframe(1 + skip)
    while frame is not None:
        code = frame.f_code
        known = _locations.get(id(code))
        location = _location(code) if known is None else known[1]
        if location is not None:
            return {**location, 'code.lineno': frame.f_lineno}
        frame = frame.f_back
    return {}


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn at the line of the user's nearest frame, so that the warning is shown and filtered as theirs.

    Raises:
        Warning: The user's filters turn this warning into an error.
    """
    frame = sys._getframe(1)
    distance = 2
    while frame is not None:
        if is_user_code(frame.f_code):
            break
        frame = frame.f_back
        distance += 1
    else:
        distance = 2  # No frame is the user's: the line that warns will do.
    warnings.warn(message, category, stacklevel=distance)
