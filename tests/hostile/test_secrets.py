"""Credentials are in nothing that is emitted, and in nothing that a configuration says of itself."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from azure.core.credentials import AccessToken, AzureKeyCredential

import logfire
from logfire._internal import credentials
from logfire._internal.config.configuration import GLOBAL_CONFIG
from logfire._internal.config.options import AdvancedOptions, CodeSource, ConsoleOptions, MetricsOptions
from logfire._internal.config.settings import Settings
from logfire.exceptions import LogfireConfigError
from logfire.testing.azure_ai_inference import AzureAIInferenceEndpoint, error_reply
from logfire.testing.azure_ai_inference.replies import Reply
from logfire.testing.azure_ai_inference.requests import RecordedRequest
from tests.collector import Collector
from tests.hostile.transports import Answer, InProcessClient
from tests.hostile.watch import Watch
from tests.otel_integrations.azure_ai_inference.conftest import Colour

SECRET = 'sesame-0123456789'
TOKEN = f'pylf_v1_us_{SECRET}'


class Log(logging.Handler):
    """Every record of every logger, down to debug."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    root = logging.getLogger()
    before = root.level
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    yield log
    root.setLevel(before)
    root.removeHandler(log)


class Credential:
    """A credential that gives tokens; one class serves both colours."""

    def __init__(self, *, is_async: bool) -> None:
        if is_async:
            self.get_token = self._get_token_async

    def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        return AccessToken(SECRET, 2**40)

    async def _get_token_async(self, *scopes: str, **kwargs: Any) -> AccessToken:
        return AccessToken(SECRET, 2**40)

    async def close(self) -> None:
        pass


def repeats_its_request(request: RecordedRequest) -> Reply:
    """A refusal of a service, or of a proxy before it, that quotes the headers it was sent."""
    quoted = ' '.join(request.headers.values())
    return error_reply(
        401,
        code=quoted,
        message=f'Access denied: {quoted}',
        innererror={'content_filter_result': {quoted: {'filtered': quoted}}},
    )


@pytest.mark.parametrize('suppress', [True, False])
def test_a_service_that_repeats_the_key(
    suppress: bool, colour: Colour, watch: Watch, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client's key is withheld where an error repeats it: on the call's span and on those around it."""
    monkeypatch.setattr(credentials, '_remembered', ())
    with AzureAIInferenceEndpoint(answer=repeats_its_request) as endpoint:

        async def body() -> None:
            client = colour.chat_class(endpoint.url, AzureKeyCredential(SECRET), retry_total=0)
            with logfire.span('around'):
                try:
                    await colour.result(client.complete(messages=[{'role': 'user', 'content': 'Hi'}]))
                except Exception:
                    logfire.exception('failed')
                    raise
                finally:
                    await colour.close(client)

        with (
            logfire.instrument_azure_ai_inference(suppress_other_instrumentation=suppress),
            # What the caller sees is not ours to change.
            pytest.raises(Exception, match=f'Access denied: .*{SECRET}'),
        ):
            colour.run(body())
    assert len(watch.spans) == 3
    for span in watch.spans:
        text = span.to_json()
        assert 'Access denied' in text
        assert SECRET not in text
        assert credentials.WITHHELD in text
    assert SECRET not in watch.console.getvalue()
    assert SECRET not in ''.join(log.texts)
    assert SECRET not in str(watch.metrics.get_metrics_data())


def test_credentials_that_give_tokens(colour: Colour, watch: Watch, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of a bearer token."""
    monkeypatch.setattr(credentials, '_remembered', ())
    answer = Answer([f'no entrance for {SECRET}'.encode()], 403)
    made = InProcessClient(colour, colour.chat_class, answer, Credential(is_async=colour.is_async))

    async def body() -> None:
        with pytest.raises(Exception, match='no entrance'):
            await colour.result(made.client.complete(messages=[{'role': 'user', 'content': 'Hi'}]))
        await colour.close(made.client)

    with logfire.instrument_azure_ai_inference():
        colour.run(body())
    assert made.headers[0]['Authorization'] == f'Bearer {SECRET}'
    (span,) = watch.spans
    assert 'no entrance' in span.to_json()
    assert SECRET not in span.to_json()
    assert SECRET not in ''.join([*log.texts, watch.console.getvalue()])


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest few credentials are known; what is too short to be one, or was not sent, is left alone."""
    monkeypatch.setattr(credentials, '_remembered', ())
    for number in range(100):
        credentials.remember_credentials({'api-key': f'credential-{number:03}', 'authorization': 'Bearer short'})
        credentials.remember_credentials({'api-key': f'credential-{number:03}'})
    assert credentials.without_credentials('credential-099 short') == f'{credentials.WITHHELD} short'
    assert credentials.without_credentials('credential-067') == 'credential-067'
    assert credentials.without_credentials('credential-068') == credentials.WITHHELD


@contextmanager
def backend() -> Generator[str]:
    """A collector that refuses everything and quotes what it was sent; gives its address without the scheme."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers['content-length']))
            quoted = f'refused {self.headers["authorization"]} {self.headers.get("x-mine")}'
            self.send_response(401, quoted)
            self.send_header('content-length', str(len(quoted)))
            self.end_headers()
            self.wfile.write(quoted.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01}, daemon=True).start()
    try:
        yield f'127.0.0.1:{server.server_port}'
    finally:
        server.shutdown()
        server.server_close()


