"""The console view of a language model's call."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import SpanKind
from rich.cells import cell_len

from logfire._internal.exporters import console_calls
from tests.exporters.scene import Scene, message, text

pytestmark = pytest.mark.usefixtures('plain_environment')

GPT = {'gen_ai.request.model': 'gpt-4o'}
QUESTION = {**GPT, 'gen_ai.input.messages': [message('system', 'Be brief.'), message('user', 'Weather in Paris?')]}
ANSWER = {
    'gen_ai.response.model': 'gpt-4o-2024-08-06',
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.usage.input_tokens': 1812,
    'gen_ai.usage.output_tokens': 96,
    'gen_ai.response.time_to_first_chunk': 0.3123,
    'operation.cost': 0.00123,
    'gen_ai.output.messages': [message('assistant', 'Sunny, 21 °C.', finish_reason='stop')],
}
CALL = {'type': 'tool_call', 'id': 'call-1', 'name': 'get_weather', 'arguments': {'city': 'Paris', 'days': [1, None]}}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def head(request: dict[str, Any], response: dict[str, Any] | None = None, **options: Any) -> str:
    """The head line of a call, without its time."""
    scene = Scene(include_timestamps=False, span_style='simple', verbose=options.pop('verbose', False))
    scene.call(request, response, **options)
    return scene.text.split('\n')[0]


def rows(request: dict[str, Any], response: dict[str, Any] | None = None, **options: Any) -> str:
    """What is below the head line of a call."""
    scene = Scene(include_timestamps=False, span_style='simple', verbose=options.pop('verbose', False))
    scene.call(request, response, **options)
    return scene.text.partition('\n')[2]


def asked(*parts: dict[str, Any] | str, role: str = 'user', **options: Any) -> str:
    """How one message that was sent is shown."""
    return rows({**GPT, 'gen_ai.input.messages': [message(role, *parts)]}, **options)


def test_show_parents() -> None:
    """A call is a line when it starts and, when it ends, a block below its parent: what it took, then who said what."""
    scene = Scene(span_style='show-parents')
    with scene.span('answer') as outer:
        scene.call(QUESTION, ANSWER, below=outer)
        scene.log('done', below=outer)
    assert scene.text == snapshot("""\
00:00:01.000 answer
00:00:02.000   chat gpt-4o …
00:00:03.240   chat gpt-4o  1.24s  first chunk 0.31s  1,812 → 96 tokens  $0.0012  stop
               │ system     Be brief.
               │ user       Weather in Paris?
               ┃ assistant  Sunny, 21 °C.
00:00:04.240   done
""")


@pytest.mark.parametrize('style', ['simple', 'indented'])
def test_flat_styles(style: str) -> None:
    """`simple` and `indented` show a call once, when it has ended."""
    scene = Scene(span_style=style)
    with scene.span('answer') as outer:
        scene.call(QUESTION, ANSWER, below=outer)
    indent = '  ' if style == 'indented' else ''
    assert scene.text.split('\n') == [
        '00:00:01.000 answer',
        f'00:00:03.240 {indent}chat gpt-4o  1.24s  first chunk 0.31s  1,812 → 96 tokens  $0.0012  stop',
        f'             {indent}│ system     Be brief.',
        f'             {indent}│ user       Weather in Paris?',
        f'             {indent}┃ assistant  Sunny, 21 °C.',
        '',
    ]


def test_interleaved() -> None:
    """A call that ends while another trace is in sight repeats its parent above its block."""
    scene = Scene(span_style='show-parents', include_timestamps=False)
    a = scene.start('A')
    call = scene.start('x', below=a, kind=SpanKind.CLIENT, attributes={'gen_ai.operation.name': 'chat', **GPT})
    inner = scene.start('inside the call', below=call)
    scene.end(inner)
    with scene.span('B'):
        scene.end(call)
    assert scene.text == snapshot("""\
A
  chat gpt-4o …
    inside the call
