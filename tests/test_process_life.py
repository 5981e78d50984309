"""How processes end, and how they divide: nothing is lost within the stated time, nothing hangs, nothing is printed."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.ai.inference import ChatCompletionsClient
from azure.core.credentials import AzureKeyCredential
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

import logfire
from logfire.testing import TestExporter
from logfire.testing.azure_ai_inference import (
    AzureAIInferenceEndpoint,
    Gate,
    RecordedRequest,
    Reply,
    chat_reply,
    raw_reply,
    stream_reply,
)
from tests.collector import Collector, attribute
from tests.programs import CLIENTS, TIMEOUT, run, running, sent


@pytest.fixture
def gate() -> Gate:
    """Where a request that says `wait` waits for its reply."""
    return Gate(timeout=2 * TIMEOUT)


@pytest.fixture
def endpoint(gate: Gate) -> Iterator[AzureAIInferenceEndpoint]:
    """Answers to `Hi` at once, to `wait` never; a model's name is the span's."""

    def answer(request: RecordedRequest) -> Reply:
        waits = gate if request.json['messages'][0]['content'] == 'wait' else None
        model = request.json['model']
        if request.json.get('stream'):
            return stream_reply(['one', *([waits] if waits else [])], model=model)
        return chat_reply('Hello', model=model, gate=waits)

    with AzureAIInferenceEndpoint(answer) as endpoint:
        yield endpoint


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


OPEN = (
    CLIENTS
    + """
import asyncio
from concurrent.futures import ThreadPoolExecutor
from azure.ai.inference import aio
logfire.instrument_azure_ai_inference(aio.ChatCompletionsClient)

outer = logfire.span('outer').__enter__()
inner = logfire.span('inner').__enter__()
client().complete(messages=messages('Hi'), model='done')
stream = client().complete(messages=messages('wait'), model='stream', stream=True)
next(stream)

started = threading.Event()

def call_for_ever():
    with logfire.span('in a daemon thread'):
        client().complete(messages=messages('wait'), model='waiting', raw_request_hook=lambda _: started.set())

threading.Thread(target=call_for_ever, daemon=True).start()
assert started.wait(60)

def work_after_main():
    threading.main_thread().join()
    client().complete(messages=messages('Hi'), model='after main')

threading.Thread(target=work_after_main).start()

ThreadPoolExecutor(1).submit(client().complete, messages=messages('Hi'), model='in a pool')

async def main():
    async def call():
        async with client(aio.ChatCompletionsClient) as asynchronous:
            await asynchronous.complete(
                messages=messages('wait'), model='pending', raw_request_hook=lambda _: underway.set()
            )
    underway = asyncio.Event()
    pending = asyncio.ensure_future(call())
    await underway.wait()

asyncio.run(main())
"""
)

OPEN_SPANS = {
    'outer',
    'inner',
    'in a daemon thread',
    'chat done',
    'chat stream',
    'chat waiting',
    'chat after main',
    'chat in a pool',
    'chat pending',
}


def test_a_program_that_ends_with_everything_open(
    tmp_path: Path, endpoint: AzureAIInferenceEndpoint, collector: Collector
) -> None:
    """Whatever is still open is ended once and exported; threads that Python waits for are recorded to their ends."""
    assert run(tmp_path, OPEN, collector, ENDPOINT=endpoint.url) == (0, '')
    found = sent(collector)
    assert set(found) == OPEN_SPANS
    assert found['inner'].span.parent_span_id == found['outer'].span.span_id
    assert found['chat waiting'].span.parent_span_id == found['in a daemon thread'].span.span_id
    assert attribute(found['chat stream'].span, 'logfire.stream.outcome') == 'abandoned'
    assert attribute(found['chat pending'].span, 'error.type') == 'asyncio.CancelledError'
    # Nothing is known of a reply, and nothing is invented.
    assert attribute(found['chat waiting'].span, 'gen_ai.response.model') is None
    assert attribute(found['chat after main'].span, 'gen_ai.response.model') == 'after main'


# A process in the background of a shell inherits that the signal is ignored.
TAKES_CTRL_C = 'signal.signal(signal.SIGINT, signal.default_int_handler)'

ENDINGS: dict[str, tuple[int | str, ...]] = {
    "raise LookupError('told')": (1, 'LookupError'),
    # Python forgets that it was interrupted when any thread happens to run `exec` before the end, as dataclasses do.
    f'{TAKES_CTRL_C}; os.kill(os.getpid(), signal.SIGINT)': (-signal.SIGINT, 1, 'KeyboardInterrupt'),
}


@pytest.mark.parametrize('ending', ENDINGS, ids=['an error', 'Ctrl-C'])
def test_a_program_that_ends_by_an_exception(
    ending: str, tmp_path: Path, endpoint: AzureAIInferenceEndpoint, collector: Collector
) -> None:
    """What was running is exported with the exception that ended it; Python's own traceback is all that is printed."""
    *codes, name = ENDINGS[ending]
    program = f"""{CLIENTS}
def hook(response):
    {ending}

with logfire.span('outer'):
    client().complete(messages=messages('Hi'), model='last', raw_response_hook=hook)
"""
    returned, complained = run(tmp_path, program, collector, ENDPOINT=endpoint.url)
    assert returned in codes
    tracebacks = [line for line in complained.splitlines() if line.startswith('Traceback')]
    assert len(tracebacks) == 1
    assert 'Exception ignored' not in complained
    assert 'Internal error' not in complained
    found = sent(collector)
    assert set(found) == {'outer', 'chat last'}
    assert attribute(found['chat last'].span, 'error.type') == name
    assert found['outer'].span.status.message.startswith(str(name))


