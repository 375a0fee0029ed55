"""Stopwatches of a training step: from each mark on, the time is the named stage's."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Protocol, cast

import torch


class Event(Protocol):
    """What is used of `torch.cuda.Event`."""

    def record(self) -> None:
        """Note the time when the device gets here."""

    def query(self) -> bool:
        """Say whether the device got here."""

    def elapsed_time(self, end_event: Event, /) -> float:
        """Return the milliseconds from this event to another."""


class HostMarks:
    """Times the stages by the host's clock: right where the host computes.

    Args:
        clock: Gives seconds.

    Attributes:
        totals: Stage -> seconds so far.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.totals: defaultdict[str, float] = defaultdict(float)
        self._clock = clock
        self._stage: str | None = None
        self._since = 0.0

    def mark(self, stage: str | None) -> None:
        """Give the time from now on to a stage; None stops the watch."""
        now = self._clock()
        if self._stage is not None:
            self.totals[self._stage] += now - self._since
        self._stage, self._since = stage, now

    def seconds(self) -> dict[str, float]:
        """Return stage -> seconds of all that is past."""
        return dict(self.totals)


def _cuda_event() -> Event:
    return cast("Event", torch.cuda.Event(enable_timing=True))  # type: ignore[no-untyped-call]


class DeviceMarks:
    """Times the stages by events that a GPU reaches, and never waits for it within a step.

    Events are read when the device has passed them: as many are kept as it is behind the host.

    Args:
        new_event: Makes an event with timing.
    """

    def __init__(self, new_event: Callable[[], Event] = _cuda_event) -> None:
        self.totals: defaultdict[str, float] = defaultdict(float)
        self._new_event = new_event
        self._marks: deque[tuple[str | None, Event]] = deque()

    def mark(self, stage: str | None) -> None:
        """Give the device's time from here on to a stage; None stops the watch."""
        event = self._new_event()
        event.record()
        self._marks.append((stage, event))
        if stage is None:
            self._read()

    def _read(self) -> None:
        while len(self._marks) > 1 and self._marks[1][1].query():
            stage, event = self._marks.popleft()
            if stage is not None:
                self.totals[stage] += event.elapsed_time(self._marks[0][1]) / 1000

    def seconds(self) -> dict[str, float]:
        """Return stage -> seconds of what the device has passed; call it when the device is idle."""
        self._read()
        return dict(self.totals)


Marks = HostMarks | DeviceMarks
