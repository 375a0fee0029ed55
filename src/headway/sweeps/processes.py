"""Runs jobs in processes that a warm template forks, so that the death of one is the death of one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from headway.sweeps import child
from headway.sweeps.jobs import INTERRUPTED, KILLED, TIMEOUT, Job, Outcome, Trial

PRELOAD = ["headway.sweeps.warm"]
TEMPLATE = {
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Environment of the template alone: with it, what it imports starts no thread."""
GRACE, DUMP_GRACE = 20.0, 1.0
"""Seconds between asking a process to end, or to say where it is, and killing it."""
STOPPED = 128 + signal.SIGTERM
TAIL = 40
"""Lines of output.log that are kept of a trial that died."""

DUMPED = "(most recent call first)"
"""In the line with which faulthandler begins."""

OnEpoch = Callable[[Trial, int, float], bool]
OnEnd = Callable[[Trial, Outcome], None]


@dataclass
class _Running:
    """A job that runs."""

    job: Job
    process: ForkServerProcess
    connection: Connection
    start: float
    deadline: float
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    timed_out: bool = False


def template() -> ForkServerContext:
    """Return the context whose template process is warm, starting it where there is none."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    before = {name: os.environ.get(name) for name in TEMPLATE}
    os.environ.update(TEMPLATE)
    try:
        from multiprocessing.forkserver import ensure_running

        ensure_running()
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
    return context


class Processes:
    """Processes that run jobs; one instance a sweep.

    Args:
        time_limit: Seconds a trial may take; None for no bound.
        on_epoch: Told of an epoch of a trial; returns whether the trial shall stop.
        on_end: Told of every trial's outcome, once.
    """

    own_machine = True

    def __init__(self, *, time_limit: float | None, on_epoch: OnEpoch, on_end: OnEnd) -> None:
        self._time_limit = time_limit
        self._on_epoch = on_epoch
        self._on_end = on_end
        self._running: list[_Running] = []

    def __len__(self) -> int:
        """Return how many jobs run."""
        return len(self._running)

    def start(self, job: Job) -> None:
        """Start a process for a job."""
        context = template()
        ours, theirs = context.Pipe()
        process = context.Process(target=child.main, args=(theirs, job, dict(os.environ)), daemon=False)
        process.start()
        theirs.close()
        now = time.monotonic()
        limit = float("inf") if self._time_limit is None else self._time_limit * len(job)
        self._running.append(_Running(job, process, ours, now, now + limit))

    def wait(self) -> None:
        """Wait until something happens in a job, and deal with it."""
        first = min(each.deadline for each in self._running)
        timeout = None if first == float("inf") else max(0.0, first - time.monotonic())
        sources: list[Any] = [each.connection for each in self._running]
        ready = wait([*sources, *(each.process.sentinel for each in self._running)], timeout)
        for each in list(self._running):
            if each.connection in ready:
                self._hear(each)
            if each.process.sentinel in ready:
                self._bury(each)
            elif time.monotonic() >= each.deadline:
                self._time_out(each)

    def end_all(self) -> None:
        """End every process, and say that its trials were interrupted."""
        for each in self._running:
            _signal(each.process, signal.SIGTERM)  # not its loader workers: it still needs their batches
        end = time.monotonic() + GRACE
        for each in self._running:
            each.process.join(max(0.0, end - time.monotonic()))
            _signal_group(each.process, signal.SIGKILL)
            each.process.join()
            self._close(each, Outcome(INTERRUPTED, error="the sweep was interrupted"))
        self._running = []

    def _hear(self, running: _Running) -> None:
        """Take what a job has said since."""
        # A process that died while it wrote leaves half a message.
        with suppress(EOFError, OSError):
            while running.connection.poll():
                kind, place, *rest = running.connection.recv()
                if kind == "end":
                    self._ended(running, place, rest[0])
                else:
                    running.connection.send(self._on_epoch(running.job[place], *rest))

    def _ended(self, running: _Running, place: int, outcome: Outcome) -> None:
        running.outcomes[place] = outcome
        self._on_end(running.job[place], outcome)

    def _bury(self, running: _Running) -> None:
        """Deal with a process that has ended, however it did."""
        self._hear(running)
        running.process.join()
        _signal_group(running.process, signal.SIGKILL)  # what it started and left behind
        self._running.remove(running)
        log = running.job[0].folder / child.OUTPUT
        if running.timed_out:
            error = f"took longer than sweep.time_limit={self._time_limit:g} seconds"
            outcome = Outcome(TIMEOUT, error=error, traceback=tail(log))
        else:
            outcome = Outcome(KILLED, error=cause_of_death(running.process.exitcode), traceback=tail(log))
        self._close(running, outcome)

    def _close(self, running: _Running, outcome: Outcome) -> None:
        """Give the trials that said nothing of their end the outcome of their process."""
        running.connection.close()
        seconds = round(time.monotonic() - running.start, 3)
        for place, trial in enumerate(running.job):
            if place not in running.outcomes:
                self._on_end(trial, Outcome(**{**vars(outcome), "seconds": seconds}))

    def _time_out(self, running: _Running) -> None:
        """Ask a process where it is, then kill it."""
        running.timed_out = True
        running.deadline = float("inf")
        _signal(running.process, child.DUMP)
        running.process.join(DUMP_GRACE)
        _signal_group(running.process, signal.SIGKILL)


def _signal(process: ForkServerProcess, number: signal.Signals) -> None:
    if process.pid is not None and process.exitcode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


def _signal_group(process: ForkServerProcess, number: signal.Signals) -> None:
    """Signal the process and all that it started; it may not lead a group yet."""
    if process.pid is None:
        return
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        _signal(process, number)


def cause_of_death(exitcode: int | None) -> str:
    """Return what ended a process that said nothing itself.

    Args:
        exitcode: As multiprocessing has it: a signal's number is negative.
    """
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        hint = ", as the kernel does when memory runs out" if -exitcode == signal.SIGKILL else ""
        return f"killed by signal {-exitcode} ({name}){hint}"
    if exitcode == STOPPED:
        return "stopped by SIGTERM"
    return f"the process ended with status {exitcode} and without a result"


def tail(path: Path) -> str | None:
    """Return the last lines of a log, or from where the interpreter says where it was; None without any.

    Args:
        path: Of the log.
    """
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    dumps = [number for number, line in enumerate(lines) if DUMPED in line]
    kept = lines[dumps[-1] :][:TAIL] if dumps else lines[-TAIL:]
    return "\n".join(kept) or None


def check_configs(configs: Sequence[dict[str, Any]]) -> list[tuple[str, str]] | str:
    """Check configs in a process that the template forks, as a run does before it reads anything.

    Args:
        configs: Resolved, plain values.

    Returns:
        The monitored metric and its direction for each config; or a mistake's message.

    Raises:
        RuntimeError: The check itself failed.
    """
    context = template()
    ours, theirs = context.Pipe()
    process = context.Process(target=child.check, args=(theirs, configs, dict(os.environ)))
    process.start()
    theirs.close()
    try:
        answer: list[tuple[str, str]] | str = ours.recv()
    except EOFError:
        process.join()
        answer = f" {cause_of_death(process.exitcode)}"
    finally:
        ours.close()
        _signal_group(process, signal.SIGKILL)
        process.join()
    if isinstance(answer, str) and answer.startswith(" "):
        raise RuntimeError(f"the check of the sweep's configs failed:\n{answer}")
    return answer
