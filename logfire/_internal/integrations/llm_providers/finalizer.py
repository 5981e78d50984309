"""Ends the spans of streams that nobody ends: dropped, never read, or still open when the interpreter exits.

A stream's `__del__` may run inside a garbage collection that interrupted any code, an exporter's lock included. So it
only hands its recording and the time to a background thread, which ends the span.
"""

from __future__ import annotations

from typing import Protocol

from logfire._internal import lifecycle
from logfire._internal.background import BackgroundWorker
from logfire._internal.unfinished import Unfinished

worker = BackgroundWorker('logfire-llm', 'end the span of a dropped stream')


class OpenRecording(Protocol):
    """What is ended here: a stream's recording, whose span is open."""

    def abandon(self, end_time: int | None) -> None:
        """End the span as abandoned, at `end_time` in nanoseconds (now if None). Does nothing when it has ended."""

    def leave(self) -> None:
        """End no span: this is a forked child's copy."""


def opened(recording: OpenRecording) -> None:
    """A stream began."""
    worker.start()
    _streams.add(recording)


def closed(recording: OpenRecording) -> None:
    """A stream has ended."""
    _streams.discard(recording)


def dropped(recording: OpenRecording, end_time: int | None) -> None:
    """A stream's last reference is gone. Safe inside any garbage collection."""
    worker.submit(lambda: recording.abandon(end_time))


# What was dropped has ended at its drop, before what is alive at the exit.
lifecycle.on_exit(lambda: worker.flush(1))

# A stream keeps its recording, and nothing of ours keeps the stream. Recordings are held, and not weakly: a collection
# clears weak references first, then calls `__del__`; where the program ends between the two, the span would be lost.
_streams: Unfinished[OpenRecording] = Unfinished(
    'end the span of a stream at exit',
    end=lambda recording: recording.abandon(None),
    leave=lambda recording: recording.leave(),
)

# A collection may have dropped others meanwhile.
lifecycle.on_exit(lambda: worker.flush(1))
