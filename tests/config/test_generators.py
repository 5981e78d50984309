"""The user's clock and id generator: their faults cost what they were to give, never a span or a batch."""

from __future__ import annotations

import time
from typing import Any

import pytest
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator

from logfire._internal import errors
from logfire._internal.config.configuration import LogfireConfig
from logfire._internal.config.generators import GuardedIdGenerator, guarded_clock


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, 'strict', False)
    monkeypatch.setattr(errors, '_counts', {})


def test_the_systems_clock_is_taken_as_it_is() -> None:
    """Nothing stands before the default clock."""
    config = LogfireConfig()
    config.configure(send_to_logfire=False, console=False)
    assert config.clock is time.time_ns
    config.shutdown()


@pytest.mark.parametrize('given', [1.5, '1', None, -1, 1 << 64])
def test_a_time_that_otlp_has_no_place_for(given: Any) -> None:
    """The system's time stands for what is no number of nanoseconds: the exporter would lose a batch over it."""
    before = time.time_ns()
    assert before <= guarded_clock(lambda: given)() <= time.time_ns()
    assert errors.fault_counts() == {'read the configured clock': 1}


def test_a_time_that_fits_is_kept() -> None:
    """A good clock is read, and nothing is reported."""
    assert [guarded_clock(lambda given=given: given)() for given in (0, 5, (1 << 64) - 1)] == [0, 5, (1 << 64) - 1]
    assert errors.fault_counts() == {}


class Fixed(IdGenerator):
    """Gives what it is told to, and does not say whether that is random, as generators of old releases do not."""

    def __init__(self, given: Any) -> None:
        self.given = given

    def generate_span_id(self) -> int:
        return self.given

    def generate_trace_id(self) -> int:
        return self.given


@pytest.mark.parametrize('given', [0, -1, None, 1.5, 1 << 128])
def test_an_id_that_is_none(given: Any) -> None:
    """A random id stands for what is no id."""
    generator = GuardedIdGenerator(Fixed(given))
    assert 0 < generator.generate_span_id() < 1 << 64
    assert 0 < generator.generate_trace_id() < 1 << 128
    assert errors.fault_counts() == {'generate an id with the configured generator': 2}


def test_an_id_that_is_one() -> None:
    """Good ids are kept, the longest too, and the generator says of itself whether they are random."""
    generator = GuardedIdGenerator(Fixed((1 << 64) - 1))
    assert generator.generate_span_id() == generator.generate_trace_id() == (1 << 64) - 1
    assert not generator.is_trace_id_random()
    ask = getattr(RandomIdGenerator(), 'is_trace_id_random', bool)
    assert GuardedIdGenerator(RandomIdGenerator()).is_trace_id_random() is ask()
    assert errors.fault_counts() == {}