TERMINATED = """
logfire.info('flushed')
logfire.force_flush()
with logfire.span('outer'):
    client().complete(messages=messages('wait'), model='last')
"""
# The page's own.
PAGE = (Path(__file__).parents[1] / 'docs' / 'reliability.md').read_text(encoding='utf-8')
(RECIPE,) = [
    code for code in re.findall(r'^```python\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL) if 'SIGTERM' in code
]


@pytest.mark.parametrize('recipe', [RECIPE, ''], ids=['with the recipe', 'without'])
def test_a_program_that_is_terminated(
    recipe: str, tmp_path: Path, endpoint: AzureAIInferenceEndpoint, collector: Collector, gate: Gate
) -> None:
    """SIGTERM kills Python with all that is not exported; a handler that raises SystemExit makes it an ordinary end."""
    program = f'{CLIENTS}{recipe}{TERMINATED}'
    with running(tmp_path, program, collector.url, ENDPOINT=endpoint.url) as process:
        gate.wait_until_reached(TIMEOUT)
        process.terminate()
        assert process.communicate(timeout=TIMEOUT) == ('', '')
    found = sent(collector)
    if recipe:
        assert process.returncode == 128 + signal.SIGTERM
        assert set(found) == {'flushed', 'outer', 'chat last'}
        assert attribute(found['chat last'].span, 'error.type') == 'SystemExit'
    else:
        assert process.returncode == -signal.SIGTERM
        assert set(found) == {'flushed'}


DIVIDE = (
    CLIENTS
    + """
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor
from logfire._internal.forks import ForkSafeLock

def work(name):
    logfire.info(f'{name} log')
    client().complete(messages=messages('Hi'), model=name)
    globals()[name] = client().complete(messages=messages('Hi'), model=f'{name} stream', stream=True)
    globals()[f'{name} span'] = logfire.span(f'{name} open').__enter__()

class Added(SpanProcessor):
    '''Somebody else's processor, added to the provider.'''
    def on_end(self, span):
        assert span.resource.attributes['process.pid'] == os.getpid()
        if span.name == 'os.fork log':
            open(os.environ['SEEN'], 'w').close()

lock = ForkSafeLock()

def hold(held, release):
    with lock:
        held.set()
        release.wait(60)

if __name__ == '__main__':
    trace.get_tracer_provider().add_span_processor(Added())
    held, release = threading.Event(), threading.Event()
    threading.Thread(target=hold, args=(held, release)).start()
    held.wait(60)
    outer = logfire.span('outer').__enter__()
    stream = client().complete(messages=messages('Hi'), model='parent stream', stream=True)
    with logfire.span('around the fork'):
        pid = os.fork()
        if pid == 0:
            signal.alarm(50)
            with lock:
                for _ in stream:
                    pass
            work('os.fork')
            sys.exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    release.set()
    children = []
    for method in ('spawn', 'forkserver', 'fork'):
        children.append(multiprocessing.get_context(method).Process(target=work, args=(method,)))
        children[-1].start()
    for child in children:
        child.join(60)
        assert child.exitcode == 0
"""
)
METHODS = ('spawn', 'forkserver', 'fork', 'os.fork')


def test_a_program_that_divides(tmp_path: Path, endpoint: AzureAIInferenceEndpoint, collector: Collector) -> None:
    """Each process exports what it began, at its end at the latest, and says which process it is.

    A forked child ends no span and no stream of its parent's, and its spans are children of those; a lock of ours that
    another thread held is free there; nothing is sent twice.
    """
    seen = tmp_path / 'seen'
    assert run(tmp_path, DIVIDE, collector, ENDPOINT=endpoint.url, SEEN=str(seen)) == (0, '')
    found = sent(collector)
    works = {f'{method} log' for method in METHODS} | {f'{method} open' for method in METHODS}
    works |= {f'chat {method}' for method in METHODS} | {f'chat {method} stream' for method in METHODS}
    assert set(found) == works | {'outer', 'around the fork', 'chat parent stream'}
    assert attribute(found['chat parent stream'].span, 'logfire.stream.outcome') == 'abandoned'
    for method in METHODS:
        resources = [found[name].resource for name in works if name.removeprefix('chat ').split()[0] == method]
        assert resources == [resources[0]] * 4
    for key in ('process.pid', 'service.instance.id'):
        assert len({found[f'{method} log'].resource[key] for method in METHODS} | {found['outer'].resource[key]}) == 5
    assert found['fork log'].span.parent_span_id == found['outer'].span.span_id
    assert found['os.fork log'].span.parent_span_id == found['around the fork'].span.span_id
    assert found['spawn log'].span.parent_span_id == b''
    assert seen.exists()


SILENT = """
from logfire._internal.config import configuration
configuration.EXIT_TIMEOUT_MILLIS = 200
logfire.info('hello')

def refuse(thread):
    raise RuntimeError("can't start new thread at interpreter shutdown")

def work():
    logfire.info('child')
    threading.Thread.start = refuse

pid = os.fork()
if pid == 0:
    work()
    sys.exit(0)
child = multiprocessing.get_context('fork').Process(target=work)
child.start()
assert os.waitpid(pid, 0)[1] == 0
child.join(60)
assert child.exitcode == 0
threading.Thread.start = refuse
"""


def test_children_do_not_wait_for_a_silent_server(tmp_path: Path) -> None:
    """A server that does not answer holds the end of a child no longer than the end of the program itself.

    What could not be delivered is told.
    """
    with Collector(silent=True) as collector:
        code, said = run(tmp_path, SILENT, collector, OTEL_EXPORTER_OTLP_TIMEOUT='600')
    assert code == 0
    lost = f'logfire: 1 span for {collector.url}/v1/traces lost: they could not be delivered before the shutdown.'
    assert {*said.splitlines()} == {lost}


def test_an_impatient_user(tmp_path: Path) -> None:
    """Ctrl-C while the exit waits for a silent server ends the wait, and nothing is printed."""
    gate = Gate(timeout=2 * TIMEOUT)
    program = f"""
import signal
{TAKES_CTRL_C}
from logfire._internal.config import configuration
configuration.EXIT_TIMEOUT_MILLIS = 3_600_000
logfire.info('hello')
"""
    with (
        AzureAIInferenceEndpoint(lambda request: raw_reply(200, gate=gate)) as silent,
        running(tmp_path, program, silent.url, OTEL_EXPORTER_OTLP_TIMEOUT='3600') as process,
    ):
        gate.wait_until_reached(TIMEOUT)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=TIMEOUT) == ('', '')
    assert process.returncode == 0


