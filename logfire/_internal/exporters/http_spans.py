"""How the HTTP spans of other libraries are shown: their message, and the level that their status code gives them.

Such a span is named after its method, and its route where that is known: `GET`, or `GET /herds/{id}`. That groups well
and tells little; the message says which URL. Both generations of OpenTelemetry's HTTP conventions are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from logfire._internal.levels import LEVEL_NUMBERS

_LONGEST_VALUE: Final = 20
_KEPT_HALF: Final = 9

_NO_URL: Final = urlsplit('')


def http_message(span: ReadableSpan) -> str | None:
    """`GET host/path ? name='value'` for a request of a client, without the host for others.

    None for a span that is no HTTP request, that somebody gave a name of its own, or that says nothing of its URL. Of a
    value in the query that is longer than 20 characters, the ends are kept.
    """
    attributes = span.attributes or {}
    method = _first(attributes, 'http.request.method', 'http.method')
    route = _first(attributes, 'http.route')
    if not method or span.name not in (method, f'{method} {route}'):
        return None
    url = _url(_first(attributes, 'url.full', 'http.url'))
    path = _first(attributes, 'url.path', 'http.target') or (url.path or '/' if url.netloc else url.path)
    host = ''
    if span.kind is SpanKind.CLIENT:
        host = _first(attributes, 'server.address') or url.hostname or ''
    if not (host or path):
        return None
    values = parse_qsl(_first(attributes, 'url.query') or url.query)
    query = ' & '.join(f'{name}={_shortened(value)!r}' for name, value in values)
    return f'{method} {host}{path}{" ? " if query else ""}{query}'


def http_level(span: ReadableSpan) -> int | None:
    """Error for a status code of 500 and more, and to a client from 400 on, where to a server it is a warning."""
    attributes = span.attributes or {}
    code = attributes.get('http.response.status_code', attributes.get('http.status_code'))
    if not isinstance(code, int) or code < 400 or span.kind not in (SpanKind.CLIENT, SpanKind.SERVER):
        return None
    return LEVEL_NUMBERS['error' if code >= 500 or span.kind is SpanKind.CLIENT else 'warn']


def _first(attributes: Mapping[str, Any], *names: str) -> str:
    """The first of these attributes that is a text, empty where none is."""
    return next((value for name in names if isinstance(value := attributes.get(name), str)), '')


def _url(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:  # Not a URL, such as `http://[`.
        return _NO_URL


def _shortened(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else f'{value[:_KEPT_HALF]}…{value[-_KEPT_HALF:]}'