B
A
  chat gpt-4o  4.00s
""")


CHAT: dict[str, Any] = {'kind': SpanKind.CLIENT, 'attributes': {'gen_ai.operation.name': 'chat', **GPT}}


def test_calls_at_the_same_time() -> None:
    """Of several calls of one model that are open together each has its number, when it starts and when it ends."""
    scene = Scene(include_timestamps=False)
    first = scene.start('x', **CHAT)
    second = scene.start('x', **CHAT)
    other = scene.start('x', kind=SpanKind.CLIENT, attributes={'gen_ai.operation.name': 'embeddings', **GPT})
    third = scene.start('x', **CHAT)
    scene.end(second)
    again = scene.start('x', **CHAT)
    for span in (first, other, third, again):
        scene.end(span)
    scene.call(GPT)
    assert scene.text == snapshot("""\
chat gpt-4o …
chat gpt-4o #2 …
embeddings gpt-4o …
chat gpt-4o #3 …
chat gpt-4o #2  3.00s
chat gpt-4o #2 …
chat gpt-4o  6.00s
embeddings gpt-4o  5.00s
chat gpt-4o #3  5.00s
chat gpt-4o #2  4.00s
chat gpt-4o …
chat gpt-4o  1.24s
""")


def test_numbers_of_calls_are_coloured() -> None:
    """A number has the same colour when the call starts and when it ends, and its neighbours have others."""
    scene = Scene(include_timestamps=False, colors='always')
    calls = [scene.start('x', **CHAT) for _ in range(3)]
    for span in calls:
        scene.end(span)
    numbers = re.findall(r'\x1b\[([0-9;]+)m #([0-9])', scene.text)
    assert numbers == [('1;35', '2'), ('1;34', '3')] * 2


@pytest.mark.parametrize('style', ['simple', 'indented'])
def test_calls_whose_start_is_not_shown_have_no_numbers(style: str) -> None:
    """Without start lines there is nothing to tell apart: each block says what it belongs to."""
    scene = Scene(include_timestamps=False, span_style=style)
    calls = [scene.start('x', **CHAT) for _ in range(2)]
    for span in calls:
        scene.end(span)
    assert scene.text == 'chat gpt-4o  2.00s\nchat gpt-4o  2.00s\n'


def test_calls_that_never_end_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of calls that never end a bounded number is kept; the number of a forgotten one is free again."""
    monkeypatch.setattr(console_calls, 'MAX_OPEN_CALLS', 2)
    scene = Scene(include_timestamps=False)
    for _ in range(3):
        scene.start('x', **CHAT)
    assert scene.text == 'chat gpt-4o …\nchat gpt-4o #2 …\nchat gpt-4o …\n'


def test_without_content() -> None:
    """A call recorded without content is its head line alone."""
    content = ('gen_ai.input.messages', 'gen_ai.output.messages')
    response = {name: value for name, value in ANSWER.items() if name not in content}
    assert rows(GPT, response) == ''
    assert head(GPT, response) == 'chat gpt-4o  1.24s  first chunk 0.31s  1,812 → 96 tokens  $0.0012  stop'


def test_colours() -> None:
    """The model is bold, roles have colours, thoughts are dim, tool calls yellow; the bar of the answer is green."""
    scene = Scene(colors='always', include_timestamps=False)
    answer = message('assistant', {'type': 'reasoning', 'content': 'Hm.'}, CALL, 'Wait.')
    scene.call(
        QUESTION,
        {'gen_ai.response.finish_reasons': ['stop'], 'operation.cost': 0.25, 'gen_ai.output.messages': [answer]},
    )
    assert scene.text.split('\n') == snapshot(
        [
            'chat \x1b[1mgpt-4o\x1b[0m\x1b[2m …\x1b[0m',
            'chat \x1b[1mgpt-4o\x1b[0m  \x1b[36m1.24s\x1b[0m  \x1b[2m$0.25\x1b[0m  \x1b[2mstop\x1b[0m',
            '\x1b[34m│\x1b[0m\x1b[35m system     \x1b[0mBe brief.',
            '\x1b[34m│\x1b[0m\x1b[36m user       \x1b[0mWeather in Paris?',
            '\x1b[32m┃\x1b[0m\x1b[32m assistant  \x1b[0m\x1b[2m(thinking) Hm.\x1b[0m',
            "\x1b[32m┃\x1b[0m            \x1b[33mget_weather(city='Paris', days=[1, None])\x1b[0m",
            '\x1b[32m┃\x1b[0m            Wait.',
            '',
        ]
    )


