"""`logfire.configure()`: what it sets, what it replaces, and what it leaves alone."""

from __future__ import annotations

import dataclasses
import io
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

import logfire
from logfire._internal import lifecycle
from logfire._internal.config import configuration
from logfire._internal.config.configuration import GLOBAL_CONFIG
from logfire._internal.config.defaults import DefaultAdvancedOptions, DefaultMetricsOptions, DefaultSamplingOptions
from logfire._internal.config.options import AdvancedOptions, CodeSource, ConsoleOptions, MetricsOptions
from logfire._internal.config.settings import Settings
from logfire._internal.scrubbing import NOOP_SCRUBBER
from logfire._internal.scrubbing_options import ScrubbingOptions
from logfire.exceptions import LogfireConfigError, LogfireNotConfiguredWarning
from logfire.sampling import SamplingOptions
from logfire.testing import TestExporter, get_collected_metrics
from tests.collector import Collector
from tests.interpreter import run


def configure(**keywords: Any) -> logfire.Logfire:
    """Configure, with neither console nor sending unless a test says otherwise."""
    values: dict[str, Any] = {'console': False, 'send_to_logfire': False, 'service_version': 'test', **keywords}
    return logfire.configure(**values)


def names(exporter: TestExporter) -> list[str]:
    return [span['name'] for span in exporter.exported_spans_as_dict()]


def resource(**keywords: Any) -> dict[str, Any]:
    """The resource attributes that keywords lead to, without those of every process."""
    configure(service_version=None, **keywords)
    return {
        key: value
        for key, value in GLOBAL_CONFIG.tracer_provider.resource.attributes.items()
        if not key.startswith(('process.', 'telemetry.', 'service.instance'))
    }


class Closing(SpanProcessor):
    """Counts how often it is shut down."""

    def __init__(self) -> None:
        self.shutdowns = 0

    def on_end(self, span: ReadableSpan) -> None:
        assert not self.shutdowns

    def shutdown(self) -> None:
        self.shutdowns += 1


def test_nothing_is_configured_until_it_is(config_kwargs: dict[str, Any]) -> None:
    """Importing the package configures nothing; `configure` does, and returns the instance behind `logfire.info`."""
    assert not GLOBAL_CONFIG.initialized
    assert logfire.configure(**config_kwargs) is logfire.DEFAULT_LOGFIRE_INSTANCE
    assert GLOBAL_CONFIG.initialized


def test_settings_are_there_to_read(config_kwargs: dict[str, Any]) -> None:
    """What was configured is what the rest of the package reads."""
    advanced = AdvancedOptions(base_url='https://logfire.example/', ns_timestamp_generator=lambda: 5)
    config_kwargs['advanced'] = advanced
    logfire.configure(
        **config_kwargs,
        min_level='warn',
        inspect_arguments=False,
        distributed_tracing=True,
        add_baggage_to_attributes=False,
        scrubbing=False,
    )
    config = GLOBAL_CONFIG
    assert (config.min_level, config.inspect_arguments, config.distributed_tracing) == (13, False, True)
    assert (config.add_baggage_to_attributes, config.has_metric_reader) == (False, False)
    assert config.scrubber is NOOP_SCRUBBER
    assert config.clock() == 5
    assert config.advanced is advanced
    assert Settings({'advanced': advanced}).base_url == 'https://logfire.example'


@pytest.mark.parametrize(
    ('defaults', 'options'),
    [
        (DefaultAdvancedOptions, AdvancedOptions),
        (DefaultMetricsOptions, MetricsOptions),
        (DefaultSamplingOptions, SamplingOptions),
    ],
)
def test_who_gives_no_options_gets_their_defaults(defaults: type[Any], options: type[Any]) -> None:
    """What stands for options that are not given says what the options say by default, all of it."""
    default = options()
    names = [field.name for field in dataclasses.fields(options)]
    assert {name: getattr(defaults(), name) for name in names} == {name: getattr(default, name) for name in names}
    assert {name for name in vars(defaults) if not name.startswith('__')} == set(names)


