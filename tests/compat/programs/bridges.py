"""Other logging libraries."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import structlog
from loguru import logger as loguru_logger

import logfire
from logfire.integrations.logging import LogfireLoggingHandler
from logfire.integrations.structlog import LogfireProcessor

if TYPE_CHECKING:
    from tests.compat.observation import Scene


def case_logging(scene: Scene) -> None:
    scene.configure(min_level='trace', console=logfire.ConsoleOptions(min_log_level='trace'))
    log = logging.Logger('farm')
    log.addHandler(LogfireLoggingHandler(level='DEBUG'))
    log.debug('plain')
    log.info('counted %d %s', 3, 'sheep', extra={'herd': {'a': 1}})
    log.warning('by name %(x)s', {'x': 1})
    log.error('braces {x}')
    log.critical('end')
    for level in (10, 15, 25, 35, 45, 50, 55):
        log.log(level, 'at %d', level)
    try:
        raise ValueError('bad')
    except ValueError:
        log.exception('could not')
        log.info('with it', exc_info=True)
    log.info({'not': 'text'})
    log.info('stack', stack_info=True)
    with logfire.span('around'):
        log.info('within')


def case_logging_fallback(scene: Scene) -> None:
    class Printing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            print(record.getMessage())

    scene.configure()
    log = logging.Logger('farm')
    handler = logfire.LogfireLoggingHandler(fallback=Printing(), logfire_instance=logfire.with_tags('bridge'))
    log.addHandler(handler)
    with logfire.suppress_instrumentation():
        log.info('suppressed')
    log.info('kept')
    print(handler.custom_scope_suffix)


def case_logging_subclass(scene: Scene) -> None:
    class Handler(logfire.LogfireLoggingHandler):
        custom_scope_suffix = 'own'

        def fill_attributes(self, record: logging.LogRecord) -> dict[str, Any]:
            return {**super().fill_attributes(record), 'more': 1}

    scene.configure()
    log = logging.Logger('farm')
    log.addHandler(Handler())
    log.info('kept')
    record = logging.LogRecord('a', 20, 'here.py', 3, 'by hand %s', ('x',), None)
    log.handle(record)
    Handler().emit(record)


def case_structlog(scene: Scene) -> None:
    scene.configure()

    def final(logger: Any, name: str, event: Any) -> Any:
        print(sorted((key, str(value)) for key, value in event.items() if key != 'exc_info'))
        raise structlog.DropEvent

    for processor in (
        logfire.StructlogProcessor(),
        logfire.StructlogProcessor(console_log=False, logfire_instance=logfire.with_tags('bridge')),
        LogfireProcessor(console_log=True, logfire_instance=logfire.with_tags('bridge')),
    ):
        log = structlog.wrap_logger(
            None, [structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, processor, final]
        )
        log.info('counted', n=3, herd={'a': 1})
        log.bind(user='Ann').warning('careful {n}', n=1)
        log.debug('detail')
        log.error('wrong')
        log.critical('end')
        try:
            raise ValueError('bad')
        except ValueError:
            log.exception('could not')
    structlog.wrap_logger(None, [logfire.StructlogProcessor(), final]).info('no level')


def case_loguru(scene: Scene) -> None:
    scene.configure(min_level='trace', console=logfire.ConsoleOptions(min_log_level='trace'))
    loguru_logger.configure(handlers=[logfire.loguru_handler()])
    loguru_logger.info('x={x}', x=1)
    loguru_logger.info('plain')
    loguru_logger.bind(user='Ann').warning('bound {more!r:>5}', more=[1])
    loguru_logger.success('yes')
    loguru_logger.debug('detail')
    loguru_logger.critical('end')
    loguru_logger.log('INFO', 'by name {y}', y={'a': 1})
    loguru_logger.log(23, 'by number')
    try:
        raise ValueError('bad')
    except ValueError:
        loguru_logger.exception('could not {what}', what='count')
    with loguru_logger.contextualize(task=1), logfire.span('around'):
        loguru_logger.error('within')
    loguru_logger.info('braces {{}} {x}', x='{y}')
    loguru_logger.info('unused', more=3)
    name = 'Ann'
    loguru_logger.info(f'hello {name}')


def case_loguru_positional(scene: Scene) -> None:
    scene.configure()
    loguru_logger.configure(handlers=[logfire.loguru_handler()])
    loguru_logger.info('counted {} {}', 3, 'sheep')
    template = 'x={x}'
    loguru_logger.info(template, x=1)
