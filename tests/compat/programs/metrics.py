"""Instruments of all kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View

import logfire

if TYPE_CHECKING:
    from tests.compat.observation import Scene


def case_instruments(scene: Scene) -> None:
    scene.configure()
    counter = logfire.metric_counter('sheep', unit='1', description='Sheep seen')
    counter.add(2)
    counter.add(3, {'field': 'north'})
    logfire.metric_up_down_counter('inside', unit='1', description='Sheep inside').add(-2, {'a': 1})
    gauge = logfire.metric_gauge('temperature', unit='Cel', description='Of the barn')
    gauge.set(21)
    gauge.set(22.5, {'where': 'barn'})


def case_histogram(scene: Scene) -> None:
    scene.configure()
    histogram = logfire.metric_histogram('duration', unit='s', description='Of a shearing')
    for seconds in (0.5, 1, 20, 300):
        histogram.record(seconds, {'field': 'north'})


def case_views(scene: Scene) -> None:
    view = View(instrument_name='duration', aggregation=ExplicitBucketHistogramAggregation([1, 10]))
    scene.configure(metrics=logfire.MetricsOptions(views=[view], additional_readers=[]))
    logfire.metric_histogram('duration').record(5)


def case_collect_in_spans(scene: Scene) -> None:
    scene.configure(metrics=logfire.MetricsOptions(collect_in_spans=True))
    counter = logfire.metric_counter('sheep')
    inside = logfire.metric_up_down_counter('inside')
    with logfire.span('outer'):
        counter.add(1)
        with logfire.span('inner'):
            counter.add(2, {'field': 'north'})
            counter.add(2, {'field': 'north'})
            logfire.metric_histogram('size').record(4.5)
        inside.add(1)
        logfire.metric_gauge('level').set(3)
        logfire.info('a log')


def case_not_wanted(scene: Scene) -> None:
    scene.configure(metrics=False)
    logfire.metric_counter('sheep').add(1)
    logfire.info('goes on')


def case_scopes(scene: Scene) -> None:
    scene.configure()
    logfire.with_settings(custom_scope_suffix='farm').metric_counter('sheep').add(1)
