"""Many calls at once, and the telemetry changed meanwhile: the hundredth part of `make soak`."""

from __future__ import annotations

from tests.soak import concurrency


def test_calls_in_threads() -> None:
    """Eight threads that call without a pause: one span per call, the child of its own caller's; nothing is left."""
    concurrency.calls_in_threads(threads=8, calls=50)


def test_concurrent_streams() -> None:
    """Streams that are all open at once in one event loop: one span each, under the right parent; nothing is left."""
    concurrency.concurrent_streams(100)


def test_instrument_while_calls_run() -> None:
    """A call that is made while the clients are instrumented has one span, whatever others instrument and undo."""
    concurrency.instrument_while_calls_run(threads=4, times=4)


def test_configure_while_calls_run() -> None:
    """Configuring anew while spans are open and calls run loses no span and makes none twice."""
    concurrency.configure_while_calls_run(threads=4, times=4)
