"""Streams and the life of the process: interpreter exit, collections that strike anywhere, threads, fork."""

from __future__ import annotations

import asyncio
import copy
import gc
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from azure.ai.inference import ChatCompletionsClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

import logfire
from logfire._internal.integrations.llm_providers import invocation
from logfire._internal.integrations.llm_providers.invocation import running_invocation
from logfire.testing.azure_ai_inference import AzureAIInferenceEndpoint, Gate, stream_reply
from tests.otel_integrations.azure_ai_inference.conftest import Colour, Spans, new_client

HI: list[Any] = [{'role': 'user', 'content': 'Hi'}]

PROGRAM = """
import asyncio, json, os, sys
from azure.ai.inference import ChatCompletionsClient, aio
from azure.core.credentials import AzureKeyCredential
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

import logfire


class File(SpanExporter):
    def export(self, spans):
        with open(sys.argv[2], 'a') as file:
            for span in spans:
                found = {'outcome': span.attributes['logfire.stream.outcome'], 'pid': os.getpid()}
                found['said'] = json.loads(span.attributes['gen_ai.output.messages'])[0]['parts'][0]['content']
                print(json.dumps(found), file=file)
        return SpanExportResult.SUCCESS


logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[SimpleSpanProcessor(File())])
logfire.instrument_azure_ai_inference()
MESSAGES = [{'role': 'user', 'content': 'Hi'}]


def sync_stream():
    client = ChatCompletionsClient(sys.argv[1], AzureKeyCredential('made up'))
    stream = client.complete(messages=MESSAGES, stream=True)
    next(stream)
    return stream


async def async_stream():
    client = aio.ChatCompletionsClient(sys.argv[1], AzureKeyCredential('made up'))
    stream = await client.complete(messages=MESSAGES, stream=True)
    await stream.__anext__()
    return stream
"""

EXITS = {
    'sync': 'alive = sync_stream()',
    'sync, sys.exit': 'alive = sync_stream()\nsys.exit(0)',
    'sync, in a cycle': 'alive = [sync_stream()]\nalive.append(alive)\ndel alive',
    'sync, while a thread collects it': """
import gc, threading

collecting = threading.Event()

class Slow:
    def __del__(self):
        collecting.set()
        threading.Event().wait()

alive = [Slow(), sync_stream()]
alive.append(alive)
del alive
threading.Thread(target=gc.collect, daemon=True).start()
collecting.wait()
""",
    'async': 'loop = asyncio.new_event_loop()\nalive = loop.run_until_complete(async_stream())',
}


def run_program(tmp_path: Path, endpoint: AzureAIInferenceEndpoint, ending: str) -> list[dict[str, Any]]:
    spans = tmp_path / 'spans'
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM + ending, endpoint.url, str(spans)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ''), done.stderr
    # aiohttp itself tells of what a program leaves open.
    ours = [line for line in done.stderr.splitlines() if 'logfire' in line]
    assert ours == []
    return [json.loads(line) for line in spans.read_text().splitlines()] if spans.exists() else []


@pytest.mark.parametrize('ending', EXITS.values(), ids=EXITS)
def test_a_stream_alive_at_interpreter_exit(ending: str, tmp_path: Path, endpoint: AzureAIInferenceEndpoint) -> None:
    """A stream still open when the interpreter exits is one abandoned span, exported, and nothing is printed."""
    endpoint.reply(stream_reply(['one', Gate()]))
    (span,) = run_program(tmp_path, endpoint, ending)
    assert (span['outcome'], span['said']) == ('abandoned', 'one')


def test_a_dropped_stream_loads_nothing(tmp_path: Path, endpoint: AzureAIInferenceEndpoint) -> None:
    """A collection that frees a stream may have interrupted any code: the clock is read without loading its guard."""
    endpoint.reply(stream_reply(['one', Gate()]))
    ending = "stream = sync_stream()\ndel stream\nassert 'logfire._internal.config.generators' not in sys.modules"
    (span,) = run_program(tmp_path, endpoint, ending)
    assert span['outcome'] == 'abandoned'


PRICES = """
import __main__

__main__.loading.set()
__main__.exiting.wait()
import decimal, email.mime.multipart, fractions, sqlite3, statistics, wsgiref.simple_server, xml.dom.minidom

print('loaded', flush=True)
"""

ENDS_WHILE_PRICES_LOAD = """
import atexit, threading

loading, exiting = threading.Event(), threading.Event()

import logfire

logfire.configure(send_to_logfire=False, console=False)
logfire.instrument_azure_ai_inference()
loading.wait()
atexit.register(exiting.set)
"""


