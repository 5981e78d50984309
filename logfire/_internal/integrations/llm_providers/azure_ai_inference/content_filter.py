"""Azure's content-filter results: per category what was found, never what was written.

REST reference: https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter-annotations
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from logfire._internal.integrations.llm_providers.azure_ai_inference.values import (
    MAX_ITEMS,
    as_mapping,
    is_list,
    is_mapping,
)
from logfire._internal.integrations.llm_providers.operation import json_attribute
from logfire._internal.integrations.llm_providers.semconv import (
    CONTENT_FILTER_COMPLETION_RESULTS,
    CONTENT_FILTER_PROMPT_RESULTS,
)

# The verdicts. Other members (citations, identifiers of block lists) may quote.
_VERDICTS = ('filtered', 'detected', 'severity')

Results = dict[str, dict[str, Any]]


def read_results(results: Any, before: Results | None = None) -> Results:
    """`{category: {filtered, severity or detected}}`, over those `before`; empty where the service sent none."""
    found: Results = {**before} if before else {}
    if not results:
        return found
    for category, result in as_mapping(results).items():
        verdict = {name: result[name] for name in _VERDICTS if name in result} if is_mapping(result) else {}
        if verdict and len(found) < MAX_ITEMS:
            found[category] = verdict
    return found


def completion_attributes(choices: Sequence[Results]) -> Mapping[str, Any]:
    """The attribute that has one object per choice; none where no choice has results."""
    return {CONTENT_FILTER_COMPLETION_RESULTS: json_attribute(choices)} if any(choices) else {}


def prompt_attributes(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """The attribute of a reply's `prompt_filter_results`, one object per prompt."""
    prompts = reply.get('prompt_filter_results')
    if not prompts:
        return {}
    found = [
        read_results(prompt.get('content_filter_results'))
        for prompt in (prompts if is_list(prompts) else ())
        if is_mapping(prompt)
    ]
    return {CONTENT_FILTER_PROMPT_RESULTS: json_attribute(found)} if any(found) else {}


def refusal_attributes(inner_error: Any) -> Mapping[str, Any]:
    """The attribute of a refused prompt, from the error's `innererror`."""
    if not is_mapping(inner_error):
        return {}
    found = read_results(inner_error.get('content_filter_result') or inner_error.get('content_filter_results'))
    return {CONTENT_FILTER_PROMPT_RESULTS: json_attribute([found])} if found else {}
