"""Meters and instruments that can be had before anything is configured, and follow every configuration."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable
from typing import Any

import pytest
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from logfire._internal.config.configuration import LogfireConfig
from logfire._internal.config.instruments import ProxyMeter
from logfire._internal.config.meters import ProxyMeterProvider
from logfire.testing import get_collected_metrics


def new_sdk_provider(reader: InMemoryMetricReader) -> MeterProvider:
    return MeterProvider([reader], shutdown_on_exit=False)


def measured(reader: InMemoryMetricReader) -> dict[str, Any]:
    """The value of each metric, or the sum of a histogram."""
    return {
        metric['name']: point['value'] if 'value' in point else point['sum']
        for metric in get_collected_metrics(reader)
        for point in metric['data']['data_points']
    }


def seven(options: CallbackOptions) -> Iterable[Observation]:
    return [Observation(7)]


def make_all(meter: ProxyMeter) -> list[Any]:
    meter.create_observable_counter('observable counter'.replace(' ', '_'), [seven])
    meter.create_observable_up_down_counter('observable_level', [seven])
    meter.create_observable_gauge('observable_gauge', [seven])
    return [
        meter.create_counter('counter').add,
        meter.create_up_down_counter('level').add,
        meter.create_histogram('histogram').record,
        meter.create_gauge('gauge').set,
    ]


def test_instruments_made_early_follow_every_configuration() -> None:
    """An instrument measures nothing before the first configuration, and then for the newest one."""
    provider = ProxyMeterProvider()
    instruments = make_all(provider.get_meter('test'))
    for measure in instruments:
        measure(1)
    for amount in (2, 3):
        reader = InMemoryMetricReader()
        provider.use(new_sdk_provider(reader))
        gc.collect()  # The observable ones, which nobody holds, must stay.
        for measure in instruments:
            measure(amount)
        assert measured(reader) == {
            'counter': amount,
            'level': amount,
            'histogram': amount,
            'gauge': amount,
            'observable_counter': 7,
            'observable_level': 7,
            'observable_gauge': 7,
        }
    provider.use(None)
    for measure in instruments:
        measure(4)


def test_everything_given_reaches_the_instrument() -> None:
    """A meter's and an instrument's arguments arrive as they were given."""
    reader = InMemoryMetricReader()
    provider = ProxyMeterProvider()
    provider.use(new_sdk_provider(reader))
    meter = provider.get_meter('scope', '1.2', 'https://schema.example', {'scope.key': 1})
    assert (meter.name, meter.version, meter.schema_url) == ('scope', '1.2', 'https://schema.example')
    meter.create_counter('counter', 's', 'counts').add(1, {'a': 1})
    meter.create_histogram('histogram', 'B', 'sizes', explicit_bucket_boundaries_advisory=[1, 2]).record(1, {'b': 2})
    meter.create_gauge('gauge', 'C', 'heat').set(1, {'c': 3})
    meter.create_up_down_counter('level', '1', 'depth').add(1, {'d': 4})
    metrics = {metric['name']: metric for metric in get_collected_metrics(reader)}
    assert {name: (metric['unit'], metric['description']) for name, metric in metrics.items()} == {
        'counter': ('s', 'counts'),
        'histogram': ('B', 'sizes'),
        'gauge': ('C', 'heat'),
        'level': ('1', 'depth'),
    }
    points = {name: metric['data']['data_points'][0] for name, metric in metrics.items()}
    assert points['histogram']['explicit_bounds'] == [1, 2]
    assert {name: point['attributes'] for name, point in points.items()} == {
        'counter': {'a': 1},
        'histogram': {'b': 2},
        'gauge': {'c': 3},
        'level': {'d': 4},
    }
    data = reader.get_metrics_data()
    meter.create_counter('counter', 's', 'counts').add(1)
    data = reader.get_metrics_data()
    assert data is not None
    scope = data.resource_metrics[0].scope_metrics[0].scope
    assert (scope.name, scope.version, scope.schema_url) == ('scope', '1.2', 'https://schema.example')
    assert dict(scope.attributes or {}) == {'scope.key': 1}


def test_instruments_nobody_holds_are_let_go() -> None:
    """An instrument that was dropped is not kept for the next configuration, as long as nobody observes it."""
    provider = ProxyMeterProvider()
    counter = weakref.ref(provider.get_meter('test').create_counter('counter'))
    gc.collect()
    assert counter() is None


def test_a_scope_can_be_suppressed() -> None:
    """The measurements of a suppressed scope are dropped, whenever its instruments were made."""
    reader = InMemoryMetricReader()
    provider = ProxyMeterProvider()
    provider.use(new_sdk_provider(reader))
    early = provider.get_meter('noisy').create_counter('early')
    provider.suppress_scopes('noisy')
    early.add(1)
    provider.get_meter('noisy').create_counter('late').add(1)
    provider.get_meter('quiet').create_counter('quiet').add(1)
    assert measured(reader) == {'quiet': 1}


@pytest.mark.filterwarnings('error')
def test_as_the_global_provider_it_can_be_flushed_and_shut_down() -> None:
    """Flush and shutdown reach the configured provider, and are harmless without one."""
    provider = ProxyMeterProvider()
    assert provider.force_flush()
    provider.shutdown()
    reader = InMemoryMetricReader()
    provider.use(new_sdk_provider(reader))
    counter = provider.get_meter('test').create_counter('counter')
    assert provider.force_flush(1_000)
    provider.shutdown(1_000)
    counter.add(1)


def test_a_reset_forgets_observable_instruments(configured: LogfireConfig) -> None:
    """What one test observes is not in the metrics of the next."""
    configured.meter_provider.get_meter('scope').create_observable_gauge('left over', [lambda options: []])
    configured.reset()
    assert configured.meter_provider._observables == []
