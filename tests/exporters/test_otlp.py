"""Sending by OTLP over HTTP, to a real collector on the loopback interface."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import logfire
from logfire._internal.config.configuration import GLOBAL_CONFIG
from logfire._internal.config.options import AdvancedOptions, MetricsOptions
from logfire._internal.exporters.otlp import region_url
from logfire.exceptions import LogfireConfigError
from logfire.version import VERSION
from tests.collector import Collector, attribute

TOKEN = 'pylf_v1_us_0123456789'


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector
        GLOBAL_CONFIG.shutdown()  # While there is somebody to take what is left.


def configure(**keywords: Any) -> None:
    quiet: dict[str, Any] = {'console': False, 'service_version': 'test'}
    logfire.configure(**quiet | keywords)


def to_logfire(collector: Collector, **keywords: Any) -> None:
    configure(token=TOKEN, advanced=AdvancedOptions(base_url=collector.url), **keywords)


def flush() -> None:
    assert GLOBAL_CONFIG.force_flush(30_000)


@pytest.mark.parametrize(
    ('token', 'host'),
    [
        ('pylf_v1_us_abc', 'logfire-us.pydantic.dev'),
        ('pylf_v1_eu_abc', 'logfire-eu.pydantic.dev'),
        ('pylf_v2_eu_abc', 'logfire-eu.pydantic.dev'),
        ('pylf_v1_mars_abc', 'logfire-us.pydantic.dev'),
        ('a-token-of-another-form', 'logfire-us.pydantic.dev'),
    ],
)
def test_a_token_says_which_region_to_send_to(token: str, host: str) -> None:
    """What a token is for goes to the region that issued it."""
    assert region_url(token) == f'https://{host}'


def test_spans_go_to_logfire_with_the_token(collector: Collector) -> None:
    """With a token, spans are sent by OTLP, compressed, with the token as authorization and our name as user agent."""
    to_logfire(collector)
    with logfire.span('outer'):
        logfire.info('inner')
    flush()
    (delivery,) = collector.sent_to('/v1/traces')
    assert delivery.path == '/v1/traces'
    assert delivery.headers['authorization'] == TOKEN
    assert delivery.headers['content-encoding'] == 'gzip'
    assert delivery.headers['content-type'] == 'application/x-protobuf'
    assert delivery.headers['user-agent'] == f'logfire/{VERSION}'


def test_logfire_is_told_of_spans_that_still_run(collector: Collector) -> None:
    """The backend can show work in progress: it gets a pending copy when a span starts."""
    to_logfire(collector)
    with logfire.span('outer'):
        flush()
        assert [attribute(span, 'logfire.span_type') for span in collector.spans()] == ['pending_span']
    flush()
    assert [attribute(span, 'logfire.span_type') for span in collector.spans()] == ['pending_span', 'span']


def test_what_is_sent_is_scrubbed(collector: Collector) -> None:
    """A secret does not leave the process."""
    to_logfire(collector)
    logfire.info('log in', password='hunter2')
    flush()
    (span,) = collector.spans()
    assert attribute(span, 'password') == "[Scrubbed due to 'password']"
    assert all(b'hunter2' not in delivery.body for delivery in collector.deliveries)


def test_several_tokens_each_get_everything(collector: Collector) -> None:
    """Each of several tokens is a place of its own that everything is sent to."""
    configure(token=[TOKEN, 'pylf_v1_eu_9'], advanced=AdvancedOptions(base_url=collector.url))
    logfire.info('hello')
    flush()
    assert {delivery.headers['authorization'] for delivery in collector.sent_to('/v1/traces')} == {
        TOKEN,
        'pylf_v1_eu_9',
    }


def test_metrics_go_to_logfire_as_changes(collector: Collector) -> None:
    """The backend gets deltas of counters and histograms, and the state of up-down counters and gauges."""
    to_logfire(collector)
    meter = GLOBAL_CONFIG.meter_provider.get_meter('test')
    meter.create_counter('count').add(1)
    meter.create_histogram('size').record(1)
    meter.create_up_down_counter('level').add(1)
    meter.create_gauge('heat').set(1)
    flush()
    metrics = collector.metrics()
    delta, cumulative = 1, 2
    assert metrics['count'].sum.aggregation_temporality == delta
    assert metrics['size'].histogram.aggregation_temporality == delta
    assert metrics['level'].sum.aggregation_temporality == cumulative
    assert metrics['heat'].gauge.data_points[0].as_int == 1
    assert collector.sent_to('/v1/metrics')[0].headers['authorization'] == TOKEN


def test_metrics_can_be_turned_off(collector: Collector) -> None:
    """With `metrics=False` no metric is sent, and instruments know that nobody reads them."""
    to_logfire(collector, metrics=False)
    assert not GLOBAL_CONFIG.has_metric_reader
    GLOBAL_CONFIG.meter_provider.get_meter('test').create_counter('count').add(1)
    flush()
    assert collector.sent_to('/v1/metrics') == []


def test_log_records_go_to_logfire(collector: Collector) -> None:
    """Records of OpenTelemetry's logs API are sent beside spans."""
    to_logfire(collector)
    GLOBAL_CONFIG.logger_provider.get_logger('test').emit(body='hello')
    flush()
    assert collector.log_bodies() == ['hello']
    assert collector.sent_to('/v1/logs')[0].headers['authorization'] == TOKEN


