"""The logger provider that can be given out before anything is configured, and follows every later configuration.

This is OpenTelemetry's logs API, for other libraries' log records; `logfire.info()` and its like are spans and do not
pass here.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from opentelemetry._logs import Logger, LoggerProvider, LogRecord, NoOpLogger, NoOpLoggerProvider
from opentelemetry.util.types import Attributes

from logfire._internal.errors import Guard
from logfire._internal.forks import ForkSafeLock

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import LoggerProvider as SDKLoggerProvider, LogRecordProcessor

_EMIT: Final = Guard('emit a log record')


class ProxyLoggerProvider(LoggerProvider):
    """OpenTelemetry's logger provider of the newest configuration, behind an object that stays the same."""

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._provider: LoggerProvider = NoOpLoggerProvider()
        self._sdk_provider: SDKLoggerProvider | None = None
        self._added: list[LogRecordProcessor] = []
        self._loggers: weakref.WeakSet[ProxyLogger] = weakref.WeakSet()
        self._suppressed_scopes: frozenset[str] = frozenset()

    def get_logger(
        self, name: str, version: str | None = None, schema_url: str | None = None, attributes: Attributes = None
    ) -> ProxyLogger:
        """A logger for a scope; see OpenTelemetry's `LoggerProvider.get_logger`."""
        logger = ProxyLogger(name, lambda provider: provider.get_logger(name, version, schema_url, attributes))
        with self._lock:
            self._loggers.add(logger)
            self._bind(logger)
        return logger

    def use(self, provider: SDKLoggerProvider | None) -> None:
        """Forward to `provider` from now on; None drops every log record."""
        with self._lock:
            self._sdk_provider = provider
            self._provider = provider or NoOpLoggerProvider()
            self._added = []
            self._bind_all()

    def replace(self, provider: SDKLoggerProvider | None) -> None:
        """Forward to `provider`, which stands for the present one: with the processors that were added to that."""
        added = self._added
        self.use(provider)
        for processor in added:
            self.add_log_record_processor(processor)

    def suppress_scopes(self, *scopes: str) -> None:
        """Drop the log records of these scopes, of loggers already given out too."""
        with self._lock:
            self._suppressed_scopes = self._suppressed_scopes.union(scopes)
            self._bind_all()

    def unsuppress_scopes(self) -> None:
        """Suppress no scope any more."""
        with self._lock:
            self._suppressed_scopes = frozenset()
            self._bind_all()

    def _bind_all(self) -> None:
        for logger in self._loggers:
            self._bind(logger)

    def _bind(self, logger: ProxyLogger) -> None:
        suppressed = logger.scope in self._suppressed_scopes
        logger.bind(NoOpLoggerProvider() if suppressed else self._provider)

    def add_log_record_processor(self, log_record_processor: LogRecordProcessor) -> None:
        """Add a processor to the configured provider, if it has one; it gets the records as they are, not scrubbed."""
        if self._sdk_provider is not None:
            self._sdk_provider.add_log_record_processor(log_record_processor)
            self._added.append(log_record_processor)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Export what is held; whether it was done in time."""
        return self._sdk_provider is None or self._sdk_provider.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """Shut the configured provider down; later records are dropped."""
        if self._sdk_provider is not None:
            self._sdk_provider.shutdown()


class ProxyLogger(Logger):
    """A logger that its provider points at what is configured."""

    def __init__(self, name: str, new_logger: Callable[[LoggerProvider], Logger]) -> None:
        super().__init__(name)
        self.scope = name
        self._new_logger = new_logger
        self._target: Logger = NoOpLogger(name)

    def bind(self, provider: LoggerProvider) -> None:
        """Forward to a logger of `provider` from now on."""
        self._target = self._new_logger(provider)

    def enabled(self, **record: Any) -> bool:
        """Whether a record of such fields would go anywhere; see OpenTelemetry's `Logger.enabled`."""
        ask: Callable[..., bool] | None = getattr(self._target, 'enabled', None)
        return ask is None or ask(**record)  # The first releases with this logs API do not ask.

    def emit(self, record: LogRecord | None = None, **fields: Any) -> None:
        """Emit a log record, whole or by its fields; see OpenTelemetry's `Logger.emit`."""
        with _EMIT:
            if record is None:
                self._target.emit(**fields)
            else:
                self._target.emit(record, **fields)
