"""A loopback endpoint that speaks the Azure AI model inference REST API, scripted by the test that uses it.

It serves `/chat/completions` (JSON and server-sent events), `/embeddings`, `/images/embeddings` and `/info` under any
path prefix, so `endpoint.url + '/openai/deployments/gpt-4o'` works as well. It binds 127.0.0.1 only, needs neither
pytest nor anything else outside the standard library, and every wait in it is bounded.

Example usage:

    ```python
    from azure.ai.inference import ChatCompletionsClient
    from azure.ai.inference.models import UserMessage
    from azure.core.credentials import AzureKeyCredential

    from logfire.testing.azure_ai_inference import AzureAIInferenceEndpoint, chat_reply

    with AzureAIInferenceEndpoint() as endpoint:
        endpoint.reply(chat_reply('It is sunny in Lisbon.'))
        with ChatCompletionsClient(endpoint.url, AzureKeyCredential(endpoint.key)) as client:
            result = client.complete(messages=[UserMessage('How is the weather in Lisbon?')])
        assert result.choices[0].message.content == 'It is sunny in Lisbon.'
        assert endpoint.requests[0].json['messages'][0]['role'] == 'user'
    ```
"""

from __future__ import annotations

from logfire.testing.azure_ai_inference.endpoint import Answer, AzureAIInferenceEndpoint
from logfire.testing.azure_ai_inference.replies import (
    Cut,
    Delay,
    Delta,
    ErrorEvent,
    Gate,
    Reply,
    Step,
    StreamItem,
    ToolCall,
    Usage,
    chat_reply,
    cut_reply,
    embeddings_reply,
    error_reply,
    info_reply,
    raw_reply,
    stream_reply,
)
from logfire.testing.azure_ai_inference.requests import Headers, RecordedRequest, default_reply

__all__ = [
    'Answer',
    'AzureAIInferenceEndpoint',
    'Cut',
    'Delay',
    'Delta',
    'ErrorEvent',
    'Gate',
    'Headers',
    'RecordedRequest',
    'Reply',
    'Step',
    'StreamItem',
    'ToolCall',
    'Usage',
    'chat_reply',
    'cut_reply',
    'default_reply',
    'embeddings_reply',
    'error_reply',
    'info_reply',
    'raw_reply',
    'stream_reply',
]
