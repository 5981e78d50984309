"""The console view of ordinary spans and logs, and where and how it writes."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import set_span_in_context
from rich.console import Console

from logfire._internal import errors
from logfire._internal.exporters import console_tree
from tests.exporters.scene import Scene

pytestmark = pytest.mark.usefixtures('plain_environment')


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def play(scene: Scene) -> None:
    scene.log('hello')
    with scene.span('outer', tags=['a', 'b']) as outer:
        scene.log('details', below=outer, level='debug')
        with scene.span('inner', below=outer) as inner:
            scene.log('careful', below=inner, level='warn', tags=['disk'])
        scene.log('broken', below=outer, level='error')
    with scene.span('important', level='error'):
        pass


def interleave(scene: Scene) -> None:
    a, b = scene.start('A'), scene.start('B')
    scene.log('in B', below=b)
    a1 = scene.start('A1', below=a)
    scene.log('in A1', below=a1)
    scene.log('in A', below=a)
    scene.log('in A1 again', below=a1)
    scene.log('in B again', below=b)
    scene.end(a)
    scene.log('in A after its end', below=a)
    scene.log('in A1 after the end of A', below=a1)
    scene.end(a1)
    scene.end(b)
    scene.log('root')


def test_simple() -> None:
    """`simple` shows spans when they start, and logs, as a flat list without those below `info`."""
    scene = Scene(span_style='simple')
    play(scene)
    assert scene.text == snapshot("""\
00:00:01.000 hello
00:00:02.000 outer [a,b]
00:00:04.000 inner
00:00:05.000 careful [disk]
00:00:07.000 broken
00:00:09.000 important
""")


def test_indented() -> None:
    """`indented` shows how deep each span and log is."""
    scene = Scene(span_style='indented')
    play(scene)
    assert scene.text == snapshot("""\
00:00:01.000 hello
00:00:02.000 outer [a,b]
00:00:04.000   inner
00:00:05.000     careful [disk]
00:00:07.000   broken
00:00:09.000 important
""")


def test_show_parents() -> None:
    """`show-parents` looks like `indented` as long as one trace is shown."""
    indented, parents = Scene(span_style='indented'), Scene(span_style='show-parents')
    play(indented)
    play(parents)
    assert parents.text == indented.text


def test_show_parents_interleaved() -> None:
    """Where traces interleave, `show-parents` repeats the open parents that are no longer in sight, without a time."""
    scene = Scene(span_style='show-parents')
    interleave(scene)
    assert scene.text == snapshot("""\
00:00:01.000 A
00:00:02.000 B
00:00:03.000   in B
             A
00:00:04.000   A1
00:00:05.000     in A1
00:00:06.000   in A
               A1
00:00:07.000     in A1 again
             B
00:00:08.000   in B again
00:00:10.000 in A after its end
               A1
00:00:11.000   in A1 after the end of A
00:00:14.000 root
""")


def test_show_parents_repeats_all_that_is_out_of_sight() -> None:
    """Several parents are repeated, the outermost first, each at its depth."""
    scene = Scene(span_style='show-parents', include_timestamps=False)
    a = scene.start('A')
    b = scene.start('B', below=a)
    scene.log('root')
    scene.log('in B', below=b)
    assert scene.text == 'A\n  B\nroot\nA\n  B\n    in B\n'


def test_indented_interleaved() -> None:
    """`indented` keeps each line at its depth where traces interleave; below an ended span is as below none."""
    scene = Scene(span_style='indented')
    interleave(scene)
    assert scene.text == snapshot("""\
