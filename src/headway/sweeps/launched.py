"""Hands trials to a launcher of Hydra's (submitit, ray, joblib); their folders say what came of them."""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf, open_dict

from headway.config.plain import plain_config
from headway.config.search_path import register
from headway.sweeps.jobs import FAILED, FINISHED, INTERRUPTED, KILLED, Job, Outcome, Trial
from headway.types import HeadwayError

log = logging.getLogger(__name__)
register()  # a launcher's worker imports this module before it composes


def train_one(cfg: DictConfig) -> float:
    """Train one composed config in the folder that Hydra made for it; what a launcher's worker runs.

    Args:
        cfg: The composed config.

    Returns:
        The best value of the monitored metric.
    """
    from headway.run import run

    job = HydraConfig.get()
    overrides: Any = OmegaConf.to_container(job.overrides.task, resolve=False)
    with open_dict(cfg):
        cfg["sweep"] = None
    try:
        return run(plain_config(cfg), Path(job.runtime.output_dir), overrides=overrides).best_value
    except HeadwayError as error:
        log.error("%s", error)
        raise
    except Exception as error:
        log.exception("the trial failed")
        error.add_note(traceback.format_exc())  # the worker's own way back loses where it was
        raise


class LaunchedJobs:
    """Runs jobs by a launcher, each launch in a thread of its own, so that one that dies ends itself alone.

    Args:
        launcher: Hydra's, set up with `train_one`.
        folder: The sweep's.
        on_end: Told of every trial's outcome, once.
    """

    own_machine = False

    def __init__(self, launcher: Launcher, folder: Path, *, on_end: Callable[[Trial, Outcome], None]) -> None:
        self._launcher = launcher
        self._folder = folder
        self._on_end = on_end
        self._running: list[Trial] = []
        self._ended: queue.Queue[tuple[Trial, Outcome]] = queue.Queue()

    def __len__(self) -> int:
        """Return how many trials run."""
        return len(self._running)

    def start(self, job: Job) -> None:
        """Launch a job's trials, each by itself."""
        for trial in job:
            self._running.append(trial)
            # A daemon: Ctrl-C must not wait for a cluster.
            threading.Thread(target=self._launch, args=(trial,), daemon=True).start()

    def wait(self) -> None:
        """Wait until a trial has ended."""
        trial, outcome = self._ended.get()
        self._running.remove(trial)
        self._on_end(trial, outcome)

    def end_all(self) -> None:
        """Stop waiting. What a cluster runs goes on there: its own commands end it."""
        for trial in self._running:
            self._on_end(trial, Outcome(INTERRUPTED, error="the sweep was interrupted; the job may go on"))
        self._running = []

    def _launch(self, trial: Trial) -> None:
        start = time.perf_counter()
        words = [
            *trial.overrides,
            f"hydra.sweep.dir={_quoted(str(self._folder))}",
            f"hydra.sweep.subdir={_quoted(str(trial.folder.relative_to(self._folder)))}",
        ]
        try:
            _take_over(trial)
            returned = self._launcher.launch([words], initial_job_idx=trial.point)
            outcome = _outcome(trial, returned[0])
        except Exception as error:  # a worker that died, in each launcher's own words
            outcome = _dead(trial, error)
        if not outcome.seconds:  # of a job without a record: with the time in the queue
            outcome = replace(outcome, seconds=round(time.perf_counter() - start, 3))
        self._ended.put((trial, outcome))


def _take_over(trial: Trial) -> None:
    """Leave an earlier attempt's checkpoints where the worker goes on from them: in the trial's folder."""
    if trial.earlier is not None:
        from headway.resume import take_over

        trial.folder.mkdir(parents=True, exist_ok=True)
        take_over(trial.earlier, trial.folder)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _outcome(trial: Trial, returned: JobReturn) -> Outcome:
    """Return what a job that ended came to: its record, or its exception."""
    if returned.status == JobStatus.COMPLETED:
        return _recorded(trial)
    error = returned._return_value
    if isinstance(error, HeadwayError):
        return Outcome(FAILED, error=str(error), mistake=error.exit_status == HeadwayError.exit_status)
    return Outcome(FAILED, error=_line(error), traceback="".join(traceback.format_exception(error)))


def _recorded(trial: Trial) -> Outcome:
    record = json.loads((trial.folder / "record.json").read_text(encoding="utf-8"))
    return Outcome(
        FINISHED,
        value=record["monitor"]["value"],
        seconds=round(sum(record["seconds"].values()), 3),
        collapsed=record["collapsed"],
    )


def _dead(trial: Trial, error: Exception) -> Outcome:
    """Return the outcome of a job that the launcher lost; it may have finished all the same."""
    try:
        return _recorded(trial)
    except (OSError, ValueError, KeyError):
        text = "".join(traceback.format_exception(error))
        return Outcome(KILLED, error=_line(error), traceback=text)


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
