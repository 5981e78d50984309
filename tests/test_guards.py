"""Every guard: a fault behind it leaves the user's calls as they are and is reported once; then all is as before.

One program, `Program.use`, uses all that this package has. Each entry of `FAULTS` breaks one part of it.
"""

from __future__ import annotations

import ast
import copy
import io
import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import loguru
import pytest
from azure.ai.inference import ChatCompletionsClient
from azure.core.credentials import AzureKeyCredential
from multidict import CIMultiDict
from opentelemetry import baggage, context as otel_context, metrics, trace
from opentelemetry._logs import get_logger
from opentelemetry.sdk._logs import Logger, LogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, UpDownCounter
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource, ResourceDetector
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler, SamplingResult

import logfire
from logfire._internal import (
    errors,
    exception_callback,
    exception_events,
    formatter,
    lifecycle,
    log,
    main,
    pattern_scrubber,
    span as span_module,
    traced_function,
)
from logfire._internal.config import configuration
from logfire._internal.exporters import processors, span_metrics, tail_sampling
from logfire._internal.integrations import http_clients
from logfire._internal.integrations.llm_providers import cost, finalizer, invocation, streams
from logfire._internal.integrations.llm_providers.azure_ai_inference import CHAT, pipeline, stream as stream_reader
from logfire._internal.unfinished import Unfinished
from logfire.integrations import (
    logging as logging_integration,
    loguru as loguru_integration,
    structlog as structlog_integration,
)
from logfire.testing import TestExporter
from logfire.testing.azure_ai_inference import Reply, chat_reply, stream_reply
from tests.transports import Body, Transport


class Unspeakable(Exception):
    """Cannot even be told."""

    def __str__(self) -> str:
        raise RuntimeError('no words')

    __repr__ = __str__


class Switch:
    """Where a fault is let in."""

    def __init__(self) -> None:
        self.fault: type[BaseException] | None = None

    def check(self) -> None:
        if self.fault is not None:
            raise self.fault('secret prompt')


class Parts:
    """What a user hands to `configure()`; each part may be made to fail."""

    def __init__(self) -> None:
        self.broken: dict[str, Switch] = {}

    def check(self, part: str) -> None:
        if part in self.broken:
            self.broken[part].check()

    def keywords(self, exporter: TestExporter) -> dict[str, Any]:
        parts = self

        class Ids(RandomIdGenerator):
            def generate_span_id(self) -> int:
                parts.check('ids')
                return super().generate_span_id()

            def generate_trace_id(self) -> int:
                parts.check('ids')
                return super().generate_trace_id()

            def is_trace_id_random(self) -> bool:
                parts.check('ids')
                return True

        class Head(Sampler):
            def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
                parts.check('sampler')
                return ALWAYS_ON.should_sample(*args, **kwargs)

            def get_description(self) -> str:
                return 'Head'

        class Processor(SpanProcessor):
            def on_start(self, span: Any, parent_context: Any = None) -> None:
                parts.check('processor start')

            def on_end(self, span: Any) -> None:
                parts.check('processor end')

            def force_flush(self, timeout_millis: int = 30_000) -> bool:
                parts.check('processor flush')
                return True

        class LogProcessor(LogRecordProcessor):
            def on_emit(self, log_record: Any) -> None:
                parts.check('log processor')

            def shutdown(self) -> None: ...

            def force_flush(self, timeout_millis: int = 30_000) -> bool:
                return True

        class Detector(ResourceDetector):
            def detect(self) -> Resource:
                parts.check('detector')
                return Resource({'found': 'there'})

        class Output(io.StringIO):
            def write(self, text: str) -> int:
                parts.check('console')
                return super().write(text)

        def told(part: str, value: Any) -> Any:
            parts.check(part)
            return value

        return {
            'send_to_logfire': False,
            'service_version': 'test',
            'inspect_arguments': True,
            'console': logfire.ConsoleOptions(output=Output()),
            'additional_span_processors': [Processor(), SimpleSpanProcessor(exporter)],
            'metrics': logfire.MetricsOptions(additional_readers=[InMemoryMetricReader()], collect_in_spans=True),
            'scrubbing': logfire.ScrubbingOptions(callback=lambda match: told('scrubbing callback', None)),
            'sampling': logfire.SamplingOptions(head=Head(), tail=lambda info: told('tail', 1.0)),
            'advanced': logfire.AdvancedOptions(
                id_generator=Ids(),
                ns_timestamp_generator=lambda: told('clock', time.time_ns()),
                log_record_processors=[LogProcessor()],
                exception_callback=lambda helper: told('exception callback', None),
                resource_detectors=[Detector()],
            ),
        }