00:00:01.000 A
00:00:02.000 B
00:00:03.000   in B
00:00:04.000   A1
00:00:05.000     in A1
00:00:06.000   in A
00:00:07.000     in A1 again
00:00:08.000   in B again
00:00:10.000 in A after its end
00:00:11.000     in A1 after the end of A
00:00:14.000 root
""")


@pytest.mark.parametrize(
    ('level', 'expected'),
    [
        ('trace', ['hello', 'outer', 'details', 'inner', 'careful', 'broken', 'important']),
        ('info', ['hello', 'outer', 'inner', 'careful', 'broken', 'important']),
        ('notice', ['careful', 'broken', 'important']),
        ('warning', ['careful', 'broken', 'important']),
        ('error', ['broken', 'important']),
        ('fatal', []),
    ],
)
def test_min_log_level(level: str, expected: list[str]) -> None:
    """Nothing below `min_log_level` is shown; a span without a level counts as `info`."""
    scene = Scene(min_log_level=level, span_style='simple', include_timestamps=False, include_tags=False)
    play(scene)
    assert scene.text.split('\n') == [*expected, '']


def test_hidden_spans_still_indent() -> None:
    """A log stands at its depth even when the spans around it are below the minimum level."""
    scene = Scene(min_log_level='warn', include_timestamps=False)
    play(scene)
    assert scene.text == snapshot("""\
    careful [disk]
  broken
important
""")


def test_without_timestamps_and_tags() -> None:
    """`include_timestamps` and `include_tags` leave times and tags out."""
    scene = Scene(include_timestamps=False, include_tags=False, verbose=True)
    with scene.span('outer', tags=['a'], attributes={'code.filepath': 'app.py', 'code.lineno': 3}) as outer:
        scene.log('inner', below=outer, tags=['b'])
    assert scene.text == snapshot("""\
outer
│ app.py:3
  inner
│ info
""")


def test_timestamps_have_milliseconds_and_are_cut() -> None:
    """A line begins with the local time in milliseconds, cut, not rounded, and follows the clock."""
    scene = Scene()
    for scene.now in (0, 0.9994, 86_398.9999):
        scene.log('x')
    assert scene.text == '00:00:01.000 x\n00:00:01.999 x\n23:59:59.999 x\n'


def test_verbose() -> None:
    """`verbose` adds where in the code it was, the level, and the attributes as Python."""
    scene = Scene(verbose=True, span_style='indented')
    code = {'code.filepath': 'app.py', 'code.lineno': 12}
    arguments = {'n': 1, 'name': 'x\ny', 'items': '[1,{"a":"b"}]', 'odd': '"<Odd\\nthing>"'}
    schema = {
        'n': {},
        'name': {},
        'items': {'type': 'array'},
        'odd': {'type': 'object', 'x-python-datatype': 'unknown'},
        'gone': {},
    }
    with scene.span('outer', attributes=code) as outer:
        scene.log('full', below=outer, attributes={**code, **arguments}, schema=schema)
        scene.log('file only', below=outer, attributes={'code.filepath': 'lib.py'})
    scene.log('level has no name', attributes={'logfire.level_num': 11})
    assert scene.text == snapshot("""\
00:00:01.000 outer
             │ app.py:12
00:00:02.000   full
               │ app.py:12 info
               │ n=1
               │ name='x\\ny'
               │ items=[
               │           1,
               │           {'a': 'b'},
               │       ]
               │ odd=<Odd
               │     thing>
               │ gone=None
00:00:03.000   file only
               │ lib.py info
00:00:05.000 level has no name
""")


@pytest.mark.parametrize('schema', ['not JSON', '[]', '{}', ''])
def test_a_schema_that_is_not_ours(schema: str) -> None:
    """A `logfire.json_schema` of an unexpected shape hides the attributes, not the span."""
    scene = Scene(verbose=True)
    with scene.span('x', attributes={'a': 1, 'logfire.json_schema': schema}):
        pass
    assert scene.text == '00:00:01.000 x\n'


def test_exceptions() -> None:
    """A log with an exception shows its type, message and traceback below it."""
    scene = Scene(span_style='indented')
    trace = 'Traceback (most recent call last):\n  File "app.py", line 1, in <module>\n    1/0\nValueError: bad\n'
    with scene.span('outer') as outer:
        scene.log(
            'failed',
            below=outer,
            level='error',
            exception={'type': 'ValueError', 'message': 'bad', 'stacktrace': trace},
        )
    scene.log('no trace', exception={'type': 'KeyError'})
    assert scene.text == snapshot("""\
