"""Which traces are kept, as a user asks for it."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import logfire
from logfire import types
from logfire._internal.config.configuration import GLOBAL_CONFIG
from logfire.exceptions import LogfireConfigError
from logfire.sampling import SamplingOptions, SpanLevel, TailSamplingSpanInfo
from logfire.testing import IncrementalIdGenerator, TestExporter

HALF = 1 << 63


def names(exporter: TestExporter) -> list[str]:
    return [span['name'] for span in exporter.exported_spans_as_dict()]


def test_there_is_one_class_of_levels() -> None:
    """A tail sampling function and an exception callback are handed levels of the same class."""
    assert SpanLevel is types.SpanLevel


def test_a_span_without_a_level_is_info() -> None:
    """A span that nobody gave a level counts as info."""
    assert SpanLevel.from_span(ReadableSpan('span')) == 'info'
    assert SpanLevel.from_span(ReadableSpan('span', attributes={'logfire.level_num': 17})) == 'error'


def test_a_head_rate_keeps_its_share(
    config_kwargs: dict[str, Any], exporter: TestExporter, id_generator: IncrementalIdGenerator
) -> None:
    """Half of the traces are recorded, whole; the other half is not."""
    logfire.configure(**config_kwargs, sampling=SamplingOptions(head=0.5))
    for trace_id, name in ((HALF - 1, 'kept'), (HALF, 'dropped')):
        id_generator.trace_id_counter = trace_id - 1
        with logfire.span(name):
            logfire.info('within')
    assert names(exporter) == ['within', 'kept']


def test_a_head_rate_follows_the_remote_parent(config_kwargs: dict[str, Any], exporter: TestExporter) -> None:
    """A trace that was sampled elsewhere is recorded here, and one that was not is not."""
    logfire.configure(**config_kwargs, sampling=SamplingOptions(head=0.0))
    for flags in (0, 1):
        remote = trace.SpanContext(7, 7, is_remote=True, trace_flags=trace.TraceFlags(flags))
        with trace.use_span(trace.NonRecordingSpan(remote)):
            logfire.info(f'flags {flags}')
    assert [span['attributes']['logfire.msg'] for span in exporter.exported_spans_as_dict()] == ['flags 1']


def test_a_sampler_of_the_users_decides(config_kwargs: dict[str, Any], exporter: TestExporter) -> None:
    """An OpenTelemetry sampler stands where a rate would."""
    logfire.configure(**config_kwargs, sampling=SamplingOptions(head=ALWAYS_OFF))
    logfire.info('dropped')
    assert exporter.exported_spans == []


@pytest.mark.parametrize('variable', ['LOGFIRE_TRACE_SAMPLE_RATE', 'OTEL_TRACES_SAMPLER_ARG'])
def test_a_variable_sets_the_head_rate(
    variable: str, config_kwargs: dict[str, Any], exporter: TestExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The share of traces can be set outside of the code; one that the code sets stands."""
    monkeypatch.setenv(variable, '0')
    logfire.configure(**config_kwargs)
    logfire.info('dropped')
    logfire.configure(**config_kwargs, sampling=SamplingOptions(head=0.999))
    logfire.info('kept')
    assert names(exporter) == ['kept']


