"""The values of one configuration, resolved and checked before anything is changed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypeVar, cast

from logfire._internal.config import parameters
from logfire._internal.config.defaults import DefaultAdvancedOptions, DefaultMetricsOptions, DefaultSamplingOptions
from logfire._internal.config.parameters import Parameter, Sources, shown
from logfire._internal.config.revision import git_revision
from logfire._internal.scrubbing import Scrubber, new_scrubber
from logfire.exceptions import LogfireConfigError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TypedDict

    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.sampling import Sampler
    from typing_extensions import NotRequired

    from logfire._internal.config.options import AdvancedOptions, CodeSource, ConsoleOptions, MetricsOptions
    from logfire._internal.levels import LevelName
    from logfire._internal.sampling import SamplingOptions, TailSamplingSpanInfo
    from logfire._internal.scrubbing_options import ScrubbingOptions

    class Keywords(TypedDict):
        """The keywords of `logfire.configure()`, apart from `local`; what is absent or None is unset."""

        send_to_logfire: NotRequired[bool | Literal['if-token-present'] | None]
        token: NotRequired[str | list[str] | None]
        service_name: NotRequired[str | None]
        service_version: NotRequired[str | None]
        environment: NotRequired[str | None]
        resource_attributes: NotRequired[Mapping[str, Any] | None]
        console: NotRequired[ConsoleOptions | Literal[False] | None]
        config_dir: NotRequired[Path | str | None]
        additional_span_processors: NotRequired[Sequence[SpanProcessor] | None]
        metrics: NotRequired[MetricsOptions | Literal[False] | None]
        scrubbing: NotRequired[ScrubbingOptions | Literal[False] | None]
        inspect_arguments: NotRequired[bool | None]
        sampling: NotRequired[SamplingOptions | None]
        min_level: NotRequired[int | LevelName | None]
        add_baggage_to_attributes: NotRequired[bool]
        code_source: NotRequired[CodeSource | None]
        distributed_tracing: NotRequired[bool | None]
        advanced: NotRequired[AdvancedOptions | None]


_OptionT = TypeVar('_OptionT')

# Functions that read an option load its class where one is given: most programs give few.

Advanced: TypeAlias = 'AdvancedOptions | DefaultAdvancedOptions'


class Settings:
    """What `logfire.configure()` was told, by any of its sources.

    Every parameter is the keyword, else the environment, else the file, else its default.

    Raises:
        LogfireConfigError: A value is not allowed. Nothing has been changed.
    """

    def __init__(self, keywords: Keywords) -> None:
        sources = Sources(keywords.get('config_dir'))
        sampling = _sampling(keywords.get('sampling'))
        self.advanced: Advanced = _advanced(keywords.get('advanced'))
        """As it was given; what it says of the next five may come of another source."""
        self.base_url: str | None = sources.value(parameters.BASE_URL, self.advanced.base_url)
        self.memory_items: int = sources.value(parameters.EXPORT_MEMORY_ITEMS, self.advanced.export_memory_items)
        self.memory_size: int = sources.value(parameters.EXPORT_MEMORY_SIZE, self.advanced.export_memory_size)
        self.buffer_dir: Path | None = sources.value(parameters.EXPORT_BUFFER_DIR, self.advanced.export_buffer_dir)
        self.buffer_size: int = sources.value(parameters.EXPORT_BUFFER_SIZE, self.advanced.export_buffer_size)
        self.tokens: tuple[str, ...] = _tokens(keywords, sources)
        """The tokens to send with; empty where nothing is to be sent to Logfire."""
        self.min_level: int = sources.value(parameters.MIN_LEVEL, keywords.get('min_level'))
        self.inspect_arguments: bool = sources.value(parameters.INSPECT_ARGUMENTS, keywords.get('inspect_arguments'))
        self.add_baggage_to_attributes: bool = sources.value(
            parameters.ADD_BAGGAGE_TO_ATTRIBUTES, keywords.get('add_baggage_to_attributes')
        )
        self.distributed_tracing: bool | None = sources.value(
            parameters.DISTRIBUTED_TRACING, keywords.get('distributed_tracing')
        )
        self.resource_attributes: Mapping[str, Any] = _resource_attributes(keywords, sources)
        """What the resource is to say, over everything that OpenTelemetry finds."""
        self.console: ConsoleOptions | None = _console(keywords.get('console'), sources)
        self.additional_span_processors: tuple[SpanProcessor, ...] = _processors(
            'additional_span_processors', keywords.get('additional_span_processors')
        )
        self.metrics: MetricsOptions | DefaultMetricsOptions | None = _metrics(keywords.get('metrics'))
        self.scrubber: Scrubber = _scrubber(keywords.get('scrubbing'))
        self.head: float | Sampler | None = _head(sampling.head, sources)
        """Which traces to record at all, None where nobody said."""
        self.tail: Callable[[TailSamplingSpanInfo], float] | None = sampling.tail
        """Which of those to keep."""


def ignores_no_config() -> bool:
    """Whether use before `logfire.configure()` is intended, and needs no warning; a wrong value says no."""
    try:
        return Sources().value(parameters.IGNORE_NO_CONFIG)
    except LogfireConfigError:
        return False


def _checked(name: str, value: object, option_type: type[_OptionT], *, or_false: bool = False) -> _OptionT:
    """The value of a keyword that takes an object of options, where it was given."""
    if isinstance(value, option_type):
        return value
    allowed = f'a logfire.{option_type.__name__}{", False" if or_false else ""} or None'
    raise LogfireConfigError(f'{name}: {shown(value)}, from the argument `{name}`, is not allowed. Expected {allowed}.')


def _tokens(keywords: Keywords, sources: Sources) -> tuple[str, ...]:
    tokens = sources.value(parameters.TOKEN, keywords.get('token'))
    send = sources.value(parameters.SEND_TO_LOGFIRE, keywords.get('send_to_logfire'))
    if send is True and not tokens:
        raise LogfireConfigError(
            'send_to_logfire: True needs a token. Give `token`, set LOGFIRE_TOKEN, or choose '
            "'if-token-present' or False."
        )
    return tokens if send else ()


def _sampling(given: SamplingOptions | None) -> SamplingOptions | DefaultSamplingOptions:
    if given is None:
        return DefaultSamplingOptions()
    from logfire._internal.sampling import SamplingOptions

    return _checked('sampling', given, SamplingOptions)


def _advanced(given: AdvancedOptions | None) -> Advanced:
    if given is None:
        return DefaultAdvancedOptions()
    from logfire._internal.config.options import AdvancedOptions

    return _checked('advanced', given, AdvancedOptions)


def _metrics(given: MetricsOptions | Literal[False] | None) -> MetricsOptions | DefaultMetricsOptions | None:
    if given is None:
        return DefaultMetricsOptions()
    if given is False:
        return None
    from logfire._internal.config.options import MetricsOptions

    return _checked('metrics', given, MetricsOptions, or_false=True)


def _scrubber(scrubbing: ScrubbingOptions | Literal[False] | None) -> Scrubber:
    if scrubbing is not False and scrubbing is not None:
        from logfire._internal.scrubbing_options import ScrubbingOptions

        _checked('scrubbing', scrubbing, ScrubbingOptions, or_false=True)
    try:
        return new_scrubber(scrubbing)
    except (re.error, ValueError) as error:
        raise LogfireConfigError(
            f'scrubbing: extra_patterns has one that is not a regular expression: {error}'
        ) from error


def _head(head: float | Sampler, sources: Sources) -> float | Sampler | None:
    if not isinstance(head, (int, float)):
        return head
    parameter = parameters.TRACE_SAMPLE_RATE
    if os.environ.get('OTEL_TRACES_SAMPLER'):
        # The other variable belongs to the sampler that this one names; OpenTelemetry reads both.
        parameter = Parameter(parameter.name, parameter.parse, parameter.default, parameter.variables[:1])
    # 1.0 is also the default of `SamplingOptions`: it says nothing that another source may not change.
    return sources.value(parameter, None if head == 1.0 else head)


def _console(options: ConsoleOptions | Literal[False] | None, sources: Sources) -> ConsoleOptions | None:
    if options is False or (options is None and not sources.value(parameters.CONSOLE)):
        return None
    from logfire._internal.config.options import ConsoleOptions

    if options is not None:
        given = _checked('console', options, ConsoleOptions, or_false=True)
        # Keywords again: what an object of options says has been said in code, and is checked like the rest.
        return replace(
            given,
            colors=sources.value(parameters.CONSOLE_COLORS, given.colors),
            span_style=sources.value(parameters.CONSOLE_SPAN_STYLE, given.span_style),
            min_log_level=sources.value(parameters.CONSOLE_MIN_LOG_LEVEL, given.min_log_level),
        )
    return ConsoleOptions(
        colors=sources.value(parameters.CONSOLE_COLORS),
        span_style=sources.value(parameters.CONSOLE_SPAN_STYLE),
        include_timestamps=sources.value(parameters.CONSOLE_INCLUDE_TIMESTAMP),
        include_tags=sources.value(parameters.CONSOLE_INCLUDE_TAGS),
        verbose=sources.value(parameters.CONSOLE_VERBOSE),
        min_log_level=sources.value(parameters.CONSOLE_MIN_LOG_LEVEL),
    )


def _mapping(name: str, value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return cast('Mapping[str, Any]', value)
    raise LogfireConfigError(f'{name}: {shown(value)}, from the argument `{name}`, is not allowed. Expected a mapping.')


def _processors(name: str, value: object) -> tuple[SpanProcessor, ...]:
    if value is None:
        return ()
    processors = tuple(cast('Iterable[object]', value)) if isinstance(value, Iterable) else (None,)
    if all(hasattr(processor, 'on_end') for processor in processors):
        return cast('tuple[SpanProcessor, ...]', processors)
    given = cast('object', value)
    raise LogfireConfigError(
        f'{name}: {shown(given)}, from the argument `{name}`, is not allowed. Expected OpenTelemetry span processors.'
    )


_NAMES: Final = (
    ('service_name', parameters.SERVICE_NAME, 'service.name'),
    ('service_version', parameters.SERVICE_VERSION, 'service.version'),
    ('environment', parameters.ENVIRONMENT, 'deployment.environment.name'),
)


def _resource_attributes(keywords: Keywords, sources: Sources) -> dict[str, Any]:
    """What the resource is to say over everything OpenTelemetry finds.

    The order is: a keyword of its own, `resource_attributes`, the environment, `OTEL_RESOURCE_ATTRIBUTES`, the file.
    """
    from_environment = os.environ.get('OTEL_RESOURCE_ATTRIBUTES', '')
    named_there = {pair.partition('=')[0].strip() for pair in from_environment.split(',')}
    attributes: dict[str, Any] = {}
    code_source = keywords.get('code_source')
    if code_source is not None:
        from logfire._internal.config.options import CodeSource

        code_source = _checked('code_source', code_source, CodeSource)
        attributes['vcs.repository.url.full'] = code_source.repository
        attributes['vcs.repository.ref.revision'] = code_source.revision
        attributes['logfire.code.work_dir'] = os.getcwd()
        if code_source.root_path:
            attributes['logfire.code.root_path'] = code_source.root_path
    for _, parameter, key in _NAMES:
        value = sources.from_code_or_environment(parameter)
        if value is None and key not in named_there:
            value = sources.from_file(parameter)
        if value is not None:
            attributes[key] = value
    attributes.update(_mapping('resource_attributes', keywords.get('resource_attributes')))
    for name, parameter, key in _NAMES:
        value = sources.from_code_or_environment(parameter, keywords.get(name)) if keywords.get(name) else None
        if value is not None:
            attributes[key] = value
    if 'service.version' not in attributes and 'service.version' not in named_there:
        attributes['service.version'] = git_revision(os.getcwd())
    return attributes