def test_defaults() -> None:
    """Without a word everything is recorded, f-strings are taken apart where Python can, and secrets are scrubbed."""
    configure()
    config = GLOBAL_CONFIG
    assert (config.min_level, config.distributed_tracing, config.add_baggage_to_attributes) == (0, None, True)
    assert config.inspect_arguments is (sys.version_info >= (3, 11))
    assert config.scrubber is not NOOP_SCRUBBER


def test_configuring_again_replaces(config_kwargs: dict[str, Any], exporter: TestExporter) -> None:
    """The newest configuration gets everything, the spans that were already running too."""
    logfire.configure(**config_kwargs)
    newer = TestExporter()
    with logfire.span('running'):
        logfire.info('older')
        configure(**config_kwargs | {'additional_span_processors': [SimpleSpanProcessor(newer)]})
        logfire.info('newer')
    assert names(exporter) == ['older']
    assert names(newer) == ['newer', 'running']


def test_configuring_again_shuts_down_what_is_not_used_again() -> None:
    """A processor of the old configuration is shut down once, one that the new configuration has as well is not."""
    gone, kept = Closing(), Closing()
    configure(additional_span_processors=[gone, kept])
    configure(additional_span_processors=[kept])
    logfire.info('hello')
    assert (gone.shutdowns, kept.shutdowns) == (1, 0)
    GLOBAL_CONFIG.shutdown()
    assert (gone.shutdowns, kept.shutdowns) == (1, 1)


def test_meters_follow(config_kwargs: dict[str, Any]) -> None:
    """An instrument made before a configuration measures for it, and for the next."""
    counter = GLOBAL_CONFIG.meter_provider.get_meter('test').create_counter('count')
    for amount in (1, 2):
        reader = InMemoryMetricReader()
        logfire.configure(**config_kwargs, metrics=MetricsOptions(additional_readers=[reader]))
        assert GLOBAL_CONFIG.has_metric_reader
        counter.add(amount)
        (metric,) = get_collected_metrics(reader)
        assert metric['data']['data_points'][0]['value'] == amount


def test_metrics_can_be_turned_off_in_spite_of_readers(config_kwargs: dict[str, Any]) -> None:
    """`metrics=False` measures nothing."""
    logfire.configure(**config_kwargs, metrics=False)
    assert not GLOBAL_CONFIG.has_metric_reader


def test_spans_can_collect_metrics(config_kwargs: dict[str, Any], exporter: TestExporter) -> None:
    """With `collect_in_spans` a span tells what counters and histograms measured in it, with or without a reader."""
    logfire.configure(**config_kwargs, metrics=MetricsOptions(collect_in_spans=True))
    meter = GLOBAL_CONFIG.meter_provider.get_meter('test')
    with logfire.span('span'):
        meter.create_counter('count').add(2, {'a': 1})
        meter.create_histogram('size').record(3)
        meter.create_up_down_counter('level').add(4)
        meter.create_gauge('heat').set(5)
    (span,) = exporter.exported_spans_as_dict(parse_json_attributes=True)
    assert span['attributes']['logfire.metrics'] == {
        'count': {'details': [{'attributes': {'a': 1}, 'total': 2}], 'total': 2},
        'size': {'details': [{'attributes': {}, 'total': 3}], 'total': 3},
    }


def test_opentelemetrys_globals_are_ours(configured: object, exporter: TestExporter) -> None:
    """Libraries that use OpenTelemetry's global providers are seen."""
    from opentelemetry import _logs, metrics

    assert trace.get_tracer_provider() is GLOBAL_CONFIG.tracer_provider
    assert metrics.get_meter_provider() is GLOBAL_CONFIG.meter_provider
    assert _logs.get_logger_provider() is GLOBAL_CONFIG.logger_provider
    trace.get_tracer('library').start_span('theirs').end()
    assert names(exporter) == ['theirs']


def test_globals_of_somebody_else_stay() -> None:
    """A program that set OpenTelemetry's providers before keeps them, and nothing is logged about it."""
    run("""
import logging
logging.basicConfig()
from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
theirs = TracerProvider(), MeterProvider(), LoggerProvider()
trace.set_tracer_provider(theirs[0])
metrics.set_meter_provider(theirs[1])
_logs.set_logger_provider(theirs[2])
import logfire
for _ in range(2):
    logfire.configure(console=False)
assert (trace.get_tracer_provider(), metrics.get_meter_provider(), _logs.get_logger_provider()) == theirs
with logfire.span('ours') as span:
    assert span.is_recording()
""")


