"""The token and other headers that exports are sent with, kept out of what OpenTelemetry logs of them."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

# The logger that OpenTelemetry tells of headers in variables that it cannot read, quoting them.
_HEADERS_LOGGER: Final = logging.getLogger('opentelemetry.util.re')


@contextmanager
def headers_withheld() -> Generator[None]:
    """While exporters are made: a header that OpenTelemetry cannot read is told without its text."""
    _HEADERS_LOGGER.addFilter(_without_text)
    try:
        yield
    finally:
        _HEADERS_LOGGER.removeFilter(_without_text)


def _without_text(record: logging.LogRecord) -> bool:
    record.msg = (
        'A header of OTEL_EXPORTER_OTLP_HEADERS, or of the variable of one signal, is left out: it is not of the form '
        'name=value, URL-encoded, separated by commas.'
    )
    record.args = ()
    return True
