"""Whom `instrument_azure_ai_inference()` instruments, and how that is undone."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import pickle
import sys
import weakref
from collections.abc import Callable
from types import GeneratorType, SimpleNamespace
from typing import Any

import pytest
import wrapt
from azure.ai.inference import ChatCompletionsClient, EmbeddingsClient, aio
from azure.ai.inference.models import AsyncStreamingChatCompletions, StreamingChatCompletions

import logfire
from logfire.testing.azure_ai_inference import AzureAIInferenceEndpoint, chat_reply, stream_reply
from tests.otel_integrations.azure_ai_inference.conftest import CLIENT_CLASSES, Colour, Spans, new_client, untyped

MESSAGES: list[Any] = [{'role': 'user', 'content': 'Hi'}]


def methods() -> list[Any]:
    """What the client classes hold for their methods right now."""
    return [vars(cls).get(name) for cls in CLIENT_CLASSES for name in ('complete', 'embed')]


def ask(client: Any) -> str:
    return client.complete(messages=MESSAGES).choices[0].message.content


def names(spans: Spans) -> list[str]:
    return [span.name for span in spans.llm]


@pytest.mark.parametrize('client_class', CLIENT_CLASSES, ids=lambda cls: f'{cls.__module__}.{cls.__name__}')
def test_none_means_all_six_client_classes(
    client_class: type[Any], endpoint: AzureAIInferenceEndpoint, spans: Spans
) -> None:
    """Without a target every client of the package is instrumented, made before or after, and undoing restores all."""
    before = methods()
    early = new_client(client_class, endpoint)
    with logfire.instrument_azure_ai_inference():
        for client in (early, new_client(client_class, endpoint)):
            if hasattr(client, 'complete'):
                call = client.complete(messages=MESSAGES)
            elif 'Image' in client_class.__name__:
                call = client.embed(input=[{'image': 'data:image/png;base64,aGk='}])
            else:
                call = client.embed(input=['a'])
            if inspect.iscoroutine(call):
                asyncio.run(_finish(call, client))
    assert len(spans.llm) == 2
    assert methods() == before


async def _finish(call: Any, client: Any) -> None:
    async with client:
        await call


def test_a_class_instruments_its_subclasses_and_no_other(endpoint: AzureAIInferenceEndpoint, spans: Spans) -> None:
    """A class is meant with its subclasses; other classes, its own bases among them, stay as they were."""

    class Mine(ChatCompletionsClient):
        pass

    class Deeper(Mine):
        pass

    with logfire.instrument_azure_ai_inference(Mine):
        assert 'complete' not in vars(Mine)
        ask(new_client(ChatCompletionsClient, endpoint))
        assert names(spans) == []
        ask(new_client(Mine, endpoint))
        ask(new_client(Deeper, endpoint))
    ask(new_client(Deeper, endpoint))
    assert len(spans.llm) == 2


def test_an_instance_instruments_itself_alone(endpoint: AzureAIInferenceEndpoint, spans: Spans) -> None:
    """Only the given client is instrumented, and it carries nothing before, during or after."""
    mine, other = new_client(ChatCompletionsClient, endpoint), new_client(ChatCompletionsClient, endpoint)
    attributes: dict[str, Any] = {**vars(mine)}
    before = methods()
    with logfire.instrument_azure_ai_inference(mine):
        assert vars(mine) == attributes
        ask(other)
        assert names(spans) == []
        ask(mine)
    ask(mine)
    assert names(spans) == ['chat gpt-4o']
    assert vars(mine) == attributes
    assert methods() == before


def test_an_iterable_of_targets(endpoint: AzureAIInferenceEndpoint, spans: Spans) -> None:
    """Classes and instances can be mixed in any iterable, which is read once."""
    client = new_client(ChatCompletionsClient, endpoint)
    embeddings = new_client(EmbeddingsClient, endpoint)
    with logfire.instrument_azure_ai_inference(target for target in (client, EmbeddingsClient)):
        ask(client)
        embeddings.embed(input=['a'])
        ask(new_client(ChatCompletionsClient, endpoint))
    assert [name.split()[0] for name in names(spans)] == ['chat', 'embeddings']


class Double:
    """A test double: it has the methods, and nothing else of a client."""

    def complete(self, **kwargs: Any) -> Any:
        return {'model': 'fake', 'choices': [{'message': {'content': 'hello'}, 'finish_reason': 'stop'}]}

    def embed(self, **kwargs: Any) -> Any:
        return {'data': [{'embedding': [0.5, 0.25]}]}


class AsyncDouble:
    """The same in the other colour."""

    async def complete(self, **kwargs: Any) -> Any:
        return {'model': 'fake', 'choices': []}


class Slotted:
    """Has no room for attributes, and cannot be referenced weakly."""

    __slots__ = ()

    def complete(self, **kwargs: Any) -> Any:
        return {'model': 'slotted'}


class Obliging:
    """Answers to any name, as mocks do."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith('_'):
            raise AttributeError(name)

        def method(**kwargs: Any) -> Any:
            return {'model': name}

        return method