def test_colours_of_a_failure() -> None:
    """A call that failed is red: its head, what went wrong, and the bar before it."""
    scene = Scene(colors='always', include_timestamps=False, span_style='simple')
    scene.call(GPT, {'error.type': 'RateLimitReached'}, error='HttpResponseError: slow down')
    assert scene.text.split('\n') == snapshot(
        [
            '\x1b[31mchat\x1b[0m \x1b[1;31mgpt-4o\x1b[0m  \x1b[36m1.24s\x1b[0m  \x1b[31merror RateLimitReached\x1b[0m',
            '\x1b[31m┃\x1b[0m\x1b[1;31m error      \x1b[0m\x1b[31mHttpResponseError: slow down\x1b[0m',
            '',
        ]
    )


@pytest.mark.parametrize(
    ('seconds', 'shown'),
    [(0.0042, '4.2ms'), (0.31, '0.31s'), (9.994, '9.99s'), (12.34, '12.3s'), (99.94, '99.9s'), (125.2, '2m 05s')],
)
def test_durations(seconds: float, shown: str) -> None:
    """Durations have three digits, and minutes when they are long."""
    assert head(GPT, seconds=seconds) == f'chat gpt-4o  {shown}'


@pytest.mark.parametrize(
    ('cost', 'shown'),
    [(0, '$0.00'), (0.00001234, '$0.000012'), (0.0012, '$0.0012'), (0.25, '$0.25'), (12.5, '$12.50')],
)
def test_costs(cost: float, shown: str) -> None:
    """Costs have two significant digits, and always cents."""
    assert head(GPT, {'operation.cost': cost}) == f'chat gpt-4o  1.24s  {shown}'


@pytest.mark.parametrize(
    ('asked', 'answered', 'shown'),
    [(812, 96, '812 → 96 tokens'), (12_345, None, '12,345 tokens'), (None, 96, '→ 96 tokens'), (0, 0, '0 → 0 tokens')],
)
def test_tokens(asked: int | None, answered: int | None, shown: str) -> None:
    """Tokens read from what was sent to what came back, as far as the service reported them."""
    usage = {'gen_ai.usage.input_tokens': asked, 'gen_ai.usage.output_tokens': answered}
    response = {name: value for name, value in usage.items() if value is not None}
    assert head(GPT, response) == f'chat gpt-4o  1.24s  {shown}'


def test_verbose_tokens() -> None:
    """`verbose` also tells how many tokens came from the cache and went into reasoning."""
    response = {
        **ANSWER,
        'gen_ai.usage.cache_read.input_tokens': 1024,
        'gen_ai.usage.reasoning.output_tokens': 64,
    }
    assert '1,812 (1,024 cached) → 96 (64 reasoning) tokens' in head(GPT, response, verbose=True)
    assert '1,812 → 96 tokens' in head(GPT, response)


