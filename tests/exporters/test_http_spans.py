"""How the HTTP spans of other libraries are shown."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from logfire.testing import TestExporter

pytestmark = pytest.mark.usefixtures('configured')


def shown(exporter: TestExporter, name: str, kind: SpanKind, attributes: dict[str, Any]) -> dict[str, Any]:
    """What a span of another library tells beside its own attributes."""
    exporter.clear()
    with trace.get_tracer('lib').start_as_current_span(name, kind=kind, attributes=attributes):
        pass
    announced, ended = (dict(span.attributes or {}) for span in exporter.exported_spans)
    assert announced['logfire.msg'] == ended['logfire.msg']
    return {key: value for key, value in ended.items() if key not in {*attributes, 'logfire.span_type'}}


@pytest.mark.parametrize(
    ('name', 'attributes', 'client', 'server'),
    [
        (
            'GET',
            {'http.request.method': 'GET', 'url.full': 'https://farm.test:8080/sheep?wool=black&age=2'},
            "GET farm.test/sheep ? wool='black' & age='2'",
            "GET /sheep ? wool='black' & age='2'",
        ),
        (
            'POST /sheep/{id}',
            {'http.method': 'POST', 'http.url': 'http://farm.test/sheep/1', 'http.route': '/sheep/{id}'},
            'POST farm.test/sheep/1',
            'POST /sheep/1',
        ),
        (
            'GET',
            {'http.request.method': 'GET', 'server.address': 'farm', 'url.path': '/sheep', 'url.query': 'a=b'},
            "GET farm/sheep ? a='b'",
            "GET /sheep ? a='b'",
        ),
        ('GET', {'http.method': 'GET', 'http.url': 'http://farm.test'}, 'GET farm.test/', 'GET /'),
        ('GET', {'http.method': 'GET', 'http.target': '/sheep?a=1'}, 'GET /sheep?a=1', 'GET /sheep?a=1'),
        (
            'GET',
            {'http.method': 'GET', 'http.url': 'http://farm.test/?a=12345678901234567890&b=123456789-123-123456789'},
            "GET farm.test/ ? a='12345678901234567890' & b='123456789…123456789'",
            "GET / ? a='12345678901234567890' & b='123456789…123456789'",
        ),
        ('GET', {'http.method': 'GET'}, 'GET', 'GET'),
        ('GET', {'http.method': 'GET', 'http.url': 'http://['}, 'GET', 'GET'),
        ('GET', {'http.url': 'http://farm.test/'}, 'GET', 'GET'),
        ('GET', {'http.method': 1, 'http.url': ['http://farm.test/']}, 'GET', 'GET'),
        ('GET', {'http.method': 'GET', 'http.url': ['http://farm.test/']}, 'GET', 'GET'),
        ('own', {'http.method': 'GET', 'http.url': 'http://farm.test/'}, 'own', 'own'),
    ],
)
def test_the_message_says_which_url(
    exporter: TestExporter, name: str, attributes: dict[str, Any], client: str, server: str
) -> None:
    """A span named by its method is shown with its URL, a client's with the host; any other name is the message."""
    assert shown(exporter, name, SpanKind.CLIENT, attributes) == {'logfire.msg': client}
    assert shown(exporter, name, SpanKind.SERVER, attributes) == {'logfire.msg': server}


@pytest.mark.parametrize('attribute', ['http.status_code', 'http.response.status_code'])
@pytest.mark.parametrize(
    ('kind', 'code', 'level', 'failed'),
    [
        (SpanKind.CLIENT, 399, None, False),
        (SpanKind.CLIENT, 400, 17, True),
        (SpanKind.CLIENT, 500, 17, True),
        (SpanKind.SERVER, 399, None, False),
        (SpanKind.SERVER, 400, 13, False),
        (SpanKind.SERVER, 499, 13, False),
        (SpanKind.SERVER, 500, 17, True),
        (SpanKind.INTERNAL, 500, None, False),
        (SpanKind.CLIENT, '500', None, False),
    ],
)
def test_the_status_code_gives_a_level(
    exporter: TestExporter, attribute: str, kind: SpanKind, code: int | str, level: int | None, failed: bool
) -> None:
    """What the other side did wrong is a warning to a server and an error to a client, which fails with it."""
    told = shown(exporter, 'request', kind, {attribute: code})
    assert told.get('logfire.level_num') == level
    assert exporter.exported_spans[-1].status.status_code is (StatusCode.ERROR if failed else StatusCode.UNSET)


def test_a_level_of_its_own_is_kept(exporter: TestExporter) -> None:
    """A level that somebody set stands over that of the status code."""
    attributes = {'http.status_code': 500, 'logfire.level_num': 9}
    assert shown(exporter, 'request', SpanKind.CLIENT, attributes) == {'logfire.msg': 'request'}
    assert exporter.exported_spans[-1].status.is_unset
