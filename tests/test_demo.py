"""`python -m logfire demo`, from outside and piece by piece."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import ChatCompletions
from azure.core.credentials import AzureKeyCredential
from rich.cells import cell_len

from logfire._internal import demo_model
from logfire._internal.demo import DemoError, Target, read_target, run
from logfire.testing.azure_ai_inference import (
    AzureAIInferenceEndpoint,
    RecordedRequest,
    Reply,
    chat_reply,
    default_reply,
    error_reply,
    raw_reply,
    stream_reply,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import FileIO

TITLES = ['Chat', 'Tools', 'Streaming', 'A dropped stream', 'Async', 'Embeddings', 'A refused call']


def demo(environ: Mapping[str, str] | None = None, before: str = '') -> subprocess.CompletedProcess[str]:
    """Run the demo in a process of its own, after some code, with a model that speaks faster."""
    return subprocess.run(
        [sys.executable, '-c', program(before)],
        env={**environment(), **(environ or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def program(before: str = '') -> str:
    fast = 'from logfire._internal import demo_model as model; model._THINKS_S = model._SPEAKS_S = 0.01'
    return f"import sys\n{before}\n{fast}\nfrom logfire.__main__ import main\nsys.exit(main(['demo']))"


def environment() -> dict[str, str]:
    mine = ('AZURE_AI_', 'LOGFIRE_', 'OTEL_')
    return {name: value for name, value in os.environ.items() if not name.startswith(mine)}


def titles(stdout: str) -> list[str]:
    return [line[4:-4] for line in stdout.splitlines() if line.startswith('--- ')]


def test_demo() -> None:
    """The demo plays every scene against its own endpoint, shows the spans, and ends well with nothing on stderr."""
    result = demo()
    assert (result.returncode, result.stderr) == (0, '')
    assert titles(result.stdout) == TITLES
    for text in [
        'get_weather Lisbon',
        'chat gpt-4o',
        'stream abandoned',
        'error content_filter',
        'Lisbon: warm in October',
        'lunch in a tasca',
        'Porto: go for the river',
        'embeddings text-embedding-3-small',
        '3 texts became vectors of 8 numbers each',
        'Caught HttpResponseError: status 400, code content_filter.',
        'What you saw',
        'Next steps',
    ]:
        assert text in result.stdout, text
    assert 'Left out' not in result.stdout
    assert 'The Coach Museum' not in result.stdout


def test_demo_in_a_terminal() -> None:
    """In a terminal of 80 columns every line fits: none is broken inside a word."""
    terminal, its_end = pty.openpty()
    with os.fdopen(its_end, 'w') as stdout:
        process = subprocess.Popen(
            [sys.executable, '-c', program()],
            env={**environment(), 'COLUMNS': '80', 'TERM': 'dumb'},
            stdout=stdout,
            stderr=subprocess.PIPE,
        )
    with process, os.fdopen(terminal, 'rb', buffering=0) as screen:
        shown = b''.join(iter(lambda: read_terminal(screen), b'')).decode()
    assert process.returncode == 0
    lines = [line.rstrip() for line in shown.split('\r\n')]
    assert [line for line in lines if cell_len(line) > 80] == []
    assert 'Day one: take tram 28 up to Alfama, lunch in a tasca, sunset at Miradouro da' in lines
    assert 'Graca. Day two: walk the river to Belem, see the tower early, and queue for' in lines


def read_terminal(screen: FileIO) -> bytes:
    """What was written, nothing when the last writer has gone: Linux calls that an error."""
    try:
        return screen.read(4096) or b''
    except OSError:
        return b''


def test_demo_without_aiohttp() -> None:
    """Without aiohttp the async scene is left out, and the demo says so."""
    result = demo(before="sys.modules['aiohttp'] = None")
    assert (result.returncode, result.stderr) == (0, '')
    assert titles(result.stdout) == [title for title in TITLES if title != 'Async']
    assert 'Async clients: they need aiohttp (pip install aiohttp).' in result.stdout


def test_demo_against_a_real_endpoint() -> None:
    """With a chat endpoint in the environment the demo calls it, with its key and model, and says what it left out."""

    def answer(request: RecordedRequest) -> Reply:
        if request.headers['api-key'] != 'its-key':
            return error_reply(401, message='Access denied.')
        if 'tools' in request.json:
            return chat_reply('No need for a tool.')
        if request.json.get('stream'):
            return stream_reply(['Just ', 'one.'], usage=(1, 1))
        return demo_model.answer(request)

    with AzureAIInferenceEndpoint(answer) as endpoint:
        result = demo(
            {
                'AZURE_AI_CHAT_ENDPOINT': f'{endpoint.url}/models',
                'AZURE_AI_CHAT_KEY': 'its-key',
                'AZURE_AI_CHAT_MODEL': 'phi-4',
            }
        )
        assert (result.returncode, result.stderr) == (0, '')
        assert titles(result.stdout) == [title for title in TITLES if title != 'Embeddings']
        assert f'\n{endpoint.url}/models\n' in result.stdout
        assert 'No need for a tool.' in result.stdout
        assert 'Embeddings: set AZURE_AI_EMBEDDINGS_ENDPOINT and AZURE_AI_EMBEDDINGS_KEY' in result.stdout
        assert 'status 401, code Unauthorized' in result.stdout
        assert {request.json['model'] for request in endpoint.requests} == {'phi-4'}
        assert {request.path for request in endpoint.requests} == {'/models/chat/completions'}


def test_demo_against_an_endpoint_that_takes_any_key() -> None:
    """Real embeddings are called when they are named too; an endpoint that refuses nothing does not stop the demo."""
    with AzureAIInferenceEndpoint() as endpoint:
        result = demo(
            {
                'AZURE_AI_CHAT_ENDPOINT': endpoint.url,
                'AZURE_AI_CHAT_KEY': 'k',
                'AZURE_AI_EMBEDDINGS_ENDPOINT': endpoint.url,
                'AZURE_AI_EMBEDDINGS_KEY': 'k',
            }
        )
        assert (result.returncode, result.stderr) == (0, '')
        assert titles(result.stdout) == TITLES
        assert 'nothing was refused' in result.stdout
        assert 'Left out' not in result.stdout
        assert 'model' not in endpoint.requests[0].json


@pytest.mark.parametrize(
    'reply',
    [
        error_reply(404, message='No such deployment.'),
        raw_reply(200, b'<html>', headers={'content-type': 'text/html'}),
        stream_reply([b'data: {\n\n']),
    ],
    ids=['an error', 'not JSON', 'a stream that is not JSON'],
)
def test_demo_against_an_endpoint_that_fails(reply: Reply) -> None:
    """An endpoint that fails, or is no such endpoint, ends the demo with one clear message and no traceback."""

    def answer(request: RecordedRequest) -> Reply:
        streams = reply.headers.get('content-type', '').startswith('text/event-stream')
        return reply if request.json.get('stream') or not streams else default_reply(request)

    with AzureAIInferenceEndpoint(answer) as endpoint:
        result = demo({'AZURE_AI_CHAT_ENDPOINT': endpoint.url, 'AZURE_AI_CHAT_KEY': 'k'})
    assert result.returncode == 1
    assert result.stderr.startswith('logfire demo: the endpoint did not answer as hoped: ')
    assert 'Traceback' not in result.stderr


def test_read_target() -> None:
    """Endpoint and key together name a target; a model may; an empty variable is no variable."""
    assert read_target({}, 'CHAT') is None
    both = {'AZURE_AI_CHAT_ENDPOINT': 'http://host', 'AZURE_AI_CHAT_KEY': 'k'}
    assert read_target({**both, 'AZURE_AI_CHAT_MODEL': ''}, 'CHAT') == Target('http://host', 'k', None)
    assert read_target({**both, 'AZURE_AI_CHAT_MODEL': 'm'}, 'CHAT') == Target('http://host', 'k', 'm')
    assert read_target(both, 'EMBEDDINGS') is None
    with pytest.raises(DemoError, match='AZURE_AI_EMBEDDINGS_ENDPOINT is missing: AZURE_AI_EMBEDDINGS_KEY is set'):
        read_target({'AZURE_AI_EMBEDDINGS_KEY': 'k'}, 'EMBEDDINGS')


def test_half_a_target(capsys: pytest.CaptureFixture[str]) -> None:
    """An endpoint without its key is told before anything is called."""
    assert run({'AZURE_AI_CHAT_ENDPOINT': 'http://host', 'AZURE_AI_CHAT_KEY': ''}) == 1
    output = capsys.readouterr()
    assert output.out == ''
    assert output.err.startswith('logfire demo: AZURE_AI_CHAT_KEY is missing: AZURE_AI_CHAT_ENDPOINT is set.')


def test_model_answers_other_questions() -> None:
    """A question that is not the demo's gets the endpoint's default answer."""
    body: dict[str, Any] = {'messages': [{'role': 'user', 'content': 'Who?'}]}
    with (
        AzureAIInferenceEndpoint(demo_model.answer) as endpoint,
        ChatCompletionsClient(endpoint.url, AzureKeyCredential('k')) as client,
    ):
        result = client.complete(body)
        assert isinstance(result, ChatCompletions)
        assert result.choices[0].message.content == 'You said: Who?'
        assert client.get_model_info().model_name == 'gpt-4o'
