"""`logfire_api`, which libraries import in place of `logfire`: it must not drift from it."""

from __future__ import annotations

import importlib
import inspect
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Span, Tracer

import logfire

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / 'logfire-api'
MODULES = [
    'logfire',
    'logfire.exceptions',
    'logfire.integrations.logging',
    'logfire.integrations.loguru',
    'logfire.integrations.structlog',
    'logfire.propagate',
    'logfire.sampling',
    'logfire.types',
]
# What tests are written with, and what OpenTelemetry's tools load: only of use where logfire is. The version is stated
# by the package itself.
NOT_STOOD_FOR = ('logfire.testing', 'logfire.integrations.azure_ai_inference', 'logfire.version')
# Made by the package only, never by its users.
MADE_BY_US = {'Logfire', 'LogfireSpan', 'ScrubMatch', 'TailSamplingSpanInfo', 'ExceptionCallbackHelper'}


def load(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """Import `logfire_api` afresh: each of its modules, by the name of the module of `logfire` it stands for."""
    monkeypatch.setattr(sys, 'path', [str(FOLDER), *sys.path])
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.split('.')[0] == 'logfire_api']:
        monkeypatch.delitem(sys.modules, name)
    try:
        return {name: importlib.import_module(name.replace('logfire', 'logfire_api', 1)) for name in MODULES}
    finally:
        for name in [name for name in sys.modules if name.split('.')[0] == 'logfire_api']:
            # Set by monkeypatch, so that it is removed again: what this test imported is not what another one means.
            monkeypatch.setitem(sys.modules, name, sys.modules.pop(name))


@pytest.fixture(scope='module')
def absent() -> dict[str, ModuleType]:
    """The modules of `logfire_api` as they are where `logfire` cannot be imported."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in [name for name in sys.modules if name.split('.')[0] == 'logfire']:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, 'logfire', None)
        return load(monkeypatch)


@pytest.fixture(scope='module')
def shim(absent: dict[str, ModuleType]) -> Any:
    """`logfire_api` where `logfire` cannot be imported."""
    return absent['logfire']


def public(value: Any) -> set[str]:
    """The names that users may use of an object or class."""
    return {name for name in dir(value) if not name.startswith('_')}


def public_modules(package: Path) -> set[str]:
    """The modules that users may import, by their names in `logfire`."""
    paths = [path.relative_to(package).with_suffix('').parts for path in package.rglob('*.py')]
    names = ['.'.join(('logfire', *parts)).removesuffix('.__init__') for parts in paths]
    return {name for name in names if '._' not in name}


Shape = list[tuple[str, Any, bool]]


def shape(function: Callable[..., Any]) -> Shape:
    """The parameters of a function: name, kind, and whether one may leave it out."""
    parameters = inspect.signature(function).parameters.values()
    return [(one.name, one.kind, one.default is not inspect.Parameter.empty) for one in parameters]


def drift(ours: Any, theirs: Any, where: str) -> Iterator[str]:
    """What one may do with `theirs` and not with `ours`."""
    if inspect.isclass(ours) and inspect.isclass(theirs):
        ours, theirs = ours.__init__, theirs.__init__
    # What both inherit is the same; so are aliases of types.
    if not callable(theirs) or ours == theirs:
        return
    if not callable(ours):
        yield f'{where} cannot be called'
    elif (left := shape(ours)) != (right := shape(theirs)):
        yield f'{where}: {left} is not {right}'


def test_its_modules_are_those_of_logfire() -> None:
    """Every public module of `logfire` has its counterpart, but those that are not stood for."""
    theirs = {name for name in public_modules(ROOT / 'logfire') if not name.startswith(NOT_STOOD_FOR)}
    assert theirs == public_modules(FOLDER / 'logfire_api') == {*MODULES, 'logfire.integrations'}


@pytest.mark.parametrize('name', MODULES)
def test_the_public_names_are_the_same(name: str, absent: dict[str, ModuleType]) -> None:
    """Each module has the public names of its counterpart, no more and no fewer, and each is there."""
    module = absent[name]
    assert module.__all__ == importlib.import_module(name).__all__
    assert [public for public in module.__all__ if not hasattr(module, public)] == []


@pytest.mark.parametrize('name', MODULES)
def test_where_logfire_is_installed_it_is_logfire(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `logfire` is installed, every public name is the very object of `logfire`."""
    module, real = load(monkeypatch)[name], importlib.import_module(name)
    assert [public for public in real.__all__ if getattr(module, public) is not getattr(real, public)] == []