00:00:01.000 outer
00:00:02.000   failed
               │ ValueError: bad
               │ Traceback (most recent call last):
               │   File "app.py", line 1, in <module>
               │     1/0
               │ ValueError: bad

00:00:04.000 no trace
             │ KeyError: \n\
""")


def test_a_span_that_fails_later_is_shown_once() -> None:
    """A span is shown when it starts; what becomes of it changes nothing on the console."""
    scene = Scene()
    with scene.span('work') as work:
        work.set_attribute('logfire.level_num', 17)
        work.record_exception(ValueError('bad'))
    assert scene.text == '00:00:01.000 work\n'


def test_a_span_without_pending_copy_is_shown_when_it_ends() -> None:
    """A span of which no pending copy came is not lost: it is shown when it ends, with its start as its time."""
    scene = Scene(pending=False)
    with scene.span('work'):
        assert scene.text == ''
    assert scene.text == '00:00:01.000 work\n'


def test_a_span_that_is_not_ours() -> None:
    """A span without any attribute of ours is shown by its name."""
    scene = Scene(pending=False)
    scene.console.on_end(ReadableSpan(name='plain', start_time=1_000_000_000))
    scene.console.on_end(ReadableSpan(name='odd', attributes={'logfire.span_type': 'pending_span'}))
    assert scene.text == '00:00:01.000 plain\n'


def test_logs_that_opted_out_are_not_shown() -> None:
    """What `with_settings(console_log=False)` logs is not on the console."""
    scene = Scene()
    scene.log('hidden', attributes={'logfire.disable_console_log': True})
    assert scene.text == ''


def test_spans_that_never_end_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of spans that never end a bounded number is kept; a log below a forgotten one is shown as a root."""
    monkeypatch.setattr(console_tree, 'MAX_OPEN_SPANS', 2)
    scene = Scene(include_timestamps=False)
    first = scene.start('first')
    second = scene.start('second')
    scene.start('third')
    scene.log('in first', below=first)
    scene.log('in second', below=second)
    assert scene.text == snapshot("""\
first
second
third
in first
second
  in second
""")


