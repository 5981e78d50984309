"""The option objects that `logfire.configure()` takes: plain, frozen, without behaviour."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.sdk._logs import LogRecordProcessor
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.metrics.view import View
    from opentelemetry.sdk.resources import ResourceDetector
    from opentelemetry.sdk.trace.id_generator import IdGenerator

    from logfire._internal.config.parameters import ConsoleColors, ConsoleSpanStyle
    from logfire._internal.levels import LevelName
    from logfire.types import ExceptionCallback


@dataclass(frozen=True)
class ConsoleOptions:
    """How spans and logs are shown on the console."""

    colors: ConsoleColors = 'auto'
    """`auto` colours a terminal and nothing else; `always` and `never` are what they say."""
    span_style: ConsoleSpanStyle = 'show-parents'
    """`simple` is a flat list, `indented` shows depth, `show-parents` also repeats the parents where traces
    interleave."""
    include_timestamps: bool = True
    """Begin each line with the time of day."""
    include_tags: bool = True
    """Show the tags of each span and log."""
    verbose: bool = False
    """Also show where in the code a line comes from, its level and its attributes, and more of long texts."""
    min_log_level: LevelName = 'info'
    """Logs below this level are not shown; they are still exported."""
    output: TextIO | None = None
    """Where to write; None is the standard output, as it is at the moment of writing."""


@dataclass(frozen=True)
class AdvancedOptions:
    """What few users need."""

    base_url: str | None = field(default=None, repr=False)
    """Root URL of the Logfire backend, instead of that of the token's region."""
    id_generator: IdGenerator | None = None
    """Makes trace and span ids; None is OpenTelemetry's random one."""
    ns_timestamp_generator: Callable[[], int] = time.time_ns
    """The clock: nanoseconds since 1970. It is read when a span starts, for each recorded exception, and when it
    ends."""
    log_record_processors: Sequence[LogRecordProcessor] = ()
    """OpenTelemetry processors that get every log record of the OpenTelemetry logs API, scrubbed."""
    exception_callback: ExceptionCallback | None = None
    """Called for each exception about to be recorded on a span; may change what is recorded."""
    resource_detectors: Sequence[ResourceDetector | str] | None = None
    """Detectors, or names of installed ones, that add resource attributes. None reads
    `OTEL_EXPERIMENTAL_RESOURCE_DETECTORS`."""
    export_memory_items: int | None = None
    """The most spans, log records or metrics that are kept in memory while a collector does not take them, for each
    of the three and each place they go to; 20,000 by default. `LOGFIRE_EXPORT_MEMORY_ITEMS`."""
    export_memory_size: int | None = None
    """The same in bytes, as they are sent; 64 MiB by default. `LOGFIRE_EXPORT_MEMORY_SIZE`."""
    export_buffer_dir: Path | str | None = None
    """A folder for what goes beyond that, and for what cannot be delivered before the program ends: the next one that
    sends to the same place delivers it. It is made if it is not there, readable by its owner only. None, the default,
    keeps nothing on disk. `LOGFIRE_EXPORT_BUFFER_DIR`."""
    export_buffer_size: int | None = None
    """The most that the folder may hold, in bytes; 512 MiB by default. `LOGFIRE_EXPORT_BUFFER_SIZE`."""


@dataclass(frozen=True)
class MetricsOptions:
    """Where metrics go, and how they are aggregated."""

    additional_readers: Sequence[MetricReader] = ()
    """OpenTelemetry readers that get every metric, beside those that a token or an OTLP endpoint brings."""
    collect_in_spans: bool = False
    """Also sum what counters and histograms measure within a span, in its `logfire.metrics` attribute."""
    views: Sequence[View] = ()
    """OpenTelemetry views. With none, histograms have the bucket bounds that their instruments ask for."""


@dataclass(frozen=True)
class CodeSource:
    """Where the source code of this service lives, so that the backend can link to it."""

    repository: str
    """URL of the repository. A user and a password in it are dropped."""
    revision: str
    """Commit, tag or branch that is running."""
    root_path: str = ''
    """Path from the root of the repository to the working directory of the service."""

    def __post_init__(self) -> None:
        repository = re.sub(r'(?<=://)[^/@\s]+@', '', self.repository)
        object.__setattr__(self, 'repository', repository)