@pytest.mark.parametrize(
    ('response', 'shown'),
    [
        ({'gen_ai.response.finish_reasons': ['stop', 'length', 'stop']}, 'stop, length'),
        ({'gen_ai.response.finish_reasons': ['a\x1b[31m\nb']}, 'a\\x1b[31m\\nb'),
        ({'gen_ai.response.finish_reasons': 'content_filter'}, 'content_filter'),
        ({'http.request.resend_count': 1}, '1 retry'),
        ({'http.request.resend_count': 2}, '2 retries'),
        ({'logfire.stream.outcome': 'abandoned'}, 'stream abandoned'),
        ({'logfire.stream.outcome': 'truncated', 'logfire.level_num': 13}, 'stream truncated'),
    ],
)
def test_facts(response: dict[str, Any], shown: str) -> None:
    """Finish reasons, retries, and how a stream ended if not as it should, are on the head line."""
    assert head(GPT, response) == f'chat gpt-4o  1.24s  {shown}'


def test_a_completed_stream_says_nothing_of_it() -> None:
    """A stream that came to its end looks like any answer."""
    assert head(GPT, {'logfire.stream.outcome': 'completed'}) == 'chat gpt-4o  1.24s'


@pytest.mark.parametrize(
    ('response', 'description', 'shown', 'row'),
    [
        (
            {'error.type': 'content_filter'},
            'HttpResponseError: no\nCode: x',
            'error content_filter',
            'HttpResponseError: no',
        ),
        ({'error.type': 'ValueError'}, 'ValueError', 'error ValueError', None),
        ({'error.type': 'ValueError'}, '', 'error ValueError', None),
        (
            {'error.type': 'KeyError', 'logfire.stream.outcome': 'error'},
            "KeyError: 'x'",
            'stream error  KeyError',
            "KeyError: 'x'",
        ),
        (
            {'error.type': 'asyncio.CancelledError', 'logfire.stream.outcome': 'cancelled'},
            'CancelledError',
            'stream cancelled',
            None,
        ),
    ],
)
def test_errors(response: dict[str, Any], description: str, shown: str, row: str | None) -> None:
    """A failure is named on the head line, and the first line of what it said is below, if that says more."""
    assert head(GPT, response, error=description) == f'chat gpt-4o  1.24s  {shown}'
    assert rows(GPT, response, error=description) == (f'┃ error      {row}\n' if row else '')


def test_verbose_errors() -> None:
    """`verbose` shows all lines of an error."""
    assert '┃ error      Error: one\n┃            two\n' in rows(GPT, error='Error: one\ntwo', verbose=True)


def test_min_log_level() -> None:
    """With a higher minimum level only calls that failed are shown, even if nobody set their level."""
    scene = Scene(min_log_level='error', include_timestamps=False)
    scene.call(QUESTION, ANSWER)
    scene.call(GPT, {'error.type': 'ValueError'}, error='ValueError: bad')
    assert scene.text == 'chat gpt-4o  1.24s  error ValueError\n┃ error      ValueError: bad\n'


def test_tags() -> None:
    """Tags are on the head line, except `LLM` that every call has, and not without `include_tags`."""
    assert head(GPT, tags=['nightly']) == 'chat gpt-4o  1.24s  [nightly]'
    scene = Scene(include_timestamps=False, include_tags=False, span_style='simple')
    scene.call(GPT, tags=['nightly'])
    assert scene.text == 'chat gpt-4o  1.24s\n'


def test_without_a_model() -> None:
    """A call of an unknown model is shown by its operation."""
    assert head({}) == 'chat  1.24s'


def test_only_calls_to_models_are_blocks() -> None:
    """A span that carries GenAI attributes but calls no model (an agent's, a tool's) is shown as any span."""
    scene = Scene(include_timestamps=False)
    with scene.span('run agent', attributes={'gen_ai.operation.name': 'invoke_agent', **GPT}):
        pass
    assert scene.text == 'run agent\n'


def test_new_messages_only() -> None:
    """Of a conversation, what was said since the model last spoke is shown, and how much came before."""
    history = [
        message('system', 'Be brief.'),
        message('user', 'Weather in Paris?'),
        message('assistant', CALL),
        message('tool', {'type': 'tool_call_response', 'id': 'call-1', 'response': '{"sky":"clear"}'}),
    ]
    assert rows({**GPT, 'gen_ai.input.messages': history}) == snapshot("""\
│            … 3 earlier messages
│ tool       get_weather → {"sky":"clear"}
""")
    assert rows({**GPT, 'gen_ai.input.messages': history[2:]}) == snapshot("""\
│            … 1 earlier message
│ tool       get_weather → {"sky":"clear"}
""")


