"""The `capfire` fixture, which comes with the `logfire` package.

This module stands beside the package, not in it: pytest loads it in every run, and `import logfire` must wait until a
test asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from logfire.testing import CaptureLogfire


@pytest.fixture
def capfire() -> Iterator[CaptureLogfire]:
    """Configure logfire to keep what the test records, in memory and nowhere else; unconfigure it afterwards."""
    from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    from logfire._internal.config.configuration import GLOBAL_CONFIG, configure
    from logfire._internal.config.options import AdvancedOptions, MetricsOptions
    from logfire.testing import CaptureLogfire, IncrementalIdGenerator, TestExporter, TestLogExporter, TimeGenerator

    clock = TimeGenerator()
    exporter = TestExporter()
    log_exporter = TestLogExporter(clock)
    reader = InMemoryMetricReader()
    configure(
        send_to_logfire=False,
        console=False,
        additional_span_processors=[SimpleSpanProcessor(exporter)],
        metrics=MetricsOptions(additional_readers=[reader]),
        advanced=AdvancedOptions(
            id_generator=IncrementalIdGenerator(),
            ns_timestamp_generator=clock,
            log_record_processors=[SimpleLogRecordProcessor(log_exporter)],
        ),
    )
    yield CaptureLogfire(exporter, reader, log_exporter)
    GLOBAL_CONFIG.reset()
