"""Replies and errors, by mapping access: a model's attributes re-deserialise on every read and miss unknown fields.

REST reference: https://learn.microsoft.com/rest/api/aifoundry/model-inference/get-chat-completions/get-chat-completions
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from logfire._internal.integrations.llm_providers.azure_ai_inference.content_filter import (
    Results,
    completion_attributes,
    prompt_attributes,
    read_results,
    refusal_attributes,
)
from logfire._internal.integrations.llm_providers.azure_ai_inference.messages import read_reply_parts
from logfire._internal.integrations.llm_providers.azure_ai_inference.values import (
    MAX_ITEMS,
    as_mapping,
    is_list,
    is_mapping,
    raw,
    read_count,
    read_int,
    read_word,
)
from logfire._internal.integrations.llm_providers.operation import LLMResponse, ServiceError, Usage
from logfire._internal.integrations.llm_providers.semconv import OutputMessage


def read_chat_response(reply: Any, binary_limit: int) -> LLMResponse:
    """A `ChatCompletions`."""
    reasons: list[str] = []
    messages: list[OutputMessage] = []
    filtered: list[Results] = []
    reply = as_mapping(raw(reply))
    choices = reply.get('choices')
    for choice in islice(choices, MAX_ITEMS) if is_list(choices) else ():
        choice = as_mapping(raw(choice))
        message = raw(choice.get('message'))
        reason = read_word(choice.get('finish_reason'))
        if reason:
            reasons.append(reason)
        filtered.append(read_results(choice.get('content_filter_results')))
        messages.append(
            {
                'role': (read_word(message.get('role')) if is_mapping(message) else None) or 'assistant',
                'parts': read_reply_parts(message, binary_limit) if is_mapping(message) else [],
                'finish_reason': message_finish_reason(reason or ''),
            }
        )
    return LLMResponse(
        id=read_word(reply.get('id')),
        model=read_word(reply.get('model')),
        finish_reasons=reasons,
        messages=messages,
        provider_attributes={**prompt_attributes(reply), **completion_attributes(filtered)},
        usage=read_usage(reply.get('usage')) or Usage(),
    )


def read_embeddings_response(reply: Any, binary_limit: int) -> LLMResponse:
    """An `EmbeddingsResult`. Its vectors are never walked; the first one's length is enough."""
    reply = as_mapping(raw(reply))
    data = reply.get('data')
    first = raw(data[0]) if is_list(data) and data else None
    vector = first.get('embedding') if is_mapping(first) else None
    return LLMResponse(
        model=read_word(reply.get('model')),
        dimension_count=len(vector) if is_list(vector) else None,
        usage=read_usage(reply.get('usage')) or Usage(),
    )


def read_usage(usage: Any) -> Usage | None:
    """Token counts. Cached and reasoning tokens stand in details that the client's models have no attributes for."""
    usage = raw(usage)
    if not is_mapping(usage):
        return None
    return Usage(
        read_count(usage.get('prompt_tokens')),
        read_count(usage.get('completion_tokens')),
        _detail(usage, 'prompt_tokens_details', 'cached_tokens'),
        _detail(usage, 'completion_tokens_details', 'reasoning_tokens'),
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


def _detail(usage: Mapping[str, Any], group: str, name: str) -> int | None:
    details = usage.get(group)
    return read_count(details.get(name)) if is_mapping(details) else None
