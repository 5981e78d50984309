"""`instrument_azure_ai_inference()`: which clients of Microsoft's `azure-ai-inference` are meant, and their calls."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from logfire._internal.integrations.llm_providers.azure_ai_inference import neighbours
from logfire._internal.integrations.llm_providers.azure_ai_inference.pipeline import new_patches
from logfire._internal.integrations.llm_providers.azure_ai_inference.requests import (
    PROVIDER,
    PROVIDER_ATTRIBUTES,
    bare_request,
    read_chat_request,
    read_embeddings_request,
)
from logfire._internal.integrations.llm_providers.azure_ai_inference.responses import (
    read_chat_response,
    read_embeddings_response,
    read_error,
)
from logfire._internal.integrations.llm_providers.azure_ai_inference.stream import ChatAccumulator
from logfire._internal.integrations.llm_providers.content import content_is_captured
from logfire._internal.integrations.llm_providers.destination import Destination, logfire_destination
from logfire._internal.integrations.llm_providers.instrument import LLMInstrumentation, Registry
from logfire._internal.integrations.llm_providers.operation import Operation

if TYPE_CHECKING:
    from azure.ai.inference import ChatCompletionsClient, EmbeddingsClient, ImageEmbeddingsClient
    from azure.ai.inference.aio import (
        ChatCompletionsClient as AsyncChatCompletionsClient,
        EmbeddingsClient as AsyncEmbeddingsClient,
        ImageEmbeddingsClient as AsyncImageEmbeddingsClient,
    )

    from logfire._internal.main import Logfire

    class HasComplete(Protocol):
        """Stands in for a chat client: a test double, say."""

        @property
        def complete(self) -> Any: ...

    class HasEmbed(Protocol):
        """Stands in for an embeddings client."""

        @property
        def embed(self) -> Any: ...

    AzureAIInferenceClient: TypeAlias = (
        ChatCompletionsClient
        | EmbeddingsClient
        | ImageEmbeddingsClient
        | AsyncChatCompletionsClient
        | AsyncEmbeddingsClient
        | AsyncImageEmbeddingsClient
        | HasComplete
        | HasEmbed
    )
    _OneTarget: TypeAlias = AzureAIInferenceClient | type[AzureAIInferenceClient]
    AzureAIInferenceTarget: TypeAlias = _OneTarget | Iterable[_OneTarget]

CHAT = Operation(
    name='chat',
    provider=PROVIDER,
    provider_attributes=PROVIDER_ATTRIBUTES,
    method='complete',
    message='Chat completion',
    read_request=read_chat_request,
    bare_request=bare_request,
    read_response=read_chat_response,
    read_error=read_error,
    new_accumulator=ChatAccumulator,
)
EMBEDDINGS = Operation(
    name='embeddings',
    provider=PROVIDER,
    provider_attributes=PROVIDER_ATTRIBUTES,
    method='embed',
    message='Embeddings',
    read_request=read_embeddings_request,
    bare_request=bare_request,
    read_response=read_embeddings_response,
    read_error=read_error,
    new_accumulator=ChatAccumulator,
)

_registry = Registry((CHAT, EMBEDDINGS), neighbours, new_patches)


def instrument_azure_ai_inference(
    logfire: Logfire,
    azure_ai_inference_client: AzureAIInferenceTarget | None,
    *,
    suppress_other_instrumentation: bool,
    capture_content: bool | None,
) -> AbstractContextManager[None]:
    """Instrument the clients that are meant; see `logfire.instrument_azure_ai_inference`."""
    targets = _targets(azure_ai_inference_client)
    logfire.config.warn_if_not_initialized()
    return _instrument(
        targets,
        logfire_destination(logfire),
        suppress_other_instrumentation=suppress_other_instrumentation,
        capture_content=content_is_captured(capture_content),
        stands_back=False,
    )


def instrument_all_clients(
    destination: Destination, *, suppress_other_instrumentation: bool, capture_content: bool | None
) -> AbstractContextManager[None]:
    """Instrument every client that nothing else instruments, as nobody in the program asks for; see `Registry`.

    Content is recorded only if it is asked for, as OpenTelemetry's own instrumentations hold it.
    """
    return _instrument(
        _all_client_classes(),
        destination,
        suppress_other_instrumentation=suppress_other_instrumentation,
        capture_content=content_is_captured(capture_content, unless_set=False),
        stands_back=True,
    )


def _instrument(
    targets: list[Any],
    destination: Destination,
    *,
    suppress_other_instrumentation: bool,
    capture_content: bool,
    stands_back: bool,
) -> AbstractContextManager[None]:
    instrumentation = LLMInstrumentation(
        destination,
        'logfire.azure_ai_inference',
        price_provider='azure',
        suppress_other_instrumentation=suppress_other_instrumentation,
        capture_content=capture_content,
        stands_back=stands_back,
    )
    return _registry.instrument(targets, instrumentation)


def _targets(given: Any) -> list[Any]:
    if given is None:
        return _all_client_classes()
    if _registry.has_method(given):
        return [given]
    if isinstance(given, Iterable) and not isinstance(given, (str, bytes, type)):
        targets: list[Any] = list(given)  # pyright: ignore[reportUnknownArgumentType] - what it holds is checked next
        if not targets:
            raise ValueError(
                f'instrument_azure_ai_inference() got an empty {type(given).__name__}: '  # pyright: ignore[reportUnknownArgumentType]
                f'pass at least one client or client class, or None for all clients.'
            )
        for position, target in enumerate(targets):
            if not _registry.has_method(target):
                raise TypeError(f'{_not_accepted(target)} (It is item {position} of the iterable.)')
        return targets
    raise TypeError(_not_accepted(given))


def _not_accepted(target: Any) -> str:
    what = (
        f'the class {target.__qualname__}'
        if isinstance(target, type)
        else f'an object of type {type(target).__qualname__}'
    )
    return (
        f'instrument_azure_ai_inference() got {what}, which has neither a complete() nor an embed() method. '
        f'Accepted are: None for all clients; a ChatCompletionsClient, EmbeddingsClient or ImageEmbeddingsClient of '
        f'azure.ai.inference or azure.ai.inference.aio; one of these classes or a subclass; an object or class with '
        f'such a method; an iterable of these.'
    )


def _all_client_classes() -> list[Any]:
    try:
        from azure.ai import inference
        from azure.ai.inference import aio
    except ImportError as error:
        raise RuntimeError(
            'instrument_azure_ai_inference() needs the azure-ai-inference package, which is not installed. '
            "Install it with: pip install 'logfire[azure-ai-inference]'"
        ) from error
    return [
        getattr(module, name)
        for module in (inference, aio)
        for name in ('ChatCompletionsClient', 'EmbeddingsClient', 'ImageEmbeddingsClient')
    ]