def test_last_messages_only() -> None:
    """Of many new messages the last four are shown."""
    history = [message('user', f'number {number}') for number in range(1, 7)]
    assert rows({**GPT, 'gen_ai.input.messages': history}) == snapshot("""\
│            … 2 earlier messages
│ user       number 3
│ user       number 4
│ user       number 5
│ user       number 6
""")


def test_verbose_messages() -> None:
    """`verbose` shows the conversation, what was asked for besides, and what the service said of its answer."""
    request = {
        **GPT,
        'gen_ai.provider.name': 'azure.ai.inference',
        'server.address': 'example.com',
        'gen_ai.request.temperature': 0.2,
        'gen_ai.request.stop_sequences': ['\n', 'é'],
        'gen_ai.tool.definitions': [{'type': 'function', 'name': 'get_weather'}, {'type': 'function', 'name': 'b'}],
        'gen_ai.input.messages': [message('user', 'One?'), message('assistant', '1'), message('user', 'Two?')],
        'code.filepath': 'app.py',
        'code.lineno': 7,
    }
    response = {**ANSWER, 'http.response.status_code': 200, 'gen_ai.response.id': 'chatcmpl-1'}
    assert rows(request, response, verbose=True) == snapshot("""\
│ app.py:7
│ request    provider=azure.ai.inference  server=example.com  temperature=0.2  stop=["\\n", "é"]  tools=get_weather,b
┃ response   model=gpt-4o-2024-08-06  id=chatcmpl-1  status=200
│ user       One?
│ assistant  1
│ user       Two?
┃ assistant  Sunny, 21 °C.
""")


@pytest.mark.parametrize(
    ('arguments', 'shown'),
    [
        ({'city': 'Paris', 'days': [1, None]}, "f(city='Paris', days=[1, None])"),
        ({}, 'f()'),
        (None, 'f()'),
        ('{"ci', 'f({"ci)'),
        ([1, 'é'], 'f([1, "é"])'),
        ({'not a name': 1}, "f(**{'not a name': 1})"),
        ({'text': '\x1b[31m'}, "f(text='\\x1b[31m')"),
    ],
)
def test_tool_calls(arguments: Any, shown: str) -> None:
    """A tool call reads like a call in Python, whatever the model made of its arguments."""
    part = {'type': 'tool_call', 'name': 'f', 'arguments': arguments}
    answer = {'gen_ai.output.messages': [message('assistant', part)]}
    assert rows(GPT, answer) == f'┃ assistant  {shown}\n'


@pytest.mark.parametrize(
    ('part', 'shown'),
    [
        (text('hello'), 'hello'),
        (text(''), '(empty)'),
        ({'type': 'reasoning', 'content': 'Hm.'}, '(thinking) Hm.'),
        ({'type': 'tool_call_response', 'response': {'a': 'é'}}, '{"a": "é"}'),
        (
            {'type': 'tool_call_response', 'response': [text('one'), {'type': 'uri', 'modality': 'image', 'uri': 'u'}]},
            'one [image u]',
        ),
        ({'type': 'tool_call_response', 'id': 'of no call', 'response': 'fine'}, 'fine'),
        ({'type': 'uri', 'modality': 'image', 'uri': 'https://example.com/a.png'}, '[image https://example.com/a.png]'),
        (
            {'type': 'blob', 'modality': 'image', 'mime_type': 'image/png', 'content': 'AAAA' * 11_333},
            '[image/png 34 KB]',
        ),
        ({'type': 'blob', 'modality': 'audio', 'content': 'AAAAAA=='}, '[audio 4 B]'),
        ({'type': 'blob', 'modality': 'image', 'content': '', 'size': 2_400_000}, '[image 2 MB]'),
        ({'type': 'blob', 'modality': 'video', 'content': '', 'size': 4_000_000_000}, '[video 4 GB]'),
        ({'type': 'refusal', 'content': 'No.'}, '[refusal] No.'),
        ({'type': 'file', 'file_id': 'f-1'}, '[file] {"file_id": "f-1"}'),
        ({'type': 'text', 'content': 5}, '[text] {"content": 5}'),
        ({}, '[None] {}'),
    ],
)
def test_parts(part: dict[str, Any], shown: str) -> None:
    """Each kind of part is readable; binary content is its kind and size; one of an unknown kind is shown as it is."""
    assert asked(part) == f'│ user       {shown}\n'