@pytest.mark.parametrize('name', MODULES)
def test_functions_and_classes_take_the_same_arguments(name: str, absent: dict[str, ModuleType]) -> None:
    """Every public function and class takes what its counterpart takes: same names, kinds and order of parameters."""
    module, real = absent[name], importlib.import_module(name)
    differences: list[str] = []
    for public_name in sorted({*real.__all__} - MADE_BY_US - {'configure', 'LevelName', 'ExceptionCallback'}):
        differences += drift(getattr(module, public_name), getattr(real, public_name), public_name)
    assert differences == []


def test_configure_takes_the_same_arguments_and_any_others(shim: Any) -> None:
    """`configure` takes the keywords of `logfire.configure`, and, doing nothing, those of other versions."""
    assert shape(shim.configure) == [*shape(logfire.configure), ('others', inspect.Parameter.VAR_KEYWORD, False)]
    assert shim.configure(service_name='a', of_another_version=1) is shim.DEFAULT_LOGFIRE_INSTANCE


@pytest.mark.parametrize('name', MODULES)
def test_classes_have_the_same_members(name: str, absent: dict[str, ModuleType]) -> None:
    """Every public class has the public members of its counterpart, and its methods take the same arguments."""
    module, real = absent[name], importlib.import_module(name)
    differences: list[str] = []
    for class_name in real.__all__:
        theirs = getattr(real, class_name)
        if not inspect.isclass(theirs):
            continue
        ours = getattr(module, class_name)
        differences += [f'{class_name}.{member}' for member in public(theirs) - public(ours)]
        for member in sorted(public(theirs) & public(ours)):
            differences += drift(getattr(ours, member), getattr(theirs, member), f'{class_name}.{member}')
        fields: dict[str, Any] = getattr(theirs, '__dataclass_fields__', {})
        known: dict[str, Any] = getattr(ours, '__dataclass_fields__', {})
        differences += [
            f'{class_name}.{field}'
            for field in fields
            if not field.startswith('_') and (field not in known or known[field].default != fields[field].default)
        ]
    assert differences == []


def test_instances_have_the_same_attributes(shim: Any) -> None:
    """An instance, a logging handler and a structlog processor have the attributes of `logfire`'s."""
    assert public(logfire.DEFAULT_LOGFIRE_INSTANCE) - public(shim.DEFAULT_LOGFIRE_INSTANCE) == set()
    assert public(logfire.LogfireLoggingHandler()) - public(shim.LogfireLoggingHandler()) == set()
    assert public(logfire.StructlogProcessor()) - public(shim.StructlogProcessor()) == set()


def test_spans_have_what_opentelemetry_s_have(shim: Any) -> None:
    """A span has all that `logfire`'s has and takes over from OpenTelemetry's, the deprecated apart."""
    ours = shim.span('counting')
    assert (public(ReadableSpan) | public(Span)) - public(ours) == {'instrumentation_info'}
    assert public(logfire.LogfireSpan) - public(ours) == set()
    differences: list[str] = []
    for method in ('add_event', 'set_status', 'update_name'):
        differences += drift(getattr(shim.LogfireSpan, method), getattr(Span, method), method)
    assert differences == []


def test_a_span_can_be_used_as_any(shim: Any) -> None:
    """A span is entered, set and left; it keeps nothing, and lets exceptions through."""
    with shim.span('counting {what}', what='sheep', _tags=['a'], _level='info') as span:
        span.set_attribute('count', 12)
        span.set_attributes({'of': ['a', 'b']})
        span.set_level('warn')
        span.record_exception(ValueError('no sheep'))
        span.add_link(None)
        span.add_event('jumped', {'height': 1})
        span.set_status(None)
        span.update_name('counted')
        span.message = 'counted'
        span.tags = ['b']
        assert not span.is_recording()
        span.end()
    assert (span.message, span.message_template, span.tags, span.name, span.attributes) == ('', '', (), '', {})
    assert (span.events, span.links) == ((), ())
    assert span.to_json() == '{}'
    assert {span.context, span.get_span_context(), span.parent, span.start_time, span.end_time} == {None}
    assert {span.kind, span.status, span.resource, span.instrumentation_scope} == {None}
    assert {span.dropped_attributes, span.dropped_events, span.dropped_links} == {0}
    with pytest.raises(ValueError, match='no sheep'), shim.span('counting'):
        raise ValueError('no sheep')


