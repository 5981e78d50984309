"""A headless Chromium, and where screenshots go."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect, sync_playwright

from tests.backends.servers import ROOT

CHROMIUM = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
LOOPBACK = ('http://127.0.0.1:', 'data:', 'blob:')
VISIBLE_MS = 30_000
"""How long a web interface may take to show something."""


@pytest.fixture(scope='session')
def browser() -> Iterator[Browser]:
    """The machine's own Chromium, headless. It asks nobody but the loopback interface."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.fail(
            f'No browser found: none of {", ".join(CHROMIUM)} is on the PATH. '
            'Install one (Debian and Ubuntu: apt-get install chromium).'
        )
    expect.set_options(timeout=VISIBLE_MS)
    arguments = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']
    arguments += ['--disable-component-update', '--disable-sync']
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh window, 1280 wide, light; what it asks of other machines is refused."""
    context = browser.new_context(viewport={'width': 1280, 'height': 800}, color_scheme='light')
    context.set_default_timeout(VISIBLE_MS)
    context.route('**/*', _stay_on_this_machine)
    yield context.new_page()
    context.close()


def _stay_on_this_machine(route: Route) -> None:
    if route.request.url.startswith(LOOPBACK):
        route.continue_()
    else:
        route.abort()


@pytest.fixture
def screenshots() -> Path:
    """The folder for screenshots: `UI_SCREENSHOTS`; those of the documentation are retaken only when it says so."""
    folder = ROOT / os.environ.get('UI_SCREENSHOTS', '.venv-ui/screenshots')
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def expect_texts(shown: Locator, *texts: str | re.Pattern[str]) -> None:
    """Each of the texts is to be seen in a part of the page."""
    for text in texts:
        expect(shown.get_by_text(text).first).to_be_visible()
