"""The `capfire` fixture, in a run of pytest of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from opentelemetry import _logs
from opentelemetry._logs import LogRecord

import logfire

if TYPE_CHECKING:
    from logfire.testing import CaptureLogfire
    from tests.compat.observation import Scene

ONCE = True


def test_capfire(capfire: CaptureLogfire) -> None:
    with logfire.span('captured {x}', x=1):
        logfire.info('log')
    logfire.metric_counter('sheep').add(2)
    _logs.get_logger('lib').emit(LogRecord(body='hello'))
    metrics = capfire.get_collected_metrics()
    shown = [
        *capfire.exporter.exported_spans_as_dict(),
        [[metric['name'], metric['unit'], metric['data']['data_points'][0]['value']] for metric in metrics],
        [log['body'] for log in capfire.log_exporter.exported_logs_as_dicts()],
        [type(capfire.metrics_reader).__name__],
    ]
    print('', *(json.dumps(each) for each in shown), sep='\n')


def case_capfire(scene: Scene) -> None:
    folder = os.path.dirname(__file__)
    options = ['-q', '-s', '-c', os.devnull, '--rootdir', folder, '--noconftest', '-p', 'no:cacheprovider']
    command = [sys.executable, '-m', 'pytest', *options, f'{__file__}::test_capfire']
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    print(run.returncode, *(line for line in run.stdout.splitlines() if line.startswith(('{', '['))), sep='\n')
