"""The token and other headers that exports are sent with, kept out of what OpenTelemetry logs of them."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import requests

from logfire._internal.credentials import WITHHELD

# The logger that OpenTelemetry tells of headers in variables that it cannot read, quoting them.
_HEADERS_LOGGER: Final = logging.getLogger('opentelemetry.util.re')
# What is shorter may well be a word of the text.
_MIN_LENGTH: Final = 8


def new_session() -> requests.Session:
    """An HTTP session whose responses do not repeat the request's headers where exporters log them: in the reason."""
    session = requests.Session()
    session.hooks['response'].append(_withhold)
    return session


@contextmanager
def headers_withheld() -> Generator[None]:
    """While exporters are made: a header that OpenTelemetry cannot read is told without its text."""
    _HEADERS_LOGGER.addFilter(_without_text)
    try:
        yield
    finally:
        _HEADERS_LOGGER.removeFilter(_without_text)


def _withhold(response: requests.Response, *args: Any, **kwargs: Any) -> None:
    for value in response.request.headers.values():
        text = value.decode('latin-1') if isinstance(value, bytes) else value
        if len(text) >= _MIN_LENGTH and text in (response.reason or ''):
            response.reason = response.reason.replace(text, WITHHELD)


def _without_text(record: logging.LogRecord) -> bool:
    record.msg = (
        'A header of OTEL_EXPORTER_OTLP_HEADERS, or of the variable of one signal, is left out: it is not of the form '
        'name=value, URL-encoded, separated by commas.'
    )
    record.args = ()
    return True
