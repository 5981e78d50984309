"""The endpoint and the collector of a soak, in a process of their own, so that what they hold is not measured.

`python -m tests.soak.services` writes one line of JSON with their URLs, then does what lines of its standard input say:
`mode NAME` is how the collector behaves from now on, `report` writes what it was sent as a line of JSON.
"""

from __future__ import annotations

import gzip
import json
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from logfire.testing.azure_ai_inference import (
    AzureAIInferenceEndpoint,
    Cut,
    RecordedRequest,
    Reply,
    ToolCall,
    chat_reply,
    embeddings_reply,
    error_reply,
    raw_reply,
    stream_reply,
)

MODES = ('ok', 'down', 'slow', 'unavailable', 'garbage')
"""down: it hangs up. slow: it answers late. unavailable: 503. garbage: it takes the spans and answers nonsense."""

_SLOW_S = 0.3
_CHUNKS = ['It', ' is', ' sunny', '.']
_asked_before: set[int] = set()


def answer(request: RecordedRequest) -> Reply:
    """The reply to an action of `traffic`, which the request names as its model."""
    asked: dict[str, Any] = request.json
    if request.path.endswith('/embeddings'):
        return embeddings_reply([[0.5] * 16])
    action, number = asked['model'], asked['seed']
    if action == 'busy' and number not in _asked_before:
        _asked_before.add(number)
        return error_reply(429, headers={'retry-after': '0'})
    _asked_before.discard(number)
    if asked.get('stream'):
        if action == 'cut':
            return stream_reply([*_CHUNKS, Cut(reset=True)], model=action)
        return stream_reply(_CHUNKS, model=action, usage=(10, 4), done=action != 'truncated')
    if action == 'tools':
        return chat_reply(model=action, tool_calls=[ToolCall('weather', {'town': 'Lisbon'})])
    if action == 'filtered':
        return error_reply(400, code='content_filter', message='The prompt was filtered.')
    if action == 'failing':
        return error_reply(500)
    if action == 'garbage':
        return raw_reply(200, b'\x00 no JSON', headers={'content-type': 'application/json'})
    return chat_reply('It is sunny.', model=action, delay=_SLOW_S if action in ('timeout', 'cancelled') else 0)


class Collector:
    """Keeps, of every span, which call it is of; misbehaves as it is told."""

    def __init__(self) -> None:
        self.mode = 'ok'
        self._taken_since_well = 0
        self._lock = threading.Lock()
        # By the ids of spans: how often each was sent, who called, and the call's parent.
        self._sent: Counter[bytes] = Counter()
        self._callers: dict[bytes, int] = {}
        self._parents: dict[bytes, bytes] = {}
        self._refused: Counter[str] = Counter()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers['Content-Length']))
                mode = collector.mode
                if mode in ('down', 'unavailable'):
                    collector.refuse(mode)
                    if mode == 'unavailable':
                        self.send_response(503)
                        self.send_header('Content-Length', '0')
                        self.end_headers()
                    return
                if mode == 'slow':
                    threading.Event().wait(_SLOW_S)
                collector.take(gzip.decompress(body) if self.headers['Content-Encoding'] == 'gzip' else body)
                reply = b'\xff nonsense' if mode == 'garbage' else b''
                self.send_response(200)
                self.send_header('Content-Length', str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self._server.daemon_threads = True
        self.url = f'http://127.0.0.1:{self._server.server_port}'
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def set_mode(self, mode: str) -> None:
        with self._lock:
            self.mode = mode
            self._taken_since_well = 0

    def refuse(self, mode: str) -> None:
        with self._lock:
            self._refused[mode] += 1

    def take(self, body: bytes) -> None:
        with self._lock:
            self._taken_since_well += self.mode == 'ok'
            for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope_spans in resource_spans.scope_spans:
                    for span in scope_spans.spans:
                        numbers = {each.key: each.value.int_value for each in span.attributes}
                        self._sent[span.span_id] += 1
                        if 'caller' in numbers:
                            self._callers[span.span_id] = numbers['caller']
                        else:
                            self._parents[span.span_id] = span.parent_span_id

    def report(self) -> dict[str, int]:
        """Of everything that was sent."""
        with self._lock:
            spans_of_caller = Counter(self._parents.values())
            return {
                'calls': len(set(self._callers.values())),
                'calls with one span': sum(spans_of_caller[caller] == 1 for caller in self._callers),
                'spans of no caller': sum(parent not in self._callers for parent in self._parents.values()),
                'spans sent twice': sum(count - 1 for count in self._sent.values()),
                'exports refused': sum(self._refused.values()),
                'exports taken since well': self._taken_since_well,
            }


def serve() -> None:
    """Until the standard input ends."""
    collector = Collector()
    with AzureAIInferenceEndpoint(answer) as endpoint:
        print(json.dumps({'endpoint': endpoint.url, 'collector': collector.url}), flush=True)
        for line in sys.stdin:
            endpoint._requests.clear()
            command, *arguments = line.split()
            if command == 'mode':
                collector.set_mode(*arguments)
            else:
                print(json.dumps(collector.report()), flush=True)


if __name__ == '__main__':
    serve()
