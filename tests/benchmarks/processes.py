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
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from tempfile import NamedTemporaryFile
from time import thread_time
from typing import Any

_CHUNKS = 50_000
_MIB = 2**20

_ROOT = Path(__file__).parents[2]


def measured(*arguments: str) -> float:
    """The number that a child prints."""
    return float(json.loads(_child(*arguments).stdout))


def import_times(libraries: Sequence[str]) -> Mapping[str, tuple[int, float]]:
    """Of each library, how many modules a start of ours loads, and the milliseconds that `-X importtime` gives them."""
    told = _child('start-ours', options=('-X', 'importtime')).stderr.splitlines()
    rows = [line.removeprefix('import time:').split('|') for line in told if line.startswith('import time:')]
    times = [(name.strip().partition('.')[0], int(own)) for own, _, name in rows if own.strip().isdecimal()]
    return {
        library: (len(own), sum(own) / 1_000)
        for library in libraries
        if (own := [microseconds for name, microseconds in times if name == library])
    }


def _child(*arguments: str, options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *options, '-m', 'tests.benchmarks.processes', *arguments]
    # As where a package is installed: its modules are compiled once.
    environment = {name: value for name, value in os.environ.items() if name != 'PYTHONDONTWRITEBYTECODE'}
    errors = subprocess.PIPE if options else None
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=errors, env=environment, text=True)


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
    from tests.benchmarks.contenders import instrumented, with_reader
    from tests.benchmarks.spans_by_hand import Discard

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
    from tests.benchmarks.contenders import instrumented
    from tests.benchmarks.spans_by_hand import Discard

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
        used(some, 1_000)  # Tables grow once.
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


def library(name: str, rounds: str) -> float:
    """What another instrumentation adds to a small call, to what is written by hand: `microsoft`, `openlit`.

    It patches the client's class and takes OpenTelemetry's global provider.
    """
    from azure.ai.inference import ChatCompletionsClient
    from azure.core.credentials import AzureKeyCredential
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    from tests.benchmarks import by_hand, calls
    from tests.benchmarks.pairing import compare, repeated
    from tests.benchmarks.spans_by_hand import Discard, new_tracer

    reply = calls.new_reply()

    def complete(self: Any, *args: Any, **kwargs: Any) -> Any:
        return reply

    provider, theirs_went_to = TracerProvider(), Discard()
    provider.add_span_processor(theirs_went_to)
    trace.set_tracer_provider(provider)
    complete.__qualname__ = 'ChatCompletionsClient.complete'  # By which Microsoft's knows the method.
    client_class: Any = ChatCompletionsClient
    client_class.complete = complete  # What is patched is ready, as in the other rows.
    _LIBRARIES[name]()
    theirs: Any = ChatCompletionsClient(calls.ENDPOINT, AzureKeyCredential('key'))
    plain = calls.new_ready_client(lambda: reply)
    tracer = new_tracer(Discard())
    blocks = {
        'none': repeated(lambda: plain.complete(messages=calls.SMALL_MESSAGES, model=calls.MODEL)),
        'theirs': repeated(lambda: theirs.complete(messages=calls.SMALL_MESSAGES, model=calls.MODEL)),
        'by hand': repeated(lambda: by_hand.complete(tracer, plain, calls.SMALL_MESSAGES)),
    }
    blocks['theirs'](1)
    assert theirs_went_to.last is not None
    return compare(blocks, rounds=int(rounds)).added_ratio('theirs', 'by hand')


def _begin_microsofts() -> None:
    from azure.ai.inference.tracing import AIInferenceInstrumentor
    from azure.core.settings import settings

    settings.tracing_implementation = 'opentelemetry'
    AIInferenceInstrumentor().instrument(enable_content_recording=True)


def _begin_openlit() -> None:
    openlit: Any = import_module('openlit')
    with NamedTemporaryFile('w', suffix='.json') as prices:
        prices.write('{}')  # Else it asks the network for them.
        prices.flush()
        openlit.init(disable_metrics=True, disable_events=True, pricing_json=prices.name)


_LIBRARIES = {'microsoft': _begin_microsofts, 'openlit': _begin_openlit}


def published_spans(rounds: str) -> list[float]:
    """What `span()` and `info()` of the package that is installed as `logfire` take, to a span with 12 attributes."""
    import logfire
    from tests.benchmarks.pairing import compare, repeated
    from tests.benchmarks.spans_by_hand import Discard, new_tracer, span

    assert not hasattr(logfire, 'instrument_azure_ai_inference'), 'This is ours.'
    received = Discard()
    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[received])
    tracer = new_tracer(Discard())

    def theirs() -> None:
        with logfire.span('hello {name}', name='world'):
            pass

    blocks = {
        'span': repeated(theirs),
        'info': repeated(lambda: logfire.info('hello {name}', name='world')),
        'by hand': repeated(lambda: span(tracer)),
    }
    timing = compare(blocks, rounds=int(rounds))
    assert received.last is not None
    return [timing.ratio('span', 'by hand'), timing.ratio('info', 'by hand')]


def published(rounds: int) -> list[float] | None:
    """The same from the environment that `make compat` keeps for the published SDK; None where there is none."""
    python = _ROOT / '.venv-compat' / 'bin' / 'python'
    if not python.exists():
        return None
    # Not by `-m`: this project would stand before the package of the same name.
    program = (
        f'import json, sys; sys.path.append({str(_ROOT)!r}); from tests.benchmarks.processes import published_spans; '
        f'print(json.dumps(published_spans({str(rounds)!r})))'
    )
    command = [python, '-P' if sys.version_info >= (3, 11) else '-I', '-c', program]
    # What it writes to its standard error quotes its source, which is not shown.
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=_ROOT)
    return json.loads(done.stdout)


_CHILDREN = {
    'library': library,
    'stream-peak': stream_peak,
    'abandoned-stream': abandoned_stream,
    'start-ours': start_ours,
    'start-sdk': start_sdk,
}

if __name__ == '__main__':
    child: Any = _CHILDREN[sys.argv[1]]
    print(json.dumps(child(*sys.argv[2:])))
