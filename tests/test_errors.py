"""The one guard for our own faults."""

from __future__ import annotations

import logging

import pytest

from logfire._internal import errors


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a user's program, with nothing reported yet."""
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr(errors, '_counts', {})


def fail(message: str) -> None:
    raise LookupError(message)


def reports(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == 'logfire']


def test_a_fault_is_swallowed_and_reported_once_per_place(caplog: pytest.LogCaptureFixture) -> None:
    """The first fault at a place is logged with its frames, later ones are counted; another place has its own."""
    for _ in range(3):
        with errors.Guard('count sheep'):
            fail('secret prompt')
    with errors.Guard('count goats'):
        fail('secret prompt')
    first, second = reports(caplog)
    assert 'could not count sheep' in first
    assert 'could not count goats' in second
    assert 'in fail' in first
    assert 'LookupError (message withheld' in first
    assert errors.fault_counts() == {'count sheep': 3, 'count goats': 1}


def test_a_report_never_quotes(caplog: pytest.LogCaptureFixture) -> None:
    """What an exception says may quote the user's data: it is in no report."""
    with errors.Guard('count sheep'):
        fail('secret prompt')
    assert 'secret prompt' not in caplog.text


def test_what_is_not_a_fault_passes() -> None:
    """Interrupts and exits are the program's, not ours to keep."""
    with pytest.raises(KeyboardInterrupt), errors.Guard('count sheep'):
        raise KeyboardInterrupt


def test_a_hot_path_handles_faults_like_a_guard(caplog: pytest.LogCaptureFixture) -> None:
    """Where a guard would cost too much, `handle` does the same."""
    errors.handle('count sheep', LookupError('secret prompt'))
    (report,) = reports(caplog)
    assert 'could not count sheep' in report


def test_strict_mode_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """This project's own tests see every fault."""
    monkeypatch.setattr(errors, 'strict', True)
    with pytest.raises(LookupError), errors.Guard('count sheep'):
        fail('told')
    with pytest.raises(LookupError):
        errors.handle('count sheep', LookupError())


class Broken(logging.Handler):
    """A handler of the user's that fails."""

    def emit(self, record: logging.LogRecord) -> None:
        raise OSError('disk full')


def test_a_broken_logging_handler_harms_nobody() -> None:
    """Where even the report cannot be made, the user's code goes on."""
    handler = Broken()
    errors.logger.addHandler(handler)
    try:
        with errors.Guard('count sheep'):
            fail('told')
    finally:
        errors.logger.removeHandler(handler)
    assert errors.fault_counts() == {'count sheep': 1}
