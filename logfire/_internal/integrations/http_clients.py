"""The HTTP requests of `requests` and `aiohttp`, by OpenTelemetry's instrumentations of these libraries."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from logfire._internal.errors import Guard

if TYPE_CHECKING:
    import requests
    from aiohttp import TraceRequestEndParams, TraceRequestExceptionParams, TraceRequestStartParams
    from multidict import CIMultiDict, CIMultiDictProxy
    from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
    from opentelemetry.trace import Span

    from logfire._internal.main import Logfire

    RequestsRequestHook: TypeAlias = Callable[[Span, requests.PreparedRequest], None]
    RequestsResponseHook: TypeAlias = Callable[[Span, requests.PreparedRequest, requests.Response], None]
    AiohttpClientRequestHook: TypeAlias = Callable[[Span, TraceRequestStartParams], None]
    AiohttpClientResponseHook: TypeAlias = Callable[[Span, TraceRequestEndParams | TraceRequestExceptionParams], None]

_CAPTURE_HEADERS = Guard('record the headers of an HTTP request')

# What the published SDK does beyond OpenTelemetry's instrumentation: refused, where it would be passed on and ignored.
_NOT_OURS = ('capture_all', 'capture_request_body', 'capture_response_body')


def instrument_requests(logfire: Logfire, **options: Any) -> None:
    """Instrument `requests`; see `logfire.instrument_requests`."""
    try:
        from opentelemetry.instrumentation.requests import RequestsInstrumentor
    except ImportError as error:
        raise _missing('instrument_requests', 'requests', error) from error
    _instrument(RequestsInstrumentor(), logfire, options)


def instrument_aiohttp_client(
    logfire: Logfire,
    *,
    capture_headers: bool,
    request_hook: AiohttpClientRequestHook | None,
    response_hook: AiohttpClientResponseHook | None,
    **options: Any,
) -> None:
    """Instrument `aiohttp`'s client; see `logfire.instrument_aiohttp_client`."""
    for name in _NOT_OURS:
        if name in options:
            raise TypeError(
                f'instrument_aiohttp_client() does not take {name!r}: bodies are not recorded. It takes '
                f'capture_headers, request_hook, response_hook and what AioHttpClientInstrumentor().instrument() takes.'
            )
    try:
        from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
    except ImportError as error:
        raise _missing('instrument_aiohttp_client', 'aiohttp-client', error) from error
    if capture_headers:
        request_hook = _capturing_request_headers(request_hook)
        response_hook = _capturing_response_headers(response_hook)
    hooks = {'request_hook': request_hook, 'response_hook': response_hook}
    _instrument(AioHttpClientInstrumentor(), logfire, {**hooks, **options})


def _instrument(instrumentor: BaseInstrumentor, logfire: Logfire, options: dict[str, Any]) -> None:
    logfire.config.warn_if_not_initialized()
    providers = {'tracer_provider': logfire.config.tracer_provider, 'meter_provider': logfire.config.meter_provider}
    instrumentor.instrument(**{**providers, **options})


def _missing(function: str, extra: str, error: ImportError) -> RuntimeError:
    return RuntimeError(
        f'{function}() needs packages that are not installed (the module {error.name} is missing). '
        f"Install them with: pip install 'logfire[{extra}]'"
    )


def _capturing_request_headers(hook: AiohttpClientRequestHook | None) -> AiohttpClientRequestHook:
    def request_hook(span: Span, params: TraceRequestStartParams) -> None:
        with _CAPTURE_HEADERS:
            _set_headers(span, 'request', params.headers)
        if hook is not None:
            hook(span, params)

    return request_hook


def _capturing_response_headers(hook: AiohttpClientResponseHook | None) -> AiohttpClientResponseHook:
    def response_hook(span: Span, params: TraceRequestEndParams | TraceRequestExceptionParams) -> None:
        with _CAPTURE_HEADERS:
            # Where there was an exception there is no response.
            response = getattr(params, 'response', None)
            if response is not None:
                _set_headers(span, 'response', response.headers)
        if hook is not None:
            hook(span, params)

    return response_hook


def _set_headers(span: Span, of: str, headers: CIMultiDict[str] | CIMultiDictProxy[str]) -> None:
    """As attributes of OpenTelemetry's names; what is secret in them is scrubbed on the way out."""
    for name in headers:
        span.set_attribute(f'http.{of}.header.{name.lower()}', headers.getall(name))
