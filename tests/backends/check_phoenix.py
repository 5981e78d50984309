"""Phoenix, as its page of the documentation sets it up."""

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

PAGE = 'backends/phoenix.md'


@pytest.fixture(scope='module')
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its server, with the demo's traces, in two projects."""
    port = free_port()
    url = f'http://127.0.0.1:{port}'
    directory = tmp_path_factory.mktemp('phoenix')
    variables = exports(PAGE, '127.0.0.1:6006', f'127.0.0.1:{port}')
    with serving(
        [installed('phoenix', 'phoenix'), 'serve'],
        ready=f'{url}/healthz',
        directory=directory,
        environ={
            'PHOENIX_HOST': '127.0.0.1',
            'PHOENIX_PORT': str(port),
            'PHOENIX_GRPC_PORT': str(free_port()),
            'PHOENIX_WORKING_DIR': str(directory),
            'PHOENIX_TELEMETRY_ENABLED': 'false',
            'PHOENIX_ALLOW_EXTERNAL_RESOURCES': 'false',
        },
    ):
        # The page has no program: it names any, and this is one.
        assert not run_program(program('backends/mlflow.md', directory), environ=variables).stderr
        run_demo(variables)
        run_demo({**variables, 'OTEL_RESOURCE_ATTRIBUTES': 'openinference.project.name=trips'})
        yield url


@pytest.fixture
def traces(phoenix: str, page: Page) -> Locator:
    """The list of the project's traces, one row each, in the light theme."""
    page.add_init_script("localStorage.setItem('arize-phoenix-theme', 'light')")
    page.goto(phoenix)
    page.get_by_text('default', exact=True).first.click()
    return page.get_by_role('row')


def open_span(traces: Locator, trace: str, name: str) -> Locator:
    """Open a trace of the list, then the last of its spans of this name.

    Args:
        traces: the rows of the list.
        trace: the name of its first span.
        name: of the span.
    """
    traces.get_by_text(trace, exact=True).click()
    drawer = traces.page.get_by_role('dialog')
    drawer.get_by_text(name, exact=True).last.click()
    return drawer


def test_a_conversation(traces: Locator, screenshots: Path) -> None:
    """A call is a conversation, with tool calls, their arguments and results, and its tokens, time and cost."""
    traces.page.set_viewport_size({'width': 1440, 'height': 1010})
    call = open_span(traces, 'pack for {city}', 'chat gpt-4o')
    expect_texts(
        call,
        'You are a travel agent. Answer in one or two short sentences.',
        'What should I pack for Lisbon today?',
        'get_weather({"city": "Lisbon"})',
        'Tool Result: call_weather',
        'celsius',
        'It is 23 degrees and sunny in Lisbon: pack light, and something for the evening breeze.',
        re.compile(r'^73$'),
        re.compile(r'^\d+ms$'),
        '<$0.01',
        '1 tool',
    )
    call.screenshot(path=screenshots / 'phoenix-conversation.png')


def test_the_list(traces: Locator) -> None:
    """A trace is a row with name, state, time, tokens and cost; of a call that is all of it no messages, but the id."""
    tools = traces.filter(has_text='pack for {city}')
    expect(tools).to_contain_text('122')
    expect(tools).to_contain_text(re.compile(r'\d+ms'))
    expect(tools).to_contain_text('<$0.01')
    expect(traces.filter(has_text='HttpResponseError: (content_filter)')).to_have_count(1)
    expect(traces.page.get_by_text('Total Traces').locator('..')).to_contain_text('8')
    alone = traces.filter(has_text='chat gpt-4o')
    expect(alone).to_contain_text('"id": "chatcmpl-1"')
    expect(alone).not_to_contain_text('Plan two days in Lisbon.')


def test_a_stream(traces: Locator) -> None:
    """A stream is shown like any other call."""
    call = open_span(traces, 'plan {days} days in {city}', 'chat gpt-4o')
    expect_texts(call, 'Plan two days in Lisbon.', re.compile('^Day one: take tram 28 up to Alfama'))
    call.get_by_role('tab', name='Attributes').click()
    expect_texts(call, 'gen_ai.response.time_to_first_chunk', 'logfire.stream.outcome')


def test_a_failed_call(traces: Locator) -> None:
    """A failed call has its exception, and the service's code among the attributes."""
    call = open_span(traces, 'ask what one should not ask', 'chat gpt-4o')
    call.get_by_role('tab', name='Attributes').click()
    expect_texts(call, 'error.type', re.compile('^content_filter$'))
    call.get_by_role('tab', name='Events').click()
    expect_texts(call, re.compile(r'\(content_filter\) The response was filtered'))


def test_projects(traces: Locator, phoenix: str) -> None:
    """A resource attribute sends traces to a project of their own."""
    traces.page.goto(phoenix)
    traces.page.get_by_text('trips', exact=True).first.click()
    expect(traces.filter(has_text='pack for {city}')).to_have_count(1)


def test_embeddings(traces: Locator) -> None:
    """An embeddings call is one; its inputs are among its attributes, and no vectors."""
    call = open_span(traces, 'find similar wishes', 'embeddings text-embedding-3-small')
    expect_texts(call, re.compile('^embedding$'))
    call.get_by_role('tab', name='Attributes').click()
    expect_texts(call, re.compile('^a calm shore$'), 'llm.token_count.prompt', 'gen_ai.embeddings.dimension.count')