@pytest.mark.parametrize(
    ('double', 'expected'),
    [
        (Double(), ['chat fake', 'embeddings']),
        (AsyncDouble(), ['chat fake']),
        (Obliging(), ['chat complete', 'embeddings embed']),
        (SimpleNamespace(complete=Double().complete), ['chat fake']),
        (Slotted(), ['chat slotted']),
    ],
    ids=['class', 'async', 'any name', 'own attribute', 'slots'],
)
def test_whatever_has_such_a_method_can_be_instrumented(double: Any, expected: list[str], spans: Spans) -> None:
    """A test double of a client is instrumented as well, and is as before afterwards."""
    before = dict(getattr(double, '__dict__', {}))
    with logfire.instrument_azure_ai_inference(double):
        for method in ('complete', 'embed'):
            if hasattr(double, method):
                result = getattr(double, method)(messages=MESSAGES)
                if inspect.iscoroutine(result):
                    result = asyncio.run(result)
                assert isinstance(result, dict)
    assert getattr(double, '__dict__', {}) == before
    assert names(spans) == expected


def test_a_double_that_streams_a_generator(spans: Spans) -> None:
    """A stream whose class cannot be changed is recorded as well, and stays what it is to the caller."""

    class Streaming:
        def complete(self, **kwargs: Any) -> Any:
            for word in ('one', 'two'):
                yield {'choices': [{'index': 0, 'delta': {'content': word}}]}

    client = Streaming()
    with logfire.instrument_azure_ai_inference(client):
        whole = untyped(client.complete(stream=True, messages=MESSAGES))
        assert isinstance(whole, GeneratorType)
        assert whole.gi_running is False
        assert len(list(untyped(whole))) == 2
        closed = client.complete(stream=True, messages=MESSAGES)
        next(closed)
        closed.close()
        assert list(closed) == []
        client.complete(stream=True, messages=MESSAGES)
    outcomes = [(span.attributes or {})['logfire.stream.outcome'] for span in spans.llm]
    assert outcomes == ['truncated', 'closed', 'abandoned']


@pytest.mark.parametrize(
    ('wrong', 'told'),
    [
        (3, 'an object of type int'),
        ('complete', 'an object of type str'),
        (object, 'the class object'),
        ([ChatCompletionsClient, 3], 'It is item 1 of the iterable'),
        ([ChatCompletionsClient, 'x'], 'an object of type str'),
        (SimpleNamespace(complete='not callable'), 'an object of type SimpleNamespace'),
    ],
    ids=repr,
)
def test_a_wrong_target_is_refused_before_anything_changes(wrong: Any, told: str, spans: Spans) -> None:
    """What was given and what is accepted are told, and nothing is patched, also when the last of a list is wrong."""
    before = methods()
    with pytest.raises(TypeError) as raised:
        logfire.instrument_azure_ai_inference(wrong)
    assert told in str(raised.value)
    assert 'Accepted are: None for all clients; a ChatCompletionsClient' in str(raised.value)
    assert methods() == before


def test_a_target_that_cannot_be_patched_is_refused_with_all_others(spans: Spans) -> None:
    """Where a later target cannot be patched, the earlier ones are put back."""

    class Frozen(type):
        def __setattr__(cls, name: str, value: Any) -> None:
            raise TypeError(f'{cls.__name__} is frozen')

    class Unchangeable(metaclass=Frozen):
        def complete(self) -> None: ...

    before = methods()
    with pytest.raises(TypeError, match='Unchangeable is frozen'):
        logfire.instrument_azure_ai_inference([ChatCompletionsClient, Unchangeable()])
    assert methods() == before


