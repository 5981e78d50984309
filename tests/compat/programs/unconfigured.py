"""Use before `logfire.configure()`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import logfire

if TYPE_CHECKING:
    from tests.compat.observation import Scene

ONCE = True


def case_unconfigured(scene: Scene) -> None:
    logfire.info('nowhere')
    with logfire.span('nowhere {x}', x=1) as span:
        span.set_attribute('a', 1)
        span.set_level('warn')
        print(span.is_recording())
    logfire.metric_counter('sheep').add(1)

    @logfire.instrument
    def count() -> int:
        return 3

    print(count(), logfire.get_context())


def case_made_before(scene: Scene) -> None:
    counter = logfire.metric_counter('early')
    scene.configure()
    counter.add(2)
    logfire.info('after')