def test_long_messages_have_few_parts() -> None:
    """Of a message with many parts the first are shown, and how many there are more."""
    assert asked(*[str(number) for number in range(8)]) == snapshot("""\
│ user       0
│            1
│            2
│            3
│            4
│            5
│            … 2 more
""")


def test_messages_without_parts_and_with_names() -> None:
    """A message that says nothing still shows who said it; a participant's name stands beside the role."""
    history = [message('user', name='alice'), message('user', 'Hi.', name='a' * 50), {'role': 'developer'}]
    assert rows({**GPT, 'gen_ai.input.messages': history}) == snapshot("""\
│ user alice            (empty)
│ user aaaaaaaaaaaaaaa  Hi.
│ developer             (empty)
""")


def test_choices() -> None:
    """Several choices are numbered."""
    answer = {'gen_ai.output.messages': [message('assistant', 'Heads.'), message('assistant', 'Tails.')]}
    assert rows(GPT, answer) == '┃ assistant 1  Heads.\n┃ assistant 2  Tails.\n'


def test_long_text() -> None:
    """Long text is shortened in the middle, between words, and the number of characters left out is told."""
    story = ' '.join(f'word{number}' for number in range(200))
    shown = asked(story)
    cut = re.fullmatch(r'│ user       (.+) \[… ([0-9,]+) characters …\] (.+)\n', shown)
    assert cut is not None
    assert story.startswith(f'{cut[1]} ')
    assert story.endswith(f' {cut[3]}')
    assert len(cut[1]) + len(cut[3]) + int(cut[2].replace(',', '')) == len(story)


def test_many_lines() -> None:
    """Text of many lines keeps its first and last ones."""
    assert asked('\n'.join(f'line {number}' for number in range(20))) == snapshot("""\
│ user       line 0
│            line 1
│            line 2
│            line
│            [… 114 characters …]
│            18
│            line 19
""")


def test_verbose_shows_more_of_long_text() -> None:
    """`verbose` shows ten times as much."""
    story = 'word ' * 500
    assert 'characters' in asked(story)
    assert asked(story, verbose=True) == f'│ user       {story.strip()}\n'


def test_text_is_shown_line_by_line() -> None:
    """Lines of a message stand below each other; empty ones are just the bar, tabs are spaces."""
    assert asked('one\n\n\ttwo\r\nthree\n') == '│ user       one\n│\n│                two\n│            three\n'


def test_control_characters_are_shown_not_sent() -> None:
    """What a model says cannot act on the terminal, wherever it stands."""
    evil = '\x1b[2J\x07\u202e\x00\ud800'
    scene = Scene(include_timestamps=False)
    scene.call(
        {'gen_ai.request.model': evil, 'gen_ai.input.messages': [message(evil, evil, {'type': evil}, name=evil)]},
        {
            'error.type': evil,
            'logfire.stream.outcome': evil,
            'gen_ai.output.messages': [
                message('assistant', {'type': 'tool_call', 'name': evil, 'arguments': evil}, text(evil)),
                message('tool', {'type': 'tool_call_response', 'response': evil}),
                message('tool', {'type': 'uri', 'modality': evil, 'uri': evil}),
                message('tool', {'type': 'blob', 'mime_type': evil, 'content': evil}),
            ],
        },
        tags=[evil],
        error=evil,
    )
    written = scene.text
    assert written.count('\\x1b[2J\\x07\\u202e\\x00\\ud800') >= 12
    assert all(character.isprintable() or character == '\n' for character in written)


