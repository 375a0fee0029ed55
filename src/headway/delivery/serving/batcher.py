"""Requests that come at about the same time are answered together, each once, on a few threads."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from headway.delivery.serving.limits import ServeLimits
from headway.delivery.serving.requests import Row

log = logging.getLogger(__name__)
Answers = list[dict[str, Any]]


class QueueFullError(Exception):
    """No room is left for a request's texts."""


class StoppedError(Exception):
    """The server stops, and takes nothing more."""


class Observer(Protocol):
    """What is told of the batches."""

    def queued(self, texts: int) -> None:
        """Take note of how many texts wait now."""

    def batch(self, texts: int, waited: float, seconds: float) -> None:
        """Take note of a batch: its texts, how long its first request waited, and how long it took."""


@dataclass
class _Job:
    rows: Sequence[Row]
    arrived: float
    answers: Future[Answers] = field(default_factory=Future)


class Batcher:
    """Holds requests until a thread is free, and answers those that wait together.

    A request waits for others only while there are connections that could bring one, and no longer than
    `max_wait_ms`. What came first is answered first; a batch whose rows fail is tried again one request at a
    time, so that none fails for another's text.

    Args:
        answer: Rows -> their answers, in order; called from several threads.
        limits: Of batches, waiting and the queue.
        workers: Threads.
        connections: How many connections are open.
        observer: Is told of the batches.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Row]], Answers],
        *,
        limits: ServeLimits,
        workers: int,
        connections: Callable[[], int],
        observer: Observer,
    ) -> None:
        self._answer = answer
        self._limits = limits
        self._connections = connections
        self._observer = observer
        self._jobs: deque[_Job] = deque()
        self._waiting = 0  # texts in self._jobs
        self._taken = 0  # jobs that threads have and haven't answered
        self._stopping = False
        self._changed = threading.Condition()
        # Daemons, so that an answer which never ends can't hold up a process that was told twice to stop.
        self._threads = [
            threading.Thread(target=self._work, name=f"answers-{number}", daemon=True)
            for number in range(workers)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def alive(self) -> bool:
        """Return whether all threads work."""
        return all(thread.is_alive() for thread in self._threads)

    def submit(self, rows: Sequence[Row]) -> Future[Answers]:
        """Put a request's rows at the end of the queue.

        Args:
            rows: At least one.

        Returns:
            Their answers, in order.

        Raises:
            QueueFullError: There is no room for them.
            StoppedError: `stop` was called.
        """
        job = _Job(rows, time.monotonic())
        with self._changed:
            if self._stopping:
                raise StoppedError
            if self._waiting + len(rows) > self._limits.queue:
                raise QueueFullError
            self._jobs.append(job)
            self._count(len(rows))
            self._changed.notify()
        return job.answers

    def stop(self, timeout: float) -> bool:
        """Answer what waits, then end the threads.

        Args:
            timeout: Seconds to wait for them.

        Returns:
            Whether they have ended.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        end = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _count(self, change: int) -> None:
        self._waiting += change
        self._observer.queued(self._waiting)

    def _work(self) -> None:
        while jobs := self._take():
            try:
                self._serve(jobs)
            finally:
                with self._changed:
                    self._taken -= len(jobs)

    def _take(self) -> list[_Job]:
        """Return the next requests to answer together; none when it is time to end."""
        limits = self._limits
        with self._changed:
            while not self._jobs and not self._stopping:
                self._changed.wait()
            if not self._jobs:
                return []
            taken = [self._pop()]
            size, until = len(taken[0].rows), taken[0].arrived + limits.max_wait_ms / 1000
            while size < limits.max_batch:
                if self._jobs:
                    if size + len(self._jobs[0].rows) > limits.max_batch:
                        break
                    taken.append(self._pop())
                    size += len(taken[-1].rows)
                    continue
                left = until - time.monotonic()
                if left <= 0 or self._stopping or self._connections() <= self._taken:
                    break
                self._changed.wait(left)
            return taken

    def _pop(self) -> _Job:
        job = self._jobs.popleft()
        self._count(-len(job.rows))
        self._taken += 1
        return job

    def _serve(self, jobs: Sequence[_Job]) -> None:
        live = [job for job in jobs if job.answers.set_running_or_notify_cancel()]
        rows = [row for job in live for row in job.rows]
        if not rows:
            return
        start = time.monotonic()
        try:
            found = self._answer(rows)
        except BaseException as error:  # a panic in Rust isn't an Exception, and must not end the thread
            for job in live:
                self._serve_alone(job, error if len(live) == 1 else None)
        else:
            first = 0
            for job in live:
                job.answers.set_result(found[first : first + len(job.rows)])
                first += len(job.rows)
        self._observer.batch(len(rows), start - live[0].arrived, time.monotonic() - start)

    def _serve_alone(self, job: _Job, failed: BaseException | None) -> None:
        error = failed
        if error is None:
            try:
                job.answers.set_result(self._answer(job.rows))
                return
            except BaseException as again:
                error = again
        if not isinstance(error, Exception):
            error = RuntimeError(f"{type(error).__name__}: {error}")
        job.answers.set_exception(error)
