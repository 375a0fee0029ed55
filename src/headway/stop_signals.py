"""SIGTERM and SIGINT: a training saves its last whole step first; a second one ends the process at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from headway.types import Stopped

STOPPING = (signal.SIGTERM, signal.SIGINT)
PATIENCE = 20
"""Seconds that a loader worker serves on after a SIGTERM, which its main process may have got too."""


class StopSignals:
    """Turns the first signal into `Stopped`: at once, or, while something must be finished, when it is asked.

    A context: inside it the handlers are installed, but for threads other than the main one, where Python
    can't.

    Attributes:
        received: The signal that came; None before.
        deferred: Whether a signal is only noted.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self.deferred = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        self.install()
        return self

    def __exit__(self, *_: object) -> None:
        self.deferred = False
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._before.items():
                signal.signal(number, handler)
        self._before = {}

    def install(self) -> None:
        """Install the handlers; also over those that a library has put in their place since."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in STOPPING:
            before = signal.getsignal(number)
            self._before.setdefault(number, signal.SIG_DFL if before is None else before)
            signal.signal(number, self._handle)

    def _handle(self, number: int, _: FrameType | None) -> None:
        self.received = number
        for each in STOPPING:  # from now on the system's own: a second one ends the process at once
            signal.signal(each, signal.SIG_DFL)
        if not self.deferred:
            raise Stopped(number)


def ignore_signals() -> None:
    """Let a process that trains beside the first one leave stopping to it, as all may get the signal."""
    if threading.current_thread() is threading.main_thread():
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)


def leave_signals(_: int) -> None:
    """Let a loader worker outlive a signal that its whole process group got, until its main process ends it.

    Args:
        _: The worker's number.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, lambda *_: signal.alarm(PATIENCE))
