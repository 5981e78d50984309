"""Where OpenTelemetry's variables say that signals go. Loads nothing: it is asked in every configuration."""

from __future__ import annotations

import logging
import os
from typing import Final, Literal, TypeAlias

Signal: TypeAlias = Literal['TRACES', 'METRICS', 'LOGS']

_HTTP_PROTOCOL: Final = 'http/protobuf'
_logger: Final = logging.getLogger('logfire')


def has_otlp_endpoint(signal: Signal) -> bool:
    """Whether a signal is to be sent by plain OTLP over HTTP.

    That is so when `OTEL_EXPORTER_OTLP_ENDPOINT` or the signal's own variable names an endpoint, unless
    `OTEL_…_EXPORTER` of the signal names other exporters only, or the protocol is one that is not spoken here.
    """
    if not (_variable(f'OTEL_EXPORTER_OTLP_{signal}_ENDPOINT') or _variable('OTEL_EXPORTER_OTLP_ENDPOINT')):
        return False
    exporters = [name.strip() for name in _variable(f'OTEL_{signal}_EXPORTER').split(',') if name.strip()]
    if exporters and not {'otlp', 'otlp_proto_http'}.intersection(exporters):
        return False
    protocol = _variable(f'OTEL_EXPORTER_OTLP_{signal}_PROTOCOL') or _variable('OTEL_EXPORTER_OTLP_PROTOCOL')
    if protocol and protocol != _HTTP_PROTOCOL:
        _logger.warning(
            '%s are not sent to the OTLP endpoint: its protocol is %s, only %s is spoken here.',
            signal.capitalize(),
            protocol,
            _HTTP_PROTOCOL,
        )
        return False
    return True


def _variable(name: str) -> str:
    return os.environ.get(name, '').strip()
