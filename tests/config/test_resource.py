"""What describes a process in everything it exports."""

from __future__ import annotations

import os
import platform
import sys

import pytest
from opentelemetry.sdk.resources import Resource, ResourceDetector

from logfire._internal import errors
from logfire._internal.config import resource as resource_module
from logfire._internal.config.resource import new_resource
from logfire.exceptions import LogfireConfigError


class Detector(ResourceDetector):
    """Finds the attributes it is given."""

    def __init__(self, **attributes: str) -> None:
        super().__init__()
        self._attributes = attributes

    def detect(self) -> Resource:
        return Resource({key.replace('_', '.'): value for key, value in self._attributes.items()})


class BrokenDetector(ResourceDetector):
    """Finds nothing and fails."""

    def detect(self) -> Resource:
        raise RuntimeError('no such machine')


def test_the_process_is_described() -> None:
    """The resource names the service, this run of it, the process, its Python and the OpenTelemetry SDK."""
    attributes = dict(new_resource({}, None).attributes)
    assert attributes.pop('telemetry.sdk.version')
    assert attributes.pop('service.instance.id') == resource_module._identity['service.instance.id']
    assert attributes == {
        'service.name': 'unknown_service',
        'process.pid': os.getpid(),
        'process.runtime.name': sys.implementation.name,
        'process.runtime.version': platform.python_version(),
        'process.runtime.description': sys.version,
        'telemetry.sdk.language': 'python',
        'telemetry.sdk.name': 'opentelemetry',
    }


def test_one_run_is_one_instance() -> None:
    """All configurations of a process describe the same instance."""
    first, second = new_resource({}, None), new_resource({}, None)
    assert first.attributes['service.instance.id'] == second.attributes['service.instance.id']


def test_what_is_configured_stands_over_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration wins over OTEL_RESOURCE_ATTRIBUTES, that over detectors, those over defaults."""
    monkeypatch.setenv('OTEL_RESOURCE_ATTRIBUTES', 'a.a=environment,b.b=environment,service.instance.id=mine')
    resource = new_resource(
        {'a.a': 'configured', 'd.d': None}, [Detector(a_a='found', b_b='found', c_c='found', process_pid='found')]
    )
    shown = {key: resource.attributes.get(key) for key in ('a.a', 'b.b', 'c.c', 'd.d', 'process.pid')}
    assert shown == {'a.a': 'configured', 'b.b': 'environment', 'c.c': 'found', 'd.d': None, 'process.pid': 'found'}
    assert resource.attributes['service.instance.id'] == 'mine'
    assert 'd.d' not in resource.attributes


def test_detectors_can_be_named() -> None:
    """A detector that is installed can be asked by its registered name."""
    assert 'os.type' in new_resource({}, ['os']).attributes


def test_detectors_named_by_opentelemetrys_variable_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenTelemetry's own variable for detectors is obeyed."""
    monkeypatch.setenv('OTEL_EXPERIMENTAL_RESOURCE_DETECTORS', 'os')
    assert 'os.type' in new_resource({}, None).attributes


def test_a_service_name_found_by_a_detector_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_SERVICE_NAME names the service when nothing else does."""
    monkeypatch.setenv('OTEL_SERVICE_NAME', 'named')
    assert new_resource({}, None).attributes['service.name'] == 'named'


def test_a_detector_that_is_not_installed_is_refused() -> None:
    """A name that no installed detector has is a configuration error that quotes it."""
    with pytest.raises(LogfireConfigError, match="resource_detectors: 'nothing-like-it' is not allowed"):
        new_resource({}, ['nothing-like-it'])


def test_a_detector_that_fails_costs_its_own_attributes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault of one detector reaches neither the program nor the other detectors."""
    monkeypatch.setattr(errors, 'strict', False)
    assert new_resource({}, [BrokenDetector(), Detector(a_a='found')]).attributes['a.a'] == 'found'
