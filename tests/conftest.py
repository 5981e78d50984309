"""What every test runs under, and what many of them start from.

Every test: a fault of ours fails it (`errors.strict`), `LOGFIRE_*` and `OTEL_*` variables are unset, and what it
configures is undone. Nothing is configured unless a test asks for it: take `configured` for the usual configuration
(no console, nothing sent, ids 1, 2, 3, ..., a clock of 1 s, 2 s, ...) and read `exporter`; or take `config_kwargs`,
change it, and configure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from logfire._internal import errors
from logfire._internal.config.configuration import GLOBAL_CONFIG, LogfireConfig, configure
from logfire._internal.config.options import AdvancedOptions
from logfire.testing import IncrementalIdGenerator, TestExporter, TimeGenerator


@pytest.fixture
def unconfigured() -> Iterator[None]:
    """Undo afterwards what a test configures."""
    yield
    GLOBAL_CONFIG.reset()


# The order counts: what a test patched is put back before its configuration is undone.
@pytest.fixture(autouse=True)
def isolate(unconfigured: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold a test apart from the environment and from other tests."""
    monkeypatch.setattr(errors, 'strict', True)
    for name in [name for name in os.environ if name.startswith(('LOGFIRE_', 'OTEL_'))]:
        monkeypatch.delenv(name)


@pytest.fixture
def http_uninstrumented() -> Iterator[None]:
    """What a test instruments of the HTTP libraries, which is so for the whole process, is undone."""
    yield
    for instrumentor in (RequestsInstrumentor(), AioHttpClientInstrumentor()):
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()


@pytest.fixture
def exporter() -> TestExporter:
    """Keeps every span and log of `configured`, the pending copies too (`_include_pending_spans=True` shows them)."""
    return TestExporter()


@pytest.fixture
def id_generator() -> IncrementalIdGenerator:
    """The ids of `configured`. A pending copy takes one: span 1, its pending copy 2, child 3."""
    return IncrementalIdGenerator()


@pytest.fixture
def clock() -> TimeGenerator:
    """The clock of `configured`: one second later at each reading."""
    return TimeGenerator()


@pytest.fixture
def config_kwargs(exporter: TestExporter, id_generator: IncrementalIdGenerator, clock: TimeGenerator) -> dict[str, Any]:
    """The keywords of `logfire.configure()` that `configured` uses; a test may change its own copy first."""
    return {
        'send_to_logfire': False,
        'console': False,
        'service_version': 'test',
        'additional_span_processors': [SimpleSpanProcessor(exporter)],
        'advanced': AdvancedOptions(id_generator=id_generator, ns_timestamp_generator=clock),
    }


@pytest.fixture
def configured(config_kwargs: dict[str, Any]) -> LogfireConfig:
    """The global configuration, configured with `config_kwargs`; also what `logfire.span()` and its like use."""
    # By default from Python 3.11 on.
    keywords: dict[str, Any] = {'inspect_arguments': True, **config_kwargs}
    configure(**keywords)
    return GLOBAL_CONFIG
