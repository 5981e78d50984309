"""Observability on OpenTelemetry: spans, logs and metrics of Python programs, and of the AI models that they call.

Call `logfire.configure()` once, when the program starts. What is made before that goes nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from logfire._internal.config.configuration import configure
from logfire._internal.context import attach_context, get_baggage, get_context, set_baggage
from logfire._internal.levels import LevelName
from logfire._internal.main import DEFAULT_LOGFIRE_INSTANCE, Logfire
from logfire._internal.span import LogfireSpan
from logfire._internal.stack_info import add_non_user_code_prefix
from logfire.version import VERSION

if TYPE_CHECKING:
    from logfire._internal.config.options import AdvancedOptions, CodeSource, ConsoleOptions, MetricsOptions
    from logfire._internal.environment import logfire_info
    from logfire._internal.scrubbing_options import ScrubbingOptions, ScrubMatch
    from logfire.integrations.logging import LogfireLoggingHandler
    from logfire.integrations.loguru import loguru_handler
    from logfire.integrations.structlog import StructlogProcessor
    from logfire.sampling import SamplingOptions
else:
    # What a program may do without is loaded when it is first used. The modules stand here as well, as if imported.
    _LOADED_ON_USE: Final = {
        'AdvancedOptions': 'logfire._internal.config.options',
        'CodeSource': 'logfire._internal.config.options',
        'ConsoleOptions': 'logfire._internal.config.options',
        'LogfireLoggingHandler': 'logfire.integrations.logging',
        'MetricsOptions': 'logfire._internal.config.options',
        'SamplingOptions': 'logfire.sampling',
        'ScrubMatch': 'logfire._internal.scrubbing_options',
        'ScrubbingOptions': 'logfire._internal.scrubbing_options',
        'StructlogProcessor': 'logfire.integrations.structlog',
        'integrations': 'logfire',
        'logfire_info': 'logfire._internal.environment',
        'loguru_handler': 'logfire.integrations.loguru',
        'sampling': 'logfire',
    }

    def __getattr__(name):
        module = _LOADED_ON_USE.get(name)
        if module is None:
            raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
        from importlib import import_module

        if module == __name__:
            return import_module(f'{__name__}.{name}')
        value = globals()[name] = getattr(import_module(module), name)
        return value

    def __dir__():
        return sorted({*globals(), *_LOADED_ON_USE})


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

__version__: Final = VERSION

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
