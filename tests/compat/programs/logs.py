"""Logs: levels, messages, exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import logfire

if TYPE_CHECKING:
    from tests.compat.observation import Scene


def case_levels(scene: Scene) -> None:
    scene.configure(console=logfire.ConsoleOptions(min_log_level='trace'))
    logfire.trace('a {x}', x=1)
    logfire.debug('a {x}', x=1)
    logfire.info('a {x}', x=1)
    logfire.notice('a {x}', x=1)
    logfire.warn('a {x}', x=1)
    logfire.warning('a {x}', x=1)
    logfire.error('a {x}', x=1)
    logfire.fatal('a {x}', x=1, _tags=['t'])
    logfire.exception('no exception')


def case_options_of_levels(scene: Scene) -> None:
    scene.configure(console=logfire.ConsoleOptions(min_log_level='trace'))
    error = ValueError('bad')
    logfire.trace('a', _tags=['t'], _exc_info=error)
    logfire.debug('a', _tags=['t'], _exc_info=error)
    logfire.info('a', _tags=['t'], _exc_info=error)
    logfire.notice('a', _tags=['t'], _exc_info=error)
    logfire.warn('a', _tags=['t'], _exc_info=error)
    logfire.warning('a', _tags=['t'], _exc_info=error)
    logfire.error('a', _tags=['t'], _exc_info=error)
    logfire.fatal('a', _tags=['t'], _exc_info=error)
    logfire.exception('a', _tags=['t'], _exc_info=error)


def case_log(scene: Scene) -> None:
    scene.configure()
    levels: list[logfire.LevelName | int] = ['info', 'warning', 13, 3, 22]
    for level in levels:
        logfire.log(level, 'at {level}', attributes={'level': level, '_x': 1}, tags=['t'])
    logfire.log('info', 'hidden', console_log=False)
    try:
        raise ValueError('bad')
    except ValueError as exc:
        logfire.log('warn', 'failed', exc_info=exc)
        logfire.log('warn', 'failed', exc_info=True)


def case_exceptions(scene: Scene) -> None:
    scene.configure()
    try:
        raise ValueError('bad')
    except ValueError as exc:
        logfire.exception('could not {what}', what='count', _tags=['x'])
        logfire.info('with it', _exc_info=True)
        logfire.error('with it', _exc_info=exc)
        logfire.warn('with it', _exc_info=(type(exc), exc, exc.__traceback__))
        logfire.exception('this', _exc_info=KeyError('other'))


def case_min_level(scene: Scene) -> None:
    scene.configure(min_level='warn')
    logfire.info('dropped')
    logfire.warn('kept')
    with logfire.span('no level'):
        logfire.info('dropped')
    with logfire.span('dropped', _level='info'):
        logfire.error('kept')


def case_templates(scene: Scene) -> None:
    scene.configure()
    logfire.info('{a!r} {b:>6} {c[0]} {d.real} {{}}', a='x', b=1.5, c=[7], d=3)
    logfire.info('{a=} {b:{width}}|', a='x', b=1, width=5)
    logfire.info('{missing}', a=1)
    logfire.info('{', a=1)
    logfire.info('{long}', long='x' * 300)
    logfire.info('multi\nline {x}', x='a\nb')
    logfire.info('100%')
    logfire.info('')


def case_f_strings(scene: Scene) -> None:
    scene.configure()
    name, numbers = 'Ann', [1, 2]
    logfire.info(f'hello {name}')
    logfire.info(f'{numbers[0]} and {len(numbers):03} {name!r}', more=1)
    logfire.log('info', f'at {name}')
    with logfire.span(f'for {name} {numbers}', name='Bob'):
        pass


def case_plain_f_strings(scene: Scene) -> None:
    scene.configure(inspect_arguments=False)
    name = 'Ann'
    logfire.info(f'hello {name}')


def case_settings(scene: Scene) -> None:
    scene.configure()
    tagged = logfire.with_tags('a', 'b')
    tagged.info('tagged')
    tagged.with_tags('b', 'c').info('more', _tags=['c', 'd'])
    quiet = logfire.with_settings(tags=['q'], console_log=False, custom_scope_suffix='quiet')
    quiet.info('not shown')
    with quiet.span('span of quiet'):
        logfire.DEFAULT_LOGFIRE_INSTANCE.info('default')


def case_with_parents(scene: Scene) -> None:
    scene.configure()
    with logfire.span('outer'):
        logfire.info('one')
        with logfire.span('inner'):
            logfire.warn('two')
        logfire.error('three')
    logfire.info('four')


def case_console_options(scene: Scene) -> None:
    scene.configure(
        console=logfire.ConsoleOptions(
            include_timestamps=False, include_tags=False, min_log_level='warn', verbose=False, colors='never'
        )
    )
    logfire.info('not shown')
    with logfire.span('shown?', _tags=['t']):
        logfire.warn('shown', _tags=['t'], x=1)


def case_no_console(scene: Scene) -> None:
    scene.configure(console=False)
    logfire.info('exported only')