def test_a_rate_of_one_keeps_everything(
    config_kwargs: dict[str, Any], exporter: TestExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rate of 1 outside of the code is every trace."""
    monkeypatch.setenv('LOGFIRE_TRACE_SAMPLE_RATE', '1')
    logfire.configure(**config_kwargs)
    logfire.info('kept')
    assert names(exporter) == ['kept']


def test_opentelemetrys_own_sampler_variables_are_obeyed(
    config_kwargs: dict[str, Any], exporter: TestExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sampler that OTEL_TRACES_SAMPLER names is used, and the argument variable is that sampler's."""
    monkeypatch.setenv('OTEL_TRACES_SAMPLER', 'always_off')
    monkeypatch.setenv('OTEL_TRACES_SAMPLER_ARG', 'endpoint=somewhere')
    logfire.configure(**config_kwargs)
    logfire.info('dropped')
    monkeypatch.setenv('LOGFIRE_TRACE_SAMPLE_RATE', '1')
    logfire.configure(**config_kwargs)
    logfire.info('kept')
    assert names(exporter) == ['kept']


@pytest.mark.parametrize('head', [-0.1, 1.5, float('nan')])
def test_a_head_rate_is_checked(head: float, config_kwargs: dict[str, Any]) -> None:
    """A share of traces is a number from 0 to 1."""
    with pytest.raises(LogfireConfigError, match='trace_sample_rate'):
        logfire.configure(**config_kwargs, sampling=SamplingOptions(head=head))
    assert not GLOBAL_CONFIG.initialized


def test_a_head_that_is_neither_is_refused(config_kwargs: dict[str, Any]) -> None:
    """What is neither a number nor a sampler is refused."""
    options = SamplingOptions(head='half')  # pyright: ignore[reportArgumentType] - wrong on purpose.
    with pytest.raises(LogfireConfigError, match="sampling: head 'half' is not allowed"):
        logfire.configure(**config_kwargs, sampling=options)


def test_level_or_duration_keeps_what_is_notable_or_slow(config_kwargs: dict[str, Any], exporter: TestExporter) -> None:
    """A trace is kept for a level reached or a time exceeded, and dropped otherwise."""
    options = SamplingOptions.level_or_duration(level_threshold='error', duration_threshold=2)
    logfire.configure(**config_kwargs, sampling=options)
    with logfire.span('dropped'):
        pass
    with logfire.span('failed'):
        logfire.error('error')
    with logfire.span('slow'):
        logfire.info('info')
        logfire.info('info')
    assert names(exporter) == ['error', 'failed', 'info', 'info', 'slow']


def info(*, level: int, seconds: int) -> TailSamplingSpanInfo:
    from logfire._internal.sampling import TraceBuffer

    attributes = {'logfire.level_num': level}
    span = ReadableSpan('span', attributes=attributes, start_time=0, end_time=seconds * 1_000_000_000)
    return TailSamplingSpanInfo(span, None, 'end', TraceBuffer(span))


@pytest.mark.parametrize(
    ('options', 'level', 'seconds', 'probability'),
    [
        (SamplingOptions.level_or_duration(), 10, 0, 1.0),
        (SamplingOptions.level_or_duration(), 9, 5, 0.0),
        (SamplingOptions.level_or_duration(), 9, 6, 1.0),
        (SamplingOptions.level_or_duration(level_threshold=None), 21, 0, 0.0),
        (SamplingOptions.level_or_duration(duration_threshold=None), 9, 1_000, 0.0),
        (SamplingOptions.level_or_duration(background_rate=0.1), 9, 0, 0.1),
        (SamplingOptions.level_or_duration(head=ALWAYS_OFF, background_rate=0.1), 9, 0, 0.1),
    ],
)
def test_level_or_duration_says_how_likely(
    options: SamplingOptions, level: int, seconds: int, probability: float
) -> None:
    """The thresholds are notice and five seconds unless said otherwise; the rest is kept at the background rate."""
    assert options.tail is not None
    assert options.tail(info(level=level, seconds=seconds)) == probability


@pytest.mark.parametrize(
    'keywords',
    [{'background_rate': 2.0}, {'head': 2.0}, {'head': 0.5, 'background_rate': 0.7}, {'level_threshold': 'x'}],
)
def test_level_or_duration_checks_what_it_is_given(keywords: dict[str, Any]) -> None:
    """Rates beyond 0 to 1, a background above the head and an unknown level are refused."""
    with pytest.raises(ValueError, match=r'rates must satisfy|Invalid level'):
        SamplingOptions.level_or_duration(**keywords)