def test_exports_that_fail(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token and the headers of OTLP are in no report of a refused export, even where the backend repeats them."""
    with backend() as address:
        monkeypatch.setenv('OTEL_EXPORTER_OTLP_ENDPOINT', f'http://{address}')
        monkeypatch.setenv('OTEL_EXPORTER_OTLP_HEADERS', f'authorization=Basic%20{SECRET},x-mine={SECRET}')
        logfire.configure(token=TOKEN, console=False, advanced=AdvancedOptions(base_url=f'http://{address}'))
        logfire.info('hello')
        logfire.force_flush()
        logfire.shutdown()
    said = ''.join(log.texts)
    assert 'HTTP status 401' in said
    assert SECRET not in said


def test_headers_that_cannot_be_read(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """A header variable that is not well formed is told of without what it holds; other loggers stay as they are."""
    filters = logging.getLogger('opentelemetry.util.re').filters.copy()
    with Collector() as collector:
        monkeypatch.setenv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url)
        monkeypatch.setenv('OTEL_EXPORTER_OTLP_HEADERS', f'Authorization Bearer {SECRET}')
        logfire.configure(console=False)
        logfire.shutdown()
    said = ''.join(log.texts)
    assert 'OTEL_EXPORTER_OTLP_HEADERS' in said
    assert SECRET not in said
    assert logging.getLogger('opentelemetry.util.re').filters == filters


WRONG: list[dict[str, Any]] = [
    {'token': f'{TOKEN}\x00'},
    {'token': [TOKEN, '\x00']},
    {'token': {'token': TOKEN}},
    {'send_to_logfire': TOKEN},
    {'service_name': [TOKEN]},
    {'min_level': TOKEN},
    {'advanced': {'token': SECRET}},
    {'console': TOKEN},
    {'resource_attributes': TOKEN},
    {'additional_span_processors': TOKEN},
    {'advanced': AdvancedOptions(base_url=f'https://user:{SECRET}@example.com')},
    {'advanced': AdvancedOptions(base_url=f'ftp://user:{SECRET}@example.com')},
    {'sampling': {'head': SECRET}},
]


@pytest.mark.parametrize('keywords', WRONG, ids=lambda keywords: next(iter(keywords)))
def test_what_is_wrong_is_said_without_secrets(keywords: dict[str, Any], log: Log) -> None:
    """The error of a wrong configuration does not quote a token, a password, or what stands in a mapping."""
    with pytest.raises(LogfireConfigError) as caught:
        logfire.configure(**keywords)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f'{error} {error!r}'
        error = error.__cause__
    assert SECRET not in ''.join(log.texts)


@pytest.mark.parametrize('variable', ['LOGFIRE_TOKEN', 'LOGFIRE_SEND_TO_LOGFIRE', 'LOGFIRE_MIN_LEVEL'])
def test_nor_where_it_comes_from_the_environment(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of variables."""
    monkeypatch.setenv(variable, f'{TOKEN}\x7f')
    with pytest.raises(LogfireConfigError, match=variable) as caught:
        logfire.configure()
    assert SECRET not in str(caught.value)


def test_what_things_say_of_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """No `repr` of options, settings, instances or what they hold has a token or a password."""
    monkeypatch.setenv('LOGFIRE_SEND_TO_LOGFIRE', 'true')
    with Collector() as collector:
        monkeypatch.setenv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url)
        monkeypatch.setenv('OTEL_EXPORTER_OTLP_HEADERS', f'authorization=Basic%20{SECRET}')
        advanced = AdvancedOptions(base_url=collector.url)
        instance = logfire.configure(token=TOKEN, console=False, advanced=advanced)
        said = [
            repr(AdvancedOptions(base_url=f'https://user:{SECRET}@example.com')),
            repr(CodeSource(repository=f'https://user:{SECRET}@example.com/x', revision='main')),
            repr([ConsoleOptions(), MetricsOptions(), logfire.ScrubbingOptions(), logfire.SamplingOptions()]),
            repr(Settings({'token': TOKEN, 'console': False})),
            repr([instance, instance.config, vars(instance), vars(instance.config)]),
            repr(vars(GLOBAL_CONFIG.tracer_provider)),
            repr(instance.span('x')),
        ]
        logfire.shutdown()
    assert SECRET not in ''.join(said)


def test_the_resource_says_where_the_code_is_and_no_password(watch: Watch) -> None:
    """The user and password of a repository's URL are dropped before anybody sees them."""
    source = CodeSource(repository=f'https://user:{SECRET}@example.com/shop@2', revision='main')
    assert source.repository == 'https://example.com/shop@2'


def test_warnings_quote_no_secret(log: Log) -> None:
    """A warning of ours names what is wrong with a message, never a value of it."""
    logfire.configure(send_to_logfire=False, console=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        logfire.info('{missing} {value.x}', value=SECRET)
        logfire.info('big', value=2**70, key=SECRET)
    assert len(caught) == 2
    assert SECRET not in ''.join(str(warning.message) for warning in caught)
