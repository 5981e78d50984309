"""The resource: what describes this process in everything it exports."""

from __future__ import annotations

import os
import platform
import sys
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from logfire._internal import forks
from logfire._internal.attributes import all_carried
from logfire._internal.errors import Guard
from logfire.exceptions import LogfireConfigError

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource, ResourceDetector

_DETECTOR_GUARD: Final = Guard('detect resource attributes')


def _new_identity() -> dict[str, Any]:
    return {'service.instance.id': str(uuid.uuid4()), 'process.pid': os.getpid()}


# One for the life of the process, whichever configuration it has; and that of the process it was forked from.
_identity = _new_identity()
_parents_identity: Mapping[str, Any] = {}


def _begin_child() -> None:
    global _identity, _parents_identity
    _parents_identity, _identity = _identity, _new_identity()


forks.in_child(_begin_child)


def in_child(resource: Resource) -> Resource:
    """The resource in a process that was just forked: what tells processes apart is new, if it was not configured."""
    from opentelemetry.sdk.resources import Resource

    attributes = resource.attributes
    return resource.merge(
        Resource({key: value for key, value in _identity.items() if attributes.get(key) == _parents_identity.get(key)})
    )


def new_resource(attributes: Mapping[str, Any], detectors: Sequence[ResourceDetector | str] | None) -> Resource:
    """The resource of a configuration.

    Args:
        attributes: What was configured; it stands over what detectors and `OTEL_RESOURCE_ATTRIBUTES` say. None values
            do not count.
        detectors: Resource detectors, or the names of installed ones; None asks those that OpenTelemetry's variables
            name.

    Raises:
        LogfireConfigError: No detector of a name given is installed.
    """
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    by_opentelemetry = dict(Resource.create().attributes)
    # OpenTelemetry's stand-ins; ours are the same in every configuration of this process.
    by_opentelemetry.pop('service.instance.id', None)
    if str(by_opentelemetry.get('service.name')).startswith('unknown_service'):
        del by_opentelemetry['service.name']
    found: dict[str, Any] = {}
    for detector in [_resource_detector(detector) for detector in detectors or ()]:
        with _DETECTOR_GUARD:
            found.update(detector.detect().attributes)
    return Resource(
        {
            'service.name': 'unknown_service',
            **_identity,
            'process.runtime.name': sys.implementation.name,
            'process.runtime.version': platform.python_version(),
            'process.runtime.description': sys.version,
            **by_opentelemetry,
            **found,
            **OTELResourceDetector().detect().attributes,
            **all_carried({key: value for key, value in attributes.items() if value is not None}),
        }
    )


def _resource_detector(detector: ResourceDetector | str) -> ResourceDetector:
    if not isinstance(detector, str):
        return detector
    from importlib.metadata import entry_points

    for entry_point in entry_points(group='opentelemetry_resource_detector', name=detector):
        return entry_point.load()()
    raise LogfireConfigError(
        f'resource_detectors: {detector!r} is not allowed. Expected an OpenTelemetry resource detector, or the name of '
        'one that is installed.'
    )
