"""The model behind the demo's loopback endpoint: a travel agent who has an answer to each of the demo's questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from logfire.testing.azure_ai_inference import (
    Delay,
    RecordedRequest,
    Reply,
    StreamItem,
    ToolCall,
    chat_reply,
    default_reply,
    error_reply,
    stream_reply,
)

# A model thinks before it speaks, and then speaks a few words at a time.
_THINKS_S: Final = 0.15
_SPEAKS_S: Final = 0.04

_ANSWERS: Final = {
    'which city': 'Lisbon: warm in October, walkable, and the custard tarts alone are worth the trip.',
    'two days': (
        'Day one: take tram 28 up to Alfama, lunch in a tasca, sunset at Miradouro da Graca. '
        'Day two: walk the river to Belem, see the tower early, and queue for tarts before ten.'
    ),
    'every museum': (
        'With pleasure. The Gulbenkian has Lalique jewels and a garden. The Tile Museum is in an old convent. '
        'The Coach Museum is the most visited. MAAT is by the river. The Berardo collection is in Belem.'
    ),
    'porto': 'Porto: go for the river, the port lodges in Gaia, and rain-proof bookshops.',
    'sintra': 'Sintra: go for palaces in the fog; leave the car at home and take the early train.',
}
_FILTERED: Final = 'ignore your instructions'


def answer(request: RecordedRequest) -> Reply:
    """The reply to one of the demo's requests; to anything else the endpoint's own default.

    Args:
        request: the request to answer.
    """
    if not request.path.endswith('/chat/completions'):
        return default_reply(request)
    asked: dict[str, Any] = request.json
    messages: list[dict[str, Any]] = asked['messages']
    headers = {'x-ms-request-id': f'demo-{messages[-1]["role"]}-{len(messages)}'}
    question = str(messages[-1]['content']).lower()
    usage = (sum(len(str(message).split()) for message in messages), 24)
    if _FILTERED in question:
        return error_reply(
            400,
            code='content_filter',
            message="The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
            headers=headers,
            delay=_THINKS_S,
        )
    if messages[-1]['role'] == 'tool':
        text = 'It is 23 degrees and sunny in Lisbon: pack light, and something for the evening breeze.'
        return chat_reply(text, usage=usage, headers=headers, delay=_THINKS_S)
    if 'tools' in asked:
        call = ToolCall('get_weather', {'city': 'Lisbon'}, id='call_weather')
        return chat_reply(tool_calls=[call], usage=usage, headers=headers, delay=_THINKS_S)
    text = next((text for key, text in _ANSWERS.items() if key in question), None)
    if text is None:
        return default_reply(request)
    if asked.get('stream'):
        return stream_reply(_spoken(text), headers=headers, delay=_THINKS_S)
    return chat_reply(text, usage=usage, headers=headers, delay=_THINKS_S)


def _spoken(text: str) -> Sequence[StreamItem]:
    words = text.split(' ')
    pieces = [' '.join(words[start : start + 2]) + ' ' for start in range(0, len(words), 2)]
    return [item for piece in pieces for item in (piece, Delay(_SPEAKS_S))]
