"""The programs that send spans to a backend: those that its page of the documentation names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from logfire.testing.azure_ai_inference import Answer, AzureAIInferenceEndpoint, default_reply
from tests.backends.servers import ROOT


def run_demo(environ: Mapping[str, str]) -> None:
    """`make demo` with variables. It must end well and say nothing on stderr: exporters that fail do."""
    result = _run([sys.executable, '-m', 'logfire', 'demo'], environ)
    assert (result.returncode, result.stderr) == (0, ''), result


def run_program(
    *command: Path, environ: Mapping[str, str], python: str = sys.executable, answer: Answer = default_reply
) -> subprocess.CompletedProcess[str]:
    """Run a program that calls the endpoint in `AZURE_AI_CHAT_ENDPOINT`.

    Args:
        command: the program, and its arguments.
        environ: variables besides those of this process.
        python: the interpreter of the environment it needs.
        answer: what the endpoint answers.
    """
    with AzureAIInferenceEndpoint(answer) as endpoint:
        endpoint_variables = {'AZURE_AI_CHAT_ENDPOINT': endpoint.url, 'AZURE_AI_CHAT_KEY': endpoint.key}
        return _run([python, *map(str, command)], {**endpoint_variables, **environ})


def _run(command: Sequence[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    mine = ('AZURE_AI_', 'LOGFIRE_', 'OTEL_', 'APPLICATIONINSIGHTS_')
    return subprocess.run(
        command,
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(mine)},
            'OTEL_EXPORTER_OTLP_TIMEOUT': '60',  # A backend that has just started, on a busy machine.
            **environ,
        },
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
