"""What becomes of telemetry when the collector misbehaves: a real one on the loopback interface, the public API."""

from __future__ import annotations

import functools
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
from google.rpc.code_pb2 import RESOURCE_EXHAUSTED
from google.rpc.status_pb2 import Status
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord
from opentelemetry.sdk.trace import ReadableSpan

import logfire
from logfire._internal import errors
from logfire._internal.config.configuration import GLOBAL_CONFIG
from logfire._internal.exporters import otlp
from logfire._internal.exporters.backoff import Backoff
from logfire._internal.exporters.batch import Batch
from logfire._internal.exporters.disk_buffer import DiskBuffer
from logfire._internal.exporters.draining import Draining
from logfire._internal.exporters.losses import FAULT, NOT_DELIVERED, QUEUE_FULL, TOO_LARGE, UNENCODABLE
from logfire._internal.exporters.otlp_logs import OutboxLogExporter
from logfire._internal.exporters.otlp_session import OutboxSession
from logfire._internal.exporters.otlp_spans import OutboxSpanExporter
from logfire._internal.exporters.outbox import Outbox
from logfire._internal.exporters.sending import Destination, Sender
from tests.collector import Answer, Collector

TOKEN = 'pylf_v1_us_0123456789'


class RecordedBackoff(Backoff):
    """Keeps what the collector asked for, and waits next to nothing."""

    asked: list[float | None]

    def next(self, retry_after: float | None = None) -> float:
        self.asked.append(retry_after)
        return 0.001


@pytest.fixture(autouse=True)
def backoff(monkeypatch: pytest.MonkeyPatch) -> type[RecordedBackoff]:
    """Attempts follow one another at once."""
    RecordedBackoff.asked = []
    monkeypatch.setattr(otlp, 'Backoff', functools.partial(RecordedBackoff, first=0.001))
    return RecordedBackoff


@pytest.fixture(autouse=True)
def done() -> Iterator[None]:
    yield
    GLOBAL_CONFIG.shutdown(200, flush=False)


def send_to(collector: Collector, **options: Any) -> None:
    """Send finished spans to the collector, and nothing else."""
    configure(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f'{collector.url}/v1/traces', **options)


def configure(options: dict[str, Any] | None = None, **environment: str) -> None:
    # Nothing is exported but by a flush, unless a queue is full.
    never = {'OTEL_BSP_SCHEDULE_DELAY': '600000', 'OTEL_BLRP_SCHEDULE_DELAY': '600000'}
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {**never, **environment}.items():
            patched.setenv(name, value)
        logfire.configure(
            console=False,
            service_version='test',
            send_to_logfire=False,
            advanced=logfire.AdvancedOptions(**options or {}),
        )


def record(*names: str) -> None:
    """Make spans, each of them a batch of its own."""
    for name in names:
        logfire.info(name)
        empty_queue()


def empty_queue() -> None:
    """Have what is recorded encoded and in its outbox."""
    for part in parts():
        super(type(part), part).force_flush()  # type: ignore[misc]


def parts() -> list[Any]:
    pipeline = GLOBAL_CONFIG._pipeline
    assert pipeline is not None
    every = [*pipeline.stages.processors, *pipeline.log_processors, *pipeline.metric_readers]
    return [part for part in every if isinstance(part, Draining)]


def outbox() -> Outbox:
    (part,) = parts()
    return part.outbox


def flush() -> bool:
    return logfire.force_flush(30_000)


