"""What a type checker sees: `make typecheck` reads this file, and a test runs it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager

from azure.ai.inference import ChatCompletionsClient, EmbeddingsClient, aio
from azure.ai.inference.models import ChatCompletions, StreamingChatCompletionsUpdate, UserMessage
from azure.core.credentials import AzureKeyCredential
from typing_extensions import assert_type

import logfire
from logfire.testing.azure_ai_inference import AzureAIInferenceEndpoint, chat_reply, stream_reply


def test_the_clients_own_types_stay() -> None:
    """An instrumented client has its own overloads, and the targets are typed as what they are."""
    logfire.configure(send_to_logfire=False, console=False)
    with AzureAIInferenceEndpoint() as endpoint:
        endpoint.reply(chat_reply('a'), stream_reply(['a']))
        with ChatCompletionsClient(endpoint.url, AzureKeyCredential(endpoint.key)) as client:
            undo = logfire.instrument_azure_ai_inference(client)
            assert_type(undo, AbstractContextManager[None])
            with undo:
                reply = client.complete(messages=[UserMessage('Hi')])
                assert_type(reply, ChatCompletions)
                stream = client.complete(messages=[UserMessage('Hi')], stream=True)
                assert_type(stream, Iterable[StreamingChatCompletionsUpdate])
                assert len(list(stream)) == 2
    for target in (None, EmbeddingsClient, aio.ChatCompletionsClient, [ChatCompletionsClient, aio.EmbeddingsClient]):
        with logfire.instrument_azure_ai_inference(target):
            pass