def test_use_after_shutdown(
    config_kwargs: dict[str, Any],
    exporter: TestExporter,
    endpoint: AzureAIInferenceEndpoint,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After `shutdown()` everything can be used, calls go on as ever, and nothing is recorded, logged or printed.

    A later `configure()` records again, with the instrumentation that was there.
    """

    def use() -> None:
        counter = logfire.metric_counter('count')
        client = ChatCompletionsClient(endpoint.url, AzureKeyCredential(endpoint.key))
        with client, logfire.span('span {n}', n=1) as span:
            span.set_attribute('n', 2)
            logfire.info('log')
            counter.add(1)
            reply = client.complete(messages=[{'role': 'user', 'content': 'Hi'}], model='m')
            assert reply.choices[0].message.content == 'Hello'
            stream = client.complete(messages=[{'role': 'user', 'content': 'Hi'}], model='m', stream=True)
            assert len(list(stream)) == 2

    again = TestExporter()
    logfire.configure(**config_kwargs)
    with logfire.instrument_azure_ai_inference(ChatCompletionsClient):
        before = logfire.span('open').__enter__()
        exporter.clear()
        assert logfire.shutdown()
        assert logfire.shutdown()
        assert logfire.force_flush()
        before.set_attribute('a', 1)
        before.end()
        use()
        assert exporter.exported_spans == []
        assert (caplog.text, *capsys.readouterr()) == ('', '', '')
        config_kwargs['additional_span_processors'] = [SimpleSpanProcessor(again)]
        logfire.configure(**config_kwargs)
        use()
    names = sorted(span['name'] for span in again.exported_spans_as_dict())
    assert names == ['chat m', 'chat m', 'log', 'span {n}']
