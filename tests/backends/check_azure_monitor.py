"""Azure Monitor: the program of its page with Microsoft's exporter, in front of a loopback ingestion endpoint."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from logfire.testing.azure_ai_inference import Answer, default_reply, error_reply
from tests.backends.ingestion import KEY, Ingestion
from tests.backends.pages import exports, program
from tests.backends.senders import run_program
from tests.backends.servers import ROOT, installed

PAGE = 'backends/azure-monitor.md'
ENDPOINT = 'https://westeurope-5.in.applicationinsights.azure.com'


@pytest.fixture
def ingestion() -> Iterator[Ingestion]:
    with Ingestion() as ingestion:
        yield ingestion


def run(ingestion: Ingestion, directory: Path, answer: Answer = default_reply) -> subprocess.CompletedProcess[str]:
    """Run the page's program, with the variables of the page."""
    app = program(PAGE, directory)
    watch = ROOT / 'tests/backends/loopback_only.py'
    variables = exports(PAGE, ENDPOINT, ingestion.url)
    return run_program(watch, app, environ=variables, python=installed('azure_monitor', 'python'), answer=answer)


def named(data: list[dict[str, Any]], name: str) -> dict[str, Any]:
    found = [each for each in data if each['name'] == name]
    assert len(found) == 1, [each['name'] for each in data]
    return found[0]


def test_a_call(ingestion: Ingestion, tmp_path: Path) -> None:
    """A call is one dependency, with its time and its GenAI attributes; nothing goes to any other machine."""
    result = run(ingestion, tmp_path)
    assert (result.returncode, result.stderr) == (0, '')

    dependencies = ingestion.data('RemoteDependencyData')
    assert len(dependencies) == 2
    call = named(dependencies, 'chat gpt-4o')
    assert (call['type'], call['target']) == ('GenAI | azure.ai.inference', 'azure.ai.inference')
    assert (call['success'], call['resultCode']) == (True, '0')
    assert call['duration'].startswith('0.00:00:0')
    assert call['duration'] > '0.00:00:00.000'
    properties = call['properties']
    assert properties['gen_ai.operation.name'] == 'chat'
    assert properties['gen_ai.request.model'] == 'gpt-4o'
    assert int(properties['gen_ai.usage.input_tokens']) > 0
    assert int(properties['gen_ai.usage.output_tokens']) > 0
    asked = {'role': 'user', 'parts': [{'type': 'text', 'content': 'How is the weather in Lisbon?'}]}
    assert json.loads(properties['gen_ai.input.messages']) == [asked]
    assert json.loads(properties['gen_ai.output.messages'])[0]['role'] == 'assistant'
    # What the exporter keeps for itself and puts nowhere.
    assert not {'server.address', 'server.port', 'http.response.status_code'}.intersection(properties)

    trip = named(dependencies, 'plan a trip to {city}')
    assert trip['type'] == 'InProc'
    assert trip['properties']['logfire.msg'] == 'plan a trip to Lisbon'


def test_the_trace(ingestion: Ingestion, tmp_path: Path) -> None:
    """The call hangs under the span round it, in one operation, under the name of the service."""
    run(ingestion, tmp_path)
    envelopes = {
        envelope['data']['baseData']['name']: envelope for envelope in ingestion.envelopes('RemoteDependencyData')
    }
    call, trip = envelopes['chat gpt-4o'], envelopes['plan a trip to {city}']
    assert call['tags']['ai.operation.id'] == trip['tags']['ai.operation.id']
    assert call['tags']['ai.operation.parentId'] == trip['data']['baseData']['id']
    assert {call['tags']['ai.cloud.role'], trip['tags']['ai.cloud.role']} == {'travel-agent'}
    assert {call['iKey'], trip['iKey']} == {KEY}


def test_metrics(ingestion: Ingestion, tmp_path: Path) -> None:
    """The client metrics of the GenAI conventions arrive, with their dimensions."""
    run(ingestion, tmp_path)
    metrics = {
        (each['metrics'][0]['name'], each['properties'].get('gen_ai.token.type')): each
        for each in ingestion.data('MetricData')
    }
    duration = metrics['gen_ai.client.operation.duration', None]
    assert duration['metrics'][0]['count'] == 1
    assert duration['properties']['gen_ai.request.model'] == 'gpt-4o'
    assert metrics['gen_ai.client.token.usage', 'input']['metrics'][0]['value'] > 0
    assert metrics['gen_ai.client.token.usage', 'output']['metrics'][0]['value'] > 0


def test_a_failed_call(ingestion: Ingestion, tmp_path: Path) -> None:
    """A failed call is a dependency without success, and an exception of its own that hangs under it."""
    refusal = error_reply(400, code='content_filter', message='The prompt was filtered.')
    result = run(ingestion, tmp_path, lambda request: refusal)
    assert result.returncode == 1
    assert 'HttpResponseError: (content_filter)' in result.stderr

    call = named(ingestion.data('RemoteDependencyData'), 'chat gpt-4o')
    assert (call['success'], call['resultCode']) == (False, '0')
    exceptions = [
        envelope
        for envelope in ingestion.envelopes('ExceptionData')
        if envelope['tags']['ai.operation.parentId'] == call['id']
    ]
    assert len(exceptions) == 1
    told = exceptions[0]['data']['baseData']['exceptions'][0]
    assert told['typeName'] == 'azure.core.exceptions.HttpResponseError'
    assert told['message'].startswith('(content_filter) The prompt was filtered.')
    failed = [each for each in ingestion.data('MetricData') if each['properties'].get('error.type') == 'content_filter']
    assert [each['metrics'][0]['name'] for each in failed] == ['gen_ai.client.operation.duration']