def test_log_records() -> None:
    """Records of OpenTelemetry's logs API are shown among the spans: by message, else event name and body."""
    scene = Scene(verbose=True, include_timestamps=True)
    provider = LoggerProvider(shutdown_on_exit=False)
    processor = scene.console.new_log_processor()
    provider.add_log_record_processor(processor)
    logger = provider.get_logger('scene')
    second = 1_000_000_000

    with scene.span('outer') as outer:
        context = set_span_in_context(outer, Context())
        records: list[dict[str, Any]] = [
            {'body': 'inside', 'context': context, 'severity_number': SeverityNumber.WARN},
            {'body': 'too low', 'severity_number': SeverityNumber.DEBUG},
            {'body': {'a': [1]}, 'event_name': 'event', 'severity_number': SeverityNumber.INFO},
            {'event_name': 'only a name'},
            {'body': 'not this', 'attributes': {'logfire.msg': 'this', 'logfire.tags': ['t'], 'code.filepath': 'a.py'}},
            {'body': 'first\n\x1b[31msecond'},
        ]
        for record in records:
            logger.emit(LogRecord(timestamp=2 * second, **record))
        logger.emit(LogRecord(observed_timestamp=3 * second, body='when seen'))
    assert scene.text == snapshot("""\
00:00:01.000 outer
00:00:02.000   inside
             │ warn
00:00:02.000 event: {'a': [1]}
             │ info
00:00:02.000 only a name: {}
00:00:02.000 this [t]
             │ a.py
00:00:02.000 first
             \\x1b[31msecond
00:00:03.000 when seen
""")
    assert processor.force_flush()
    provider.shutdown()


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('\x1b[31mred\x1b[0m', '\\x1b[31mred\\x1b[0m'),
        ('\x1b]0;title\x07', '\\x1b]0;title\\x07'),
        ('\x9b31m \x85', '\\x9b31m \\x85'),
        ('a\x00b', 'a\\x00b'),
        ('over\rwritten', 'over\\rwritten'),
        ('\x08\x7f', '\\x08\\x7f'),
        ('exe.\u202egnp', 'exe.\\u202egnp'),
        ('\u061c\u200e\u200f\u2066\u2069', '\\u061c\\u200e\\u200f\\u2066\\u2069'),
        ('\u2028\u2029', '\\u2028\\u2029'),
        ('\ud83d \udc80', '\\ud83d \\udc80'),
        ('\U000e0041\U000e007f', '\\U000e0041\\U000e007f'),
        ('tab\there, line\r\nfeed', 'tab\there, line\nfeed'),
        ('[bold]markup[/bold] :smile:', '[bold]markup[/bold] :smile:'),
        ('日本語 👩‍👩‍👧 é', '日本語 👩‍👩‍👧 é'),
    ],
)
@pytest.mark.parametrize('colors', ['never', 'always'])
def test_control_characters_are_shown_not_sent(text: str, shown: str, colors: str) -> None:
    """Escape codes, nulls, bidirectional controls, surrogates and the like are spelled out; other text is as it is."""
    scene = Scene(include_timestamps=False, verbose=True, colors=colors)
    scene.log(text, attributes={'code.filepath': text, 'logfire.level_num': 11}, tags=[text])
    scene.log('x', attributes={'logfire.level_num': 11}, exception={'type': text, 'message': text})
    one_line = shown.replace('\n', '\\n').replace('\t', '\\t')
    below = shown.replace('\n', '\n│ ')
    expected = f'{shown} [{one_line}]\n│ {one_line}\nx\n│ {one_line}: {below}\n'
    written = scene.text
    for code in ('36', '34', '1;31'):
        written = written.replace(f'\x1b[{code}m', '')
    assert written.replace('\x1b[0m', '') == expected


def test_attribute_names_and_values_are_harmless() -> None:
    """Control characters in names and values of attributes, and in tracebacks, are spelled out too."""
    scene = Scene(include_timestamps=False, verbose=True)
    scene.log(
        'x',
        attributes={'a\x1b': '\x1b[31m', 'b': '"\\u001b[31m\\ud800"', 'logfire.level_num': 11},
        schema={'a\x1b': {}, 'b': {'type': 'object', 'x-python-datatype': 'unknown'}},
        exception={'type': 'E', 'message': 'm', 'stacktrace': 'a\x1b[2Jb'},
    )
    assert scene.text == snapshot("""\
x
│ a\\x1b='\\x1b[31m'
│ b=\\x1b[31m\\ud800
│ E: m
│ a\\x1b[2Jb
""")


def test_colours() -> None:
    """Times are green, tags cyan, warnings yellow, errors red, repeated parents dim."""
    scene = Scene(colors='always')
    with scene.span('outer', tags=['a']) as outer:
        scene.log('careful', below=outer, level='warn')
        scene.log('root\nof two lines', level='error')
        scene.log('inner', below=outer, exception={'type': 'ValueError', 'message': 'bad'})
    assert scene.text.split('\n') == snapshot(
        [
            '\x1b[32m00:00:01.000\x1b[0m outer \x1b[36m[a]\x1b[0m',
            '\x1b[32m00:00:02.000\x1b[0m   \x1b[33mcareful\x1b[0m',
            '\x1b[32m00:00:03.000\x1b[0m \x1b[31mroot\x1b[0m',
            '\x1b[31m             of two lines\x1b[0m',
            '\x1b[2m             outer\x1b[0m',
            '\x1b[32m00:00:04.000\x1b[0m   inner',
            '\x1b[34m             │ \x1b[0m\x1b[1;31mValueError: \x1b[0mbad',
            '',
        ]
    )