def reports(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    'answer',
    [
        Answer(fault='reset'),
        Answer(fault='garbage'),
        Answer(408),
        Answer(429, headers={'Retry-After': '7'}),
        Answer(500),
        Answer(502, b'<html>Bad \xff gateway', {'Content-Type': 'text/html'}),
        Answer(503, headers={'Retry-After': 'not a number'}),
        Answer(504, fault='cut'),
        Answer(599, fault='trickle'),
    ],
    ids=lambda answer: f'{answer.status} {answer.fault}',
)
def test_what_the_collector_cannot_take_now_is_delivered_later(
    answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong that may pass, everything is delivered once, in order, and nothing is said about it."""
    with Collector(answers=[answer] * 3) as collector:
        send_to(collector)
        record('a', 'b', 'c')
        assert flush()
        assert collector.taken() == ['a', 'b', 'c']
        assert len(collector.deliveries) == 6
    assert reports(caplog) == []
    assert outbox().lost() == {}


def test_a_collector_that_refuses_connections_is_sent_to_when_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    """A flush in the outage says that not all was delivered; when the collector is back all is, in order."""
    with Collector(refusing=True) as collector:
        send_to(collector)
        record('a', 'b', 'c')
        assert logfire.force_flush(50) is False
        collector.listen()
        assert flush()
        assert collector.taken() == ['a', 'b', 'c']
    assert reports(caplog) == []


def test_a_collector_that_hangs_is_asked_again() -> None:
    """No answer within the timeout is no answer; the batch is sent again."""
    with Collector(answers=[Answer(fault='hang')]) as collector:
        send_to(collector, OTEL_EXPORTER_OTLP_TIMEOUT='0.2')
        record('a', 'b')
        assert flush()
        # More than once where the timeout came before the answer.
        assert list(dict.fromkeys(collector.taken())) == ['a', 'b']


def test_an_outage_of_a_minute_is_bridged(caplog: pytest.LogCaptureFixture) -> None:
    """The 3,000 spans of an outage of 60 s at 50 spans a second all arrive, once each and in order."""
    with Collector(refusing=True) as collector:
        send_to(collector)
        names = [f'span {number}' for number in range(3_000)]
        for begin in range(0, len(names), 250):  # What OpenTelemetry's queue exports every five seconds.
            for name in names[begin : begin + 250]:
                logfire.info(name)
            empty_queue()
        assert logfire.force_flush(50) is False
        collector.listen()
        assert flush()
        assert collector.taken() == names
    assert reports(caplog) == []


def test_the_collector_says_when_to_come_back(backoff: type[RecordedBackoff]) -> None:
    """`Retry-After` of a 429 and a 503 is heeded, as seconds and as a date; others get a delay of ours."""
    answers = [
        Answer(429, headers={'Retry-After': '7'}),
        Answer(503, headers={'Retry-After': 'Fri, 31 Dec 1999 23:59:59 GMT'}),
        Answer(503),
    ]
    with Collector(answers=answers) as collector:
        send_to(collector)
        record('a')
        assert flush()
    assert backoff.asked == [7.0, 0.0, None]


def test_a_flush_does_not_hurry_a_collector_that_asks_for_time(
    monkeypatch: pytest.MonkeyPatch, backoff: type[RecordedBackoff]
) -> None:
    """A flush makes an attempt that is due later at once, but not one that the collector has put off."""
    delays = iter([1_000.0, 1_000.0])
    monkeypatch.setattr(backoff, 'next', lambda self, retry_after=None: next(delays))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    with Collector(answers=[Answer(503), Answer(429, headers={'Retry-After': '1000'})]) as collector:
        send_to(collector)
        record('a')
        assert logfire.force_flush(100) is False
        assert logfire.force_flush(100) is False
        collector.wait_for(lambda: len(collector.deliveries) == 2)
        assert logfire.force_flush(100) is False
        assert len(collector.deliveries) == 2


def test_what_the_collector_refuses_is_dropped_and_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """An answer that says never drops the batch and no other; the first is reported, later ones are added up."""
    with Collector(answers=[Answer(400, b'your prompt was: secret'), Answer(), Answer(403), Answer(302)]) as collector:
        send_to(collector)
        record('a', 'b', 'c', 'd', 'e')
        flush()
        assert collector.taken() == ['b', 'e']
        assert len(collector.deliveries) == 5
        where = f'{collector.url}/v1/traces'
        assert reports(caplog) == [f'logfire: 1 span for {where} lost: the collector refuses them (HTTP status 400).']
        logfire.shutdown()
        assert reports(caplog)[1:] == [
            f'logfire: 2 spans more for {where} lost before the shutdown: the collector refuses them.'
        ]


def test_what_the_collector_does_not_take_of_a_batch_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """A partial success of OTLP tells how many were rejected: they are reported, the batch is not sent again."""
    answer = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=2))
    with Collector(answers=[Answer(200, answer.SerializeToString())]) as collector:
        send_to(collector)
        for name in 'abc':
            logfire.info(name)
        assert flush() is False
        assert flush()
        assert len(collector.deliveries) == 1
        assert reports(caplog) == [
            f'logfire: 2 spans for {collector.url}/v1/traces lost: the collector took the rest of their batch and '
            'rejected them.'
        ]


@pytest.mark.parametrize(
    'answer',
    [
        Answer(200, b'<html>Log in'),
        Answer(200, b'', fault='cut'),
        Answer(200, b'.' * 50_000),
        Answer(200, b'', fault='trickle'),
    ],
    ids=['garbage', 'cut', 'long', 'trickle'],
)
def test_an_answer_that_is_not_otlp_is_told_once(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    """A status that says yes counts, whatever follows. If that is not OTLP it is told, for the URL is suspect."""
    with Collector(answers=[answer] * 2) as collector:
        send_to(collector, OTEL_EXPORTER_OTLP_TIMEOUT='0.3')
        record('a', 'b')
        assert flush()
        assert len(collector.deliveries) == 2
        assert reports(caplog) == [
            f'logfire: what {collector.url}/v1/traces answers is not OTLP. Is it the URL of a collector? It said that '
            'it took the spans.'
        ]


@pytest.mark.parametrize('answer', [Answer(200, b'{}', {'Content-Type': 'application/json'}), Answer(204)])
def test_answers_of_lenient_collectors_are_understood(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    """JSON, or nothing at all, with a status that says yes is fine."""
    with Collector(answers=[answer]) as collector:
        send_to(collector)
        record('a')
        assert flush()
    assert reports(caplog) == []


def test_a_batch_that_is_too_large_is_split(caplog: pytest.LogCaptureFixture) -> None:
    """A 413 has the batch sent in halves until it passes: all spans arrive, in order, but the one that is too large."""
    with Collector(largest=4_000) as collector:
        send_to(collector)
        for name in 'abcdefghij':
            logfire.info(name, content='x' * (50_000 if name == 'd' else 300))
        assert flush() is False
        assert collector.taken() == list('abcefghij')
        assert reports(caplog) == [
            f'logfire: 1 span for {collector.url}/v1/traces lost: each alone is more than the collector takes '
            '(HTTP status 413).'
        ]


def test_a_message_that_is_too_large_for_grpc_is_split() -> None:
    """A collector that passes on gRPC's RESOURCE_EXHAUSTED as a 400 means that the batch is too large."""
    body = Status(code=RESOURCE_EXHAUSTED).SerializeToString()
    with Collector(answers=[Answer(400, body)]) as collector:
        send_to(collector)
        logfire.info('a')
        logfire.info('b')
        assert flush()
        assert collector.taken() == ['a', 'b']
        assert len(collector.deliveries) == 3


def test_a_batch_that_cannot_be_encoded_loses_one_span(caplog: pytest.LogCaptureFixture) -> None:
    """A span that OpenTelemetry's encoder cannot take is lost alone, and counted."""
    with Collector() as collector:
        send_to(collector)
        for name in 'abcdefg':
            tracer = GLOBAL_CONFIG.tracer_provider.get_tracer('\ud800' if name == 'c' else 'test')
            tracer.start_span(name).end()
        assert flush() is False
        assert collector.taken() == list('abdefg')
    assert outbox().lost() == {UNENCODABLE: 1}


def test_what_overflows_is_dropped_from_the_old_end_and_reported_once_per_outage(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without a folder, the newest spans up to the bound are kept; each outage has one report and one summary."""
    with Collector() as collector:
        send_to(collector, options={'export_memory_items': 3})
        where = f'{collector.url}/v1/traces'
        for outage in (1, 2):
            collector.hush()
            collector.answers.append(Answer(503))
            record('in flight')
            collector.wait_for(lambda outage=outage: len(collector.deliveries) == 4 * outage - 3)
            record('b', 'c', 'd', 'e', 'f')
            assert logfire.force_flush(20) is False
            collector.speak()
            assert flush()
            assert collector.taken() == ['in flight', 'e', 'f'] * outage
            full = 'the buffer for what cannot be delivered is full; the oldest are dropped'
            assert reports(caplog) == [
                f'logfire: 1 span for {where} lost: {full}.',
                f'logfire: 2 spans more for {where} lost in the outage that has ended: {full}.',
            ]
            caplog.clear()


def test_bytes_bound_the_memory_too() -> None:
    """The bound in bytes counts what is sent; one batch is always kept."""
    with Collector(refusing=True) as collector:
        send_to(collector, options={'export_memory_size': 1})
        record('a', 'b')
        assert logfire.force_flush(20) is False
        collector.listen()
        assert flush()
        assert collector.taken() == ['b']


def test_nothing_of_it_runs_on_the_callers_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are made and files are written by background threads, in health and in an outage, flush included."""
    threads: dict[str, set[threading.Thread]] = {'network': set(), 'disk': set()}

    def noting(kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **kwargs: Any) -> Any:
            threads[kind].add(threading.current_thread())
            return function(*args, **kwargs)

        return noted

    monkeypatch.setattr(socket.socket, 'connect', noting('network', socket.socket.connect))
    monkeypatch.setattr(socket.socket, 'sendall', noting('network', socket.socket.sendall))
    monkeypatch.setattr(os, 'rename', noting('disk', os.rename))
    monkeypatch.setattr(os, 'listdir', noting('disk', os.listdir))
    with Collector(status=503) as collector:
        send_to(collector, options={'export_memory_items': 1, 'export_buffer_dir': tmp_path / 'buffer'})
        record_on = threading.current_thread()
        with logfire.span('a'):
            logfire.info('b')
        assert logfire.force_flush(20) is False
        logfire.info('c')
        assert logfire.force_flush(20) is False
        logfire.info('d')
        assert logfire.force_flush(20) is False
        collector.status = 200
        assert flush()
        logfire.info('e')
        assert flush()
        assert collector.taken() == ['b', 'a', 'c', 'd', 'e']
    assert threads['network']
    assert threads['disk']
    assert record_on not in threads['network'] | threads['disk']


def test_no_caller_waits_for_a_collector_that_hangs() -> None:
    """While a request hangs, spans are made and queued: the export of thousands ends before the request does."""
    with Collector(silent=True) as collector:
        send_to(collector)
        logfire.info('a')
        empty_queue()
        collector.wait_for(lambda: len(collector.deliveries) == 1)
        for _ in range(3_000):
            with logfire.span('b'):
                pass
        empty_queue()
        assert len(collector.deliveries) == 1
        collector.speak()
        flush()
        # A burst may be more than OpenTelemetry's queue takes; what it drops is counted.
        assert len(collector.taken()) + outbox().lost().get(QUEUE_FULL, 0) == 3_001


def test_every_signal_is_bridged() -> None:
    """Metrics and log records wait for the collector as spans do, and a flush knows of them."""
    with Collector(answers=[Answer(503)] * 3, refusing=True) as collector:
        configure(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
        logfire.info('span')
        GLOBAL_CONFIG.logger_provider.get_logger('test').emit(body='record')
        GLOBAL_CONFIG.meter_provider.get_meter('test').create_counter('count').add(1)
        assert logfire.force_flush(50) is False
        collector.listen()
        assert flush()
        assert collector.taken() == ['span']
        assert collector.log_bodies()[-1] == 'record'
        assert set(collector.metrics()) == {'count'}


def test_an_endpoint_without_a_scheme_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be a request is lost and reported, not tried for ever."""
    configure(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT='localhost:4318/v1/traces')
    logfire.info('a')
    assert flush() is False
    configure(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT='//x')
    logfire.info('b')
    assert flush() is False
    ours = [report for report in reports(caplog) if report.startswith('logfire: ')]
    assert ours == [
        f'logfire: 1 span for {where} lost: no request can be made for this endpoint ({problem}).'
        for where, problem in (('localhost:4318/v1/traces', 'InvalidSchema'), ('the collector', 'MissingSchema'))
    ]


def test_what_a_full_queue_drops_is_counted(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """OpenTelemetry's queue before the encoder drops its oldest when it is full: the next flush says how many."""
    started, proceed = threading.Event(), threading.Event()
    accept = OutboxSession.accept

    def slow(self: OutboxSession, items: int, export: Callable[[], object]) -> bool:
        started.set()
        proceed.wait(60)
        return accept(self, items, export)

    monkeypatch.setattr(OutboxSession, 'accept', slow)
    with Collector() as collector:
        send_to(collector, OTEL_BSP_MAX_QUEUE_SIZE='4', OTEL_BSP_MAX_EXPORT_BATCH_SIZE='1')
        logfire.info('first')
        assert started.wait(60)
        for number in range(10):
            logfire.info(str(number))
        proceed.set()
        assert flush() is False
        taken = collector.taken()
        assert taken[-1] == '9'
        assert outbox().lost() == {QUEUE_FULL: 11 - len(taken)}
        assert f'lost: {QUEUE_FULL}.' in reports(caplog)[-1]
        assert flush()


class Keeper(LogRecordProcessor):
    """Keeps the last record."""

    record: ReadWriteLogRecord

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        self.record = log_record

    def shutdown(self) -> None:
        pass

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


def test_use_after_a_shutdown_is_harmless() -> None:
    """Whoever still holds what was shut down may use it: nothing is sent or raised, and what is lost is counted."""
    with Collector() as collector:
        kept = Keeper()
        configure({'log_record_processors': [kept]}, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
        GLOBAL_CONFIG.logger_provider.get_logger('test').emit(body='early')
        held = parts()
        assert logfire.force_flush()
        ended = GLOBAL_CONFIG.tracer_provider.get_tracer('test').start_span('late')
        assert logfire.shutdown()
        sent = len(collector.deliveries)
        logfire.info('late')
        for part in held:
            if hasattr(part, 'on_end'):
                part.on_end(ended)
            if hasattr(part, 'on_emit'):
                part.on_emit(kept.record)
            part.shutdown()
            part.start()
            part.outbox.put(Destination(collector.url, {}, 1.0, {}), 3, '', b'late')
            assert part.outbox.lost() == {NOT_DELIVERED: 3}
        assert not [each.name for each in threading.enumerate() if each.name in ('logfire-traces', 'logfire-logs')]
        assert len(collector.deliveries) == sent
        assert logfire.shutdown()
        assert logfire.force_flush()


def test_a_late_export_is_counted() -> None:
    """What reaches an exporter after its shutdown is lost, and counted."""
    with Collector() as collector:
        send_to(collector)
        session = OutboxSession(outbox())
        session.shut_down()
        assert session.accept(2, lambda: None)
        assert outbox().lost() == {NOT_DELIVERED: 2}
        exporter = OutboxLogExporter(OutboxSession(outbox()), endpoint=collector.url)
        assert exporter.force_flush()


def test_an_exporter_that_fails_loses_what_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an encoder raises, what it was to encode is divided, and what remains is counted."""
    with Collector() as collector:
        send_to(collector)
        session = OutboxSession(outbox())

        def fail(items: object) -> None:
            raise KeyError('your prompt')

        session.accept_each(['a', 'b', 'c'], fail)
        assert outbox().lost() == {UNENCODABLE: 3}


def test_metrics_that_cannot_be_encoded_are_counted() -> None:
    """As spans are; they are lost together, for a reader hands them over together."""
    with Collector() as collector:
        configure(OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=collector.url)
        meter = GLOBAL_CONFIG.meter_provider.get_meter('test')
        meter.create_counter('count').add(1)
        meter.create_counter('other', description='\ud800').add(1)
        assert flush() is False
        assert outbox().lost() == {UNENCODABLE: 2}


def test_a_folder_is_looked_into_now_and_then(tmp_path: Path) -> None:
    """What a process leaves that ends while this one runs is taken over with a later delivery, once a minute."""
    with Collector() as collector:
        send_to(collector, options={'export_buffer_dir': tmp_path / 'buffer'})
        record('a')
        assert flush()
        destination = outbox()._destination
        assert destination is not None
        disk = DiskBuffer(tmp_path / 'buffer', 1_000_000)
        assert disk.open(destination.key)
        disk.store(Batch(1, 1, '', collector.deliveries[0].body))
        disk.close()
        record('b')
        assert flush()
        assert collector.taken() == ['a', 'b']
        outbox()._look_again = 0.0
        record('c')
        assert flush()
        assert collector.taken() == ['a', 'b', 'a', 'c']
        assert disk.open(destination.key)
        disk.store(Batch(2, 1, '', b''))
        disk.close()
        (damaged,) = (tmp_path / 'buffer').rglob('*.batch')
        damaged.write_bytes(b'')
        outbox()._look_again = 0.0
        outbox().prime()
        assert flush()


def test_a_folder_that_is_not_trusted_is_done_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is reported, and telemetry goes its way by memory alone."""
    (tmp_path / 'buffer').mkdir(mode=0o755)
    (tmp_path / 'buffer').chmod(0o755)
    with Collector(answers=[Answer(503)]) as collector:
        send_to(collector, options={'export_buffer_dir': tmp_path / 'buffer'})
        record('a', 'b')
        assert flush()
        assert collector.taken() == ['a', 'b']
    (report,) = reports(caplog)
    assert 'of the export buffer is not used: others than its owner may use it' in report
    assert list((tmp_path / 'buffer').iterdir()) == []


def test_a_fault_of_ours_loses_one_batch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """A fault in sending, dividing or looking into the folder is reported; what comes after is delivered."""
    monkeypatch.setattr(errors, 'strict', False)

    def fail(*args: object) -> None:
        raise KeyError('your prompt')

    monkeypatch.setattr(DiskBuffer, 'adopt', fail)
    with Collector() as collector:
        send_to(collector, options={'export_buffer_dir': tmp_path / 'buffer'})
        with monkeypatch.context() as patched:
            patched.setattr(Sender, 'send', fail)
            logfire.info('a')
            assert flush() is False
        with monkeypatch.context() as patched:
            patched.setattr(Batch, 'halves', fail)
            collector.answers.append(Answer(413))
            logfire.info('b')
            logfire.info('c')
            assert flush() is False
        with monkeypatch.context() as patched:
            patched.setattr(Outbox, 'put', fail)
            record('d')
        record('e')
        assert flush()
        assert collector.taken() == ['e']
    assert outbox().lost() == {FAULT: 1, TOO_LARGE: 2}
    assert 'could not deliver telemetry' in caplog.text
    assert 'could not split a batch of telemetry' in caplog.text
    assert 'could not look into the export buffer' in caplog.text
    assert 'could not put telemetry into its outbox' in caplog.text
    assert 'your prompt' not in caplog.text


def test_a_place_that_cannot_be_learned(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Where a place cannot be learned before something is sent there, that is reported, and it is learned then."""
    monkeypatch.setattr(errors, 'strict', False)
    export = OutboxSpanExporter.export

    def fail(self: OutboxSpanExporter, spans: Sequence[ReadableSpan]) -> Any:
        if not spans:
            raise KeyError('your prompt')
        return export(self, spans)

    monkeypatch.setattr(OutboxSpanExporter, 'export', fail)
    with Collector() as collector:
        send_to(collector)
        logfire.info('a')
        assert flush()
        assert collector.taken() == ['a']
    assert 'could not learn where telemetry is sent to' in caplog.text
    assert 'your prompt' not in caplog.text


def test_our_own_requests_make_no_spans() -> None:
    """An instrumentation of the HTTP library we send with sees nothing of it, in health and when we try again."""
    instrumentor = RequestsInstrumentor()
    with Collector(answers=[Answer(503)]) as collector:
        send_to(collector)
        instrumentor.instrument(tracer_provider=GLOBAL_CONFIG.tracer_provider)
        try:
            record('a')
            assert flush()
            assert flush()
        finally:
            instrumentor.uninstrument()
        assert collector.taken() == ['a']


def test_an_environment_that_changes_while_it_is_read_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may set a variable while a request is prepared, which makes the reading of all of them fail."""
    failures = [KeyError('NAME'), *[RuntimeError('dictionary changed size during iteration')] * 8]
    merge = requests.Session.merge_environment_settings

    def changing(*args: Any) -> Any:
        if failures:
            raise failures.pop()
        return merge(*args)

    monkeypatch.setattr(requests.Session, 'merge_environment_settings', changing)
    with Collector() as collector:
        send_to(collector)
        record('a')
        assert flush()
        assert collector.taken() == ['a']
    assert failures == []