def body(reply: Reply) -> Body:
    return [reply.body] if isinstance(reply.body, bytes) else [each for each in reply.body if isinstance(each, bytes)]


WHOLE = body(chat_reply('Hello', usage=(3, 2)))
STREAM = body(stream_reply(['a', 'b'], usage=(3, 2)))
HI: list[Any] = [{'role': 'user', 'content': 'Hi'}]


class Program:
    """A user's program, and what it sees."""

    def __init__(self) -> None:
        self.exporter = TestExporter()
        self.parts = Parts()
        self.client = ChatCompletionsClient(
            'https://guards.test',
            AzureKeyCredential('made up'),
            transport=Transport(lambda asked: STREAM if asked.get('stream') else WHOLE),
        )
        self.handler = logfire.LogfireLoggingHandler(fallback=logging.NullHandler())
        self.structlog = logfire.StructlogProcessor()
        loguru.logger.configure(handlers=[{**logfire.loguru_handler(), 'catch': False}])
        self.flush_may_fail = False

    def use(self) -> list[str]:
        """Everything there is; whether the program's own work is right. Returns the names of what was exported."""
        self.exporter.clear()
        formatter._call_sites.clear()
        logfire.configure(**self.parts.keywords(self.exporter))
        with logfire.instrument_azure_ai_inference(ChatCompletionsClient):
            self._call()
        self._record()
        assert logfire.force_flush() or self.flush_may_fail
        logfire.shutdown()
        return sorted(each['name'] for each in self.exporter.exported_spans_as_dict())

    def _call(self) -> None:
        complete = self.client.complete
        assert complete(messages=HI, model='gpt-4o').choices[0].message.content == 'Hello'
        assert len(list(complete(messages=HI, model='gpt-4o', stream=True))) == 4
        dropped = complete(messages=HI, model='gpt-4o', stream=True)
        next(iter(dropped))
        del dropped

        def refuse(response: Any) -> None:
            raise LookupError('told')

        with pytest.raises(LookupError, match='told'):
            complete(messages=HI, model='gpt-4o', raw_response_hook=refuse)

    def _record(self) -> None:
        n = 1
        with logfire.span(f'outer {n}') as span:
            span.set_attribute('a', {'b': n})
            span.message = 'outer'
            span.set_level('info')
            logfire.info('log {password}', password='hunter2')
        with pytest.raises(LookupError, match='told'), logfire.span('fails'):
            raise LookupError('told')

        @logfire.instrument
        def double(n: int) -> int:
            return 2 * n

        assert double(2) == 4
        token = otel_context.attach(baggage.set_baggage('user', 'me'))
        try:
            with trace.get_tracer('other').start_as_current_span('other'):
                logfire.metric_counter('count').add(1)
                metrics.get_meter('other').create_up_down_counter('up').add(1)
                logfire.metric_histogram('size').record(1)
                logfire.metric_gauge('state').set(1)
        finally:
            otel_context.detach(token)
        get_logger('other').emit(body='record')
        self.handler.emit(logging.LogRecord('user', logging.INFO, __file__, 1, 'logged', None, None))
        loguru.logger.info('by loguru')
        response: Any = SimpleNamespace(response=SimpleNamespace(headers=CIMultiDict(a='b')))
        http_clients._capturing_response_headers(None)(trace.get_current_span(), response)
        event = {'event': 'structured', 'level': 'info'}
        assert self.structlog(None, 'info', event) is event


class Fault(NamedTuple):
    """What is broken: a part of the user's, or something of ours, which is the attribute of an object."""

    doing: str
    part: str = ''
    owner: Any = None
    name: str = ''
    off_thread: bool = False
    """It happens on a thread of ours, or is kept even from those: an interrupt reaches nobody."""
    also: tuple[str, ...] = ()
    """Other guards that meet what is broken."""


