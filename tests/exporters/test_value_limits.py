"""OpenTelemetry's limits on the length of values are kept, and what is JSON stays JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, strategies as st
from opentelemetry import trace

import logfire
from logfire._internal.json_encoder import shortened_json
from logfire.testing import TestExporter
from tests.hostile.examples import EXAMPLES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@EXAMPLES
@given(value=JSON, limit=st.integers(2, 200))
def test_shortened_json_is_json(value: Any, limit: int) -> None:
    """JSON text of any value is shortened to JSON of at most so many characters; what is short enough stays."""
    text = json.dumps(value)
    short = shortened_json(text, limit)
    assert len(short) <= limit
    json.loads(short)
    assert (short == text) is (len(text) <= limit) or short == '""'


@pytest.mark.parametrize(
    ('text', 'limit', 'expected'),
    [
        ('[1,2,3]', 7, '[1,2,3]'),
        ('["' + 'x' * 100 + '"]', 40, '["' + 'x' * 20 + '<truncated>"]'),
        ('{"a":"' + 'x' * 100 + '","b":1}', 60, '{"a":"' + 'x' * 6 + '<truncated>","<truncated>":"<truncated>"}'),
        ('[' + 'null,' * 100 + 'null]', 60, '[' + 'null,' * 6 + '"<truncated>"]'),
        ('"' + 'x' * 100 + '"', 5, '""'),
        ('[1, 2', 3, '[1,'),
        ('[' * 100_000, 4, '[[[['),
        ('[1,2,3]', 1, '"'),
        ('[1,2,3]', 0, ''),
    ],
)
def test_what_is_left(text: str, limit: int, expected: str) -> None:
    """The beginning, and where it ends; an empty text where nothing fits; what is no JSON is cut."""
    assert shortened_json(text, limit) == expected


Parts = tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]


def record(config_kwargs: dict[str, Any], exporter: TestExporter) -> Parts:
    """The attributes of a span with a bit of everything, of its event and of its link."""
    logfire.configure(**config_kwargs)
    with (
        pytest.raises(ValueError, match='z'),
        logfire.span('x' * 300, items=['y' * 300], plain='p' * 300, n=1, texts='t') as span,
    ):
        span.add_link(span.get_span_context() or trace.INVALID_SPAN_CONTEXT, {'l': 'l' * 300})
        trace.get_current_span().set_attribute('several', ['s' * 300, 's'])
        raise ValueError('z' * 300)
    recorded = exporter.exported_spans[-1]
    return recorded.attributes or {}, recorded.events[0].attributes or {}, recorded.links[0].attributes or {}


def test_of_everything(config_kwargs: dict[str, Any], exporter: TestExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are cut, JSON becomes shorter JSON, a schema that does not fit says nothing, numbers stay."""
    monkeypatch.setenv('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', '50')
    span, event, link = record(config_kwargs, exporter)
    assert span['plain'] == 'p' * 50
    assert span['logfire.msg'] == 'x' * 50
    assert span['logfire.json_schema'] == '{"type":"object"}'
    assert json.loads(span['items']) == ['y' * 25 + '<truncated>']
    assert list(span['several']) == ['s' * 50, 's']
    assert (span['n'], span['texts']) == (1, 't')
    assert event['exception.message'] == 'z' * 50
    assert link == {'l': 'l' * 50}


@pytest.mark.parametrize(('limit', 'schema'), [(17, '{"type":"object"}'), (16, '{}'), (1, '"')])
def test_of_spans_only(
    limit: int,
    schema: str,
    config_kwargs: dict[str, Any],
    exporter: TestExporter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT` holds for spans alone."""
    monkeypatch.setenv('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', str(limit))
    span, event, link = record(config_kwargs, exporter)
    assert len(span['plain']) == limit
    assert span['logfire.json_schema'] == schema
    assert event['exception.message'] == 'z' * 300
    assert link == {'l': 'l' * 300}


def test_of_events_and_links(
    config_kwargs: dict[str, Any], exporter: TestExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two variables may differ."""
    monkeypatch.setenv('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', '1000')
    monkeypatch.setenv('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', '20')
    span, event, link = record(config_kwargs, exporter)
    assert json.loads(span['items']) == ['y' * 300]
    assert json.loads(span['logfire.json_schema'])['properties']['items'] == {'type': 'array'}
    assert event['exception.message'] == 'z' * 20
    assert link == {'l': 'l' * 20}


def test_without_a_limit(config_kwargs: dict[str, Any], exporter: TestExporter) -> None:
    """Without the variables nothing is shortened."""
    span, event, _ = record(config_kwargs, exporter)
    assert json.loads(span['items']) == ['y' * 300]
    assert event['exception.message'] == 'z' * 300


def test_spans_of_others(
    config_kwargs: dict[str, Any], exporter: TestExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of another library as well, whatever they say of schemas."""
    monkeypatch.setenv('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', '50')
    logfire.configure(**config_kwargs)
    tracer = trace.get_tracer_provider().get_tracer('other')
    for schema in ('[1]', '{"properties": 3}', '{"properties": {"a": 3}}', 'x', '[' * 100_000):
        tracer.start_span('x', attributes={'logfire.json_schema': schema, 'a': '["' + 'x' * 100 + '"]'}).end()
        assert (exporter.exported_spans[-1].attributes or {})['a'] == '["' + 'x' * 48
