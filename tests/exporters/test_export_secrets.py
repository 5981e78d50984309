"""What is sent where, and that no secret is in the folder, in a report or sent to somebody else."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

import logfire
from logfire._internal.config.configuration import GLOBAL_CONFIG
from logfire._internal.exporters.draining import Draining
from logfire._internal.exporters.sending import Destination
from logfire.version import VERSION
from tests.collector import Answer, Collector

TOKEN = 'pylf_v1_us_0123456789'


def to_logfire(collector: Collector, token: str | list[str] = TOKEN, folder: Path | None = None) -> None:
    advanced = logfire.AdvancedOptions(base_url=collector.url, export_buffer_dir=folder)
    logfire.configure(console=False, service_version='test', token=token, metrics=False, advanced=advanced)


def destination() -> Destination:
    """Where spans go, and with what."""
    pipeline = GLOBAL_CONFIG._pipeline
    assert pipeline is not None
    (processor,) = pipeline.stages.processors
    assert isinstance(processor, Draining)
    destination = processor.outbox._destination
    assert destination is not None
    return destination


def everything_in(folder: Path) -> bytes:
    """The names and the contents of all that is in a folder."""
    found = b''
    for path in folder.rglob('*'):
        found += str(path).encode() + (path.read_bytes() if path.is_file() else b'')
    return found


def test_no_credential_is_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the token, nor the headers and the password in OpenTelemetry's variables, are written or logged."""
    caplog.set_level(logging.DEBUG, logger='logfire')
    folder = tmp_path / 'buffer'
    with Collector(status=503) as collector:
        secret_url = collector.url.replace('://', '://user:pass-word@')
        monkeypatch.setenv('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', f'{secret_url}/v1/traces?key=url-key')
        monkeypatch.setenv('OTEL_EXPORTER_OTLP_HEADERS', 'x-api-key=header-key')
        to_logfire(collector, folder=folder)
        logfire.info('hello')
        assert logfire.force_flush(50) is False
        logfire.shutdown(1_000)
    found = everything_in(folder)
    assert found.count(b'.batch') == 2
    said = found + caplog.text.encode() + repr(GLOBAL_CONFIG.advanced).encode()
    assert f'{collector.url}/v1/traces does not take spans' in caplog.text
    assert [secret for secret in (TOKEN, 'pass-word', 'url-key', 'header-key') if secret.encode() in said] == []


def test_what_is_stored_for_one_token_is_not_sent_with_another(tmp_path: Path) -> None:
    """A token is a project: its spans are not told to another one at the same backend, in this process or the next."""
    folder = tmp_path / 'buffer'
    with Collector(status=503) as collector:
        to_logfire(collector, folder=folder)
        logfire.info('hello')
        assert logfire.force_flush(50) is False
        logfire.shutdown(1_000)
        collector.status = 200
        to_logfire(collector, 'pylf_v1_us_another', folder)
        assert logfire.force_flush()
        assert collector.taken() == []
        logfire.shutdown(1_000)
        collector.deliveries.clear()
        to_logfire(collector, folder=folder)
        collector.wait_for(lambda: len(collector.deliveries) == 1)
        assert logfire.force_flush()
        assert collector.taken() == ['hello']
        assert {delivery.headers['authorization'] for delivery in collector.deliveries} == {TOKEN}
        logfire.shutdown(1_000)


def test_what_is_meant_for_another_collector_does_not_reach_logfire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The headers, certificates and timeout that OpenTelemetry's variables set for a collector are its alone."""
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_HEADERS', 'x-api-key=secret,authorization=Bearer%20secret')
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_CERTIFICATE', str(tmp_path / 'missing.pem'))
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE', str(tmp_path / 'missing.pem'))
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_TIMEOUT', 'none')
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_COMPRESSION', 'deflate')
    with Collector() as collector:
        to_logfire(collector)
        logfire.info('hello')
        assert logfire.force_flush()
        (delivery,) = collector.deliveries
        assert delivery.headers['authorization'] == TOKEN
        assert delivery.headers['content-encoding'] == 'gzip'
        assert delivery.headers['user-agent'] == f'logfire/{VERSION}'
        assert 'secret' not in str(delivery.headers)
        assert 'missing.pem' not in str(destination().transport)
        logfire.shutdown(1_000)


def test_what_opentelemetry_s_variables_set_is_used_for_their_collector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headers, compression, timeout and certificates of the variables hold, over what the environment says of all."""
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_HEADERS', 'x-api-key=secret')
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_CERTIFICATE', str(tmp_path / 'theirs.pem'))
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_COMPRESSION', 'gzip')
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_TIMEOUT', '3')
    monkeypatch.setenv('REQUESTS_CA_BUNDLE', str(tmp_path / 'everybodys.pem'))
    with Collector() as collector:
        monkeypatch.setenv('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', f'{collector.url}/v1/traces')
        logfire.configure(console=False, service_version='test')
        logfire.info('hello')
        assert logfire.force_flush()
        (delivery,) = collector.deliveries
        assert delivery.headers['x-api-key'] == 'secret'
        assert delivery.headers['content-encoding'] == 'gzip'
        assert destination().transport['verify'] == str(tmp_path / 'theirs.pem')
        assert 2 < destination().timeout <= 3
        logfire.shutdown(1_000)


def test_a_netrc_file_does_not_replace_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`requests` would send what the user's .netrc says of a host; the token stays."""
    netrc = tmp_path / 'netrc'
    netrc.write_text('default login somebody password secret\n')
    monkeypatch.setenv('NETRC', str(netrc))
    with Collector() as collector:
        to_logfire(collector)
        logfire.info('hello')
        assert logfire.force_flush()
        (delivery,) = collector.deliveries
        assert delivery.headers['authorization'] == TOKEN
        logfire.shutdown(1_000)


def test_a_redirect_is_not_followed(caplog: pytest.LogCaptureFixture) -> None:
    """A token is not shown to whom a server points to, and a login page is not taken for a collector that said yes."""
    with Collector() as elsewhere, Collector() as collector:
        collector.answers += [
            Answer(status, headers={'Location': f'{elsewhere.url}/v1/traces'}) for status in (302, 307)
        ]
        to_logfire(collector)
        for name in ('a', 'b'):
            logfire.info(name)
            assert logfire.force_flush() is False
        assert elsewhere.deliveries == []
        logfire.shutdown(1_000)
    assert 'lost: the collector refuses them (HTTP status 302).' in caplog.text
