"""Instruments that are asked when metrics are collected. They last as long as the process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from opentelemetry.metrics import CallbackOptions, Observation

import logfire

if TYPE_CHECKING:
    from tests.compat.observation import Scene

ONCE = True


def observe(options: CallbackOptions) -> Iterable[Observation]:
    yield Observation(7, {'field': 'north'})
    yield Observation(8, {'field': 'south'})


def case_observables(scene: Scene) -> None:
    scene.configure()
    logfire.metric_counter_callback('calls', callbacks=[observe], unit='1', description='Calls')
    logfire.metric_gauge_callback('levels', [observe], unit='m', description='Levels')
    logfire.metric_up_down_counter_callback('balance', [observe], unit='1', description='Balance')
