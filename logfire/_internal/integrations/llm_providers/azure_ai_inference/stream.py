"""Chunks of a streamed chat reply, folded into the same `LLMResponse` that a whole reply becomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from logfire._internal.integrations.llm_providers.azure_ai_inference.content_filter import (
    Results,
    completion_attributes,
    prompt_attributes,
    read_results,
)
from logfire._internal.integrations.llm_providers.azure_ai_inference.messages import (
    begins_with_words,
    split_thoughts,
    tool_call_part,
)
from logfire._internal.integrations.llm_providers.azure_ai_inference.responses import message_finish_reason, read_usage
from logfire._internal.integrations.llm_providers.azure_ai_inference.values import (
    MAX_ITEMS,
    as_mapping,
    is_list,
    is_mapping,
    read_word,
)
from logfire._internal.integrations.llm_providers.operation import MAX_TEXT, NO_USAGE, LLMResponse

if TYPE_CHECKING:
    from logfire._internal.integrations.llm_providers.semconv import OutputMessage, Part

# A list of 50,000 one-word strings takes 3.7 MB; joined now and then it takes little more than the text.
_FOLD_AFTER = 256

# Of a piece that may wait for that, in characters.
_SHORT = 4096


class FoldingText:
    """Text that arrives in pieces: appending is cheap, and memory stays close to the text's own size.

    What comes after more characters than an attribute can hold is dropped, sooner or later: it could not be recorded.
    """

    __slots__ = ('_folded', '_room', 'fold_at', 'pieces')

    def __init__(self) -> None:
        self.pieces: list[str] = []
        """Takes short ones as they come; when there are `fold_at`, call `fold`."""
        self.fold_at = _FOLD_AFTER
        self._folded = 0  # How many pieces, from the first on, are joined ones.
        self._room = MAX_TEXT

    def append(self, piece: str) -> None:
        self.pieces.append(piece)
        if len(piece) >= _SHORT or len(self.pieces) >= self.fold_at:
            self.fold()

    def fold(self) -> None:
        """Join the pieces that came since the last time."""
        if self._room < 0:
            del self.pieces[self._folded :]
            return
        piece = ''.join(self.pieces[self._folded :])
        self.pieces[self._folded :] = (piece,)
        self._folded += 1
        self._room -= len(piece)
        # From the end of the room on, every piece is dropped as it comes.
        self.fold_at = 0 if self._room < 0 else self._folded + _FOLD_AFTER

    def __str__(self) -> str:
        return ''.join(self.pieces)


class _ToolCall:
    __slots__ = ('arguments', 'id', 'name')

    def __init__(self) -> None:
        self.id = ''
        self.name = ''
        self.arguments = FoldingText()

    def part(self) -> Part:
        return tool_call_part(self.id, self.name, str(self.arguments))


class _Choice:
    __slots__ = ('filtered', 'finish_reason', 'reasoning', 'refusal', 'role', 'same_results', 'text', 'tool_calls')

    def __init__(self) -> None:
        self.role = 'assistant'
        self.finish_reason: str | None = None
        self.filtered: Results = {}
        # The last that came, which the service repeats with every chunk: it is merged once.
        self.same_results: Any = None
        self.text = FoldingText()
        # Made when the first piece comes: streams may be held in great numbers.
        self.reasoning: FoldingText | None = None
        self.refusal: FoldingText | None = None
        # By the service's index; by order of appearance where it sends none.
        self.tool_calls: dict[int, _ToolCall] = {}

    def add_tool_call(self, update: Mapping[str, Any]) -> None:
        """A tool call arrives in pieces that may interleave: its index tells whose piece it is, else a new id does."""
        call_id = read_word(update.get('id'))
        index = update.get('index')
        if not isinstance(index, int):
            index = self._index_by_id(call_id)
        call = self.tool_calls.get(index)
        if call is None:
            if len(self.tool_calls) >= MAX_ITEMS:
                return
            call = self.tool_calls[index] = _ToolCall()
        call.id = call.id or call_id or ''
        function = update.get('function')
        if is_mapping(function):
            call.name = call.name or read_word(function.get('name')) or ''
            if isinstance(arguments := function.get('arguments'), str):
                call.arguments.append(arguments)

    def _index_by_id(self, call_id: str | None) -> int:
        if call_id:
            for index, call in self.tool_calls.items():
                if call.id == call_id:
                    return index
            return len(self.tool_calls)
        return max(len(self.tool_calls) - 1, 0)

    def add_delta(self, delta: Mapping[str, Any]) -> None:
        """What a chunk says, in one or several ways."""
        if isinstance(text := delta.get('content'), str):
            self.text.append(text)
        if isinstance(reasoning := delta.get('reasoning_content'), str):
            self.reasoning = self.reasoning or FoldingText()
            self.reasoning.append(reasoning)
        if isinstance(refusal := delta.get('refusal'), str):
            self.refusal = self.refusal or FoldingText()
            self.refusal.append(refusal)
        role = delta.get('role')
        if role is not None:
            self.role = read_word(role) or self.role
        calls = delta.get('tool_calls')
        if calls is not None and is_list(calls):
            for call in calls:
                if is_mapping(call):
                    self.add_tool_call(call)

    def parts(self) -> tuple[list[Part], int | None]:
        """The parts of the message, and the length of the text if that is all there is."""
        text = str(self.text)
        if begins_with_words(text) and self.reasoning is None and self.refusal is None and not self.tool_calls:
            return [{'type': 'text', 'content': text}], len(text)
        parts: list[Part] = []
        if reasoning := str(self.reasoning or ''):
            parts.append({'type': 'reasoning', 'content': reasoning})
        parts.extend(split_thoughts(text))
        if refusal := str(self.refusal or ''):
            parts.append({'type': 'refusal', 'content': refusal})
        parts.extend(call.part() for call in self.tool_calls.values())
        return parts, None


class ChatAccumulator:
    """What a chat stream has said so far. Keeps no chunk."""

    __slots__ = ('_choices', '_id', '_model', '_prompt_attributes', '_usage')

    def __init__(self) -> None:
        self._id: str | None = None
        self._model: str | None = None
        self._usage = NO_USAGE
        self._prompt_attributes: Mapping[str, Any] = {}
        self._choices: dict[int, _Choice] = {}

    def add(self, chunk: Any) -> None:
        """Take one `StreamingChatCompletionsUpdate`. Usage comes last, in a chunk without choices."""
        try:
            # Nearly every chunk is more text of a known choice and says nothing else. It is taken at a tenth of the
            # cost of a closer look.
            data = chunk._data
            (update,) = data['choices']
            update = update._data
            delta = update['delta']._data
            if (
                len(delta) == 1
                and type(piece := delta['content']) is str
                and len(piece) < _SHORT
                and update['finish_reason'] is None
                and ('usage' not in data or data['usage'] is None)
                and 'prompt_filter_results' not in data
            ):
                choice = self._choices[update['index']]
                if (
                    'content_filter_results' not in update
                    or (results := update['content_filter_results']) is None
                    or results == choice.same_results
                ):
                    text = choice.text
                    pieces = text.pieces
                    pieces.append(piece)
                    if len(pieces) >= text.fold_at:
                        text.fold()
                    return
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
            pass
        self._add_closely(as_mapping(chunk))

    def _add_closely(self, chunk: Mapping[str, Any]) -> None:
        if self._id is None:
            self._id = read_word(chunk.get('id'))
        if self._model is None:
            self._model = read_word(chunk.get('model'))
        usage = chunk.get('usage')
        if usage is not None:
            self._usage = read_usage(usage) or self._usage
        if 'prompt_filter_results' in chunk:
            self._prompt_attributes = prompt_attributes(chunk) or self._prompt_attributes
        choices = chunk.get('choices')
        for update in choices if is_list(choices) else ():
            self._add_to_choice(as_mapping(update))

    def _add_to_choice(self, update: Mapping[str, Any]) -> None:
        index = update.get('index')
        if not isinstance(index, int):
            index = 0
        choice = self._choices.get(index)
        if choice is None:
            if len(self._choices) >= MAX_ITEMS:
                return
            choice = self._choices[index] = _Choice()
        reason = update.get('finish_reason')
        if reason is not None:
            choice.finish_reason = read_word(reason) or choice.finish_reason
        if results := update.get('content_filter_results'):
            choice.filtered = read_results(results, choice.filtered)
            choice.same_results = results
        choice.add_delta(as_mapping(update.get('delta')))

    def response(self) -> LLMResponse:
        """What has come so far, choices in the service's order."""
        reasons: list[str] = []
        messages: list[OutputMessage] = []
        filtered: list[Results] = []
        longest_text: int | None = 0
        unfinished = False
        for _, choice in sorted(self._choices.items()):
            parts, length = choice.parts()
            longest_text = None if longest_text is None or length is None else max(longest_text, length)
            reason = choice.finish_reason
            if reason is None:
                unfinished = True
                told = 'error'
            else:
                reasons.append(reason)
                told = message_finish_reason(reason)
            messages.append({'role': choice.role, 'parts': parts, 'finish_reason': told})
            filtered.append(choice.filtered)
        return LLMResponse(
            self._id,
            self._model,
            reasons,
            messages,
            self._usage,
            provider_attributes={**self._prompt_attributes, **completion_attributes(filtered)},
            longest_text=longest_text,
            unfinished=unfinished,
        )
