"""What is measured in a process of its own: memory, and the time that imports take.

`python -m tests.benchmarks.processes NAME ARGUMENT...` prints one number.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tracemalloc
from collections import deque
from collections.abc import Iterator
from importlib import import_module
from time import thread_time
from typing import Any

_CHUNKS = 50_000
_MIB = 2**20


def measured(*arguments: str) -> float:
    """The number that a child prints."""
    command = [sys.executable, '-m', 'tests.benchmarks.processes', *arguments]
    # As where a package is installed: its modules are compiled once.
    environment = {name: value for name, value in os.environ.items() if name != 'PYTHONDONTWRITEBYTECODE'}
    return float(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout))


def paired_children(one: str, other: str, *, rounds: int) -> tuple[float, float, float]:
    """Median seconds of two children that ran in turn, and the median of their ratios."""
    pairs = [(measured(one), measured(other)) for _ in range(rounds)]
    return (
        statistics.median(first for first, _ in pairs),
        statistics.median(second for _, second in pairs),
        statistics.median(first / second for first, second in pairs),
    )


class _LongStream:
    """Chunks that come one by one and are gone again, as from a network."""

    def __init__(self) -> None:
        from azure.ai.inference.models import StreamingChatCompletionsUpdate

        self._new = StreamingChatCompletionsUpdate
        self._at = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        self._at += 1
        if self._at > _CHUNKS:
            raise StopIteration
        choice: dict[str, Any] = {'index': 0, 'delta': {'content': f' word{self._at % 10}'}, 'finish_reason': None}
        if self._at == 1:
            choice['delta'] = {'role': 'assistant', 'content': ''}
        elif self._at == _CHUNKS:
            choice['finish_reason'] = 'stop'
        return self._new({'id': 'chatcmpl-1', 'model': 'gpt-4o', 'choices': [choice]})

    def close(self) -> None: ...


def stream_peak(kind: str) -> float:
    """The peak of memory, in MiB, of a stream of 50,000 chunks that is read to its end: `none`, `ours`, `reader`."""
    from tests.benchmarks import calls
    from tests.benchmarks.contenders import Discard, instrumented, with_reader

    client = calls.new_ready_client(_LongStream)
    if kind != 'none':
        instrumented(client, Discard(), **(with_reader() if kind == 'reader' else {}))

    def read() -> None:
        deque(client.complete(messages=calls.SMALL_MESSAGES, model=calls.MODEL, stream=True), maxlen=0)

    read()  # What is loaded and remembered once.
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    read()
    return (tracemalloc.get_traced_memory()[1] - before) / _MIB


def abandoned_stream(when: str) -> float:
    """Bytes for each stream that was begun and dropped: `held`, or `after` it was collected."""
    from logfire._internal.integrations.llm_providers import finalizer
    from tests.benchmarks import calls
    from tests.benchmarks.contenders import Discard, instrumented

    chunks = calls.new_chunks(10)
    plain = calls.new_ready_client(lambda: calls.ReadyStream(chunks))
    client = instrumented(calls.new_ready_client(lambda: calls.ReadyStream(chunks)), Discard())

    def begin(some: Any) -> Any:
        stream = some.complete(messages=calls.SMALL_MESSAGES, model=calls.MODEL, stream=True)
        next(stream)
        return stream

    def used(some: Any, count: int) -> tuple[int, int]:
        before, _ = tracemalloc.get_traced_memory()
        held = [begin(some) for _ in range(count)]
        at_most, _ = tracemalloc.get_traced_memory()
        held.clear()
        finalizer.worker.flush(10)
        after, _ = tracemalloc.get_traced_memory()
        return at_most - before, after - before

    tracemalloc.start()
    for some in (plain, client):
        used(some, 300)
    at = ('held', 'after').index(when)
    return (used(client, 1_000)[at] - used(plain, 1_000)[at]) / 1_000


def start_ours() -> float:
    """Seconds from nothing to an instrumented client class, in a program that has the client loaded."""
    import_module('azure.ai.inference.aio')  # What the program has anyway.

    start = thread_time()
    import logfire

    logfire.configure(send_to_logfire=False, console=False)
    logfire.instrument_azure_ai_inference()
    return thread_time() - start


def start_sdk() -> float:
    """Seconds from nothing to a tracer provider of OpenTelemetry's, in such a program."""
    import_module('azure.ai.inference.aio')  # What the program has anyway.

    start = thread_time()
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    trace.set_tracer_provider(TracerProvider())
    return thread_time() - start


def microsofts(rounds: str) -> float:
    """What Microsoft's own instrumentor, which comes with the client, adds to a small call, to what is written by hand.

    It patches the client's class and takes OpenTelemetry's global provider.
    """
    from azure.ai.inference import ChatCompletionsClient
    from azure.ai.inference.tracing import AIInferenceInstrumentor
    from azure.core.credentials import AzureKeyCredential
    from azure.core.settings import settings
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    from tests.benchmarks import by_hand, calls
    from tests.benchmarks.contenders import Discard
    from tests.benchmarks.pairing import compare, repeated

    reply = calls.new_reply()

    def complete(self: Any, *args: Any, **kwargs: Any) -> Any:
        return reply

    provider, theirs_went_to = TracerProvider(), Discard()
    provider.add_span_processor(theirs_went_to)
    trace.set_tracer_provider(provider)
    settings.tracing_implementation = 'opentelemetry'
    complete.__qualname__ = 'ChatCompletionsClient.complete'  # By which it knows the method.
    client_class: Any = ChatCompletionsClient
    client_class.complete = complete  # What it patches is ready, as in the other rows.
    AIInferenceInstrumentor().instrument(enable_content_recording=True)
    theirs: Any = ChatCompletionsClient(calls.ENDPOINT, AzureKeyCredential('key'))
    plain = calls.new_ready_client(lambda: reply)
    tracer = by_hand.new_tracer(Discard())
    blocks = {
        'none': repeated(lambda: plain.complete(messages=calls.SMALL_MESSAGES, model=calls.MODEL)),
        'theirs': repeated(lambda: theirs.complete(messages=calls.SMALL_MESSAGES, model=calls.MODEL)),
        'by hand': repeated(lambda: by_hand.complete(tracer, plain, calls.SMALL_MESSAGES)),
    }
    blocks['theirs'](1)
    assert theirs_went_to.last is not None
    return compare(blocks, rounds=int(rounds)).added_ratio('theirs', 'by hand')


_CHILDREN = {
    'microsofts': microsofts,
    'stream-peak': stream_peak,
    'abandoned-stream': abandoned_stream,
    'start-ours': start_ours,
    'start-sdk': start_sdk,
}

if __name__ == '__main__':
    child: Any = _CHILDREN[sys.argv[1]]
    print(json.dumps(child(*sys.argv[2:])))
