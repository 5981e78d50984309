"""Scopes that are dropped; for good, so that each case is shown once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry import _logs, metrics, trace
from opentelemetry._logs import LogRecord

import logfire

if TYPE_CHECKING:
    from tests.compat.observation import Scene

ONCE = True


def case_suppress_scopes(scene: Scene) -> None:
    scene.configure()
    trace.get_tracer('noisy').start_span('before').end()
    logfire.suppress_scopes('noisy', 'loud')
    for scope in ('noisy', 'loud', 'quiet'):
        with trace.get_tracer(scope).start_as_current_span('outer'):
            logfire.info('within {scope}', scope=scope)
        metrics.get_meter(scope).create_counter('calls').add(1)
        _logs.get_logger(scope).emit(LogRecord(timestamp=1, body='log'))


def case_add_non_user_code_prefix(scene: Scene) -> None:
    scene.configure()
    logfire.add_non_user_code_prefix(Path(__file__).parent)
    logfire.info('from nowhere')
    with logfire.span('span'):
        pass
