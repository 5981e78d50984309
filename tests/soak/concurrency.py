"""Many calls at once, inside the process: threads, streams, and the telemetry itself changed meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from time import perf_counter
from typing import Any

from azure.ai.inference import ChatCompletionsClient, aio
from azure.core.credentials import AzureKeyCredential

import logfire
from logfire._internal.integrations.llm_providers.cost import start_loading
from logfire.testing.azure_ai_inference import Reply, chat_reply, stream_reply
from tests.soak.tally import Resources, Tally, check_no_fault
from tests.transports import AsyncTransport, Body, Transport

HI: list[Any] = [{'role': 'user', 'content': 'Hi'}]
MOST_NEW_OBJECTS = 400
"""How many tracked objects more there may be at the end, of all calls together: caches, and what Python keeps."""

Figures = dict[str, float]


def _body(reply: Reply) -> Body:
    return [reply.body] if isinstance(reply.body, bytes) else [step for step in reply.body if isinstance(step, bytes)]


_WHOLE = _body(chat_reply('It is sunny.'))
_STREAM = _body(stream_reply(['It', ' is', ' sunny', '.'], usage=(10, 4)))


def _answer(asked: dict[str, Any]) -> Body:
    return _STREAM if asked.get('stream') else _WHOLE


def new_client() -> ChatCompletionsClient:
    """A client whose service is in the process."""
    return ChatCompletionsClient('https://soak.test', AzureKeyCredential('made up'), transport=Transport(_answer))


@contextmanager
def recording() -> Generator[Tally]:
    """All spans go to the tally."""
    tally = Tally()
    start_loading().join()  # What it loads is not left by the calls.
    logfire.configure(send_to_logfire=False, console=False, service_version='soak', additional_span_processors=[tally])
    yield tally


def call(client: ChatCompletionsClient, number: int) -> None:
    """One call under a span of its own: most whole, every fifth a stream, every tenth a stream that is dropped."""
    with logfire.span('caller', caller=number):
        if number % 5:
            assert client.complete(messages=HI, seed=number).choices[0].message.content == 'It is sunny.'
            return
        stream = client.complete(messages=HI, seed=number, stream=True)
        if number % 10:
            assert len(list(stream)) == 6
        else:
            next(iter(stream))


def run_threads(threads: int, work: Callable[[], None]) -> None:
    """Do `work` in so many threads at once; the first error of any of them is raised."""
    failures: list[BaseException] = []
    together = threading.Barrier(threads, timeout=60)

    def run() -> None:
        try:
            together.wait()
            work()
        except BaseException as failure:
            failures.append(failure)

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if failures:
        raise failures[0]


def run_while(change: Callable[[], None], threads: int, work: Callable[[], None]) -> float:
    """Do `work` in so many threads while one more does `change`; how many seconds both took."""
    changer = threading.Thread(target=change)
    start = perf_counter()
    changer.start()
    run_threads(threads, work)
    changer.join()
    return perf_counter() - start


def measured(calls: int, work: Callable[[], None]) -> Figures:
    """Do `work` and tell what it took and left; more threads, descriptors or objects than before are an error."""
    before, start = Resources.now(), perf_counter()
    work()
    seconds, after = perf_counter() - start, Resources.now()
    assert after.threads <= before.threads
    assert after.descriptors <= before.descriptors
    assert after.objects - before.objects <= MOST_NEW_OBJECTS, after.objects - before.objects
    check_no_fault()
    return {
        'calls': calls,
        'seconds': seconds,
        'objects more': after.objects - before.objects,
        'MiB more': (after.rss - before.rss) / 2**20,
    }


def calls_in_threads(threads: int, calls: int) -> Figures:
    """Threads that call without a pause: one span per call, the child of its own caller's."""
    with recording() as tally, logfire.instrument_azure_ai_inference(), new_client() as client:

        def work(total: int) -> None:
            numbers = iter(range(total))
            lock = threading.Lock()

            def worker() -> None:
                while True:
                    with lock:
                        number = next(numbers, None)
                    if number is None:
                        return
                    call(client, number)

            run_threads(threads, worker)
            tally.check(total)

        work(20 * threads)  # What is made once is there.
        return measured(threads * calls, lambda: work(threads * calls))


