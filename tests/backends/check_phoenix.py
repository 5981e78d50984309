"""Phoenix, as its page of the documentation sets it up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.backends.pages import exports
from tests.backends.senders import run_demo
from tests.backends.servers import free_port, installed, serving

PAGE = 'backends/phoenix.md'


@pytest.fixture(scope='module')
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its server, with the demo's traces."""
    port = free_port()
    url = f'http://127.0.0.1:{port}'
    directory = tmp_path_factory.mktemp('phoenix')
    variables = exports(PAGE, {'127.0.0.1:6006': f'127.0.0.1:{port}'})
    with serving(
        [installed('phoenix', 'phoenix'), 'serve'],
        ready=f'{url}/healthz',
        directory=directory,
        environ={
            'PHOENIX_HOST': variables['PHOENIX_HOST'],
            'PHOENIX_PORT': str(port),
            'PHOENIX_GRPC_PORT': str(free_port()),
            'PHOENIX_WORKING_DIR': str(directory),
            'PHOENIX_TELEMETRY_ENABLED': 'false',
            'PHOENIX_ALLOW_EXTERNAL_RESOURCES': 'false',
        },
    ):
        run_demo(variables)
        yield url


@pytest.fixture
def traces(phoenix: str, page: Page) -> Locator:
    """The list of the project's traces, one row each, in the light theme."""
    page.add_init_script("localStorage.setItem('arize-phoenix-theme', 'light')")
    page.goto(phoenix)
    page.get_by_text('default', exact=True).first.click()
    return page.get_by_role('row')


def open_span(traces: Locator, trace: str, name: str) -> Page:
    """Open a trace of the list, then the last of its spans of this name.

    Args:
        traces: the rows of the list.
        trace: the name of its first span.
        name: of the span.
    """
    traces.get_by_text(trace, exact=True).click()
    traces.page.get_by_text(name, exact=True).last.click()
    return traces.page


def test_a_conversation(traces: Locator, screenshots: Path) -> None:
    """x"""
    page = open_span(traces, 'pack for {city}', 'chat gpt-4o')
    page.wait_for_timeout(4000)
    page.screenshot(path=screenshots / 'phoenix-conversation.png')
    for trace, name in {
        'choose a city for {month}': 'chat gpt-4o',
        'plan {days} days in {city}': 'chat gpt-4o',
        'ask what one should not ask': 'chat gpt-4o',
        'find similar wishes': 'embeddings text-embedding-3-small',
    }.items():
        page.go_back()
        page.go_back()
        page.wait_for_timeout(1000)
        open_span(traces, trace, name)
        page.wait_for_timeout(3000)
        t = page.inner_text('body')
        print('=====', trace, page.url, t[t.rfind('Trace\n') :][:1500])
        page.screenshot(path=screenshots / f'phoenix-{trace[:4]}.png')
