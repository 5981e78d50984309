"""The OpenTelemetry providers of one configuration, made from its settings."""

from __future__ import annotations

import copy
import functools
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.environment_variables import (
    OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT,
    OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT,
)
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased

from logfire._internal.config.resource import in_child, new_resource
from logfire._internal.config.settings import Settings
from logfire._internal.deadline import DeadlineRunner
from logfire._internal.exporters.otlp_endpoints import has_otlp_endpoint
from logfire._internal.exporters.processors import SpanPipeline, SpanStages, flush_jobs
from logfire.exceptions import LogfireConfigError

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.resources import Resource

    from logfire._internal.exporters.draining import Draining
    from logfire._internal.exporters.otlp import OTLPExporters
    from logfire._internal.exporters.span_metrics import SpanMetrics
    from logfire._internal.exporters.value_limits import ValueLimits

_VALUE_LIMITS: Final = (OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT, OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT)


class Pipeline:
    """Everything that one configuration made and that must be flushed and shut down."""

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider,
        span_pipeline: SpanPipeline,
        stages: SpanStages,
        meter_provider: MeterProvider | None,
        span_metrics: SpanMetrics | None,
        metric_readers: Sequence[MetricReader],
        logger_provider: LoggerProvider | None,
        log_processors: Sequence[LogRecordProcessor],
        log_pipeline: LogRecordProcessor | None,
        sends: bool,
    ) -> None:
        self.tracer_provider = tracer_provider
        self.span_pipeline = span_pipeline
        self.stages = stages
        self.meter_provider = meter_provider
        self.span_metrics = span_metrics
        self.metric_readers = metric_readers
        self.logger_provider = logger_provider
        self.log_processors = log_processors
        self.log_pipeline = log_pipeline
        self.sends = sends
        """Whether anything goes over the network."""

    def open(self) -> None:
        """Take every span that ends from now on, whichever configuration it started in."""
        self.span_pipeline.use(self.stages)

    def close(self) -> None:
        """Take no more spans."""
        self.span_pipeline.use(SpanStages())

    def force_flush(self, runner: DeadlineRunner, timeout_seconds: float, *, drain: bool = False) -> bool:
        """Export what is held; whether all of it was done in time. With `drain`, a shutdown follows."""
        parts = [*self.stages.processors, *self.metric_readers, *self.log_processors]
        if drain:
            for part in self._draining(parts):
                part.drain()
        return runner.run(flush_jobs(parts, int(timeout_seconds * 1_000)), timeout_seconds)

    def shutdown(self, runner: DeadlineRunner, timeout_seconds: float, *, keep: Pipeline | None = None) -> bool:
        """Shut everything down, apart from the processors that `keep` uses too; whether it was done in time."""
        deadline = time.monotonic() + timeout_seconds
        self.stages.wait_until_left(timeout_seconds)
        kept = [*keep.stages.processors, *keep.log_processors] if keep is not None else []
        draining = self._draining([*self.stages.processors, *self.log_processors])
        # They keep to it by themselves, for the last thing that some do is to write down what they still hold.
        timeout_millis = int(timeout_seconds * 1_000 * 0.9)
        jobs: list[Callable[[], object]] = [
            processor.shutdown
            for processor in (*self.stages.processors, *self.log_processors)
            if not any(processor is other for other in (*kept, *draining))
        ]
        jobs += [functools.partial(part.finish, timeout_millis) for part in draining]
        if self.meter_provider is not None:
            jobs.append(functools.partial(self.meter_provider.shutdown, timeout_millis))
        return runner.run(jobs, max(0.0, deadline - time.monotonic()))

    def prepare(self, runner: DeadlineRunner) -> None:
        """Have the threads ready that a flush needs, where something may hang.

        So that the interpreter's exit, when no thread can be started, can still wait for a silent server with a
        deadline.
        """
        if self.sends:
            parts = [*self.stages.processors, *self.log_processors, *self.metric_readers]
            runner.prepare(len(parts))
            for part in self._draining(parts):
                part.start()

    def _draining(self, parts: Sequence[object]) -> list[Draining]:
        """Those of these parts that have an outbox; none where nothing is sent."""
        if not self.sends:
            return []
        from logfire._internal.exporters.draining import Draining

        return [part for part in parts if isinstance(part, Draining)]

    def in_child(self) -> Pipeline:
        """This pipeline in a forked child: its spans and log records tell which process they are of.

        Metrics go on to tell the parent's: OpenTelemetry has no documented way to give a reader another resource.
        """
        provider, logs = self.tracer_provider, self.logger_provider
        child = copy.copy(self)
        child.tracer_provider = _new_tracer_provider(
            provider.sampler, in_child(provider.resource), provider.id_generator, self.span_pipeline
        )
        if logs is not None and self.log_pipeline is not None:
            child.logger_provider = _new_logger_provider(in_child(logs.resource), self.log_pipeline)
        return child


