"""What a forked child does first, called as a fork calls it; tests/test_process_life.py forks for real."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest
from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord

import logfire
from logfire._internal import forks, lifecycle
from logfire._internal.config.configuration import GLOBAL_CONFIG, LogfireConfig
from logfire._internal.config.options import AdvancedOptions
from logfire._internal.forks import ForkSafeLock
from logfire.testing import TestExporter


@pytest.fixture(autouse=True)
def no_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process of the tests is no child whose end is watched."""
    monkeypatch.setattr(lifecycle, 'watch_end_of_child', lambda: None)


def test_the_order_in_a_child() -> None:
    """Locks are free first, then the callbacks run in their order, those that are to be last after the others."""
    ran: list[str] = []
    lock = ForkSafeLock()

    def take() -> None:
        with lock:
            ran.append('lock')

    forks.in_child(lambda: ran.append('last'), last=True)
    forks.in_child(take)
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            release.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(60)
    try:
        forks.begin_child()
    finally:
        del forks._in_child[-1], forks._last_in_child[-1]
    assert ran == ['lock', 'last']
    release.set()


def test_a_lock_may_be_taken_twice_where_asked() -> None:
    """A reentrant lock is one in a child too."""
    lock = ForkSafeLock(reentrant=True)
    lock.renew()
    with lock, lock:
        pass


class Part:
    def begin(self) -> None: ...


def test_a_callback_keeps_nothing_alive() -> None:
    """A method is called while its object is there."""
    part = Part()
    forks.in_child(part.begin)
    reference = weakref.ref(part)
    del part
    gc.collect()
    try:
        assert reference() is None
        forks.begin_child()
    finally:
        del forks._in_child[-1]


class LogProcessor(LogRecordProcessor):
    def __init__(self) -> None:
        self.records: list[ReadWriteLogRecord] = []

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        self.records.append(log_record)

    def shutdown(self) -> None: ...

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


def test_log_records_of_a_child(config_kwargs: dict[str, Any]) -> None:
    """Log records tell of the child, to the processors that were configured and to those that were added."""
    configured, added = LogProcessor(), LogProcessor()
    config_kwargs['advanced'] = AdvancedOptions(log_record_processors=[configured])
    logfire.configure(**config_kwargs)
    provider = GLOBAL_CONFIG.logger_provider
    provider.add_log_record_processor(added)
    logger = provider.get_logger('test')
    logger.emit(body='parent')
    forks.begin_child()
    logger.emit(body='child')
    for processor in (configured, added):
        parent, child = (record.resource for record in processor.records)
        assert parent
        assert child
        assert parent.attributes['service.instance.id'] != child.attributes['service.instance.id']


def test_a_configuration_that_is_being_shut_down() -> None:
    """A process that is forked in the middle of a shutdown has nothing to go on with."""
    LogfireConfig().begin_child()


def test_a_child_leaves_to_the_parent_what_that_began(configured: LogfireConfig, exporter: TestExporter) -> None:
    """A span that was open at the fork is not ended in the child, and stays the parent of what is begun there."""
    before = configured.tracer_provider.resource.attributes
    with logfire.span('parent'):
        exporter.clear()
        forks.begin_child()
        logfire.info('child')
    assert GLOBAL_CONFIG.tracer_provider.resource.attributes['service.instance.id'] != before['service.instance.id']
    (log,) = exporter.exported_spans_as_dict()
    assert (log['name'], log['parent']['span_id']) == ('child', 1)