def test_a_plain_endpoint_gets_every_signal(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenTelemetry's own variables name a place that everything is sent to, with the headers they name."""
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_ENDPOINT', f'{collector.url}/otlp')
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_HEADERS', 'x-key=value')
    configure()
    with logfire.span('hello'):
        GLOBAL_CONFIG.meter_provider.get_meter('test').create_counter('count').add(1)
        GLOBAL_CONFIG.logger_provider.get_logger('test').emit(body='record')
    flush()
    assert {delivery.path for delivery in collector.deliveries} == {
        '/otlp/v1/traces',
        '/otlp/v1/metrics',
        '/otlp/v1/logs',
    }
    assert {delivery.headers['x-key'] for delivery in collector.deliveries} == {'value'}
    assert all('authorization' not in delivery.headers for delivery in collector.deliveries)


def test_a_plain_endpoint_gets_finished_spans_only(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """A collector that knows nothing of pending copies gets none."""
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url)
    configure()
    with logfire.span('hello'):
        pass
    flush()
    assert [attribute(span, 'logfire.span_type') for span in collector.spans()] == ['span']


def test_a_plain_endpoint_stands_beside_logfire(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a token and an endpoint everything goes to both, and the token to Logfire only."""
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_ENDPOINT', f'{collector.url}/otlp')
    to_logfire(collector)
    logfire.info('hello')
    flush()
    sent = {delivery.path: delivery.headers.get('authorization') for delivery in collector.sent_to('/v1/traces')}
    assert sent == {'/v1/traces': TOKEN, '/otlp/v1/traces': None}


@pytest.mark.parametrize('signal', ['TRACES', 'METRICS', 'LOGS'])
def test_an_endpoint_for_one_signal_gets_that_signal(
    signal: str, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal's own endpoint variable sends that signal and no other, to the path as given."""
    monkeypatch.setenv(f'OTEL_EXPORTER_OTLP_{signal}_ENDPOINT', f'{collector.url}/only')
    configure()
    with logfire.span('hello'):
        GLOBAL_CONFIG.meter_provider.get_meter('test').create_counter('count').add(1)
        GLOBAL_CONFIG.logger_provider.get_logger('test').emit(body='record')
    flush()
    assert [delivery.path for delivery in collector.deliveries] == ['/only']
    assert GLOBAL_CONFIG.has_metric_reader == (signal == 'METRICS')


def test_a_signal_can_be_sent_elsewhere(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal whose exporter variable names others than OTLP is not sent to the endpoint."""
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url)
    monkeypatch.setenv('OTEL_METRICS_EXPORTER', 'none')
    monkeypatch.setenv('OTEL_TRACES_EXPORTER', 'console, otlp')
    configure()
    logfire.info('hello')
    assert not GLOBAL_CONFIG.has_metric_reader
    flush()
    assert len(collector.spans()) == 1


def test_another_protocol_is_told_and_not_spoken(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An endpoint that wants gRPC is not sent HTTP: the log says so, and the program goes on."""
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url)
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc')
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'http/protobuf')
    with caplog.at_level(logging.WARNING, logger='logfire'):
        configure()
    logfire.info('hello')
    flush()
    assert {delivery.path for delivery in collector.deliveries} == {'/v1/traces'}
    assert 'Logs are not sent to the OTLP endpoint: its protocol is grpc' in caplog.text
    assert 'Metrics are not sent' in caplog.text


def test_plain_metrics_follow_the_temporality_variable(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Towards a plain endpoint counters are cumulative unless OpenTelemetry's variable asks for deltas."""
    monkeypatch.setenv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url)
    for preference, temporality in (('', 2), ('delta', 1)):
        monkeypatch.setenv('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', preference)
        configure()
        GLOBAL_CONFIG.meter_provider.get_meter('test').create_counter('count').add(1)
        flush()
        assert collector.metrics()['count'].sum.aggregation_temporality == temporality


def test_nothing_is_sent_when_told_not_to(collector: Collector) -> None:
    """`send_to_logfire=False` wins over a token."""
    to_logfire(collector, send_to_logfire=False)
    logfire.info('hello')
    flush()
    assert collector.deliveries == []


def test_a_failing_server_reaches_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """A server that refuses what it is sent costs telemetry, never an exception; and the token is not logged."""
    with Collector(status=400) as collector:
        to_logfire(collector)
        logfire.info('hello')
        GLOBAL_CONFIG.force_flush(30_000)
    assert collector.spans()
    assert TOKEN not in caplog.text


def test_a_silent_server_does_not_hold_a_flush() -> None:
    """A flush returns at its deadline, and says that not everything was exported."""
    with Collector(silent=True) as collector:
        to_logfire(collector)
        logfire.info('hello')
        assert GLOBAL_CONFIG.force_flush(50) is False
        assert GLOBAL_CONFIG.shutdown(50) is False


def test_a_replaced_configuration_sends_what_it_holds(collector: Collector) -> None:
    """What was recorded before a second `configure()` is not lost."""
    to_logfire(collector)
    logfire.info('before')
    configure(send_to_logfire=False)
    assert [span.name for span in collector.spans()] == ['before']


def test_the_token_is_in_no_text(collector: Collector) -> None:
    """Nothing that can be printed of a configuration shows the token."""
    to_logfire(collector)
    seen = [repr(GLOBAL_CONFIG.advanced), repr(GLOBAL_CONFIG), repr(GLOBAL_CONFIG._pipeline), repr(vars(GLOBAL_CONFIG))]
    assert all(TOKEN not in text for text in seen)


def test_a_reader_that_cannot_be_used_changes_nothing(collector: Collector) -> None:
    """A reader that belongs to somebody else is refused, and no thread that sends metrics is left behind."""
    reader = InMemoryMetricReader()
    local = logfire.configure(
        local=True, console=False, send_to_logfire=False, metrics=MetricsOptions(additional_readers=[reader])
    )
    configure(send_to_logfire=False)
    before = threading.enumerate()
    with pytest.raises(LogfireConfigError, match='additional_readers'):
        to_logfire(collector, metrics=MetricsOptions(additional_readers=[reader]))
    assert [thread.name for thread in threading.enumerate() if thread not in before] == []
    assert not GLOBAL_CONFIG.has_metric_reader
    local.config.shutdown()