FAULTS = [
    Fault('create a span', owner=main, name='new_span'),
    Fault('make a log', owner=log, name='new_message'),
    Fault('begin a span', owner=span_module, name='set_span_in_context'),
    Fault('set something on a span', owner=span_module, name='otel_attributes'),
    Fault('end a span', owner=span_module, name='record_exception'),
    Fault('end a span', owner=span_module.LogfireSpan, name='_complete'),
    Fault('read the errors of a pydantic ValidationError', owner=exception_events, name='_validation_errors'),
    Fault('run the exception callback', part='exception callback'),
    Fault('find the fingerprint of an exception', owner=exception_callback, name='opens_issue'),
    Fault('call the scrubbing callback', part='scrubbing callback'),
    Fault('record a measurement', owner=Counter, name='add'),
    Fault('record a measurement', owner=UpDownCounter, name='add'),
    Fault('record a measurement', owner=Histogram, name='record'),
    # OpenTelemetry exports the class of its gauge under a private name only.
    Fault('record a measurement', owner=type(MeterProvider().get_meter('any').create_gauge('any')), name='set'),
    Fault('emit a log record', owner=Logger, name='emit'),
    Fault('detect resource attributes', part='detector'),
    Fault('read the configured clock', part='clock'),
    Fault('generate an id with the configured generator', part='ids'),
    Fault('start an OpenTelemetry span', part='sampler'),
    Fault('find the f-string of a call', owner=formatter, name='_find_call_site'),
    Fault('read the arguments of an instrumented function', owner=traced_function.inspect.Signature, name='bind'),
    Fault('create the span of an instrumented function', owner=traced_function, name='new_span'),
    Fault('flush or shut down an exporter', part='processor flush', off_thread=True),
    Fault('tell a span processor that a span started', part='processor start'),
    Fault('hand a span to a span processor', part='processor end'),
    Fault('add baggage to a span', owner=processors, name='_set_baggage_attributes'),
    Fault('announce a span that started', owner=processors, name='SpanContext'),
    Fault(
        'scrub a span',
        owner=pattern_scrubber.PatternScrubber,
        name='scrub_span',
        also=('announce a span that started',),
    ),
    Fault('take a span that started', owner=span_metrics.SpanMetrics, name='start'),
    Fault('complete a span', owner=span_metrics.SpanMetrics, name='end'),
    Fault('take a span that ended', owner=tail_sampling.TailSampler, name='end'),
    Fault('show telemetry on the console', part='console'),
    Fault('sum a measurement for the running spans', owner=span_metrics, name='get_current_span'),
    Fault('ask the tail sampling function', part='tail'),
    Fault('scrub a log record', owner=pattern_scrubber.PatternScrubber, name='scrub_log'),
    Fault('hand a log record to a log record processor', part='log processor'),
    Fault('begin the span of an LLM call', owner=invocation, name='caller_attributes'),
    Fault('read the request of an LLM call', owner=CHAT, name='read_request'),
    Fault('read the reply of an LLM call', owner=CHAT, name='read_response'),
    Fault('read the reply of an LLM call', owner=CHAT, name='read_error'),
    Fault('record an LLM stream', owner=invocation, name='record_stream'),
    Fault('read a chunk of an LLM stream', owner=stream_reader.ChatAccumulator, name='add'),
    Fault('end the span of an LLM stream', owner=stream_reader.ChatAccumulator, name='response'),
    Fault('end the span of an LLM stream', owner=finalizer, name='closed'),
    Fault('compute the cost of an LLM call', owner=invocation, name='operation_cost'),
    Fault('record the metrics of an LLM call', owner=invocation.LLMMetrics, name='record'),
    Fault('finish the span of an LLM call', owner=invocation.Invocation, name='_end_attributes'),
    Fault('prepare the HTTP request of an Azure AI Inference call', owner=pipeline, name='_inject'),
    Fault('read the HTTP response of an Azure AI Inference call', owner=pipeline, name='_read_response'),
    Fault('end the span of a dropped stream', owner=streams.StreamRecording, name='abandon', off_thread=True),
    Fault('hand over what is pending before a flush', owner=lifecycle, name='_before_flush'),
    Fault('make a log of a logging record', owner=logging_integration, name='emit_log'),
    Fault('make a log of a loguru message', owner=loguru_integration, name='emit_log'),
    Fault('find the template of a loguru message', owner=loguru_integration, name='_template_of'),
    Fault('record the headers of an HTTP request', owner=http_clients, name='_set_headers'),
    Fault('make a log of a structlog event', owner=structlog_integration, name='emit_log'),
]

