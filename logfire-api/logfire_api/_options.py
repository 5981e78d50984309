"""The option objects that `configure()` takes. They keep what they are given, and nothing reads it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO, TypeVar

from logfire_api._span import LevelName

if TYPE_CHECKING:
    from logfire_api.sampling import TailSamplingSpanInfo
    from logfire_api.types import ExceptionCallback

_S = TypeVar('_S', bound='SamplingOptions')


@dataclass(frozen=True)
class ConsoleOptions:
    """How spans and logs are shown on the console."""

    colors: Literal['auto', 'always', 'never'] = 'auto'
    span_style: Literal['simple', 'indented', 'show-parents'] = 'show-parents'
    include_timestamps: bool = True
    include_tags: bool = True
    verbose: bool = False
    min_log_level: LevelName = 'info'
    output: TextIO | None = None


@dataclass(frozen=True)
class AdvancedOptions:
    """What few users need. `Any` stands for the types of OpenTelemetry, which may be absent."""

    base_url: str | None = None
    id_generator: Any = None
    ns_timestamp_generator: Callable[[], int] = time.time_ns
    log_record_processors: Sequence[Any] = ()
    exception_callback: ExceptionCallback | None = None
    resource_detectors: Sequence[Any] | None = None
    export_memory_items: int | None = None
    export_memory_size: int | None = None
    export_buffer_dir: Path | str | None = None
    export_buffer_size: int | None = None


@dataclass(frozen=True)
class MetricsOptions:
    """Where metrics go, and how they are aggregated. `Any` stands for the types of OpenTelemetry."""

    additional_readers: Sequence[Any] = ()
    collect_in_spans: bool = False
    views: Sequence[Any] = ()


@dataclass(frozen=True)
class CodeSource:
    """Where the source code of a service lives."""

    repository: str
    revision: str
    root_path: str = ''


@dataclass
class ScrubMatch:
    """What a scrubbing callback is told about a match. Without `logfire` none is called."""

    path: tuple[str | int, ...]
    value: Any
    pattern_match: re.Match[str]


@dataclass(frozen=True)
class ScrubbingOptions:
    """How secrets are scrubbed from what is exported."""

    callback: Callable[[ScrubMatch], Any] | None = None
    extra_patterns: Sequence[str] | None = None


@dataclass(frozen=True)
class SamplingOptions:
    """Which traces are kept. `Any` stands for a sampler of OpenTelemetry."""

    head: float | Any = 1.0
    tail: Callable[[TailSamplingSpanInfo], float] | None = None

    @classmethod
    def level_or_duration(
        cls: type[_S],
        *,
        head: float | Any = 1.0,
        level_threshold: LevelName | None = 'notice',
        duration_threshold: float | None = 5.0,
        background_rate: float = 0.0,
    ) -> _S:
        """Keep traces that hold something notable or take long. The arguments are not checked.

        Args:
            head: Share of traces to record at all, 0 to 1, or an OpenTelemetry sampler.
            level_threshold: Keep a trace with a span or log of at least this level.
            duration_threshold: Keep a trace that takes longer than this, in seconds.
            background_rate: Share of all traces to keep although neither holds.
        """
        return cls(head=head)
