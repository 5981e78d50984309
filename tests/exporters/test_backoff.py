"""How long to wait between attempts."""

from __future__ import annotations

import pytest

from logfire._internal.exporters.backoff import Backoff, read_retry_after


def test_delays_double_up_to_a_bound_and_begin_anew() -> None:
    """Each failure doubles the delay, from one second to thirty; a success starts over."""
    backoff = Backoff(random=lambda: 1.0)
    assert [backoff.next() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    backoff.reset()
    assert backoff.next() == 1


def test_delays_differ_between_processes() -> None:
    """A random part, up to a half, keeps processes from coming back all at once."""
    assert Backoff(random=lambda: 0.0).next() == 0.5
    assert 0.5 <= Backoff().next() <= 1


def test_a_hundred_thousand_failures_are_no_overflow() -> None:
    """An outage may last."""
    backoff = Backoff(random=lambda: 1.0)
    assert max(backoff.next() for _ in range(100_000)) == 30


def test_what_the_collector_asks_for_is_kept() -> None:
    """Never shorter, a tenth longer at most; five minutes where it asks for more."""
    assert Backoff(random=lambda: 0.0).next(7.0) == 7.0
    assert Backoff(random=lambda: 1.0).next(100.0) == pytest.approx(110)
    assert Backoff(random=lambda: 0.0).next(86_400.0) == 300.0


@pytest.mark.parametrize(
    ('value', 'seconds'),
    [
        ('7', 7.0),
        (' 120 ', 120.0),
        ('9' * 400, 999_999_999.0),
        ('Wed, 21 Oct 2026 07:28:30 GMT', 30.0),
        ('Wed, 21 Oct 2026 07:27:00 GMT', 0.0),
        ('Wed, 21 Oct 2026 07:28:30 -0000', 30.0),
        (None, None),
        ('', None),
        ('soon', None),
        ('-5', None),
        ('1.5', None),
        ('٣', None),
        ('Wed, 99 Oct 2026 07:28:30 GMT', None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    """Both forms of RFC 9110 are read; what is neither asks for nothing."""
    assert read_retry_after(value, now=lambda: 1_792_567_680.0) == seconds