ELSEWHERE = {
    'go on recording in a forked child': 'test_a_child_that_cannot_record',
    'finish at interpreter exit': 'test_an_exit_that_fails',
    'end a span at exit': 'test_an_end_at_exit_that_fails',
    'end the span of an LLM call at exit': 'test_an_end_at_exit_that_fails',
    'end the span of a stream at exit': 'test_an_end_at_exit_that_fails',
    'load the prices of genai-prices': 'test_prices_that_cannot_be_loaded',
    'deliver telemetry': 'exporters/test_outages.py::test_a_fault_of_ours_loses_one_batch',
    'split a batch of telemetry': 'exporters/test_outages.py::test_a_fault_of_ours_loses_one_batch',
    'look into the export buffer': 'exporters/test_outages.py::test_a_fault_of_ours_loses_one_batch',
    'put telemetry into its outbox': 'exporters/test_outages.py::test_a_fault_of_ours_loses_one_batch',
    'learn where telemetry is sent to': 'exporters/test_outages.py::test_a_place_that_cannot_be_learned',
}


def test_every_guard_is_tested() -> None:
    """What the code says that it could not do, in a guard or a handler, is what the tests below let fail."""
    package = Path(logfire.__file__).parent
    found: set[str] = set()
    for path in package.rglob('*.py'):
        tree = ast.parse(path.read_text(encoding='utf-8'))
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Constant)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        for call in [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]:
            name = ast.unparse(call.func).rpartition('.')[2]
            doing = call.args[0]
            if name in ('Guard', 'Unfinished', 'WeaklyUnfinished') and isinstance(doing, ast.Constant):
                found.add(str(doing.value))
            elif name == 'BackgroundWorker' and isinstance(call.args[1], ast.Constant):
                found.add(str(call.args[1].value))
            elif ast.unparse(call.func) == 'errors.handle' and isinstance(doing, ast.Name):
                found.add(str(constants[doing.id]))
    assert found == {fault.doing for fault in FAULTS} | set(ELSEWHERE)
    for place in ELSEWHERE.values():
        module, _, test = place.rpartition('::')
        path = Path(__file__).parent / module if module else Path(__file__)
        assert f'def {test}(' in path.read_text(encoding='utf-8')


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a user's program, with nothing reported yet."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr(errors, '_counts', {})


@pytest.fixture(scope='module', autouse=True)
def no_loguru_handlers() -> Iterator[None]:
    """Those of the program are the process's."""
    yield
    loguru.logger.remove()


@pytest.fixture(scope='module')
def recorded() -> list[str]:
    """What the program exports when nothing fails."""
    cost.start_loading().join()
    return Program().use()


def reports(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == 'logfire']