def test_the_exit_waits_for_the_loading_of_prices(tmp_path: Path) -> None:
    """No thread of ours is stopped in the midst of an import: the lock it may hold could keep the exit waiting."""
    (tmp_path / 'genai_prices.py').write_text(PRICES)
    done = subprocess.run(
        [sys.executable, '-c', ENDS_WHILE_PRICES_LOAD],
        env={**os.environ, 'PYTHONPATH': str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, 'loaded\n', '')


FORK = """
stream = sync_stream()
pid = os.fork()
if pid == 0:
    del stream
    import gc
    gc.collect()
    own = sync_stream()
    del own
    logfire.force_flush()
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
rest = list(stream)
"""


def test_only_the_process_that_made_a_stream_ends_its_span(tmp_path: Path, endpoint: AzureAIInferenceEndpoint) -> None:
    """After a fork the child drops its copy silently, its own streams are recorded, and the parent's stream goes on."""
    endpoint.reply(stream_reply(['one', 'two']), stream_reply(['child', 'two']))
    found = run_program(tmp_path, endpoint, FORK)
    by_outcome = {span['outcome']: span for span in found}
    assert len(found) == len(by_outcome) == 2
    assert by_outcome['completed']['said'] == 'onetwo'
    assert by_outcome['abandoned']['said'] == 'child'
    assert by_outcome['completed']['pid'] != by_outcome['abandoned']['pid']


def test_a_call_that_ends_as_the_program_does(endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """A call whose thread ends it while the exit ends what is open has one span, with what the thread knew."""
    running: list[Any] = []

    def hook(response: Any) -> None:
        running.append(running_invocation())

    new_client(ChatCompletionsClient, endpoint).complete(messages=HI, raw_response_hook=hook)
    running[0].cut()
    assert (instrumented.one.attributes or {})['gen_ai.response.finish_reasons'] == ('stop',)


def test_a_call_that_the_exit_ends_first(
    endpoint: AzureAIInferenceEndpoint, instrumented: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    """A call that the exit has ended is not ended again by its thread, which gets its reply."""

    def hook(response: Any) -> None:
        running: Any = running_invocation()
        running.cut()

    client = new_client(ChatCompletionsClient, endpoint)
    assert client.complete(messages=HI, raw_response_hook=hook).choices
    assert 'gen_ai.response.finish_reasons' not in (instrumented.one.attributes or {})
    assert caplog.text == ''


class LockedExporter(SpanExporter):
    """An exporter with a lock, as real ones have, that is not re-entrant."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.exported: list[ReadableSpan] = []

    def export(self, spans: Any) -> SpanExportResult:
        with self.lock:
            self.exported.extend(spans)
        return SpanExportResult.SUCCESS


def test_a_collection_inside_an_exporters_lock(endpoint: AzureAIInferenceEndpoint) -> None:
    """A garbage collection that frees streams while an exporter holds its lock neither blocks nor loses a span."""
    exporter = LockedExporter()
    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[SimpleSpanProcessor(exporter)])
    client = new_client(ChatCompletionsClient, endpoint)
    with logfire.instrument_azure_ai_inference(client):
        for _ in range(5):
            endpoint.reply(stream_reply(['one', 'two']))
            stream = client.complete(messages=HI, stream=True)
            next(stream)
            stream.cycle = stream
            del stream
        with exporter.lock:
            gc.collect()
        assert logfire.force_flush()
    assert [(span.attributes or {})['logfire.stream.outcome'] for span in exporter.exported] == ['abandoned'] * 5


def test_a_stream_read_in_another_thread(endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """A stream made here and read elsewhere is one span, the child of what was current here."""
    endpoint.reply(stream_reply(['one', 'two']))
    client = new_client(ChatCompletionsClient, endpoint)
    chunks: list[Any] = []
    with logfire.span('caller') as caller:
        stream = client.complete(messages=HI, stream=True)
    reader = threading.Thread(target=lambda: chunks.extend(stream))
    reader.start()
    reader.join(10)
    assert len(chunks) == 3
    span = instrumented.one
    assert (span.attributes or {})['logfire.stream.outcome'] == 'completed'
    assert span.parent is not None
    assert caller.context is not None
    assert span.parent.span_id == caller.context.span_id


def test_a_close_from_elsewhere_while_a_reader_waits(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """A close by another thread or task ends the span as closed, whatever the waiting reader then meets."""
    gate = Gate()
    endpoint.reply(stream_reply(['one', gate, 'two']))

    async def body() -> None:
        client = new_client(colour.chat_class, endpoint)
        stream = await colour.result(client.complete(messages=HI, stream=True))
        if colour.is_async:
            reader = asyncio.ensure_future(colour.read(stream))
            await asyncio.to_thread(gate.wait_until_reached)
            await stream.aclose()
            gate.open()
            await asyncio.gather(reader, return_exceptions=True)
        else:
            reader = threading.Thread(target=read_quietly, args=(stream,))
            reader.start()
            gate.wait_until_reached()
            # The client's own close waits until the reader has its next chunk.
            closer = threading.Thread(target=stream.close)
            closer.start()
            instrumented.exported.wait(10)
            gate.open()
            reader.join(10)
            closer.join(10)
        await colour.close(client)

    colour.run(body())
    attributes = instrumented.one.attributes or {}
    assert attributes['logfire.stream.outcome'] == 'closed'


def read_quietly(stream: Any) -> None:
    try:
        list(stream)
    except Exception:  # noqa: S110 - what a reader meets when its stream is closed beneath it is the client's affair
        pass


def test_a_copys_end_is_not_the_streams(endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """Dropping a copy of a stream ends nothing: the caller's own stream goes on."""
    endpoint.reply(stream_reply(['one', 'two']))
    stream = new_client(ChatCompletionsClient, endpoint).complete(messages=HI, stream=True)
    next(stream)
    twin = copy.copy(stream)
    assert type(twin) is type(stream)
    del twin
    gc.collect()
    assert instrumented.llm == []
    assert len(list(stream)) == 2
    assert (instrumented.one.attributes or {})['logfire.stream.outcome'] == 'completed'


def test_a_call_that_a_fork_divides(endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """What a forked child has of a call that was being made ends no span: the parent ends it."""

    def fork(response: Any) -> None:
        invocation._open_invocations._begin_child()  # As in the child, but where its coverage is seen.

    with new_client(Colour('sync').chat_class, endpoint) as client:
        assert client.complete(messages=HI, raw_response_hook=fork).choices
    assert instrumented.llm == []
