"""The sweep itself: takes points, runs what isn't done of them, and notes each step before the next."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from headway.sweeps.grouping import group_trials
from headway.sweeps.index import Index
from headway.sweeps.jobs import DONE, FINISHED, INTERRUPTED, KILLED, PRUNED, TIMEOUT, Job, Outcome, Trial
from headway.sweeps.points import Points
from headway.sweeps.results import PointResult
from headway.sweeps.settings import SweepSettings
from headway.sweeps.space import Params
from headway.sweeps.trials import TrialMaker, named

log = logging.getLogger(__name__)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Runner(Protocol):
    """Runs jobs; tells the loop of epochs and ends while it waits."""

    own_machine: bool
    """Whether all jobs share this machine's threads."""

    def __len__(self) -> int:
        """Return how many jobs run."""

    def start(self, job: Job) -> None:
        """Start a job."""

    def wait(self) -> None:
        """Wait until something happens in a job, and tell of it."""

    def end_all(self) -> None:
        """End every job, and tell of it."""


class SweepLoop:
    """Runs the trials of a sweep.

    Args:
        settings: The sweep's.
        points: Where points come from.
        index: Of the sweep's folder.
        maker: Makes the trials of a point.
    """

    def __init__(
        self,
        settings: SweepSettings,
        *,
        points: Points,
        index: Index,
        maker: TrialMaker,
    ) -> None:
        self._settings = settings
        self._points = points
        self._index = index
        self._maker = maker
        self.results: dict[tuple[str, ...], PointResult] = {}
        self._by_number: dict[int, PointResult] = {}
        self._queue: list[Trial] = []
        self._held: dict[int, list[Trial]] = {}  # replicates that wait for their point's first
        self._open_trials: dict[int, int] = {}  # of each point, queued or running
        self._attempts: dict[str, int] = {}
        self._together: set[str] = set()  # ids of trials that run in a process with others
        self._alone: set[str] = set()  # of trials that such a process took with it
        self._exhausted = False
        self._stopped = False

    def run(self, runner: Runner) -> list[PointResult]:
        """Run until every point is done or given up.

        Args:
            runner: Runs the jobs; it tells `epoch` and `end`.

        Returns:
            A result a point, in the order in which they came.
        """
        try:
            for params in list(self._points.known())[: self._settings.n_trials]:
                self._add(params, known=True)
            while True:
                self._fill()
                self._start(runner)
                if not len(runner):
                    break
                runner.wait()
        finally:
            self._stopped = True
            runner.end_all()
        return list(self.results.values())

    # --- Points

    def _fill(self) -> None:
        """Take points until there is enough to start."""
        while not self._stopped and not self._exhausted and len(self._queue) < self._points.ahead:
            limit = self._settings.n_trials
            params = None if limit is not None and len(self.results) >= limit else self._points.next()
            if params is None:
                self._exhausted = True
            else:
                self._add(params)

    def _add(self, params: Params, *, known: bool = False) -> None:
        number = max(self._index.next_number(), max(self._by_number, default=-1) + 1)
        trials = self._maker.replicates(params, number)
        ids = tuple(trial.id for trial in trials)
        if ids in self.results:
            if not known and not self._points.repeated(params):
                log.info(
                    "every point that could be drawn has been: the sweep ends with %d", len(self.results)
                )
                self._exhausted = True
            return
        earlier = next((found for each in ids if (found := self._index.number_of(each)) is not None), None)
        if earlier is not None and earlier not in self._by_number:
            number = earlier
            trials = self._maker.replicates(params, number)
        result = PointResult(number, params, self._maker.seeds, ids)
        self.results[ids] = self._by_number[number] = result
        for place, trial in enumerate(trials):
            before = self._index.known.get(trial.id)
            if before is not None and before.done and before.outcome is not None:
                result.outcomes[place], result.folders[place] = before.outcome, before.folders[-1]
        self._open(result, trials, known=known)

    def _open(self, result: PointResult, trials: Sequence[Trial], *, known: bool) -> None:
        """Queue what isn't done of a point, or settle it."""
        left = [trial for place, trial in enumerate(trials) if place not in result.outcomes]
        if not left or result.status == PRUNED:
            self._points.settle(result.params, result.outcome())
            return
        if known:
            self._points.open(result.params)
        # A pruner decides by the first replicate, so that no other is begun in vain.
        held = self._settings.pruner is not None and left[0].first
        begun = left[:1] if held else left
        self._queue += [self._maker.take(trial) for trial in begun]
        self._open_trials[result.number] = len(begun)
        self._held[result.number] = [self._maker.take(trial) for trial in left[1:]] if held else []

    # --- Trials

    def _start(self, runner: Runner) -> None:
        if self._stopped:
            return
        for job in group_trials(self._queue, alone=self._alone):
            if len(runner) >= self._settings.n_jobs:
                return
            if len(job) > 1:
                self._together.update(trial.id for trial in job)
            self._queue = [trial for trial in self._queue if trial not in job]
            begun = tuple(replace(trial, earlier=self._index.left_by(trial)) for trial in job)
            for trial in begun:
                self._index.begin(trial)
                again = f", attempt {self._attempts[trial.id] + 1}" if self._attempts.get(trial.id) else ""
                log.info("%s: begins%s", self._named(trial), again)
            runner.start(tuple(self._with_threads(trial, runner) for trial in begun))

    def _with_threads(self, trial: Trial, runner: Runner) -> Trial:
        if not runner.own_machine or self._settings.n_jobs == 1 or trial.cfg["num_threads"] is not None:
            return trial
        threads = max(1, cores() // self._settings.n_jobs)
        return replace(trial, cfg={**trial.cfg, "num_threads": threads})

    def epoch(self, trial: Trial, epoch: int, value: float) -> bool:
        """Take an epoch's value; return whether the trial shall stop.

        Args:
            trial: That runs.
            epoch: From 1.
            value: The monitored metric on validation.
        """
        log.info(
            "%s: epoch %d/%s  %.4f", self._named(trial), epoch, trial.cfg["trainer"]["max_epochs"], value
        )
        return trial.first and self._points.report(self._by_number[trial.point].params, epoch, value)

    def end(self, trial: Trial, outcome: Outcome) -> None:
        """Note how a trial ended, and decide what follows.

        Args:
            trial: That ran.
            outcome: What came of it.
        """
        self._index.end(trial, outcome)
        result = self._by_number[trial.point]
        place = result.place(trial)
        result.outcomes[place], result.folders[place] = outcome, self._maker.relative(trial)
        self._say(trial, outcome)
        if outcome.status == INTERRUPTED:
            return
        if outcome.status not in DONE and self._again(trial, outcome, result):
            return
        held = self._held.pop(result.number, []) if outcome.status == FINISHED else []
        self._queue[:0] = held
        self._open_trials[result.number] += len(held) - 1
        if not self._open_trials[result.number]:
            self._points.settle(result.params, result.outcome())

    def _again(self, trial: Trial, outcome: Outcome, result: PointResult) -> bool:
        """Queue another attempt where there is one left; return whether there is."""
        if trial.id in self._together and outcome.status in (KILLED, TIMEOUT) and not self._stopped:
            self._together.discard(trial.id)
            self._alone.add(trial.id)  # a process that runs several must not end them all: no attempt is lost
            self._queue_again(trial, result)
            return True
        tried = self._attempts[trial.id] = self._attempts.get(trial.id, 0) + 1
        if self._settings.on_fail == "stop":
            self._stopped = True
            self._queue.clear()
        if self._stopped or outcome.mistake or tried >= self._settings.attempts:
            return False
        self._queue_again(trial, result)
        return True

    def _queue_again(self, trial: Trial, result: PointResult) -> None:
        place = result.place(trial)
        del result.outcomes[place]
        self._queue.insert(0, self._maker.take(self._maker.trial(result.params, place, result.number)))

    def _named(self, trial: Trial) -> str:
        return named(trial, self._by_number[trial.point].params)

    def _say(self, trial: Trial, outcome: Outcome) -> None:
        value = "" if outcome.value is None else f"  {outcome.value:.4f}"
        collapsed = f"  collapsed: {outcome.collapsed}" if outcome.collapsed else ""
        error = f"  {outcome.error}" if outcome.error and outcome.status not in DONE else ""
        log.info(
            "%s: %s%s  %.1f s%s%s",
            self._named(trial),
            outcome.status,
            value,
            outcome.seconds,
            collapsed,
            error,
        )
