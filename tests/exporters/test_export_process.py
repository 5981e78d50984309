"""Export and the life of the process: exit in an outage, what the folder carries over, kill, fork."""

from __future__ import annotations

from pathlib import Path

from tests.collector import Answer, Collector
from tests.interpreter import run, running

RECORD = """
import logfire
logfire.configure(console=False)
logfire.info('first')
logfire.force_flush(100)
logfire.info('second')
"""


def environment(collector: Collector, **more: str) -> dict[str, str]:
    return {'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT': f'{collector.url}/v1/traces', **more}


def bounded(millis: int) -> str:
    """The program, with another bound for its exit."""
    return f'from logfire._internal.config import configuration\nconfiguration.EXIT_TIMEOUT_MILLIS = {millis}\n{RECORD}'


def batches(folder: Path) -> list[Path]:
    return sorted(folder.rglob('*.batch'))


def test_an_exit_in_an_outage_leaves_all_to_the_next_process(tmp_path: Path) -> None:
    """With a folder, a program ends at once when the collector is down, says nothing, and the next one delivers.

    The next one needs to record nothing for that.
    """
    folder = tmp_path / 'buffer'
    with Collector(refusing=True) as collector:
        run(RECORD, seconds=60, **environment(collector, LOGFIRE_EXPORT_BUFFER_DIR=str(folder)))
        assert len(batches(folder)) == 2
        collector.listen()
        next_one = """
import logfire
logfire.configure(console=False)
while not logfire.force_flush(): pass
import sys; sys.stdin.read()
"""
        with running(next_one, **environment(collector, LOGFIRE_EXPORT_BUFFER_DIR=str(folder))) as program:
            collector.wait_for(lambda: len(collector.deliveries) == 2)
            assert collector.taken() == ['first', 'second']
            assert program.communicate()[1] == ''
            assert program.returncode == 0
        assert list(folder.iterdir()) == []


def test_an_exit_while_the_collector_hangs_writes_to_the_folder_in_time(tmp_path: Path) -> None:
    """A request that gets no answer does not keep what it holds from the folder, nor the program from its end."""
    folder = tmp_path / 'buffer'
    with Collector(silent=True) as collector:
        settings = {'LOGFIRE_EXPORT_BUFFER_DIR': str(folder), 'OTEL_EXPORTER_OTLP_TIMEOUT': '600'}
        run(bounded(500), seconds=60, **environment(collector, **settings))
    assert len(batches(folder)) == 2


def test_an_exit_in_an_outage_without_a_folder_counts_what_is_lost() -> None:
    """It is tried until the bound; then how much was lost is said, in one line."""
    with Collector(status=503) as collector:
        where = f'{collector.url}/v1/traces'
        run(
            bounded(500),
            seconds=60,
            says=f'logfire: 2 spans for {where} lost: they could not be delivered before the shutdown.\n',
            **environment(collector),
        )


def test_an_exit_waits_for_a_collector_that_comes_back() -> None:
    """What the collector takes within the bound is not lost, and nothing is said."""
    with Collector(answers=[Answer(503)] * 2) as collector:
        run(RECORD, seconds=60, **environment(collector))
        assert collector.taken() == ['first', 'second']


def test_a_collector_that_puts_off_beyond_the_exit_is_not_waited_for() -> None:
    """Where the next attempt would come too late the program ends at once."""
    with Collector() as collector:
        collector.answer = Answer(503, headers={'Retry-After': '200'})
        where = f'{collector.url}/v1/traces'
        run(
            bounded(100_000),
            seconds=60,
            says=f'logfire: 2 spans for {where} lost: they could not be delivered before the shutdown.\n',
            **environment(collector),
        )


def test_what_overflowed_into_the_folder_outlives_a_kill(tmp_path: Path) -> None:
    """What is in the folder is the next process's even if this one is killed."""
    folder = tmp_path / 'buffer'
    settings = {'LOGFIRE_EXPORT_BUFFER_DIR': str(folder), 'LOGFIRE_EXPORT_MEMORY_ITEMS': '1'}
    code = f"""
{RECORD}
logfire.force_flush(100)
logfire.info('third')
logfire.force_flush(100)
print('ready', flush=True)
import sys; sys.stdin.read()
"""
    with Collector(refusing=True) as collector:
        with running(code, **environment(collector, **settings)) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == 'ready\n'
        kept = len(batches(folder))
        assert kept
        collector.listen()
        run(RECORD, seconds=60, **environment(collector, **settings))
        taken = collector.taken()
        # Which of the three were in the folder is a matter of what was being attempted.
        assert taken[:-2] == [name for name in ('first', 'second', 'third') if name in taken[:-2]]
        assert (len(taken[:-2]), taken[-2:]) == (kept, ['first', 'second'])
    assert batches(folder) == []


def test_a_forked_child_sends_its_own_and_leaves_the_parents(tmp_path: Path) -> None:
    """After a fork in an outage each process delivers what it recorded, once; the parent's folder stays its own."""
    code = """
import os, sys
import logfire
logfire.configure(console=False)
for name in ('a', 'b', 'c'):
    logfire.info(name)
    logfire.force_flush(100)
child = os.fork()
if child == 0:
    logfire.info('child')
    logfire.force_flush(100)
    os.write(1, b'ready\\n')
    sys.stdin.readline()
    os._exit(not logfire.force_flush(30_000))
_, status = os.waitpid(child, 0)
assert status == 0, status
assert logfire.force_flush(30_000)
"""
    folder = tmp_path / 'buffer'
    settings = {'LOGFIRE_EXPORT_BUFFER_DIR': str(folder), 'LOGFIRE_EXPORT_MEMORY_ITEMS': '1'}
    # Python 3.12 and later warn of threads at a fork.
    settings['PYTHONWARNINGS'] = 'ignore::DeprecationWarning'
    with Collector(refusing=True) as collector:
        with running(code, **environment(collector, **settings)) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == 'ready\n'
            collector.listen()
            assert program.communicate('go\n', timeout=60)[1] == ''
            assert program.returncode == 0
        taken = collector.taken()
    assert [name for name in taken if name != 'child'] == ['a', 'b', 'c']
    assert taken.count('child') == 1
    assert batches(folder) == []
