"""The API of `logfire` for libraries: does nothing where that is not installed, and is `logfire` where it is.

`import logfire_api as logfire`. Each public name is the very object that `logfire` has, if there is one.
"""

from __future__ import annotations

from typing import Final

from logfire_api._bridges import LogfireLoggingHandler, StructlogProcessor, loguru_handler
from logfire_api._context import attach_context, get_baggage, get_context, set_baggage
from logfire_api._handover import hand_over
from logfire_api._instance import (
    DEFAULT_LOGFIRE_INSTANCE,
    Logfire,
    add_non_user_code_prefix,
    configure,
    logfire_info,
)
from logfire_api._options import (
    AdvancedOptions,
    CodeSource,
    ConsoleOptions,
    MetricsOptions,
    SamplingOptions,
    ScrubbingOptions,
    ScrubMatch,
)
from logfire_api._span import LevelName, LogfireSpan
from logfire_api._version import VERSION

__all__ = [
    'DEFAULT_LOGFIRE_INSTANCE',
    'VERSION',
    'AdvancedOptions',
    'CodeSource',
    'ConsoleOptions',
    'LevelName',
    'Logfire',
    'LogfireLoggingHandler',
    'LogfireSpan',
    'MetricsOptions',
    'SamplingOptions',
    'ScrubMatch',
    'ScrubbingOptions',
    'StructlogProcessor',
    '__version__',
    'add_non_user_code_prefix',
    'attach_context',
    'configure',
    'debug',
    'error',
    'exception',
    'fatal',
    'force_flush',
    'get_baggage',
    'get_context',
    'info',
    'instrument',
    'instrument_aiohttp_client',
    'instrument_azure_ai_inference',
    'instrument_requests',
    'log',
    'logfire_info',
    'loguru_handler',
    'metric_counter',
    'metric_counter_callback',
    'metric_gauge',
    'metric_gauge_callback',
    'metric_histogram',
    'metric_up_down_counter',
    'metric_up_down_counter_callback',
    'notice',
    'set_baggage',
    'shutdown',
    'span',
    'suppress_instrumentation',
    'suppress_scopes',
    'trace',
    'warn',
    'warning',
    'with_settings',
    'with_tags',
]

__version__: str = VERSION

debug: Final = DEFAULT_LOGFIRE_INSTANCE.debug
error: Final = DEFAULT_LOGFIRE_INSTANCE.error
exception: Final = DEFAULT_LOGFIRE_INSTANCE.exception
fatal: Final = DEFAULT_LOGFIRE_INSTANCE.fatal
force_flush: Final = DEFAULT_LOGFIRE_INSTANCE.force_flush
info: Final = DEFAULT_LOGFIRE_INSTANCE.info
instrument: Final = DEFAULT_LOGFIRE_INSTANCE.instrument
instrument_aiohttp_client: Final = DEFAULT_LOGFIRE_INSTANCE.instrument_aiohttp_client
instrument_azure_ai_inference: Final = DEFAULT_LOGFIRE_INSTANCE.instrument_azure_ai_inference
instrument_requests: Final = DEFAULT_LOGFIRE_INSTANCE.instrument_requests
log: Final = DEFAULT_LOGFIRE_INSTANCE.log
metric_counter: Final = DEFAULT_LOGFIRE_INSTANCE.metric_counter
metric_counter_callback: Final = DEFAULT_LOGFIRE_INSTANCE.metric_counter_callback
metric_gauge: Final = DEFAULT_LOGFIRE_INSTANCE.metric_gauge
metric_gauge_callback: Final = DEFAULT_LOGFIRE_INSTANCE.metric_gauge_callback
metric_histogram: Final = DEFAULT_LOGFIRE_INSTANCE.metric_histogram
metric_up_down_counter: Final = DEFAULT_LOGFIRE_INSTANCE.metric_up_down_counter
metric_up_down_counter_callback: Final = DEFAULT_LOGFIRE_INSTANCE.metric_up_down_counter_callback
notice: Final = DEFAULT_LOGFIRE_INSTANCE.notice
shutdown: Final = DEFAULT_LOGFIRE_INSTANCE.shutdown
span: Final = DEFAULT_LOGFIRE_INSTANCE.span
suppress_instrumentation: Final = DEFAULT_LOGFIRE_INSTANCE.suppress_instrumentation
suppress_scopes: Final = DEFAULT_LOGFIRE_INSTANCE.suppress_scopes
trace: Final = DEFAULT_LOGFIRE_INSTANCE.trace
warn: Final = DEFAULT_LOGFIRE_INSTANCE.warn
warning: Final = DEFAULT_LOGFIRE_INSTANCE.warning
with_settings: Final = DEFAULT_LOGFIRE_INSTANCE.with_settings
with_tags: Final = DEFAULT_LOGFIRE_INSTANCE.with_tags

hand_over(globals())
