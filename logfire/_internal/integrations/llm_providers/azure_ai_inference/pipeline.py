"""The HTTP layer under a call, seen where azure-core itself looks at every attempt: its `DistributedTracingPolicy`.

The caller's keywords and hooks stay untouched, and every attempt is covered. For an instrumented call, and only while
it runs: azure-core's own spans are left out (unless the others' are wanted), our span's context goes onto the wire,
attempts are counted, status and the service's request id are read.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.propagate import inject

from logfire._internal.credentials import remember_credentials
from logfire._internal.errors import Guard
from logfire._internal.integrations.llm_providers import semconv
from logfire._internal.integrations.llm_providers.azure_ai_inference.values import read_word
from logfire._internal.integrations.llm_providers.invocation import Invocation, running_invocation
from logfire._internal.patching import Patch

_REQUEST = Guard('prepare the HTTP request of an Azure AI Inference call')
_RESPONSE = Guard('read the HTTP response of an Azure AI Inference call')

# The keywords that azure-core's policy takes out of a request's options: they must not reach the transport.
_TRACING_OPTIONS = ('tracing_options', 'network_span_namer', 'tracing_attributes')

_REQUEST_ID_HEADERS = ('x-ms-request-id', 'apim-request-id')
_MAX_DIGITS = 18  # Of a number that OTLP can carry whatever they are.
_RATE_LIMIT_HEADERS = {
    'x-ratelimit-remaining-requests': semconv.RATE_LIMIT_REMAINING_REQUESTS,
    'x-ratelimit-remaining-tokens': semconv.RATE_LIMIT_REMAINING_TOKENS,
}


def new_patches() -> list[Patch]:
    """The patches of azure-core; none where it is not installed (a test double needs none)."""
    try:
        from azure.core.pipeline.policies import DistributedTracingPolicy
    except ImportError:
        return []
    policy: Any = DistributedTracingPolicy
    return [
        Patch(policy, 'on_request', _new_on_request(policy.on_request)),
        Patch(policy, 'on_response', _new_on_response(policy.on_response)),
    ]


def _new_on_request(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def on_request(self: Any, request: Any) -> None:
        invocation = running_invocation()
        if invocation is None:
            return original(self, request)
        if not invocation.suppresses_others:
            with _REQUEST:
                if _is_of(invocation, request):
                    invocation.new_attempt()
                    remember_credentials(request.http_request.headers)
            return original(self, request)
        with _REQUEST:
            for option in _TRACING_OPTIONS:
                request.context.options.pop(option, None)
            # A credential may fetch its token inside our call, over a pipeline of its own.
            if _is_of(invocation, request):
                _inject(invocation, request.http_request.headers)
                remember_credentials(request.http_request.headers)
        return None

    return on_request


def _new_on_response(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def on_response(self: Any, request: Any, response: Any) -> None:
        invocation = running_invocation()
        if invocation is not None:
            with _RESPONSE:
                if _is_of(invocation, request):
                    _read_response(invocation, response.http_response)
        return original(self, request, response)

    return on_response


def _is_of(invocation: Invocation, request: Any) -> bool:
    """Whether a request runs over the pipeline of the client whose call this is."""
    pipeline = getattr(getattr(invocation.client, '_client', None), '_pipeline', None)
    return getattr(pipeline, '_transport', None) is request.context.transport


def _inject(invocation: Invocation, headers: Any) -> None:
    """Let our span's context travel on this attempt, unless the caller passed a header of it."""
    invocation.new_attempt()
    carrier: dict[str, str] = {}
    inject(carrier, context=invocation.context)
    if invocation.callers_headers is None:
        passed = {name for name in carrier if name in headers}
        if 'traceparent' in passed:
            passed.add('tracestate')
        invocation.callers_headers = frozenset(passed)
    for name, value in carrier.items():
        if name not in invocation.callers_headers:
            headers[name] = value


def _read_response(invocation: Invocation, response: Any) -> None:
    headers: Mapping[str, str] = response.headers
    seen: dict[str, Any] = {semconv.HTTP_STATUS_CODE: response.status_code}
    for name in _REQUEST_ID_HEADERS:
        if request_id := read_word(headers.get(name)):
            seen[semconv.AZURE_SERVICE_REQUEST_ID] = request_id
            break
    for name, attribute in _RATE_LIMIT_HEADERS.items():
        remaining = headers.get(name, '')
        if len(remaining) <= _MAX_DIGITS and remaining.isascii() and remaining.isdigit():
            seen[attribute] = int(remaining)
    invocation.saw(seen)
