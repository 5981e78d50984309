"""MLflow, as its page of the documentation sets it up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.backends.conftest import expect_texts
from tests.backends.pages import exports, program
from tests.backends.senders import run_demo, run_program
from tests.backends.servers import free_port, installed, serving

PAGE = 'backends/mlflow.md'


@pytest.fixture(scope='module')
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its server, with the traces of the page's two programs."""
    port = free_port()
    url = f'http://127.0.0.1:{port}'
    directory = tmp_path_factory.mktemp('mlflow')
    with serving(
        [installed('mlflow', 'mlflow'), 'server', '--port', str(port), '--workers', '1'],
        ready=f'{url}/api/2.0/mlflow/experiments/get?experiment_id=0',
        directory=directory,
        environ={
            'MLFLOW_DISABLE_TELEMETRY': 'true',
            'DO_NOT_TRACK': 'true',
            'MLFLOW_SERVER_ENABLE_JOB_EXECUTION': 'false',
        },
    ):
        variables = exports(PAGE, '127.0.0.1:5000', f'127.0.0.1:{port}')
        assert not run_program(program(PAGE, directory), environ=variables).stderr
        run_demo(variables)
        yield url


@pytest.fixture
def traces(mlflow: str, page: Page) -> Locator:
    """The list of the experiment's traces, one row each, with nothing over it that a first visit brings."""
    page.goto(f'{mlflow}/#/experiments/0/traces')
    page.get_by_role('button', name='Got it').click()
    page.locator('[data-component-id="mlflow.assistant.chat_panel.close"]').click()
    return page.get_by_role('row').filter(has=page.get_by_role('checkbox', name=re.compile('Select trace')))


def open_span(traces: Locator, trace: Locator | str, name: str) -> Locator:
    """Open a trace of the list, then the last of its spans of this name.

    Args:
        traces: the rows of the list.
        trace: a row, or what only one row has.
        name: of the span.
    """
    row = traces.filter(has_text=trace) if isinstance(trace, str) else trace
    row.get_by_role('cell').nth(2).click()
    drawer = traces.page.get_by_role('dialog').filter(has_text='Spans')
    drawer.get_by_text(name, exact=True).last.click()
    return drawer


def test_a_conversation(traces: Locator, screenshots: Path) -> None:
    """A call is a conversation, with tool calls, their arguments and results, and its tokens, time and cost."""
    call = open_span(traces, '122', 'chat gpt-4o')
    expect_texts(
        call,
        'You are a travel agent. Answer in one or two short sentences.',
        'What should I pack for Lisbon today?',
        'Tool calls',
        'get_weather',
        'celsius',
        'It is 23 degrees and sunny in Lisbon: pack light, and something for the evening breeze.',
        '73 tokens',
        '122 tokens',
        re.compile(r'^0\.\d\ds$'),
        re.compile(r'^\d+\.00ms$'),
        '$0.000363',
    )
    call.screenshot(path=screenshots / 'mlflow-conversation.png')
    call.get_by_role('tab', name='Attributes').click()
    expect_texts(call, 'gen_ai.tool.definitions')


def test_the_list(traces: Locator) -> None:
    """A trace is a row with its time, state and tokens, and with prompt and reply where the call is all of it."""
    expect(traces).to_have_count(8)
    expect(traces.filter(has_text='Error')).to_have_count(1)
    expect(traces.filter(has_text='122').filter(has_text=re.compile(r'\d+ms'))).to_have_count(1)
    alone = traces.filter(has_text='Plan two days in Lisbon.').filter(has_text='You said: Plan')
    expect(alone).to_have_count(1)


def test_a_stream(traces: Locator) -> None:
    """A stream is shown like any other call, with the tokens that it was asked to report."""
    call = open_span(traces, 'You said: Plan', 'chat gpt-4o')
    expect_texts(call, 'You said: Plan two days in Lisbon.', re.compile(r'^\d+ tokens$'))
    call.get_by_role('tab', name='Attributes').click()
    expect_texts(call, 'gen_ai.response.time_to_first_chunk', 'logfire.stream.outcome')


def test_a_failed_call(traces: Locator) -> None:
    """A failed call has its exception, with the service's code in its message."""
    call = open_span(traces, 'Error', 'chat gpt-4o')
    expect_texts(call, 'azure.core.exceptions.HttpResponseError', re.compile(r'\(content_filter\)'))
    call.get_by_role('tab', name='Attributes').click()
    expect_texts(call, 'error.type')


def test_embeddings(traces: Locator) -> None:
    """An embeddings call has its inputs, and no vectors."""
    call = open_span(traces, traces.nth(1), 'embeddings text-embedding-3-small')
    expect_texts(call, 'a quiet beach', 'a calm shore')
