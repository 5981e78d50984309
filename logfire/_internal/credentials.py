"""The credentials that clients send, so that what a service repeats of them is kept out of what is recorded.

A service, or a proxy before it, may quote the request's key in the text of an error. Known are the latest few
credentials of instrumented calls; they are kept in memory, as the clients themselves do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WITHHELD: Final = '[credential withheld]'

_HEADERS: Final = ('authorization', 'api-key')
_MAX_REMEMBERED: Final = 32
# What is shorter may well be a word of the text.
_MIN_LENGTH: Final = 8

# Replaced, never changed: threads read it without a lock.
_remembered: tuple[str, ...] = ()


def remember_credentials(headers: Mapping[str, str]) -> None:
    """Know the credentials among the headers of a request from now on."""
    for name in _HEADERS:
        if value := headers.get(name):
            credential = value.rpartition(' ')[2]  # After `Bearer `.
            if credential not in _remembered and len(credential) >= _MIN_LENGTH:
                _remember(credential)


def without_credentials(text: str) -> str:
    """The text, every credential that is known replaced."""
    for credential in _remembered:
        if credential in text:
            text = text.replace(credential, WITHHELD)
    return text


def _remember(credential: str) -> None:
    global _remembered
    _remembered = (credential, *_remembered[: _MAX_REMEMBERED - 1])
