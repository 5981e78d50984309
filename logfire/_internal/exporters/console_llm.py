"""A call of a language model as a person reads it: what it took, then who said what.

Reads nothing but the span's `gen_ai.*` attributes and status. A call recorded without content is its head line alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson
from opentelemetry.trace import SpanKind, StatusCode
from rich.cells import cell_len, set_cell_size

from logfire._internal import attributes as names
from logfire._internal.exporters.console_text import Line, Segment, one_line, shorten, texts, visible, wrap
from logfire._internal.exporters.console_values import is_list, is_mapping
from logfire._internal.integrations.llm_providers import semconv

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

# With fewer columns than this for text beside the labels, it stands below them.
_NARROW: Final = 30
_NARROWEST: Final = 16
_TAB: Final = 4
_MAX_LABEL: Final = 20
_MAX_NAME: Final = 60

_ROLE_STYLES: Final = {
    'system': 'magenta',
    'developer': 'magenta',
    'user': 'cyan',
    'assistant': 'green',
    'tool': 'blue',
}
# Neighbouring numbers have different colours.
_NUMBER_STYLES: Final = ('bold cyan', 'bold yellow', 'bold magenta', 'bold blue')


class Layout(NamedTuple):
    """Where a block goes."""

    width: int | None
    """Columns of the terminal; None not to wrap."""
    start: int
    """Columns before the head line: those of its time and indentation."""
    margin: int
    """Columns before the lines below it."""
    verbose: bool
    """Show more messages, more of each, and what was asked of the model."""
    tags: bool
    """Show the tags of the span."""


def new_layout(*, width: int | None, start: int, verbose: bool, tags: bool) -> Layout:
    """The layout of a block that starts at column `start`: what is below the head line leaves room for its text."""
    return Layout(width, start, start if width is None else min(start, width // 4), verbose, tags)


class _Limits(NamedTuple):
    """How much of a conversation is shown. Texts are measured in characters and lines."""

    messages: int
    parts: int
    inputs: int
    asked: tuple[int, int]
    answered: tuple[int, int]


_BRIEF: Final = _Limits(messages=4, parts=6, inputs=3, asked=(240, 6), answered=(900, 16))
_VERBOSE: Final = _Limits(messages=20, parts=50, inputs=20, asked=(4_000, 60), answered=(20_000, 400))


class _Row(NamedTuple):
    """Some text under a label; `answered` tells what came back from what was sent."""

    label: str
    label_style: str
    text: str
    style: str = ''
    answered: bool = False


def is_model_call(kind: SpanKind, attributes: Mapping[str, Any]) -> bool:
    """Whether a span, or the span that a pending copy stands for, is a call of a model."""
    return kind is SpanKind.CLIENT and semconv.OPERATION_NAME in attributes


def title(attributes: Mapping[str, Any]) -> str:
    """What a call is named by: operation and model."""
    return ''.join([text for text, _ in _title(attributes, '', 1)])


def start_line(attributes: Mapping[str, Any], number: int) -> Line:
    """What is shown when the call starts, to be put behind time and indentation.

    `number` tells calls of one title apart that are open at the same time.
    """
    return [*_title(attributes, '', number), (' …', 'dim')]


def block(span: ReadableSpan, attributes: Mapping[str, Any], style: str, layout: Layout, number: int = 1) -> list[Line]:
    """What is shown when the call has ended: the head line, to be put behind time and indentation, and lines below it.

    `style` is that of the call's level, `number` that of its start line.
    """
    rows = [*_verbose_rows(attributes)] if layout.verbose else []
    limits = _VERBOSE if layout.verbose else _BRIEF
    if attributes.get(semconv.OPERATION_NAME) == 'embeddings':
        rows += _input_rows(attributes, limits)
    else:
        rows += _asked_rows(attributes, limits)
        rows += _answered_rows(attributes, limits)
    rows += _error_rows(span, attributes, limits)
    head = _head_lines(span, attributes, _title(attributes, style, number), layout)
    return [*head, *_row_lines(rows, layout)]


def _head_lines(span: ReadableSpan, attributes: Mapping[str, Any], line: Line, layout: Layout) -> list[Line]:
    lines: list[Line] = [line]
    used = layout.start + _cells(line)
    for item in _facts(span, attributes, layout):
        cells = _cells([item])
        if layout.width is not None and used + 2 + cells > layout.width:
            line = [(' ' * layout.margin, '')]
            lines.append(line)
            used = layout.margin
        line += [('  ', ''), item]
        used += 2 + cells
    return lines


def _title(attributes: Mapping[str, Any], style: str, number: int) -> Line:
    line: Line = [(_name(attributes[semconv.OPERATION_NAME]), style)]
    if model := attributes.get(semconv.REQUEST_MODEL):
        line += [(' ', ''), (_name(model), f'bold {style}'.rstrip())]
    if number > 1:
        line.append((f' #{number}', _NUMBER_STYLES[number % len(_NUMBER_STYLES)]))
    return line


def _facts(span: ReadableSpan, attributes: Mapping[str, Any], layout: Layout) -> Iterator[Segment]:
    """What is worth knowing at a glance, each with its style; what is as usual is dim."""
    yield _seconds(((span.end_time or 0) - (span.start_time or 0)) / 1e9), 'cyan'
    first_chunk = _number(attributes, semconv.RESPONSE_TIME_TO_FIRST_CHUNK)
    if first_chunk is not None:
        yield f'first chunk {_seconds(first_chunk)}', 'dim'
    if tokens := _tokens(attributes, layout):
        yield tokens, ''
    if shape := _vectors(attributes):
        yield shape, ''
    cost = _number(attributes, semconv.OPERATION_COST)
    if cost is not None:
        yield _dollars(cost), 'dim'
    if reasons := texts(attributes.get(semconv.RESPONSE_FINISH_REASONS)):
        usual = all(reason in ('stop', 'tool_calls') for reason in reasons)
        yield _name(', '.join(dict.fromkeys(reasons))), 'dim' if usual else 'yellow'
    if retries := _number(attributes, semconv.HTTP_RESEND_COUNT):
        yield f'{retries} {"retry" if retries == 1 else "retries"}', 'yellow'
    failed = span.status.status_code is StatusCode.ERROR
    outcome = attributes.get(semconv.STREAM_OUTCOME, 'completed')
    if outcome != 'completed':
        yield f'stream {_name(outcome)}', 'red' if failed else 'yellow'
    error = attributes.get(semconv.ERROR_TYPE)
    # That a cancelled stream ended in a CancelledError says nothing more.
    if error is not None and outcome != 'cancelled':
        yield _name(error) if outcome == 'error' else f'error {_name(error)}', 'red'
    # The tag that every such span has says nothing either.
    tags = [_name(tag) for tag in texts(attributes.get(names.TAGS)) if tag != 'LLM']
    if tags and layout.tags:
        yield f'[{",".join(tags)}]', 'cyan'


def _seconds(seconds: float) -> str:
    if seconds < 0.01:
        return f'{seconds * 1000:.1f}ms'
    if seconds < 10:
        return f'{seconds:.2f}s'
    if seconds < 100:
        return f'{seconds:.1f}s'
    minutes, seconds = divmod(round(seconds), 60)
    return f'{minutes}m {seconds:02}s'


def _dollars(cost: float) -> str:
    """Two significant digits, and always cents."""
    digits = 2 if cost <= 0 else max(2, 1 - math.floor(math.log10(cost)))
    return f'${cost:.{digits}f}'


def _tokens(attributes: Mapping[str, Any], layout: Layout) -> str:
    asked, answered = _number(attributes, semconv.USAGE_INPUT_TOKENS), _number(attributes, semconv.USAGE_OUTPUT_TOKENS)
    if asked is None and answered is None:
        return ''
    text = f'{asked:,}' if asked is not None else ''
    if layout.verbose and (cached := _number(attributes, semconv.USAGE_CACHE_READ_INPUT_TOKENS)):
        text += f' ({cached:,} cached)'
    if answered is not None:
        text += f' → {answered:,}'
    if layout.verbose and (reasoning := _number(attributes, semconv.USAGE_REASONING_OUTPUT_TOKENS)):
        text += f' ({reasoning:,} reasoning)'
    return f'{text.lstrip()} tokens'


def _vectors(attributes: Mapping[str, Any]) -> str:
    """How many vectors, as far as content tells, and of what length."""
    if attributes.get(semconv.OPERATION_NAME) != 'embeddings':
        return ''
    length = _number(attributes, semconv.EMBEDDINGS_DIMENSION_COUNT)
    count = sum(len(_parts(message)) for message in _messages(attributes, semconv.INPUT_MESSAGES))
    inputs = f'{count:,} {"input" if count == 1 else "inputs"}' if count else ''
    if length is None:
        return inputs
    return f'{inputs} \N{MULTIPLICATION SIGN} {length:,}' if inputs else f'{length:,} dimensions'


def _asked_rows(attributes: Mapping[str, Any], limits: _Limits) -> Iterator[_Row]:
    """The last few messages since the model last spoke: those before were shown with an earlier call."""
    messages = _messages(attributes, semconv.INPUT_MESSAGES)
    tools = {
        str(part['id']): _name(part['name'])
        for message in messages
        for part in _parts(message)
        if 'id' in part and 'name' in part
    }
    new = len(messages)
    while new and messages[new - 1].get('role') != 'assistant':
        new -= 1
    first = max(0 if limits is _VERBOSE else new, len(messages) - limits.messages)
    if first:
        yield _Row('', '', f'… {first:,} earlier {"message" if first == 1 else "messages"}', 'dim')
    for message in messages[first:]:
        yield from _message_rows(message, limits.parts, limits.asked, tools=tools)


def _answered_rows(attributes: Mapping[str, Any], limits: _Limits) -> Iterator[_Row]:
    messages = _messages(attributes, semconv.OUTPUT_MESSAGES)
    for number, message in enumerate(messages, 1):
        choice = f' {number}' if len(messages) > 1 else ''
        yield from _message_rows(message, limits.parts, limits.answered, choice=choice, answered=True)


def _message_rows(
    message: Mapping[str, Any],
    max_parts: int,
    limit: tuple[int, int],
    *,
    choice: str = '',
    tools: Mapping[str, str] | None = None,
    answered: bool = False,
) -> Iterator[_Row]:
    role = _name(message.get('role'))
    name = f' {_name(message["name"])}' if message.get('name') else ''
    label = f'{role}{name}'[: _MAX_LABEL - len(choice)] + choice
    parts = _parts(message) or [{'type': 'text', 'content': ''}]
    for part in parts[:max_parts]:
        text, style = _part_text(part, limit, tools or {})
        yield _Row(label, _ROLE_STYLES.get(role, 'cyan'), text, style, answered)
        label = ''
    if len(parts) > max_parts:
        yield _Row('', '', f'… {len(parts) - max_parts:,} more', 'dim', answered)


def _input_rows(attributes: Mapping[str, Any], limits: _Limits) -> Iterator[_Row]:
    """What was embedded."""
    for message in _messages(attributes, semconv.INPUT_MESSAGES):
        yield from _message_rows({**message, 'role': 'input'}, limits.inputs, limits.asked)


def _part_text(part: Mapping[str, Any], limit: tuple[int, int], tools: Mapping[str, str]) -> tuple[str, str]:
    """One part of a message, and its style."""
    characters, lines = limit
    content = part.get('content')
    match part.get('type'):
        case 'text' if isinstance(content, str):
            return _shown(content, limit) or '(empty)', ''
        case 'reasoning' if isinstance(content, str):
            return f'(thinking) {_shown(content, (characters // 3, max(2, lines // 3)))}', 'dim'
        case 'tool_call':
            return _shown(_call(part), limit), 'yellow'
        case 'tool_call_response':
            response = _shown(_response(part.get('response'), limit), limit)
            tool = tools.get(str(part.get('id')))
            return (f'{tool} → {response}' if tool else response), ''
        case 'uri':
            return f'[{_name(part.get("modality"))} {one_line(shorten(str(part.get("uri")), 120, 1))}]', 'dim'
        case 'blob':
            return f'[{_name(part.get("mime_type") or part.get("modality"))} {_size(part)}]', 'dim'
        case kind:
            rest = {key: value for key, value in part.items() if key != 'type'}
            said = content if list(rest) == ['content'] and isinstance(content, str) else _json(rest)
            return _shown(f'[{_name(kind)}] {said}', limit), ''


def _call(part: Mapping[str, Any]) -> str:
    """A tool call as a person would write it in Python."""
    name, arguments = str(part.get('name')), part.get('arguments')
    if arguments is None:
        return f'{name}()'
    if not is_mapping(arguments):
        return f'{name}({arguments if isinstance(arguments, str) else _json(arguments)})'
    if all(key.isidentifier() for key in arguments):
        return f'{name}({", ".join(f"{key}={value!r}" for key, value in arguments.items())})'
    return f'{name}(**{arguments!r})'


def _response(response: Any, limit: tuple[int, int]) -> str:
    if isinstance(response, str):
        return response
    if is_list(response) and response and all(is_mapping(part) and 'type' in part for part in response):
        return ' '.join(_part_text(part, limit, {})[0] for part in response)
    return _json(response)


def _size(part: Mapping[str, Any]) -> str:
    """Of the decoded content."""
    size, content = part.get('size'), part.get('content')
    if not isinstance(size, int):
        size = len(str(content).rstrip('=')) * 3 // 4
    for unit in ('B', 'KB', 'MB'):
        if size < 1000:
            return f'{size} {unit}'
        size = (size + 500) // 1000
    return f'{size:,} GB'


def _error_rows(span: ReadableSpan, attributes: Mapping[str, Any], limits: _Limits) -> Iterator[_Row]:
    description = (span.status.description or '').strip()
    if span.status.status_code is not StatusCode.ERROR or not description:
        return
    # Without content there is only the type, and the head line has it.
    if description in (attributes.get(semconv.ERROR_TYPE), 'CancelledError'):
        return
    if limits is _BRIEF:
        description = description.split('\n')[0]
    yield _Row('error', 'bold red', _shown(description, limits.asked), 'red', answered=True)


def _verbose_rows(attributes: Mapping[str, Any]) -> Iterator[_Row]:
    for label, table in (('request', _REQUEST), ('response', _RESPONSE)):
        facts = [
            f'{shown}={_name(value if isinstance(value, str) else _json(value))}'
            for name, shown in table.items()
            if (value := attributes.get(name)) is not None
        ]
        if label == 'request' and (tools := _messages(attributes, semconv.TOOL_DEFINITIONS)):
            facts.append(f'tools={",".join(_name(tool.get("name")) for tool in tools)}')
        if facts:
            yield _Row(label, 'dim', '  '.join(facts), 'dim', answered=label == 'response')


_REQUEST: Final = {
    semconv.PROVIDER_NAME: 'provider',
    semconv.SERVER_ADDRESS: 'server',
    semconv.SERVER_PORT: 'port',
    semconv.REQUEST_STREAM: 'stream',
    semconv.REQUEST_TEMPERATURE: 'temperature',
    semconv.REQUEST_TOP_P: 'top_p',
    semconv.REQUEST_TOP_K: 'top_k',
    semconv.REQUEST_FREQUENCY_PENALTY: 'frequency_penalty',
    semconv.REQUEST_PRESENCE_PENALTY: 'presence_penalty',
    semconv.REQUEST_MAX_TOKENS: 'max_tokens',
    semconv.REQUEST_SEED: 'seed',
    semconv.REQUEST_CHOICE_COUNT: 'n',
    semconv.REQUEST_STOP_SEQUENCES: 'stop',
    semconv.REQUEST_ENCODING_FORMATS: 'encoding',
    semconv.OUTPUT_TYPE: 'output',
}
_RESPONSE: Final = {
    semconv.RESPONSE_MODEL: 'model',
    semconv.RESPONSE_ID: 'id',
    semconv.HTTP_STATUS_CODE: 'status',
    semconv.AZURE_SERVICE_REQUEST_ID: 'request_id',
}


def _row_lines(rows: Sequence[_Row], layout: Layout) -> Iterator[Line]:
    """The rows, texts beside labels: a thin bar before what was sent, a thick one before what came back."""
    if not rows:
        return
    margin = ' ' * layout.margin
    label_width = max(9, *(cell_len(row.label) for row in rows)) + 2
    columns = None
    if layout.width is not None:
        columns = layout.width - layout.margin - 2 - label_width
        if columns < _NARROW:
            columns, label_width = max(_NARROWEST, columns + label_width - 2), 0
    for row in rows:
        bar, bar_style = ('┃', 'red' if row.style == 'red' else 'green') if row.answered else ('│', 'blue')
        start: Line = [(margin, ''), (bar, bar_style)]
        label = row.label
        if label and not label_width:
            yield [*start, (f' {label}', row.label_style)]
        for line in row.text.split('\n'):
            for text in [line] if columns is None else wrap(line, columns):
                if label and label_width:
                    beside = f' {set_cell_size(label, label_width)}', row.label_style
                else:
                    beside = ' ' * (1 + (label_width or 2)), ''
                yield [*start, beside, (text, row.style)] if text or label else start
                label = ''


def _shown(text: str, limit: tuple[int, int]) -> str:
    # Shortened first: a megabyte is not to be searched for control characters.
    return visible(shorten(text, *limit)).expandtabs(_TAB)


def _name(value: Any) -> str:
    """Something short that a model or a service said, on one line."""
    return one_line(shorten(str(value), _MAX_NAME, 1))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cells(line: Line) -> int:
    return sum(cell_len(text) for text, _ in line)


def _number(attributes: Mapping[str, Any], name: str) -> float | None:
    """A number; what another library put there instead is as absent."""
    value = attributes.get(name)
    return value if isinstance(value, (int, float)) and math.isfinite(value) else None


def _messages(attributes: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A JSON attribute that is a list of objects; what is not JSON, or something else, is as absent."""
    text = attributes.get(name)
    if not isinstance(text, str):
        return []
    try:
        value = orjson.loads(text)
    except ValueError:
        try:
            value = json.loads(text)  # Lone surrogates: orjson refuses what the standard library reads.
        except (ValueError, RecursionError):
            return []
    return _objects(value)


def _parts(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    return _objects(message.get('parts'))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if is_mapping(item)] if is_list(value) else []
