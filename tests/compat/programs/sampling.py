"""Which traces are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, TraceIdRatioBased

import logfire
from logfire.sampling import SamplingOptions, SpanLevel, TailSamplingSpanInfo

if TYPE_CHECKING:
    from tests.compat.observation import Scene


def work() -> None:
    for level in ('info', 'warn', 'error'):
        with logfire.span('work {level}', level=level):
            with logfire.span('part'):
                logfire.log(level, 'log')
            logfire.info('after')


def case_head(scene: Scene) -> None:
    scene.configure(sampling=logfire.SamplingOptions(head=0.5))
    work()
    scene.configure(sampling=logfire.SamplingOptions(head=0))
    work()
    with logfire.span('not kept') as span:
        print(span.is_recording())


def case_sampler(scene: Scene) -> None:
    scene.configure(sampling=logfire.SamplingOptions(head=ALWAYS_OFF))
    work()
    scene.configure(sampling=logfire.SamplingOptions(head=TraceIdRatioBased(1)))
    work()


def case_options(scene: Scene) -> None:
    options: SamplingOptions = logfire.SamplingOptions(head=1.0, tail=None)
    print(options, SpanLevel(number=13).name, SpanLevel(5) == 'debug', hash(SpanLevel(5)) == hash(SpanLevel(5)))


def case_level_or_duration(scene: Scene) -> None:
    scene.configure(
        sampling=logfire.SamplingOptions.level_or_duration(
            head=1.0, level_threshold='warn', duration_threshold=None, background_rate=0.0
        )
    )
    work()
    scene.configure(sampling=logfire.SamplingOptions.level_or_duration(duration_threshold=3, level_threshold=None))
    work()
    logfire.info('short')
    scene.configure(sampling=logfire.SamplingOptions.level_or_duration())
    logfire.info('short')
    logfire.notice('of note')


def case_tail(scene: Scene) -> None:
    def tail(info: TailSamplingSpanInfo) -> float:
        level: SpanLevel = info.level
        if len(printed) < 30:
            printed.append(
                f'{info.span.name} {info.event} {info.duration} {level.name} {level.number} {level >= "warn"} '
                f'{level < "error"} {level == "info"} {level == 9} {level <= "info"} {level > "info"} '
                f'{info.context is None} {info.buffer.first_span.name} {SpanLevel.from_span(info.span) == level}'
            )
        return float(info.level >= 'error')

    printed: list[str] = []
    scene.configure(sampling=logfire.SamplingOptions(tail=tail))
    work()
    print(*printed, sep='\n')


def case_no_background(scene: Scene) -> None:
    try:
        logfire.SamplingOptions.level_or_duration(head=0.1, background_rate=0.5)
    except ValueError:
        print('ValueError')
