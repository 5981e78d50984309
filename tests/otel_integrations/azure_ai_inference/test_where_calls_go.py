"""Where calls go: each service that the page of that name tells of, by its own address."""

from __future__ import annotations

import re
import time
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport

from logfire.testing.azure_ai_inference import AzureAIInferenceEndpoint
from tests.otel_integrations.azure_ai_inference.conftest import Colour, Spans, untyped

HI: list[Any] = [{'role': 'user', 'content': 'Hi'}]
PAGE = Path(__file__).parents[3] / 'docs' / 'integrations' / 'llms' / 'where-calls-go.md'
ROWS = [
    [cell.strip().strip('`') for cell in line.strip('|\n').split('|')]
    for line in PAGE.read_text(encoding='utf-8').splitlines()
    if re.match(r'\| .* \| `https?://', line)
]


def redirected(url: str, endpoint: AzureAIInferenceEndpoint) -> str:
    address = urllib.parse.urlsplit(endpoint.url)
    return urllib.parse.urlsplit(url)._replace(scheme=address.scheme, netloc=address.netloc).geturl()


def transport(colour: Colour, endpoint: AzureAIInferenceEndpoint) -> Any:
    """azure-core's own transport, which sends what is meant for any address to the loopback endpoint."""

    class Sync(RequestsTransport):
        def send(self, request: Any, **kwargs: Any) -> Any:
            request.url = redirected(request.url, endpoint)
            return untyped(super()).send(request, **kwargs)

    class Async(AioHttpTransport):
        async def send(self, request: Any, **kwargs: Any) -> Any:
            request.url = redirected(request.url, endpoint)
            return await untyped(super()).send(request, **kwargs)

    return Async() if colour.is_async else Sync()


async def call(colour: Colour, endpoint: AzureAIInferenceEndpoint, url: str, credential: Any, **arguments: Any) -> None:
    client = colour.chat_class(url, credential, transport=transport(colour, endpoint), **arguments)
    await colour.result(client.complete(messages=HI))
    await colour.close(client)


@pytest.mark.parametrize(('service', 'url', 'model', 'request_model'), ROWS, ids=[row[0] for row in ROWS])
def test_every_row_of_the_page(
    service: str,
    url: str,
    model: str,
    request_model: str,
    colour: Colour,
    endpoint: AzureAIInferenceEndpoint,
    instrumented: Spans,
) -> None:
    """A client of the real ones, built for the service's address, sends and is recorded as the page's table says."""
    address = urllib.parse.urlsplit(url)
    arguments = {} if model == 'none' else {'model': model}
    colour.run(call(colour, endpoint, url, AzureKeyCredential('made-up-key'), **arguments))
    (request,) = endpoint.requests
    assert request.path == f'{address.path}/chat/completions'
    assert (request.headers['api-key'], request.headers['authorization']) == ('made-up-key', 'Bearer made-up-key')
    attributes = instrumented.one.attributes or {}
    assert attributes['gen_ai.provider.name'] == 'azure.ai.inference'
    assert attributes['server.address'] == address.hostname
    assert attributes.get('server.port') == address.port
    found = attributes['gen_ai.request.model']
    assert found == (attributes['gen_ai.response.model'] if request_model == "the response's model" else request_model)
    assert 'made-up-key' not in str(attributes)


def test_the_page_has_rows() -> None:
    """The table above is found."""
    assert len(ROWS) == 6


class SyncCredential:
    """Gives a token, as azure-identity's do."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        self.scopes.extend(scopes)
        return AccessToken('made-up-token', int(time.time()) + 3600)


class AsyncCredential(SyncCredential):
    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().get_token(*scopes, **kwargs)


def test_a_token_credential(colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans) -> None:
    """With Microsoft Entra ID the token travels instead of a key, for the scope asked for, and is not recorded."""
    credential = AsyncCredential() if colour.is_async else SyncCredential()
    scope = 'https://cognitiveservices.azure.com/.default'
    url = 'https://my-resource.openai.azure.com/openai/deployments/my-gpt-4o'
    colour.run(call(colour, endpoint, url, credential, credential_scopes=[scope], api_version='2024-10-21'))
    (request,) = endpoint.requests
    assert credential.scopes == [scope]
    assert request.headers['authorization'] == 'Bearer made-up-token'
    assert 'api-key' not in request.headers
    assert request.query == {'api-version': '2024-10-21'}
    assert 'made-up-token' not in str(instrumented.one.attributes)


def test_a_header_that_picks_a_deployment(
    colour: Colour, endpoint: AzureAIInferenceEndpoint, instrumented: Spans
) -> None:
    """A header given to the client's constructor is sent with each request, and not recorded."""
    url = 'https://my-endpoint.eastus2.inference.ml.azure.com'
    headers = {'azureml-model-deployment': 'blue'}
    colour.run(call(colour, endpoint, url, AzureKeyCredential('made-up-key'), headers=headers))
    assert endpoint.requests[0].headers['azureml-model-deployment'] == 'blue'
    assert 'blue' not in str(instrumented.one.attributes)