@pytest.mark.parametrize('value', ['not JSON', '{}', '[1, null, "x"]', '5', ''])
def test_attributes_of_another_shape(value: str) -> None:
    """Messages that are not what they should be are as absent: the head line is shown."""
    attributes = {'gen_ai.input.messages': value, 'gen_ai.output.messages': value}
    assert rows({**GPT, **attributes}) == ''


def test_attributes_of_another_type() -> None:
    """Messages that are not text at all are as absent."""
    scene = Scene(include_timestamps=False, span_style='simple')
    span = scene.start(
        'x', kind=SpanKind.CLIENT, attributes={'gen_ai.operation.name': 'chat', 'gen_ai.input.messages': ('a', 'b')}
    )
    scene.end(span)
    assert scene.text == 'chat  1.00s\n'


def test_numbers_of_another_type() -> None:
    """A count, a time or a cost that is no number is as absent."""
    odd = {'gen_ai.usage.input_tokens': '8', 'operation.cost': float('nan'), 'gen_ai.response.time_to_first_chunk': 'x'}
    assert head(GPT, odd) == 'chat gpt-4o  1.24s'


def test_surrogates_in_messages() -> None:
    """Messages with a lone surrogate, which some JSON readers refuse, are shown."""
    messages = json.dumps([message('user', 'half \ud83d')])
    assert '\\ud83d' in messages
    assert rows({**GPT, 'gen_ai.input.messages': messages}) == '│ user       half \\ud83d\n'


EMBEDDINGS = {'gen_ai.operation.name': 'embeddings', 'gen_ai.request.model': 'embed-3'}


@pytest.mark.parametrize(
    ('inputs', 'dimensions', 'shown'),
    [
        (3, 1536, '3 inputs \N{MULTIPLICATION SIGN} 1,536'),
        (1, 256, '1 input \N{MULTIPLICATION SIGN} 256'),
        (2, None, '2 inputs'),
        (0, 1536, '1,536 dimensions'),
    ],
)
def test_embeddings(inputs: int, dimensions: int | None, shown: str) -> None:
    """A call for embeddings tells how many inputs became vectors of what length, as far as is known."""
    request: dict[str, Any] = {**EMBEDDINGS}
    if inputs:
        request['gen_ai.input.messages'] = [message('user', *['text'] * inputs)]
    if dimensions:
        request['gen_ai.embeddings.dimension.count'] = dimensions
    assert head(request, {'gen_ai.usage.input_tokens': 8}) == f'embeddings embed-3  1.24s  8 tokens  {shown}'


def test_embedded_inputs() -> None:
    """The first few inputs of a call for embeddings are shown."""
    request = {**EMBEDDINGS, 'gen_ai.input.messages': [message('user', 'one', 'two', 'three', 'four', 'five')]}
    assert rows(request) == snapshot("""\
│ input      one
│            two
│            three
│            … 2 more
""")


LONG = {
    **QUESTION,
    'gen_ai.input.messages': [
        message('user', 'How is the weather in Paris today, and should I take an umbrella with me tonight?')
    ],
}
LONG_ANSWER = {
    **ANSWER,
    'gen_ai.output.messages': [
        message(
            'assistant',
            'Yes.\n\n今日のパリは雨です。夕方から夜にかけて強く降りますから、傘を持って行ってください。🌂 https://example.com/'
            + 'x' * 60,
        )
    ],
}


def on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, **options: Any) -> str:
    monkeypatch.setenv('COLUMNS', str(columns))
    output = Terminal()
    scene = Scene(stream=output, colors='never', **options)
    with scene.span('answer') as outer:
        scene.call(LONG, LONG_ANSWER, below=outer)
    return output.getvalue()