def let_in(fault: Fault, switch: Switch, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Break what the fault is about while the switch says so."""
    if fault.part:
        program.parts.broken[fault.part] = switch
        return
    if fault.name == '_before_flush':

        def hand_over(timeout_seconds: float) -> None:
            switch.check()

        monkeypatch.setattr(lifecycle, '_before_flush', [hand_over, *lifecycle._before_flush])
        return
    original: Callable[..., Any] = getattr(fault.owner, fault.name)

    def failing(*args: Any, **kwargs: Any) -> Any:
        switch.check()
        return original(*args, **kwargs)

    if fault.owner is CHAT:
        patched = copy.copy(CHAT)
        setattr(patched, fault.name, failing)
        monkeypatch.setattr(
            'logfire._internal.integrations.llm_providers.azure_ai_inference._registry._operations', (patched,)
        )
        return
    monkeypatch.setattr(fault.owner, fault.name, failing)


KINDS = [RuntimeError, RecursionError, MemoryError, Unspeakable]


@pytest.mark.usefixtures('lenient')
@pytest.mark.parametrize('fault', FAULTS, ids=lambda fault: fault.doing)
def test_a_fault_behind_a_guard(
    fault: Fault, recorded: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The program's work is untouched, there is one report that quotes nothing, and then all is recorded as before.

    So with hostile kinds of faults. An interrupt is the program's and passes; but no thread of ours dies of it.
    """
    program, switch = Program(), Switch()
    let_in(fault, switch, program, monkeypatch)
    program.flush_may_fail = True
    for kind in KINDS:
        errors._counts.clear()
        caplog.clear()
        switch.fault = kind
        for _ in range(2 if kind is RuntimeError else 1):
            program.use()
        told = sorted(reports(caplog))
        expected = sorted((fault.doing, *fault.also))
        assert len(told) == len(expected), told
        for report, doing in zip(told, expected, strict=True):
            assert f'could not {doing}' in report
            assert kind.__qualname__ in report
        assert 'secret prompt' not in caplog.text
    switch.fault = KeyboardInterrupt
    if fault.off_thread:
        program.use()
    else:
        with pytest.raises(KeyboardInterrupt):
            program.use()
    switch.fault = None
    program.flush_may_fail = False
    logfire.force_flush()
    assert program.use() == recorded


@pytest.mark.usefixtures('lenient')
def test_a_span_of_opentelemetrys_that_cannot_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where OpenTelemetry itself fails to end a span of ours, the program goes on."""

    def fail(span: Span, end_time: int | None = None) -> None:
        raise RuntimeError('told')

    program = Program()
    logfire.configure(**program.parts.keywords(program.exporter))
    monkeypatch.setattr(Span, 'end', fail)
    with logfire.instrument_azure_ai_inference(ChatCompletionsClient), logfire.span('outer'):
        assert program.client.complete(messages=HI, model='gpt-4o').choices
    llm, outer = reports(caplog)
    assert 'could not finish the span of an LLM call' in llm
    assert 'could not end a span' in outer


@pytest.mark.usefixtures('lenient')
def test_a_child_that_cannot_record(
    config_kwargs: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a forked child cannot go on recording, its code goes on, and the report says so."""

    def fail(config: configuration.LogfireConfig) -> None:
        raise RuntimeError('told')

    monkeypatch.setattr(configuration.LogfireConfig, 'begin_child', fail)
    monkeypatch.setattr(lifecycle, 'watch_end_of_child', lambda: None)
    logfire.configure(**config_kwargs)
    configuration._begin_child()
    (report,) = reports(caplog)
    assert 'could not go on recording in a forked child' in report


@pytest.mark.usefixtures('lenient')
def test_an_exit_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be finished at the exit is told, and the rest is finished."""
    done: list[str] = []

    def fail() -> None:
        raise RuntimeError('told')

    lifecycle._run(fail, lambda: done.append('rest'))
    assert done == ['rest']
    (report,) = reports(caplog)
    assert 'could not finish at interpreter exit' in report


class Item:
    """What may begin and end."""


@pytest.mark.usefixtures('lenient')
@pytest.mark.parametrize('unfinished', [span_module._open_spans, invocation._open_invocations, finalizer._streams])
def test_an_end_at_exit_that_fails(
    unfinished: Unfinished[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be ended at the exit is told, and the rest is ended."""
    items, ended = [Item(), Item()], list[Item]()

    def end(item: Item) -> None:
        if item is items[1]:
            raise RuntimeError('told')
        ended.append(item)

    monkeypatch.setattr(unfinished, '_end', end)
    monkeypatch.setattr(unfinished, '_open', {})
    for item in items:
        unfinished.add(item)
    unfinished.end_all()
    assert ended == items[:1]
    (report,) = reports(caplog)
    assert f'could not {unfinished._guard.doing}' in report


@pytest.mark.usefixtures('lenient')
def test_prices_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Where the prices cannot be loaded, calls have no cost, and the report says why."""
    import genai_prices

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError('told')

    monkeypatch.setattr(genai_prices, 'calc_price', fail)
    monkeypatch.setattr(cost, '_loaded', [])
    cost._load()
    cost._load()
    assert cost._loaded == []
    (report,) = reports(caplog)
    assert 'could not load the prices of genai-prices' in report
    monkeypatch.setattr(cost, '_exiting', [None])
    errors._counts.clear()
    cost._load()
    assert reports(caplog) == [report], 'A program that ends while they load says nothing.'


def frames_needed(work: Callable[[], bool]) -> int:
    """How many frames must be free below the recursion limit for `work` to succeed."""

    def descend(levels: int) -> bool:
        return work() if levels == 0 else descend(levels - 1)

    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    for free in range(5, 200):
        try:
            if descend(sys.getrecursionlimit() - depth - free):
                return free
        except Exception:  # noqa: S110 - whatever the client makes of it: it was too little.
            pass
    raise AssertionError('it never succeeds')  # pragma: no cover


@pytest.mark.usefixtures('lenient')
def test_a_call_at_the_end_of_the_stack() -> None:
    """Where a call just fits below the recursion limit it goes on to: what we need more than that we do without."""
    program = Program()

    def call() -> bool:
        return program.client.complete(messages=HI, model='gpt-4o').choices[0].message.content == 'Hello'

    logfire.configure(**program.parts.keywords(program.exporter))
    assert call()
    bare = frames_needed(call)
    with logfire.instrument_azure_ai_inference(ChatCompletionsClient):
        assert call()
        assert frames_needed(call) <= bare + 2
    assert errors.fault_counts()