def test_an_empty_iterable_is_refused(spans: Spans) -> None:
    """Nothing to instrument is most likely a mistake, and is said."""
    with pytest.raises(ValueError, match='empty list'):
        logfire.instrument_azure_ai_inference([])


def test_a_missing_package_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch, spans: Spans) -> None:
    """Without azure-ai-inference the error names the command that installs it."""
    monkeypatch.setitem(sys.modules, 'azure.ai.inference', None)
    with pytest.raises(RuntimeError, match=r"pip install 'logfire\[azure-ai-inference\]'"):
        logfire.instrument_azure_ai_inference()


def test_dropping_the_context_manager_undoes_nothing(endpoint: AzureAIInferenceEndpoint, spans: Spans) -> None:
    """One line is enough: the returned context manager is only for undoing, and undoing twice is once."""
    client = new_client(ChatCompletionsClient, endpoint)
    undo = logfire.instrument_azure_ai_inference(client)
    with logfire.instrument_azure_ai_inference(ChatCompletionsClient):
        logfire.instrument_azure_ai_inference(ChatCompletionsClient).__exit__(None, None, None)
        gc.collect()
        ask(client)
    ask(client)
    undo.__exit__(None, None, None)
    undo.__exit__(None, None, None)
    ask(client)
    assert len(spans.llm) == 2


def class_of(client: Any) -> Any:
    return untyped(type(client))


def itself(client: Any) -> Any:
    return client


def everything(client: Any) -> None:
    return None


ORDERS: dict[str, list[Callable[[Any], Any]]] = {
    'twice': [everything, everything],
    'class and instance': [class_of, itself],
    'instance and class': [itself, class_of],
    'all three': [everything, class_of, itself],
}


