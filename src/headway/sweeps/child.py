"""What the process of a job does: run its trials, and say what came of each."""

from __future__ import annotations

import faulthandler
import logging.config
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.sweeps.jobs import FAILED, FINISHED, PRUNED, Job, Outcome, Trial
from headway.types import HeadwayError, Stopped

if TYPE_CHECKING:
    from headway.heads_together import SharedStart

OUTPUT = "output.log"
"""In a run's folder: all that a trial prints, and what the interpreter says when it dies."""
DUMP = signal.SIGUSR1
"""Asks a trial where it is; the answer goes to its output.log."""

Tell = Callable[[int, Outcome], None]
Report = Callable[[int, int, float], bool]
"""Takes the trial's place in the job, the epoch and the value; returns whether to stop."""

log = logging.getLogger(__name__)


def main(connection: Connection, job: Job, environment: Mapping[str, str]) -> None:
    """Run a job; the process's entry.

    Args:
        connection: To the sweep: ("epoch", place, epoch, value) asks whether to stop, ("end", place, outcome)
            says what came of a trial.
        job: The trials.
        environment: The sweep's environment variables, which the template may have been started without.
    """
    _become_a_group(environment)
    _write_into(job[0].folder / OUTPUT)

    def report(place: int, epoch: int, value: float) -> bool:
        """Ask the sweep whether a trial shall stop."""
        connection.send(("epoch", place, epoch, value))
        return bool(connection.recv())

    def tell(place: int, outcome: Outcome) -> None:
        """Say to the sweep what came of a trial."""
        connection.send(("end", place, outcome))

    try:
        run_job(job, report=report, tell=tell)
    except Stopped as stop:  # whoever sent the signal; the sweep knows whether it did
        log.info("%s", stop)
        sys.exit(stop.exit_status)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def run_job(job: Job, *, report: Report, tell: Tell) -> None:
    """Run the trials of a job, one after the other.

    Args:
        job: The trials; `headway.sweeps.grouping.group_trials` put them together.
        report: Told of each epoch of a trial.
        tell: Told of each trial's outcome as soon as it is known.
    """
    starts = _starts(job)
    for place, trial in enumerate(job):

        def of_trial(epoch: int, value: float, place: int = place) -> bool:
            """Report this trial's epoch."""
            return report(place, epoch, value)

        start = time.perf_counter()
        outcome = run_trial(trial, of_trial, shared=starts[place])
        tell(place, replace(outcome, seconds=round(time.perf_counter() - start, 3)))


def _starts(job: Job) -> Sequence[SharedStart | None]:
    """Train the heads of a job's trials at once, where that is all they train.

    What is wrong with one of them is left to its own run, which says so.
    """
    alone: Sequence[None] = [None] * len(job)
    if len(job) == 1:
        return alone
    from headway.heads_together import train_together

    job[0].folder.mkdir(parents=True, exist_ok=True)
    logging.config.dictConfig(job[0].job_logging)
    try:
        return train_together([trial.cfg for trial in job]) or alone
    except HeadwayError as error:
        log.info("the trials are trained one by one: %s", error)
        return alone


def run_trial(
    trial: Trial, report: Callable[[int, float], bool], *, shared: SharedStart | None = None
) -> Outcome:
    """Train one trial in this process, its log in its folder.

    Args:
        trial: Whose folder is new.
        report: Told of each epoch; returns whether to stop.
        shared: What `train_together` gave it.
    """
    from headway.config.check import check_config, monitored
    from headway.resume import take_over
    from headway.run import run
    from headway.sweeps.report import EpochReport, PrunedError

    trial.folder.mkdir(parents=True, exist_ok=True)
    logging.config.dictConfig(trial.job_logging)
    os.environ.update(trial.environment)
    if trial.earlier is not None and shared is None:
        take_over(trial.earlier, trial.folder)
    if trial.chdir:
        os.chdir(trial.folder)
    try:
        check_config(trial.cfg)
        callback = EpochReport(monitor=monitored(trial.cfg)[0], report=report)
        result = run(trial.cfg, trial.folder, overrides=trial.overrides, callbacks=[callback], shared=shared)
    except PrunedError as stopped:
        log.info("%s", stopped)
        return Outcome(PRUNED, value=stopped.value, error=str(stopped))
    except HeadwayError as error:
        log.error("%s", error)
        return Outcome(FAILED, error=str(error), mistake=error.exit_status == HeadwayError.exit_status)
    except Exception as error:  # whatever it is, it ends this trial and no other
        log.exception("the trial failed")
        text = traceback.format_exc()
        return Outcome(FAILED, error=f"{type(error).__name__}: {error}".splitlines()[0], traceback=text)
    return Outcome(FINISHED, value=result.best_value, collapsed=result.collapsed)


def check(connection: Connection, configs: Sequence[dict[str, Any]], environment: Mapping[str, str]) -> None:
    """Check configs as a run does before it reads anything; another entry of a process.

    Args:
        connection: Gets a list with the monitored metric and its direction for each config, or the first
            mistake's message, or any other error's traceback with a blank before it.
        configs: Resolved.
        environment: The sweep's environment variables.
    """
    from headway.checked_config import checked
    from headway.config.check import monitored

    _become_a_group(environment)
    _write_into(Path(os.devnull))
    try:
        directions = []
        for cfg in configs:
            checked(cfg)
            directions.append(monitored(cfg))
        connection.send(directions)
    except HeadwayError as error:
        connection.send(str(error))
    except Exception:
        connection.send(" " + traceback.format_exc())


def _become_a_group(environment: Mapping[str, str]) -> None:
    """Lead a process group, so that loader workers end with it; end when the sweep's process does."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)
    sweep = parent_process()
    if sweep is not None:
        threading.Thread(target=_end_with, args=(sweep.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """Wait for the sweep's process to end, also by kill -9; then end this group."""
    wait([sentinel])
    os.killpg(0, signal.SIGKILL)


def _write_into(path: Path) -> None:
    """Send all that is printed, also by C libraries, to a file; say there where a crash or a hang was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
    faulthandler.enable(file=2)
    faulthandler.register(DUMP, file=2, all_threads=False)
