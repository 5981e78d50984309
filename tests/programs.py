"""Programs that run in a process of their own, with a real collector and a real endpoint, and what they sent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.collector import Collector

TIMEOUT = 60
"""Seconds after which a program that hangs fails its test."""

BEGINNING = """
import multiprocessing, os, signal, sys, threading
import logfire

logfire.configure(console=False, inspect_arguments=False)

"""

CLIENTS = """
from azure.ai.inference import ChatCompletionsClient
from azure.core.credentials import AzureKeyCredential

logfire.instrument_azure_ai_inference(ChatCompletionsClient)

def messages(text):
    return [{'role': 'user', 'content': text}]

def client(client_class=ChatCompletionsClient):
    return client_class(os.environ['ENDPOINT'], AzureKeyCredential('made up'))

"""
"""For programs that call the endpoint named by the variable `ENDPOINT`."""


@contextmanager
def running(tmp_path: Path, program: str, collector_url: str, **environment: str) -> Generator[subprocess.Popen[str]]:
    """The program, after `BEGINNING`, with its output piped; killed if it is still there in the end."""
    path = tmp_path / 'program.py'
    path.write_text(BEGINNING + program)
    process = subprocess.Popen(
        # Python itself warns of a fork in a program that has threads.
        [sys.executable, '-W', 'ignore::DeprecationWarning', str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            'PYTHONPATH': str(Path(__file__).parents[1]),
            'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT': f'{collector_url}/v1/traces',
            **environment,
        },
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def run(tmp_path: Path, program: str, collector: Collector, **environment: str) -> tuple[int, str]:
    """Run the program to its end: its exit code and its standard error output. The other output stays empty."""
    with running(tmp_path, program, collector.url, **environment) as process:
        said, complained = process.communicate(timeout=TIMEOUT)
    assert said == ''
    return process.returncode, complained


class Sent(NamedTuple):
    """A span that the collector was sent, and the resource it came from."""

    span: Span
    resource: dict[str, Any]


def sent(collector: Collector) -> dict[str, Sent]:
    """The spans that were sent, by name. None was sent twice."""
    found: dict[str, Sent] = {}
    for delivery in collector.sent_to('/v1/traces'):
        for resource_spans in ExportTraceServiceRequest.FromString(delivery.body).resource_spans:
            resource = {
                each.key: getattr(each.value, each.value.WhichOneof('value') or 'string_value')
                for each in resource_spans.resource.attributes
            }
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    assert span.name not in found, span.name
                    found[span.name] = Sent(span, resource)
    return found
