"""Whatever is passed to a call, the caller sees what the client makes of it, and nothing of ours fails."""

from __future__ import annotations

from typing import Any

from azure.ai.inference import models
from hypothesis import given, strategies as st

from tests.hostile.calls import Call, check_nothing_changes
from tests.hostile.examples import EXAMPLES
from tests.hostile.test_replies import REPLY, VECTORS, whole
from tests.hostile.values import Factory, factories
from tests.hostile.watch import Watch
from tests.otel_integrations.azure_ai_inference.conftest import Colour

_CHAT = (
    'messages',
    'stream',
    'frequency_penalty',
    'presence_penalty',
    'temperature',
    'top_p',
    'max_tokens',
    'response_format',
    'stop',
    'tools',
    'tool_choice',
    'seed',
    'model',
    'model_extras',
)
_EXTRAS = ('n', 'top_k', 'model', 'max_completion_tokens', 'stream_options', 'messages', 'stop')
_EMBED = ('input', 'dimensions', 'encoding_format', 'input_type', 'model', 'model_extras')
_PART = ('type', 'text', 'image_url', 'input_audio', 'audio_url', 'url', 'data', 'format')
_FUNCTION = ('name', 'description', 'parameters', 'arguments')
_MESSAGE = ('name', 'tool_call_id', 'reasoning_content')
_ROLES = ('system', 'user', 'assistant', 'tool', 'developer', 'x\x1b[1m')


def _made(arguments: dict[str, Factory]) -> dict[str, Any]:
    return {name: make() for name, make in arguments.items()}


def _all_made(factories: list[Factory]) -> list[Any]:
    return [make() for make in factories]


def _dicts(names: tuple[str, ...]) -> st.SearchStrategy[Factory]:
    return st.dictionaries(st.sampled_from(names), factories, max_size=3).map(lambda made: lambda: _made(made))


@st.composite
def _content(draw: st.DrawFn) -> Factory:
    """A content that may look like one."""
    address = draw(factories)

    def image() -> dict[str, Any]:
        return {'type': 'image_url', 'image_url': {'url': address()}}

    items = draw(st.lists(_dicts(_PART) | st.just(image), max_size=2))
    return draw(factories | st.just(lambda: _all_made(items)))


@st.composite
def _calls(draw: st.DrawFn) -> Factory:
    function = draw(_dicts(_FUNCTION))
    return lambda: [{'id': 'i', 'type': 'function', 'function': function()}]


@st.composite
def _message(draw: st.DrawFn) -> Factory:
    """A message that may look like one: a dict, or the client's own model."""
    role, content, calls, rest = draw(st.sampled_from(_ROLES)), draw(_content()), draw(_calls()), draw(_dicts(_MESSAGE))
    if draw(st.booleans()):
        return lambda: models.UserMessage(content=content())
    return lambda: {**rest(), 'role': role, 'content': content(), 'tool_calls': calls()}


_messages = st.lists(_message() | factories, max_size=3).map(lambda made: lambda: _all_made(made))


@EXAMPLES
@given(
    messages=_messages,
    others=st.dictionaries(st.sampled_from(_CHAT), factories, max_size=3),
    tools=st.none() | _calls(),
    extras=st.none() | _dicts(_EXTRAS),
)
def test_any_chat_arguments(
    messages: Factory,
    others: dict[str, Factory],
    tools: Factory | None,
    extras: Factory | None,
    colour: Colour,
    watch: Watch,
) -> None:
    """Any value as any argument of `complete()`."""

    def arguments() -> dict[str, Any]:
        given: dict[str, Any] = {'messages': messages(), **_made(others)}
        if tools is not None:
            given['tools'] = tools()
        if extras is not None:
            given['model_extras'] = extras()
        return given

    check_nothing_changes(watch, Call(colour, 'complete', whole(REPLY), arguments))


@EXAMPLES
@given(body=factories | _dicts(_CHAT), keywords=st.dictionaries(st.sampled_from(_CHAT), factories, max_size=2))
def test_any_chat_body(body: Factory, keywords: dict[str, Factory], colour: Colour, watch: Watch) -> None:
    """Any value as the `body` of `complete()`."""
    check_nothing_changes(watch, Call(colour, 'complete', whole(REPLY), lambda: {'body': body(), **_made(keywords)}))


@EXAMPLES
@given(arguments=st.dictionaries(st.sampled_from((*_EMBED, 'body')), factories, min_size=1, max_size=4))
def test_any_embeddings_arguments(arguments: dict[str, Factory], colour: Colour, watch: Watch) -> None:
    """Any value as any argument of `embed()`."""
    check_nothing_changes(watch, Call(colour, 'embed', whole(VECTORS), lambda: _made(arguments)))