def test_a_terminal_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, text is wrapped beside its label, by words and by the width of characters."""
    assert on_terminal(monkeypatch, 80) == snapshot("""\
00:00:01.000 answer
00:00:02.000   chat gpt-4o …
00:00:03.240   chat gpt-4o  1.24s  first chunk 0.31s  1,812 → 96 tokens  $0.0012
                 stop
               │ user       How is the weather in Paris today, and should I take
               │            an umbrella with me tonight?
               ┃ assistant  Yes.
               ┃
               ┃            今日のパリは雨です。夕方から夜にかけて強く降りますか
               ┃            ら、傘を持って行ってください。🌂 https://example.com
               ┃            /xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
               ┃            xxxxxxxxx
""")


def test_a_wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wide terminal is used."""
    assert on_terminal(monkeypatch, 200) == snapshot("""\
00:00:01.000 answer
00:00:02.000   chat gpt-4o …
00:00:03.240   chat gpt-4o  1.24s  first chunk 0.31s  1,812 → 96 tokens  $0.0012  stop
               │ user       How is the weather in Paris today, and should I take an umbrella with me tonight?
               ┃ assistant  Yes.
               ┃
               ┃            今日のパリは雨です。夕方から夜にかけて強く降りますから、傘を持って行ってください。🌂 https://example.com/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
""")


def test_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a narrow terminal the text is below its label."""
    assert on_terminal(monkeypatch, 40) == snapshot("""\
00:00:01.000 answer
00:00:02.000   chat gpt-4o …
00:00:03.240   chat gpt-4o  1.24s
            first chunk 0.31s
            1,812 → 96 tokens  $0.0012
            stop
          │ user
          │   How is the weather in
          │   Paris today, and should I
          │   take an umbrella with me
          │   tonight?
          ┃ assistant
          ┃   Yes.
          ┃
          ┃   今日のパリは雨です。夕方か
          ┃   ら夜にかけて強く降りますか
          ┃   ら、傘を持って行ってくださ
          ┃   い。🌂 https://example.com
          ┃   /xxxxxxxxxxxxxxxxxxxxxxxxx
          ┃   xxxxxxxxxxxxxxxxxxxxxxxxxx
          ┃   xxxxxxxxx
""")


@pytest.mark.parametrize('columns', [40, 60, 80, 120, 200])
@pytest.mark.parametrize('verbose', [False, True])
def test_no_line_is_wider_than_the_terminal(columns: int, verbose: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What we wrap fits the terminal, to the cell."""
    lines = on_terminal(monkeypatch, columns, verbose=verbose).split('\n')
    assert max(cell_len(line) for line in lines) <= columns
    assert '傘' in ''.join(lines)


def test_a_pipe_is_not_wrapped() -> None:
    """In a file or a pipe each line of text is one line."""
    assert rows(LONG).count('\n') == 1


def test_wide_names_stay_in_their_column() -> None:
    """Names of wide characters leave the texts below each other."""
    history = [message('user', 'one', name='日本'), message('user', 'two')]
    lines = rows({**GPT, 'gen_ai.input.messages': history}).splitlines()
    assert [cell_len(line[:-3]) for line in lines] == [13, 13]


def test_a_deep_call_leaves_room_for_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """However deep a call is nested, its texts keep most of the terminal."""
    monkeypatch.setenv('COLUMNS', '60')
    output = Terminal()
    scene = Scene(stream=output, colors='never', span_style='indented')
    span = scene.start('0')
    for depth in range(1, 15):
        span = scene.start(str(depth), below=span)
    scene.call(LONG, below=span)
    assert output.getvalue().partition('chat')[2] == snapshot("""\
 gpt-4o
                 1.24s
               │ user       How is the weather in Paris
               │            today, and should I take an
               │            umbrella with me tonight?
""")
