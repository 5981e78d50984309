"""What the span of an HTTP request says: its name is often the bare method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.util.types import AttributeValue

# OpenTelemetry's names, the stable and those before.
_NAMES: Final = (('http.request.method', 'url.full'), ('http.method', 'http.url'))


def request_message(attributes: Mapping[str, AttributeValue]) -> str | None:
    """`POST example.com/models`, of the attributes that instrumentations give to a client's span; None without them."""
    for method_name, url_name in _NAMES:
        method, url = attributes.get(method_name), attributes.get(url_name)
        if isinstance(method, str) and isinstance(url, str):
            try:
                parts = urlsplit(url)
            except ValueError:
                return None  # Not a URL; whoever sends the request will say so.
            return f'{method} {parts.hostname or ""}{parts.path}'
    return None
