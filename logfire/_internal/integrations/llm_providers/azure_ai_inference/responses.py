"""Replies and errors, by mapping access: a model's attributes re-deserialise on every read and miss unknown fields.

REST reference: https://learn.microsoft.com/rest/api/aifoundry/model-inference/get-chat-completions/get-chat-completions
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from logfire._internal.integrations.llm_providers.azure_ai_inference.content_filter import (
    Results,
    completion_attributes,
    prompt_attributes,
    read_results,
    refusal_attributes,
)
from logfire._internal.integrations.llm_providers.azure_ai_inference.messages import begins_with_words, read_reply_parts
from logfire._internal.integrations.llm_providers.azure_ai_inference.values import (
    MAX_ITEMS,
    as_mapping,
    is_list,
    read_count,
    read_int,
    read_word,
)
from logfire._internal.integrations.llm_providers.operation import NO_USAGE, LLMResponse, ServiceError, Usage

if TYPE_CHECKING:
    from logfire._internal.integrations.llm_providers.semconv import OutputMessage, Part


def read_chat_response(reply: Any, binary_limit: int) -> LLMResponse:
    """A `ChatCompletions`."""
    reply = as_mapping(reply)
    reasons: list[str] = []
    messages: list[OutputMessage] = []
    filtered: list[Results] = []
    tells_filters = 'prompt_filter_results' in reply
    longest_text: int | None = 0
    choices = reply.get('choices')
    for choice in islice(choices, MAX_ITEMS) if is_list(choices) else ():
        choice = as_mapping(choice)
        reason = read_word(choice.get('finish_reason'))
        if reason:
            reasons.append(reason)
        results = choice.get('content_filter_results')
        if results:
            tells_filters = True
        filtered.append(read_results(results) if results else {})
        message = as_mapping(choice.get('message'))
        text = message.get('content')
        if (
            type(text) is str
            and (text[:1].isalnum() or begins_with_words(text))
            and message.get('tool_calls') is None
            and message.get('refusal') is None
            and message.get('reasoning_content') is None
        ):
            parts: list[Part] = [{'type': 'text', 'content': text}]  # Nearly every reply.
            if longest_text is not None and len(text) > longest_text:
                longest_text = len(text)
        else:
            parts = read_reply_parts(message, binary_limit)
            longest_text = None
        messages.append(
            {
                'role': read_word(message.get('role')) or 'assistant',
                'parts': parts,
                'finish_reason': message_finish_reason(reason) if reason else '',
            }
        )
    return LLMResponse(
        read_word(reply.get('id')),
        read_word(reply.get('model')),
        reasons,
        messages,
        read_usage(reply.get('usage')) or NO_USAGE,
        provider_attributes={**prompt_attributes(reply), **completion_attributes(filtered)} if tells_filters else {},
        longest_text=longest_text,
    )


def read_embeddings_response(reply: Any, binary_limit: int) -> LLMResponse:
    """An `EmbeddingsResult`. Its vectors are never walked; the first one's length is enough."""
    reply = as_mapping(reply)
    data = reply.get('data')
    vector = as_mapping(data[0]).get('embedding') if is_list(data) and data else None
    return LLMResponse(
        model=read_word(reply.get('model')),
        dimension_count=len(vector) if is_list(vector) else None,
        usage=read_usage(reply.get('usage')) or NO_USAGE,
    )


def read_usage(usage: Any) -> Usage | None:
    """Token counts. Cached and reasoning tokens stand in details that the client's models have no attributes for."""
    usage = as_mapping(usage)
    if not usage:
        return None
    prompt, completion = usage.get('prompt_tokens_details'), usage.get('completion_tokens_details')
    return Usage(
        read_count(usage.get('prompt_tokens')),
        read_count(usage.get('completion_tokens')),
        None if prompt is None else read_count(as_mapping(prompt).get('cached_tokens')),
        None if completion is None else read_count(as_mapping(completion).get('reasoning_tokens')),
    )


def read_error(exception: BaseException) -> ServiceError:
    """What an azure-core `HttpResponseError` tells: the service's code, when its body had one, and the HTTP status."""
    error = getattr(exception, 'error', None)
    return ServiceError(
        code=read_word(getattr(error, 'code', None)),
        status_code=read_int(getattr(exception, 'status_code', None)),
        provider_attributes=refusal_attributes(getattr(error, 'innererror', None)),
    )


def message_finish_reason(reason: str) -> str:
    """The reason as the message schema spells it; `gen_ai.response.finish_reasons` keeps the service's word."""
    return 'tool_call' if reason == 'tool_calls' else reason