def concurrent_streams(streams: int) -> Figures:
    """Streams that are all open at once, in one event loop: one span each, the child of its own caller's."""

    async def main(total: int) -> None:
        client = aio.ChatCompletionsClient(
            'https://soak.test', AzureKeyCredential('made up'), transport=AsyncTransport(_answer)
        )
        all_open, are_open = asyncio.Event(), count(1)

        async def one(number: int) -> None:
            with logfire.span('caller', caller=number):
                stream = await client.complete(messages=HI, seed=number, stream=True)
                chunks = [await anext(aiter(stream))]
                if next(are_open) == total:
                    all_open.set()
                await all_open.wait()
                chunks += [chunk async for chunk in stream]
                assert len(chunks) == 6

        await asyncio.gather(*map(one, range(total)))
        await client.close()

    with recording() as tally, logfire.instrument_azure_ai_inference():

        def work(total: int) -> None:
            asyncio.run(main(total))
            tally.check(total)

        work(10)
        return measured(streams, lambda: work(streams))


class _Done:
    """The calls that are done, and how many spans each must have."""

    def __init__(self) -> None:
        self.spans: dict[int, int | None] = {}
        self._changed = threading.Condition()

    def add(self, number: int, spans: int | None) -> None:
        with self._changed:
            self.spans[number] = spans
            self._changed.notify_all()

    def wait_for_more(self, calls: int) -> None:
        """Wait for so many more. If that is more than there are threads, one was made wholly meanwhile."""
        with self._changed:
            enough = len(self.spans) + calls
            assert self._changed.wait_for(lambda: len(self.spans) >= enough, timeout=60), 'the calls have stopped'


def instrument_while_calls_run(threads: int, times: int) -> Figures:
    """Instrumented and not, in turn, while calls run.

    A call made while the clients are instrumented has one span, one made while they are not has none; one that runs
    while that changes has one or none, and in every case the caller gets its reply.
    """
    original = ChatCompletionsClient.complete
    with recording() as tally, new_client() as client:
        numbers = count()
        # How many spans a call has that is made in this era; None while that changes.
        era: list[list[int | None]] = [[0]]
        over = threading.Event()
        expected = _Done()

        def work() -> None:
            while not over.is_set():
                number, before = next(numbers), era[0]
                reply = client.complete(messages=HI, seed=number)
                assert reply.choices[0].message.content == 'It is sunny.'
                expected.add(number, before[0] if era[0] is before else None)

        def change() -> None:
            try:
                for _ in range(times):
                    with logfire.instrument_azure_ai_inference(ChatCompletionsClient):
                        era[0] = [1]
                        expected.wait_for_more(threads + 1)
                        era[0] = [None]
                    era[0] = [0]
                    expected.wait_for_more(threads + 1)
                    era[0] = [None]
            finally:
                over.set()

        seconds = run_while(change, threads, work)
        assert logfire.force_flush()
        for number, spans in expected.spans.items():
            assert tally.spans[number] in ((0, 1) if spans is None else (spans,)), (number, spans)
        assert ChatCompletionsClient.complete is original
        check_no_fault()
        certain = Counter(expected.spans.values())
        assert certain[0]
        assert certain[1]
        return {
            'calls': len(expected.spans),
            'seconds': seconds,
            'changes': 2 * times,
            'calls across one': certain[None],
        }


def configure_while_calls_run(threads: int, times: int) -> Figures:
    """Configured anew, time and again, while spans are open and calls run: one span per call, as ever."""
    with recording() as tally, logfire.instrument_azure_ai_inference(), new_client() as client:
        numbers = count()
        over = threading.Event()
        done = _Done()

        def work() -> None:
            while not over.is_set():
                number = next(numbers)
                call(client, number)
                done.add(number, 1)

        def change() -> None:
            try:
                for _ in range(times):
                    logfire.configure(
                        send_to_logfire=False, console=False, service_version='soak', additional_span_processors=[tally]
                    )
                    done.wait_for_more(threads + 1)
            finally:
                over.set()

        seconds = run_while(change, threads, work)
        tally.check(len(done.spans))
        check_no_fault()
        return {'calls': len(done.spans), 'seconds': seconds, 'configurations': times}