def test_highlighting() -> None:
    """In colour, attributes and tracebacks are highlighted as Python; without the colours the text is the same."""
    coloured, plain = Scene(colors='always', verbose=True), Scene(verbose=True)
    for scene in (coloured, plain):
        with scene.span('outer', attributes={'code.filepath': 'app.py', 'code.lineno': 3}) as outer:
            scene.log('inner', below=outer, attributes={'d': '{"k":1}'}, schema={'d': {'type': 'object'}})
            trace = 'Traceback:\n  return None\n\nValueError: bad\n'
            scene.log('failed', below=outer, exception={'type': 'ValueError', 'message': 'bad', 'stacktrace': trace})
    assert re.sub(r'\x1b\[[0-9;]*m', '', coloured.text) == plain.text
    assert '\x1b[34m│ \x1b[0m\x1b[34md=\x1b[0m' in coloured.text
    one, none = (re.search(rf'\x1b\[([0-9;]+)m{token}\x1b', coloured.text) for token in ('1', 'None'))
    assert one is not None
    assert none is not None
    assert one[1] != none[1]


@pytest.mark.parametrize(
    ('stream', 'colors', 'environment', 'coloured'),
    [
        (io.StringIO, 'auto', {}, False),
        (io.StringIO, 'auto', {'FORCE_COLOR': '1'}, True),
        (io.StringIO, 'always', {}, True),
        (io.StringIO, 'always', {'NO_COLOR': '1'}, False),
        (io.StringIO, 'never', {'FORCE_COLOR': '1'}, False),
        (Terminal, 'auto', {'TERM': 'xterm'}, True),
        (Terminal, 'auto', {'TERM': 'dumb'}, False),
        (Terminal, 'auto', {'TERM': 'xterm', 'NO_COLOR': '1'}, False),
        (Terminal, 'never', {'TERM': 'xterm'}, False),
        (Terminal, 'always', {'TERM': 'xterm'}, True),
    ],
)
def test_when_there_are_colours(
    stream: Callable[[], io.StringIO],
    colors: str,
    environment: dict[str, str],
    coloured: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`auto` colours a terminal only; `always` and `never` are what they say; NO_COLOR and FORCE_COLOR count."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    output = stream()
    Scene(stream=output, colors=colors).log('hello', level='error')
    assert output.getvalue() == (
        '\x1b[32m00:00:01.000\x1b[0m \x1b[31mhello\x1b[0m\n' if coloured else '00:00:01.000 hello\n'
    )


@pytest.mark.parametrize('stream', [io.StringIO, Terminal])
def test_ordinary_lines_are_never_wrapped(stream: Callable[[], io.StringIO]) -> None:
    """A long message stays one line: the terminal wraps it, a file keeps it whole."""
    output = stream()
    Scene(stream=output, include_timestamps=False, colors='never').log('word ' * 100)
    assert output.getvalue() == 'word ' * 100 + '\n'


def test_old_windows_consoles_are_written_by_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Windows console without escape codes is left to rich, which calls its API, and gets the same text."""
    printed: list[str] = []

    class LegacyConsole(Console):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options, legacy_windows=True)

        def print(self, *objects: Any, **options: Any) -> None:
            if options.get('soft_wrap'):
                printed.append(objects[0].plain)
            super().print(*objects, **options)

    monkeypatch.setattr('logfire._internal.exporters.console_output.Console', LegacyConsole)
    scene = Scene(colors='always')
    scene.log('hello [bold]you[/bold]', level='error')
    assert printed == ['00:00:01.000 hello [bold]you[/bold]']
    assert scene.text.endswith('\x1b[31mhello [bold]you[/bold]\x1b[0m\n')


@pytest.mark.parametrize(
    ('encoding', 'expected'),
    [
        ('utf-8', '├ é 日 → x\n│ app.py\n'),
        ('utf-16-le', '├ é 日 → x\n│ app.py\n'),
        ('latin-1', '? é ? -> x\n| app.py\n'),
        ('ascii', '? ? ? -> x\n| app.py\n'),
    ],
)
def test_encodings(encoding: str, expected: str) -> None:
    """A stream that cannot encode a character gets `?` for it, and our own drawing in ASCII."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline='\n')
    scene = Scene(stream=stream, include_timestamps=False, verbose=True)
    scene.log('├ é 日 → x', attributes={'code.filepath': 'app.py', 'logfire.level_num': 11})
    assert raw.getvalue().decode(encoding) == expected


def test_an_unknown_encoding_is_taken_for_ascii() -> None:
    """A stream that names an encoding Python does not know gets ASCII."""

    class Odd(io.StringIO):
        @property
        def encoding(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride] - a property will do for a reader
            return 'klingon'

    output = Odd()
    Scene(stream=output, include_timestamps=False).log('é')
    assert output.getvalue() == '?\n'


def test_standard_output_is_looked_up_when_writing() -> None:
    """Without `output`, lines go to the standard output of the moment: `redirect_stdout` and test captures work."""
    scene = Scene(output=None, include_timestamps=False)
    first, second = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(first):
        scene.log('one')
        scene.log('two')
    with contextlib.redirect_stdout(second):
        scene.log('three')
    assert (first.getvalue(), second.getvalue()) == ('one\ntwo\n', 'three\n')


def test_no_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process without a standard output (pythonw) is no error."""
    monkeypatch.setattr(sys, 'stdout', None)
    scene = Scene(output=None)
    scene.log('nobody reads this')
    scene.call({'gen_ai.request.model': 'gpt-4o'})
    assert scene.console.force_flush()


def test_a_block_is_one_write_and_flushed() -> None:
    """Each block is written at once and flushed, so that lines of other writers do not come between."""
    events: list[str] = []

    class Recorder(io.StringIO):
        def write(self, text: str) -> int:
            events.append(text)
            return len(text)

        def flush(self) -> None:
            events.append('flush')

    scene = Scene(stream=Recorder(), include_timestamps=False)
    scene.log('x', exception={'type': 'E', 'message': 'm', 'stacktrace': 'a\nb\n'})
    assert events == ['x\n│ E: m\n│ a\n│ b\n\n', 'flush']
    events.clear()
    assert scene.console.force_flush()
    assert events == ['flush']


def test_threads_do_not_mix_their_lines() -> None:
    """Blocks of concurrent threads are written whole, each below its own parent."""
    scene = Scene(include_timestamps=False)

    def work(name: str) -> None:
        for _ in range(50):
            with scene.span(name) as span:
                scene.log(f'in {name}', below=span, exception={'type': name, 'stacktrace': f'{name} one\n{name} two'})

    names = ['red', 'blue', 'green']
    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = scene.text
    for name in names:
        assert text.count(f'  in {name}\n│ {name}: \n│ {name} one\n│ {name} two\n') == 50
    lines = text.splitlines()
    parents = [lines[number - 1] for number, line in enumerate(lines) if line.startswith('  in ')]
    assert all(parent in names for parent in parents)


def test_a_stream_that_logs_when_written_to() -> None:
    """A stream that itself logs, or a signal handler that does during a write, neither blocks nor recurses."""

    class Chatty(io.StringIO):
        def write(self, text: str) -> int:
            scene.log('written')
            return super().write(text)

    output = Chatty()
    scene = Scene(stream=output, include_timestamps=False)
    scene.log('one')
    scene.log('two')
    assert output.getvalue() == 'one\nwritten\ntwo\nwritten\n'


def test_a_broken_stream_is_reported_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A stream that fails never breaks the user's call: it is reported once, and used when it works again."""
    monkeypatch.setattr(errors, 'strict', False)

    class Flaky(io.StringIO):
        broken = True

        def write(self, text: str) -> int:
            if self.broken:
                raise OSError('disk full')
            return super().write(text)

    output = Flaky()
    scene = Scene(stream=output, include_timestamps=False)
    with caplog.at_level(logging.ERROR, 'logfire'):
        for _ in range(3):
            scene.log('lost')
    assert [record.getMessage().split('.')[0] for record in caplog.records] == [
        'Internal error in logfire: could not show telemetry on the console'
    ]
    output.broken = False
    scene.log('shown')
    assert output.getvalue() == 'shown\n'


def test_a_reader_that_went_away(caplog: pytest.LogCaptureFixture) -> None:
    """`program | head` ends the reading, not the program, and nobody is told of a fault."""

    class Pipe(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    scene = Scene(stream=Pipe())
    scene.log('lost')
    assert caplog.records == []


def test_a_closed_stream(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Logging to, and flushing, a stream that the user has closed raises nothing."""
    monkeypatch.setattr(errors, 'strict', False)
    scene = Scene()
    scene.output.close()
    scene.log('lost')
    assert scene.console.force_flush()
    assert 'ValueError' in caplog.text


def test_faults_are_raised_in_our_own_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """In strict mode a fault of the console fails the test that met it."""
    monkeypatch.setattr(errors, 'strict', True)
    scene = Scene()
    scene.output.close()
    with pytest.raises(ValueError, match='closed file'):
        scene.log('lost')


def test_nothing_is_shown_after_shutdown() -> None:
    """After a shutdown the console is silent and the stream is still open: it is the user's."""
    scene = Scene()
    scene.console.shutdown()
    scene.log('late')
    assert scene.text == ''
    assert not scene.output.closed


def test_live_spans_are_not_shown() -> None:
    """What a starting span holds is not scrubbed yet: the console waits for the pending copy it asks for."""
    scene = Scene(pending=False)
    assert scene.console.wants_pending
    scene.start('secret')
    assert scene.text == ''


FORK = """
import os, sys, threading
from opentelemetry.sdk.trace import ReadableSpan
from logfire._internal.config.options import ConsoleOptions
from logfire._internal.exporters.console import new_console_processor

class Slow:
    encoding = 'utf-8'
    def isatty(self): return False
    def flush(self): pass
    def write(self, text):
        if text == 'thread\\n':
            writing.set(); go_on.wait()
        os.write(1, text.encode())

writing, go_on = threading.Event(), threading.Event()
console = new_console_processor(ConsoleOptions(output=Slow(), include_timestamps=False))
show = lambda name: console.on_end(ReadableSpan(name=name))
thread = threading.Thread(target=show, args=('thread',))
thread.start()
writing.wait()
child = os.fork()
if child == 0:
    show('child')
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
go_on.set()
thread.join()
show('parent')
"""


def test_a_forked_child_does_not_wait_for_a_lock() -> None:
    """A process forked while another thread was writing shows its own lines: the lock it copied is made new."""
    done = subprocess.run(
        [sys.executable, '-W', 'ignore::DeprecationWarning', '-c', FORK], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ('child\nthread\nparent\n', '')


VALUES: list[tuple[Any, dict[str, Any], str]] = [
    (1, {}, '1'),
    (1.5, {}, '1.5'),
    ('it\'s "q"', {}, "'it\\'s \"q\"'"),
    ('null', {'type': 'null'}, 'None'),
    ('[]', {'type': 'array'}, '[]'),
    ('{}', {'type': 'object'}, '{}'),
    ('[1,[2,{"a":null}]]', {'type': 'array'}, "[\n    1,\n    [2, {'a': None}],\n]"),
    ('{"a":{"b":true}}', {'type': 'object'}, "{\n    'a': {'b': True},\n}"),
    ('[1]', {'type': 'array', 'x-python-datatype': 'tuple'}, '(\n    1,\n)'),
    ('[1]', {'type': 'array', 'x-python-datatype': 'set'}, '{\n    1,\n}'),
    ('[1]', {'type': 'array', 'x-python-datatype': 'frozenset'}, 'frozenset({\n    1,\n})'),
    ('[1]', {'type': 'array', 'x-python-datatype': 'deque'}, 'deque([\n    1,\n])'),
    ('[1]', {'type': 'array', 'x-python-datatype': 'Sequence', 'title': 'Point'}, 'Point([\n    1,\n])'),
    ('"<generator>"', {'type': 'array', 'x-python-datatype': 'generator'}, '<generator>'),
    (
        '{"x":1,"y":[{"x":2}]}',
        {
            'type': 'object',
            'title': 'Node',
            'x-python-datatype': 'dataclass',
            'properties': {'y': {'type': 'array', 'items': {'type': 'object', 'title': 'Node'}}},
        },
        'Node(\n    x=1,\n    y=[\n        Node(\n            x=2,\n        ),\n    ],\n)',
    ),
    (
        '["2020-01-02",2]',
        {'type': 'array', 'prefixItems': [{'type': 'string', 'x-python-datatype': 'date'}, {}]},
        '[\n    datetime.date(2020, 1, 2),\n    2,\n]',
    ),
    ('[1,2]', {'type': 'array', 'prefixItems': [{}]}, '[\n    1,\n    2,\n]'),
    (
        '{"a":1}',
        {'type': 'object', 'title': 'OrderedDict', 'x-python-datatype': 'Mapping'},
        "OrderedDict({\n    'a': 1,\n})",
    ),
    ('"bad"', {'type': 'object', 'title': 'ValueError', 'x-python-datatype': 'Exception'}, "ValueError('bad')"),
    ('"<Odd>"', {'type': 'object', 'x-python-datatype': 'unknown'}, '<Odd>'),
    ('"red"', {'type': 'string', 'title': 'Colour', 'x-python-datatype': 'Enum'}, "Colour('red')"),
    ('"1.10"', {'type': 'string', 'format': 'decimal', 'x-python-datatype': 'Decimal'}, "Decimal('1.10')"),
    ('"/x"', {'type': 'string', 'format': 'path', 'x-python-datatype': 'PosixPath'}, "PosixPath('/x')"),
    ('"00-01"', {'type': 'string', 'format': 'uuid'}, '00-01'),
    (
        '"2020-01-02T03:04:05"',
        {'type': 'string', 'x-python-datatype': 'datetime'},
        'datetime.datetime(2020, 1, 2, 3, 4, 5)',
    ),
    ('"03:04:05"', {'type': 'string', 'x-python-datatype': 'time'}, 'datetime.time(3, 4, 5)'),
    ('5.0', {'type': 'string', 'x-python-datatype': 'timedelta'}, 'datetime.timedelta(seconds=5)'),
    ('"soon"', {'type': 'string', 'x-python-datatype': 'datetime'}, "'soon'"),
    ('{"cut', {'type': 'object'}, "'{\"cut'"),
    (('a', 'b'), {'type': 'array'}, "('a', 'b')"),
]


@pytest.mark.parametrize(('value', 'schema', 'shown'), VALUES)
def test_values_are_shown_as_python(value: Any, schema: dict[str, Any], shown: str) -> None:
    """In `verbose` an attribute reads like the value the user gave, as far as its schema tells."""
    scene = Scene(include_timestamps=False, verbose=True)
    with scene.span('x', attributes={'v': value}, schema={'v': schema}):
        pass
    expected = shown.replace('\n', '\n│   ')
    assert scene.text == f'x\n│ v={expected}\n'


def test_a_schema_travels_as_json() -> None:
    """The schema of the scene is what the attributes module writes."""
    from logfire._internal.attributes import otel_attributes

    attributes = otel_attributes({'when': [1], 'flag': True})
    scene = Scene(include_timestamps=False, verbose=True)
    with scene.span(
        'x', attributes=attributes, schema=json.loads(str(attributes['logfire.json_schema']))['properties']
    ):
        pass
    assert scene.text == 'x\n│ when=[\n│          1,\n│      ]\n│ flag=True\n'