@pytest.mark.parametrize('targets', ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize('backwards', [False, True], ids=['first undone first', 'last undone first'])
def test_overlapping_instrumentations_make_one_span(
    targets: list[Callable[[Any], Any]],
    backwards: bool,
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    spans: Spans,
) -> None:
    """However often a client is instrumented: one span a call, and undoing in any order leaves nothing behind."""
    before = methods()
    client = new_client(colour.chat_class, endpoint)

    async def body() -> None:
        undos = [logfire.instrument_azure_ai_inference(target(client)) for target in targets]
        for undo in reversed(undos) if backwards else undos:
            await colour.result(client.complete(messages=MESSAGES))
            undo.__exit__(None, None, None)
        await colour.result(client.complete(messages=MESSAGES))
        await colour.close(client)

    colour.run(body())
    assert len(spans.llm) == len(targets)
    assert methods() == before


def test_the_most_specific_decides_then_the_latest(endpoint: AzureAIInferenceEndpoint, spans: Spans) -> None:
    """An instance's instrumentation stands over its class's, a subclass's over its base's; undoing passes it on."""

    class Mine(ChatCompletionsClient):
        pass

    client = new_client(Mine, endpoint)

    def tags() -> Any:
        spans.clear()
        ask(client)
        return (spans.one.attributes or {})['logfire.tags']

    instance = logfire.with_tags('instance').instrument_azure_ai_inference(client)
    subclass = logfire.with_tags('subclass').instrument_azure_ai_inference(Mine)
    with logfire.with_tags('base').instrument_azure_ai_inference():
        assert tags() == ('instance', 'LLM')
        instance.__exit__(None, None, None)
        assert tags() == ('subclass', 'LLM')
        with logfire.with_tags('later').instrument_azure_ai_inference(Mine):
            assert tags() == ('later', 'LLM')
        subclass.__exit__(None, None, None)
        assert tags() == ('base', 'LLM')


@pytest.mark.parametrize('suppress', [True, False])
def test_a_subclass_that_calls_super_makes_one_span(
    suppress: bool, colour: Colour, endpoint: AzureAIInferenceEndpoint, spans: Spans
) -> None:
    """An override that calls `super()` is one call, whether one or both classes are instrumented."""

    class Sync(ChatCompletionsClient):
        def complete(self, *args: Any, **kwargs: Any) -> Any:
            base: Any = super()
            return base.complete(*args, **kwargs)

    class Async(aio.ChatCompletionsClient):
        async def complete(self, *args: Any, **kwargs: Any) -> Any:
            base: Any = super()
            return await base.complete(*args, **kwargs)

    client_class = Async if colour.is_async else Sync

    async def body() -> None:
        client = new_client(client_class, endpoint)
        with (
            logfire.instrument_azure_ai_inference(client_class, suppress_other_instrumentation=suppress),
            logfire.instrument_azure_ai_inference(suppress_other_instrumentation=suppress),
        ):
            await colour.result(client.complete(messages=MESSAGES))
        await colour.close(client)

    colour.run(body())
    assert names(spans) == ['chat gpt-4o']


def test_a_patch_on_top_of_ours_is_left_alone(endpoint: AzureAIInferenceEndpoint, spans: Spans) -> None:
    """Undoing never removes somebody's later patch: ours turns inert beneath it, and works again on top."""
    client = new_client(ChatCompletionsClient, endpoint)
    original = ChatCompletionsClient.complete
    calls: list[str] = []
    undo = logfire.instrument_azure_ai_inference()
    ours: Any = ChatCompletionsClient.complete

    def theirs(self: Any, **kwargs: Any) -> Any:
        calls.append('theirs')
        return ours(self, **kwargs)

    ChatCompletionsClient.complete = theirs  # pyright: ignore[reportAttributeAccessIssue]
    try:
        undo.__exit__(None, None, None)
        assert vars(ChatCompletionsClient)['complete'] is theirs
        ask(client)
        assert (calls, len(spans.llm)) == (['theirs'], 0)
        with logfire.instrument_azure_ai_inference():
            ask(client)
        assert (calls, len(spans.llm)) == (['theirs'] * 2, 1)
        assert vars(ChatCompletionsClient)['complete'] is theirs
    finally:
        ChatCompletionsClient.complete = original


def test_methods_that_are_no_plain_functions(colour: Colour, endpoint: AzureAIInferenceEndpoint, spans: Spans) -> None:
    """A method that somebody has wrapped in a descriptor of their own is called as before."""
    seen: list[Any] = []

    def theirs(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        seen.append(instance)
        return wrapped(*args, **kwargs)

    class Mine(untyped(colour.chat_class)):
        complete = wrapt.FunctionWrapper(untyped(colour.chat_class).complete, theirs)

    async def body() -> None:
        client = new_client(Mine, endpoint)
        with logfire.instrument_azure_ai_inference(Mine):
            await colour.result(client.complete(messages=MESSAGES))
        await colour.result(client.complete(messages=MESSAGES))
        assert seen == [client, client]
        await colour.close(client)

    before = vars(Mine)['complete']
    colour.run(body())
    assert vars(Mine)['complete'] is before
    assert names(spans) == ['chat gpt-4o']


def test_a_double_needs_no_azure_core(monkeypatch: pytest.MonkeyPatch, spans: Spans) -> None:
    """A test double is instrumented where no azure package is installed."""
    monkeypatch.setitem(sys.modules, 'azure.core.pipeline.policies', None)
    client = Double()
    with logfire.instrument_azure_ai_inference(client):
        client.complete(messages=MESSAGES)
    assert names(spans) == ['chat fake']


def test_a_client_that_passes_on_another_clients_stream(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, spans: Spans
) -> None:
    """Unsuppressed, two clients are two calls: a stream that one hands on to the other is recorded for both."""

    async def body() -> None:
        inner = new_client(colour.chat_class, endpoint)

        class Sync:
            def complete(self, **kwargs: Any) -> Any:
                return inner.complete(**kwargs)

        class Async:
            async def complete(self, **kwargs: Any) -> Any:
                return await inner.complete(**kwargs)

        outer: Any = Async() if colour.is_async else Sync()
        endpoint.reply(stream_reply(['a']), stream_reply(['a', 'b']))
        with logfire.instrument_azure_ai_inference([inner, outer], suppress_other_instrumentation=False):
            stream = await colour.result(outer.complete(messages=MESSAGES, stream=True))
            assert isinstance(stream, (StreamingChatCompletions, AsyncStreamingChatCompletions))
            assert len(await colour.read(stream)) == 2
            stream = await colour.result(outer.complete(messages=MESSAGES, stream=True))
            await colour.next(stream)
            await colour.close(stream)
        await colour.close(inner)

    colour.run(body())
    outcomes = [(span.attributes or {})['logfire.stream.outcome'] for span in spans.llm]
    assert outcomes == ['completed'] * 2 + ['closed'] * 2


def test_a_double_that_streams_asynchronously(spans: Spans) -> None:
    """An async generator is a stream as well, with all its methods."""

    class Streaming:
        async def complete(self, **kwargs: Any) -> Any:
            return self.chunks()

        async def chunks(self) -> Any:
            for word in ('one', 'two'):
                yield {'choices': [{'index': 0, 'delta': {'content': word}, 'finish_reason': None}]}

    class Finalised:
        """A stream with a finaliser of its own."""

        dropped = 0

        def __next__(self) -> Any:
            raise StopIteration

        def __del__(self) -> None:
            Finalised.dropped += 1

    class Other:
        def complete(self, **kwargs: Any) -> Any:
            return Finalised()

    async def body() -> None:
        client = Streaming()
        with logfire.instrument_azure_ai_inference([client, Other]):
            assert len([chunk async for chunk in await client.complete(messages=MESSAGES)]) == 2
            stream = await client.complete(messages=MESSAGES)
            await stream.__anext__()
            await stream.aclose()
            Other().complete(messages=MESSAGES)

    asyncio.run(body())
    outcomes = [(span.attributes or {})['logfire.stream.outcome'] for span in spans.llm]
    assert outcomes == ['truncated', 'closed', 'abandoned']
    assert Finalised.dropped == 1


def test_copies_and_pickles_of_an_instrumented_client_work_on_their_own(spans: Spans) -> None:
    """A copy of an instrumented client is a client of its own: it works, and is not instrumented."""
    client = PicklableDouble()
    with logfire.instrument_azure_ai_inference(client):
        for made in (copy.copy(client), copy.deepcopy(client), pickle.loads(pickle.dumps(client))):
            assert made.complete(messages=MESSAGES) == {'model': 'fake'}
        assert names(spans) == []
        client.complete(messages=MESSAGES)
    assert names(spans) == ['chat fake']


class PicklableDouble:
    """A client with no sockets or locks, which can be pickled."""

    def complete(self, **kwargs: Any) -> Any:
        return {'model': 'fake'}


def test_an_instrumented_instance_is_freed_like_any_other(endpoint: AzureAIInferenceEndpoint, spans: Spans) -> None:
    """Nothing of ours keeps a client alive, and the patch goes when its last client has gone."""
    client = PicklableDouble()
    gone = weakref.ref(client)
    undo = logfire.instrument_azure_ai_inference(client)
    del client
    assert gone() is None
    undo.__exit__(None, None, None)
    assert not hasattr(PicklableDouble.complete, '__wrapped__')


def test_instrumented_methods_look_as_before(spans: Spans) -> None:
    """Signature, names, docstring and colour of the methods are the client's own."""
    for cls, name in ((ChatCompletionsClient, 'complete'), (aio.EmbeddingsClient, 'embed')):
        before = vars(cls)[name]
        looks = (inspect.signature(before), before.__name__, before.__qualname__, before.__doc__, before.__module__)
        colour = inspect.iscoroutinefunction(before)
        with logfire.instrument_azure_ai_inference():
            now = vars(cls)[name]
            assert now is not before
            assert (inspect.signature(now), now.__name__, now.__qualname__, now.__doc__, now.__module__) == looks
            assert inspect.iscoroutinefunction(now) == colour
            assert pickle.loads(pickle.dumps(now)) is now


def test_calls_under_suppression_make_no_span(endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """Where the user suppresses instrumentation, calls and streams pass untouched."""
    client = new_client(ChatCompletionsClient, endpoint)
    endpoint.reply(chat_reply('hello'), stream_reply(['hello']))
    with logfire.suppress_instrumentation():
        assert ask(client) == 'hello'
        stream = client.complete(messages=MESSAGES, stream=True)
        assert type(stream).__module__ == 'azure.ai.inference.models._patch'
        assert '_logfire_recording' not in vars(stream)
        assert len(list(stream)) == 2
    assert names(instrumented) == []