@pytest.mark.parametrize(
    'level', ['trace', 'debug', 'info', 'notice', 'warn', 'warning', 'error', 'exception', 'fatal']
)
def test_logs_say_nothing(level: str, shim: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """Every log function takes a message and attributes, and writes nothing."""
    assert getattr(shim, level)('counted {what}', what='sheep', _tags=['a'], _exc_info=ValueError()) is None
    assert shim.log(level, 'counted', {'what': 'sheep'}, tags=['a'], exc_info=True, console_log=True) is None
    handler = shim.loguru_handler()
    assert handler['format'] == '{message}'
    assert handler['sink']('counted') is None
    assert capfd.readouterr() == ('', '')


def test_decorated_functions_are_returned_unchanged(shim: Any) -> None:
    """`instrument`, bare, with empty parentheses or with arguments, returns the function itself."""

    def count() -> int:
        return 12

    assert shim.instrument(count) is count
    assert shim.instrument()(count) is count
    assert shim.instrument('counting', record_return=True, level='debug')(count) is count


def test_metrics_measure_nothing(shim: Any) -> None:
    """Metrics, also those of `meter`, take values and attributes; callbacks are never called."""
    called: list[Any] = []
    for names in ('metric_{}', 'meter.create_{}'):
        source, _, name = names.rpartition('.')
        owner = shim.DEFAULT_LOGFIRE_INSTANCE.meter if source else shim
        for kind, method in (
            ('counter', 'add'),
            ('up_down_counter', 'add'),
            ('histogram', 'record'),
            ('gauge', 'set'),
        ):
            instrument = getattr(owner, name.format(kind))('sheep', unit='1', description='Sheep')
            assert getattr(instrument, method)(12, {'colour': 'black'}) is None
    for kind in ('counter', 'up_down_counter', 'gauge'):
        callback = getattr(shim, f'metric_{kind}_callback')
        assert callback('sheep', callbacks=[called.append], unit='1', description='Sheep') is None
        assert getattr(shim.DEFAULT_LOGFIRE_INSTANCE.meter, f'create_observable_{kind}')('sheep', [called.append])
    assert called == []


def test_tracer_and_meter_take_what_opentelemetry_s_take(shim: Any) -> None:
    """`tracer` and `meter` have the methods of those of `logfire`, with the same parameters."""
    ours, theirs = shim.DEFAULT_LOGFIRE_INSTANCE, logfire.DEFAULT_LOGFIRE_INSTANCE
    differences: list[str] = []
    for method in ('start_span', 'start_as_current_span'):
        differences += drift(getattr(ours.tracer.__class__, method), getattr(Tracer, method), method)
    creating = {name for name in public(theirs.meter) if name.startswith('create_')}
    assert len(creating) == 7
    for method in sorted(creating):
        differences += drift(getattr(ours.meter, method), getattr(theirs.meter, method), method)
    assert differences == []
    with ours.tracer.start_as_current_span('counting') as span:
        assert span is ours.tracer.start_span('counting')


def test_context_managers_can_be_entered(shim: Any) -> None:
    """What is a context manager is one, whether it is entered or not."""
    managers: list[AbstractContextManager[object]] = [
        shim.instrument_azure_ai_inference(),
        shim.instrument_azure_ai_inference(object(), capture_content=False, suppress_other_instrumentation=False),
        shim.suppress_instrumentation(),
        shim.attach_context(shim.get_context(), third_party=True),
        shim.set_baggage(what='sheep'),
    ]
    for manager in managers:
        with manager as entered:
            assert entered is None
            assert shim.get_baggage() == shim.get_context() == {}


def test_http_libraries_stay_as_they_are(shim: Any) -> None:
    """Instrumenting an HTTP library takes what it takes in `logfire`, and needs and does nothing."""
    assert shim.instrument_requests(excluded_urls='health', duration_histogram_boundaries=[1.0]) is None
    assert shim.instrument_aiohttp_client(capture_headers=True, request_hook=print) is None


def test_settings_give_the_instance_that_does_nothing(shim: Any) -> None:
    """`with_tags` and `with_settings` return the instance itself, and ending it succeeds at once."""
    instance = shim.DEFAULT_LOGFIRE_INSTANCE
    assert shim.with_tags('a', 'b') is shim.with_settings(tags=['a'], console_log=False) is instance
    assert not instance.records(None)
    assert shim.suppress_scopes('requests') is None
    assert shim.add_non_user_code_prefix('/lib') is None
    assert shim.force_flush(1) is True
    assert shim.shutdown(1, flush=False) is True


def test_options_keep_what_they_are_given(shim: Any) -> None:
    """Options take their arguments and have them as attributes, as those of `logfire` do."""
    assert shim.ConsoleOptions(verbose=True, colors='never').verbose
    assert shim.CodeSource('https://example.com/a', 'main').revision == 'main'
    assert shim.AdvancedOptions(base_url='https://example.com').base_url == 'https://example.com'
    assert shim.MetricsOptions(collect_in_spans=True).collect_in_spans
    assert shim.ScrubbingOptions(extra_patterns=['sheep']).extra_patterns == ['sheep']
    assert shim.SamplingOptions(head=0.5).head == 0.5
    assert shim.SamplingOptions.level_or_duration(head=0.5, background_rate=0.1).head == 0.5


def test_bridges_lead_nowhere(shim: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """The logging handler and the loguru sink drop records, the structlog processor passes events on; none writes."""
    handler = shim.LogfireLoggingHandler(level='WARNING')
    assert issubclass(shim.LogfireLoggingHandler, logging.Handler)
    assert handler.level == logging.WARNING
    record = logging.LogRecord('farm', logging.ERROR, __file__, 1, 'no %s', ('sheep',), None)
    assert handler.handle(record)
    assert handler.fill_attributes(record) == {}
    event = {'event': 'counted'}
    assert shim.StructlogProcessor(console_log=True)(None, 'info', event) is event
    assert capfd.readouterr() == ('', '')


def test_it_needs_nothing_but_the_standard_library() -> None:
    """Where nothing is installed at all it can be imported and used, and says that `logfire` is not there."""
    code = (
        'import sys; sys.path.insert(0, sys.argv[1])\n'
        'import importlib; [importlib.import_module(name) for name in sys.argv[2:]]\n'
        'import logfire_api as logfire\n'
        'with logfire.span("counting"): logfire.info("one")\n'
        'print(logfire.logfire_info())'
    )
    modules = [name.replace('logfire', 'logfire_api', 1) for name in MODULES]
    # -I -S: no site-packages, no environment, no working directory.
    command = [sys.executable, '-I', '-S', '-W', 'error', '-c', code, str(FOLDER), *modules]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stderr == ''
    assert run.stdout == f'logfire is not installed\nlogfire-api="{logfire.VERSION}"\n'


def stand_in(folder: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install another `logfire`, of one module."""
    (folder / 'logfire.py').write_text(source, encoding='utf-8')
    monkeypatch.setattr(sys, 'path', [str(folder), *sys.path])
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.split('.')[0] == 'logfire']:
        monkeypatch.delitem(sys.modules, name)


def test_what_an_older_logfire_lacks_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a `logfire` that lacks a name, or a module, the one that does nothing stays; the others are handed over."""
    with monkeypatch.context() as patch:
        stand_in(tmp_path, 'def info(message): return message', patch)
        modules = load(patch)
    assert modules['logfire'].info('one') == 'one'
    assert modules['logfire'].notice('one') is None
    assert modules['logfire.propagate'].get_context() == {}


def test_a_broken_logfire_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `logfire` that is installed, and cannot be imported for want of something else, raises what it raises."""
    with monkeypatch.context() as patch:
        stand_in(tmp_path, 'import no_such_dependency', patch)
        with pytest.raises(ModuleNotFoundError, match='no_such_dependency'):
            load(patch)


def test_its_distribution_is_kept_in_step_with_logfire_s(shim: Any) -> None:
    """Version, licence and supported Pythons are those of `logfire`, it is typed, and it depends on nothing."""
    assert shim.VERSION == shim.__version__ == logfire.VERSION
    assert (FOLDER / 'LICENSE').read_text(encoding='utf-8') == (ROOT / 'LICENSE').read_text(encoding='utf-8')
    assert (FOLDER / 'logfire_api' / 'py.typed').is_file()
    ours, theirs = ((folder / 'pyproject.toml').read_text(encoding='utf-8') for folder in (FOLDER, ROOT))
    for pattern in (r'^requires-python = .*$', r'^license = .*$', r'^    "Programming Language :: .*$'):
        found = re.findall(pattern, ours, re.MULTILINE)
        assert found == re.findall(pattern, theirs, re.MULTILINE) != []
    assert 'dependencies = []' in ours