def test_a_local_configuration_is_apart(configured: object, exporter: TestExporter) -> None:
    """`local=True` gives an instance with its own configuration; the global one notices nothing."""
    own = TestExporter()
    local = configure(local=True, additional_span_processors=[SimpleSpanProcessor(own)])
    assert local.config is not GLOBAL_CONFIG
    local.info('local')
    logfire.info('global')
    assert (names(own), names(exporter)) == (['local'], ['global'])
    assert trace.get_tracer_provider() is GLOBAL_CONFIG.tracer_provider
    assert local.config.shutdown()
    assert GLOBAL_CONFIG.initialized


def test_a_local_configuration_alone_sets_no_globals() -> None:
    """A program that configures locally only leaves OpenTelemetry's providers as they were."""
    run("""
import logfire
from logfire._internal.config.configuration import GLOBAL_CONFIG
from opentelemetry import trace
logfire.configure(local=True, console=False)
assert trace.get_tracer_provider() is not GLOBAL_CONFIG.tracer_provider
assert not GLOBAL_CONFIG.initialized
""")


def test_a_wrong_value_changes_nothing(configured: object, exporter: TestExporter) -> None:
    """A configuration that is refused leaves the one before it at work."""
    for wrong in ({'min_level': 'loud'}, {'advanced': AdvancedOptions(resource_detectors=['nothing-like-it'])}):
        with pytest.raises(LogfireConfigError):
            configure(**wrong)
    logfire.info('still there')
    assert names(exporter) == ['still there']


@pytest.mark.parametrize(
    ('name', 'value', 'expected'),
    [
        ('console', True, 'a logfire.ConsoleOptions, False or None'),
        ('metrics', True, 'a logfire.MetricsOptions, False or None'),
        ('scrubbing', True, 'a logfire.ScrubbingOptions, False or None'),
        ('sampling', 0.5, 'a logfire.SamplingOptions or None'),
        ('advanced', {}, 'a logfire.AdvancedOptions or None'),
        ('code_source', 'x', 'a logfire.CodeSource or None'),
        ('resource_attributes', ['x'], 'a mapping'),
        ('additional_span_processors', 5, 'OpenTelemetry span processors'),
        ('additional_span_processors', ['x'], 'OpenTelemetry span processors'),
    ],
)
def test_an_argument_of_another_kind_is_refused(name: str, value: Any, expected: str) -> None:
    """An argument that is no object of the kind it takes is refused with a word on what it takes."""
    with pytest.raises(LogfireConfigError) as caught:
        configure(**{name: value})
    assert str(caught.value) == f'{name}: {value!r}, from the argument `{name}`, is not allowed. Expected {expected}.'


@pytest.mark.parametrize('name', ['api_key', 'data_dir', 'variables', 'pydantic_plugin'])
def test_arguments_of_the_published_package_that_are_not_ours_are_refused(name: str) -> None:
    """An argument that would be ignored is an error that names it."""
    with pytest.raises(TypeError, match=name):
        configure(**{name: None})


def test_a_pattern_that_is_none_is_refused() -> None:
    """A scrubbing pattern that is no regular expression is refused when configured, not when used."""
    with pytest.raises(LogfireConfigError, match='scrubbing: extra_patterns'):
        configure(scrubbing=ScrubbingOptions(extra_patterns=['(']))


def test_sending_without_a_token() -> None:
    """Without a token nothing is sent and nothing stops; only asking for it in so many words is an error."""
    logfire.configure(console=False)
    logfire.configure(console=False, send_to_logfire='if-token-present')
    with pytest.raises(LogfireConfigError, match='send_to_logfire: True needs a token'):
        logfire.configure(console=False, send_to_logfire=True)


