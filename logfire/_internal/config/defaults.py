"""The options of a program that gives none: the defaults of the option classes, which then need not be loaded."""

from __future__ import annotations

import time


class DefaultAdvancedOptions:
    """`AdvancedOptions()`."""

    base_url = None
    id_generator = None
    ns_timestamp_generator = staticmethod(time.time_ns)
    log_record_processors = ()
    exception_callback = None
    resource_detectors = None
    export_memory_items = None
    export_memory_size = None
    export_buffer_dir = None
    export_buffer_size = None


class DefaultMetricsOptions:
    """`MetricsOptions()`."""

    additional_readers = ()
    collect_in_spans = False
    views = ()


class DefaultSamplingOptions:
    """`SamplingOptions()`."""

    head = 1.0
    tail = None
