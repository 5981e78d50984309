"""What `logfire.configure()` takes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource, ResourceDetector
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

import logfire
from logfire.exceptions import LogfireConfigError
from logfire.testing import IncrementalIdGenerator, TestExporter, TimeGenerator

if TYPE_CHECKING:
    from tests.compat.observation import Scene


class Detector(ResourceDetector):
    def detect(self) -> Resource:
        return Resource({'farm.size': 3})


def case_resource(scene: Scene) -> None:
    scene.configure(
        token=None,
        service_name='barn',
        service_version='2.0',
        environment='test',
        resource_attributes={'more': 1},
        code_source=logfire.CodeSource(repository='https://example.com/r', revision='main', root_path='src'),
        advanced=logfire.AdvancedOptions(resource_detectors=[Detector()], base_url='http://localhost:1'),
        config_dir='.',
    )
    logfire.info('a')
    print(f'logfire="{logfire.VERSION}"' in logfire.logfire_info())


def case_everything(scene: Scene) -> None:
    ids, clock = IncrementalIdGenerator(), TimeGenerator()
    exporter = TestExporter()
    logfire.configure(
        send_to_logfire=False,
        console=logfire.ConsoleOptions(output=scene.console_text, span_style='indented', colors='never'),
        additional_span_processors=[SimpleSpanProcessor(exporter)],
        advanced=logfire.AdvancedOptions(id_generator=ids, ns_timestamp_generator=clock),
    )
    with logfire.span('a'):
        logfire.info('b')
    print(
        ids.generate_span_id(),
        clock(),
        [span.name for span in exporter.exported_spans],
        logfire.__version__ == logfire.VERSION,
    )


def case_local(scene: Scene) -> None:
    scene.configure(service_name='global')
    local = scene.configure(local=True, service_name='local')
    local.info('local {x}', x=1)
    with local.span('span'):
        local.with_tags('a').warn('tagged')
    print(local is not logfire.DEFAULT_LOGFIRE_INSTANCE, type(local) is logfire.Logfire)


def case_again(scene: Scene) -> None:
    scene.configure()
    with logfire.span('open'):
        scene.configure()
        logfire.info('after')
    print(logfire.force_flush(timeout_millis=1000), logfire.shutdown(timeout_millis=1000, flush=True))
    logfire.info('gone')
    with logfire.span('gone') as span:
        print(type(span) is logfire.LogfireSpan)


def case_bad_values(scene: Scene) -> None:
    values: list[dict[str, Any]] = [
        {'min_level': 'loud'},
        {'send_to_logfire': 'perhaps'},
        {'no_such_keyword': 1},
    ]
    for keywords in values:
        try:
            scene.configure(**keywords)
        except TypeError:
            print('TypeError')
        except (LogfireConfigError, ValueError, LookupError) as exc:
            print('refused', isinstance(exc, ValueError), isinstance(exc, LogfireConfigError))
        else:
            print('taken')


def case_environment(scene: Scene) -> None:
    # What keywords say nothing of comes from the environment.
    os.environ |= {
        'LOGFIRE_ENVIRONMENT': 'prod',
        'LOGFIRE_MIN_LEVEL': 'warn',
        'OTEL_RESOURCE_ATTRIBUTES': 'a=b,service.name=ignored',
    }
    try:
        scene.configure()
        logfire.info('dropped')
        logfire.error('kept')
    finally:
        for name in ('LOGFIRE_ENVIRONMENT', 'LOGFIRE_MIN_LEVEL', 'OTEL_RESOURCE_ATTRIBUTES'):
            del os.environ[name]