def new_pipeline(settings: Settings, span_pipeline: SpanPipeline, runner: DeadlineRunner) -> Pipeline:
    """The providers that settings describe, with `span_pipeline` as their span processor. Nothing is sent yet.

    Raises:
        LogfireConfigError: What was given cannot be used. Nothing is left behind.
    """
    # First what a user's object can make fail, then what starts threads.
    sampler = _sampler(settings.head)
    resource = new_resource(settings.resource_attributes, settings.advanced.resource_detectors)
    exporters = _otlp_exporters(settings)
    readers, meter_provider = _metrics(settings, exporters, resource)
    id_generator = _id_generator(settings.advanced.id_generator)
    limits = _value_limits()
    tracer_provider = _new_tracer_provider(sampler, resource, id_generator, span_pipeline)
    span_processors: list[SpanProcessor] = []
    log_processors: list[LogRecordProcessor] = []
    if settings.console is not None:
        from logfire._internal.exporters.console import new_console_processor

        console = new_console_processor(settings.console)
        span_processors.append(console)
        log_processors.append(console.new_log_processor())
    span_processors += settings.additional_span_processors
    log_processors += settings.advanced.log_record_processors
    live: list[SpanProcessor] = []
    for place in exporters:
        if place.spans is not None:
            from logfire._internal.exporters.otlp_spans import OutboxSpanProcessor

            span_processors.append(OutboxSpanProcessor(place.spans))
            live += span_processors[-1:] if place.shows_live_work else ()
        if place.logs is not None:
            from logfire._internal.exporters.otlp_logs import OutboxLogProcessor

            log_processors.append(OutboxLogProcessor(place.logs))
    span_metrics = None
    if settings.metrics is not None and settings.metrics.collect_in_spans:
        from logfire._internal.exporters.span_metrics import SpanMetrics

        span_metrics = SpanMetrics()
    stages = SpanStages(
        span_processors,
        live=live,
        scrubber=settings.scrubber,
        id_generator=id_generator,
        add_baggage=settings.add_baggage_to_attributes,
        tail=settings.tail,
        span_metrics=span_metrics,
        shorten=None if limits is None else limits.shortened,
    )
    logger_provider = log_pipeline = None
    if log_processors:
        from logfire._internal.exporters.logs import LogPipeline

        log_pipeline = LogPipeline(log_processors, scrubber=settings.scrubber, runner=runner)
        logger_provider = _new_logger_provider(resource, log_pipeline)
    return Pipeline(
        tracer_provider=tracer_provider,
        span_pipeline=span_pipeline,
        stages=stages,
        meter_provider=meter_provider,
        span_metrics=span_metrics,
        metric_readers=readers,
        logger_provider=logger_provider,
        log_processors=log_processors,
        log_pipeline=log_pipeline,
        sends=bool(exporters),
    )


def _new_tracer_provider(
    sampler: Sampler | None, resource: Resource, id_generator: IdGenerator, span_pipeline: SpanPipeline
) -> TracerProvider:
    limits = _value_limits()
    provider = TracerProvider(
        sampler,
        resource,
        shutdown_on_exit=False,
        id_generator=id_generator,
        span_limits=None if limits is None else limits.all_others(),
    )
    provider.add_span_processor(span_pipeline)
    return provider


def _value_limits() -> ValueLimits | None:
    """The limits on the length of values; None where OpenTelemetry's variables set none, and spans need no look.

    Raises:
        ValueError: A variable is no number.
    """
    if not any(name in os.environ for name in _VALUE_LIMITS):
        return None
    from logfire._internal.exporters.value_limits import ValueLimits

    return ValueLimits.of_environment()


def _new_logger_provider(resource: Resource, log_pipeline: LogRecordProcessor) -> LoggerProvider:
    from opentelemetry.sdk._logs import LoggerProvider

    provider = LoggerProvider(resource, shutdown_on_exit=False)
    provider.add_log_record_processor(log_pipeline)
    return provider


def _sampler(head: object) -> Sampler | None:
    if head is None or isinstance(head, Sampler):
        return head  # For None OpenTelemetry asks its own variables.
    if isinstance(head, (int, float)):
        return ParentBased(ALWAYS_ON if head == 1 else TraceIdRatioBased(head))
    raise LogfireConfigError(
        f'sampling: head {head!r} is not allowed. Expected a number from 0 to 1 or an OpenTelemetry sampler.'
    )


def _id_generator(given: IdGenerator | None) -> IdGenerator:
    if given is None:
        return RandomIdGenerator()
    from logfire._internal.config.generators import GuardedIdGenerator

    return GuardedIdGenerator(given)


def _otlp_exporters(settings: Settings) -> list[OTLPExporters]:
    if not settings.tokens and not any(has_otlp_endpoint(signal) for signal in ('TRACES', 'METRICS', 'LOGS')):
        return []
    from logfire._internal.exporters.otlp import BufferLimits, MemoryLimits, new_otlp_exporters

    memory = MemoryLimits(settings.memory_items, settings.memory_size)
    limits = BufferLimits(memory, settings.buffer_dir, settings.buffer_size)
    return new_otlp_exporters(settings.tokens, settings.base_url, limits, metrics=settings.metrics is not None)


def _metrics(
    settings: Settings, exporters: Sequence[OTLPExporters], resource: Resource
) -> tuple[Sequence[MetricReader], MeterProvider | None]:
    """The readers of metrics and their provider; none where there is nowhere to send to."""
    if settings.metrics is None:
        return (), None
    metric_exporters = [place.metrics for place in exporters if place.metrics is not None]
    if not metric_exporters and not settings.metrics.additional_readers:
        return (), None
    from opentelemetry.sdk.metrics import MeterProvider

    own: list[MetricReader] = []
    if metric_exporters:
        from logfire._internal.exporters.otlp_metrics import OutboxMetricReader

        own += [OutboxMetricReader(exporter) for exporter in metric_exporters]
    readers: list[MetricReader] = [*settings.metrics.additional_readers, *own]
    try:
        provider = MeterProvider(readers, resource, shutdown_on_exit=False, views=settings.metrics.views)
    except Exception as error:
        for reader in own:
            reader.shutdown()  # pyright: ignore[reportUnknownMemberType] - OpenTelemetry leaves its **kwargs untyped.
        raise LogfireConfigError(f'metrics: additional_readers or views cannot be used: {error}') from error
    return readers, provider