def test_the_service_is_named_by_keyword(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keyword of its own wins over `resource_attributes`, that over variables, those over everything found."""
    for name in ('LOGFIRE_SERVICE_NAME', 'LOGFIRE_SERVICE_VERSION', 'LOGFIRE_ENVIRONMENT'):
        monkeypatch.setenv(name, 'variable')
    given = {'service.name': 'given', 'service.version': 'given', 'team': 'shop'}
    assert resource(service_name='keyword', resource_attributes=given) == {
        'service.name': 'keyword',
        'service.version': 'given',
        'deployment.environment.name': 'variable',
        'team': 'shop',
    }


def test_a_file_gives_way_to_opentelemetrys_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_RESOURCE_ATTRIBUTES stands over the file, and under variables and keywords of its own."""
    tmp_path.joinpath('pyproject.toml').write_text(
        '[tool.logfire]\nservice_name = "file"\nservice_version = "file"\nenvironment = "file"', encoding='utf-8'
    )
    monkeypatch.setenv('OTEL_RESOURCE_ATTRIBUTES', 'service.name=found,service.version=found')
    monkeypatch.setenv('LOGFIRE_SERVICE_VERSION', 'variable')
    assert resource(config_dir=tmp_path) == {
        'service.name': 'found',
        'service.version': 'variable',
        'deployment.environment.name': 'file',
    }


def test_the_version_falls_back_to_the_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a version the git revision of the working directory is the version; with one it is not asked."""
    monkeypatch.chdir(tmp_path)
    assert 'service.version' not in resource()
    tmp_path.joinpath('.git').mkdir()
    tmp_path.joinpath('.git', 'HEAD').write_text('0123456789abcdef\n', encoding='utf-8')
    assert resource()['service.version'] == '0123456789abcdef'
    monkeypatch.setenv('OTEL_RESOURCE_ATTRIBUTES', 'service.version=found')
    assert resource()['service.version'] == 'found'


def test_the_source_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The resource tells where the source code is."""
    monkeypatch.chdir(tmp_path)
    where = {'vcs.repository.url.full': 'https://git.example/shop', 'vcs.repository.ref.revision': 'main'}
    source = CodeSource('https://git.example/shop', 'main')
    assert resource(code_source=source) == {
        'service.name': 'unknown_service',
        **where,
        'logfire.code.work_dir': str(tmp_path),
    }
    source = CodeSource('https://git.example/shop', 'main', 'backend')
    assert resource(code_source=source)['logfire.code.root_path'] == 'backend'


def test_the_console_is_the_default_view(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a word, a log is seen on the standard output."""
    logfire.configure()
    logfire.info('hello')
    assert 'hello' in capsys.readouterr().out


@pytest.mark.parametrize(('keyword', 'variable'), [(False, ''), (None, 'false')])
def test_the_console_can_be_turned_off(
    keyword: Any, variable: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By keyword or variable the console is silent."""
    monkeypatch.setenv('LOGFIRE_CONSOLE', variable)
    logfire.configure(console=keyword)
    logfire.info('hello')
    assert capsys.readouterr() == ('', '')


def test_console_variables_are_used(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each property of the console can be set outside of the code."""
    monkeypatch.setenv('LOGFIRE_CONSOLE_INCLUDE_TIMESTAMP', 'false')
    monkeypatch.setenv('LOGFIRE_CONSOLE_MIN_LOG_LEVEL', 'warn')
    logfire.configure()
    logfire.info('unseen')
    logfire.warn('seen')
    assert capsys.readouterr().out == 'seen\n'


def test_console_options_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options given in code are used as they are, whatever the variables say, and are checked."""
    monkeypatch.setenv('LOGFIRE_CONSOLE', 'false')
    monkeypatch.setenv('LOGFIRE_CONSOLE_MIN_LOG_LEVEL', 'fatal')
    output = io.StringIO()
    logfire.configure(console=ConsoleOptions(include_timestamps=False, span_style='simple', output=output))
    logfire.info('hello')
    assert output.getvalue() == 'hello\n'
    with pytest.raises(LogfireConfigError, match='console_colors'):
        logfire.configure(console=ConsoleOptions(colors='red'))  # pyright: ignore[reportArgumentType] - wrong on purpose.


def test_log_records_are_seen_on_the_console() -> None:
    """Records of OpenTelemetry's logs API stand on the console among the spans."""
    output = io.StringIO()
    logfire.configure(console=ConsoleOptions(include_timestamps=False, output=output))
    from opentelemetry._logs import SeverityNumber

    GLOBAL_CONFIG.logger_provider.get_logger('test').emit(body='a record', severity_number=SeverityNumber.INFO)
    assert 'a record' in output.getvalue()


def test_use_before_configuration_warns_once() -> None:
    """Whoever forgets to configure is told so, once, where it happened."""
    with pytest.warns(LogfireNotConfiguredWarning, match=r'logfire\.configure\(\)') as caught:
        GLOBAL_CONFIG.warn_if_not_initialized()
    assert [warning.filename for warning in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        GLOBAL_CONFIG.warn_if_not_initialized()


def test_use_after_configuration_does_not_warn(configured: Any) -> None:
    """Whoever has configured hears nothing."""
    GLOBAL_CONFIG.warn_if_not_initialized()


@pytest.mark.parametrize('source', ['variable', 'file'])
def test_the_warning_can_be_silenced(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable, or the file, says that it is intended."""
    monkeypatch.chdir(tmp_path)
    if source == 'variable':
        monkeypatch.setenv('LOGFIRE_IGNORE_NO_CONFIG', '1')
    else:
        tmp_path.joinpath('pyproject.toml').write_text('[tool.logfire]\nignore_no_config = true', encoding='utf-8')
    GLOBAL_CONFIG.warn_if_not_initialized()


def test_a_wrong_word_does_not_silence_the_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that cannot be read neither silences the warning nor raises where nobody configured anything."""
    monkeypatch.setenv('LOGFIRE_IGNORE_NO_CONFIG', 'perhaps')
    with pytest.warns(LogfireNotConfiguredWarning):
        GLOBAL_CONFIG.warn_if_not_initialized()


def test_flush_hands_over_first(configured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a flush, the parts that hold work of their own are asked for it, within the time there is."""
    asked: list[float] = []
    monkeypatch.setattr(lifecycle, '_before_flush', [asked.append])
    assert GLOBAL_CONFIG.force_flush(2_000)
    (seconds,) = asked
    assert 0 < seconds <= 2


def test_a_flush_that_is_not_handed_all_says_so(configured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a part could not hand over in time, not all was exported, whatever the exporters say."""

    def too_slow(seconds: float) -> bool:
        return False

    monkeypatch.setattr(lifecycle, '_before_flush', [too_slow])
    assert not GLOBAL_CONFIG.force_flush(2_000)


def test_a_flush_without_a_configuration_is_done() -> None:
    """Where nothing is held, a flush and a shutdown have succeeded."""
    assert GLOBAL_CONFIG.force_flush()
    assert GLOBAL_CONFIG.shutdown()


def test_use_after_shutdown_is_harmless() -> None:
    """After a shutdown nothing is recorded and nothing fails; spans that were running go nowhere."""
    processor = Closing()
    configure(additional_span_processors=[processor])
    counter = GLOBAL_CONFIG.meter_provider.get_meter('test').create_counter('count')
    with logfire.span('running'):
        assert GLOBAL_CONFIG.shutdown()
        with logfire.span('late') as late:
            assert not late.is_recording()
        logfire.info('late')
        counter.add(1)
        GLOBAL_CONFIG.logger_provider.get_logger('test').emit(body='late')
    assert GLOBAL_CONFIG.shutdown(flush=False)
    assert processor.shutdowns == 1


def test_configuring_after_shutdown_begins_again(config_kwargs: dict[str, Any], exporter: TestExporter) -> None:
    """A shutdown is not for good."""
    logfire.configure(**config_kwargs)
    GLOBAL_CONFIG.shutdown()
    configure(additional_span_processors=[SimpleSpanProcessor(exporter)])
    logfire.info('again')
    assert names(exporter) == ['again']


def test_a_shutdown_that_flushes_nothing_still_shuts_down() -> None:
    """With `flush=False` processors are shut down without being flushed first."""
    processor = Closing()
    configure(additional_span_processors=[processor])
    assert GLOBAL_CONFIG.shutdown(flush=False)
    assert processor.shutdowns == 1


def test_a_reset_is_whole(config_kwargs: dict[str, Any], exporter: TestExporter) -> None:
    """After a reset the process is as before its first configuration: nothing is suppressed, and it warns again."""
    config = GLOBAL_CONFIG
    for provider in (config.tracer_provider, config.meter_provider, config.logger_provider):
        provider.suppress_scopes('logfire')
    with pytest.warns(LogfireNotConfiguredWarning):
        config.warn_if_not_initialized()
    config.reset()
    with pytest.warns(LogfireNotConfiguredWarning):
        config.warn_if_not_initialized()
    reader = InMemoryMetricReader()
    logfire.configure(**config_kwargs, metrics=MetricsOptions(additional_readers=[reader]))
    logfire.info('seen')
    config.meter_provider.get_meter('logfire').create_counter('count').add(1)
    assert names(exporter) == ['seen']
    assert [metric['name'] for metric in get_collected_metrics(reader)] == ['count']


def test_threads_may_configure_at_once(config_kwargs: dict[str, Any]) -> None:
    """Configurations made at the same time follow one another; each but the last is shut down."""
    processors = [Closing() for _ in range(8)]
    together = threading.Barrier(len(processors), timeout=60)

    def configure_together(processor: Closing) -> None:
        together.wait()
        configure(**config_kwargs | {'additional_span_processors': [processor]})

    threads = [threading.Thread(target=configure_together, args=(processor,)) for processor in processors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(processor.shutdowns for processor in processors) == [0, 1, 1, 1, 1, 1, 1, 1]
    logfire.info('hello')


def test_the_exit_exports_what_is_held() -> None:
    """A program that ends exports what it recorded, without a word of its own, and its local configurations' too."""
    with Collector() as collector:
        run(
            """
import logfire
logfire.configure(console=False)
logfire.info('global')
logfire.configure(local=True, console=False).info('local')
""",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        )
        assert sorted(span.name for span in collector.spans()) == ['global', 'local']


def test_the_exit_does_not_wait_for_a_silent_server() -> None:
    """A server that takes requests and does not answer holds the end of a program no longer than the bound.

    Also where no thread can be started any more, as in Python 3.12 and later when the interpreter exits. What could
    not be delivered is counted.
    """
    with Collector(silent=True) as collector:
        run(
            """
import threading
import logfire
from logfire._internal.config import configuration
configuration.EXIT_TIMEOUT_MILLIS = 200
logfire.configure(console=False)
logfire.info('hello')

def refuse(thread):
    raise RuntimeError("can't start new thread at interpreter shutdown")

threading.Thread.start = refuse
""",
            seconds=30,
            says=f'logfire: 1 span for {collector.url}/ lost: they could not be delivered before the shutdown.\n',
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector.url,
            OTEL_EXPORTER_OTLP_TIMEOUT='600',
        )


def test_the_bounds_are_what_the_documentation_says() -> None:
    """A program waits ten seconds at most when it exits, and three when it replaces a configuration."""
    assert configuration.EXIT_TIMEOUT_MILLIS == 10_000
    assert configuration.REPLACED_TIMEOUT_MILLIS == 3_000


SENDING = (
    'requests',
    'google.protobuf',
    'opentelemetry.exporter',
    'opentelemetry.sdk.metrics',
    'opentelemetry.sdk._logs',
)
HEAVY = ('opentelemetry.sdk', 'rich', 'executing', 'tomllib', 'tomli', *SENDING)


def test_importing_loads_nothing_heavy() -> None:
    """`import logfire` loads no console, HTTP, exporter or protobuf code."""
    loaded = run('import sys; before = {*sys.modules}; import logfire; print(*{*sys.modules} - before)').split()
    assert [name for name in loaded if name.startswith(HEAVY)] == []


def test_configuring_loads_only_what_is_configured() -> None:
    """A configuration without a console and a place to send to loads neither."""
    loaded = run("""
import sys
before = {*sys.modules}
import logfire
logfire.configure(console=False)
logfire.info('hello')
print(*{*sys.modules} - before)
""").split()
    assert [name for name in loaded if name.startswith(('rich', *SENDING))] == []
