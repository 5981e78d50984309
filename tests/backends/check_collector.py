"""A collector between the program and the backend: Rotel, the one that comes as a Python package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends.pages import exports
from tests.backends.senders import run_demo
from tests.backends.servers import free_port, installed, serving
from tests.collector import Collector, attribute

PAGE = 'backends/index.md'


@pytest.fixture(scope='module')
def forwarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """What the collector passed on of the demo, by OTLP."""
    port = free_port()
    directory = tmp_path_factory.mktemp('collector')
    with Collector() as backend:
        with serving(
            [
                *(agent(), 'start'),
                *('--otlp-http-endpoint', f'127.0.0.1:{port}', '--otlp-grpc-endpoint', f'127.0.0.1:{free_port()}'),
                *('--exporter', 'otlp', '--otlp-exporter-protocol', 'http', '--otlp-exporter-endpoint', backend.url),
            ],
            ready=f'http://127.0.0.1:{port}/',
            directory=directory,
        ):
            run_demo(exports(PAGE, '127.0.0.1:4318', f'127.0.0.1:{port}'))
        # A collector that is stopped passes on what it has first.
        yield backend


def agent() -> str:
    """The collector's program: one binary inside its package."""
    package = Path(installed('collector', 'python')).parent.parent
    return str(next(package.glob('lib/python*/site-packages/rotel/rotel-agent')))


def test_spans_pass_whole(forwarded: Collector) -> None:
    """Every call of the demo comes through the collector with its conversation, its tokens and its parent."""
    spans = {span.span_id: span for span in forwarded.spans()}
    calls = [span for span in spans.values() if span.name == 'chat gpt-4o']
    assert len(calls) == 8
    assert all(spans[call.parent_span_id].trace_id == call.trace_id for call in calls)
    replies = [attribute(call, 'gen_ai.output.messages') or '' for call in calls]
    reply = 'It is 23 degrees and sunny in Lisbon: pack light, and something for the evening breeze.'
    assert sum(reply in each for each in replies) == 1
    assert sum(attribute(call, 'error.type') == 'content_filter' for call in calls) == 1


def test_metrics_pass(forwarded: Collector) -> None:
    """The client metrics come through as well."""
    assert {
        'gen_ai.client.operation.duration',
        'gen_ai.client.token.usage',
        'gen_ai.client.operation.time_to_first_chunk',
        'gen_ai.client.operation.time_per_output_chunk',
    } <= set(forwarded.metrics())
