"""What a point came to, over its replicates."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from headway.sweeps.jobs import DONE, FINISHED, PRUNED, Outcome, Trial
from headway.sweeps.space import Params

NOT_RUN = "not run"


@dataclass
class PointResult:
    """A point and its runs.

    Attributes:
        number: In the sweep.
        params: What is swept, of this point.
        seeds: Of its replicates; (None,) without replicates.
        ids: Of its runs, in the order of the seeds.
        outcomes: Of its runs, by the place of the seed; without those that haven't ended.
        folders: Of the last attempts, by the place of the seed.
    """

    number: int
    params: Params
    seeds: Sequence[int | None]
    ids: tuple[str, ...]
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    folders: dict[int, str] = field(default_factory=dict)

    def place(self, trial: Trial) -> int:
        """Return the place of a trial's seed."""
        return list(self.seeds).index(trial.seed)

    @property
    def status(self) -> str:
        """Say "finished", "pruned", the first failure's status, or "not run"."""
        statuses = [self.outcomes[place].status for place in sorted(self.outcomes)]
        if PRUNED in statuses:
            return PRUNED
        failed = [status for status in statuses if status not in DONE]
        if failed:
            return failed[0]
        return FINISHED if len(statuses) == len(self.seeds) else NOT_RUN

    @property
    def values(self) -> list[float]:
        """The values of the runs that finished, in the order of the seeds."""
        finished = [self.outcomes[place] for place in sorted(self.outcomes)]
        return [each.value for each in finished if each.status == FINISHED and each.value is not None]

    @property
    def mean(self) -> float | None:
        """The mean over the replicates that finished; of a pruned point its value when it was stopped."""
        if self.status == PRUNED:
            return next((each.value for each in self.outcomes.values() if each.status == PRUNED), None)
        return statistics.fmean(self.values) if self.values else None

    @property
    def deviation(self) -> float | None:
        """The standard deviation over the replicates, with n - 1; None for fewer than two."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    @property
    def collapsed(self) -> int:
        """How many runs collapsed; their values are in the mean."""
        return sum(each.collapsed is not None for each in self.outcomes.values())

    @property
    def seconds(self) -> float:
        """Wall seconds of the runs' last attempts."""
        return sum(each.seconds for each in self.outcomes.values())

    @property
    def error(self) -> str | None:
        """What went wrong in the first run that failed."""
        failed = [each for _, each in sorted(self.outcomes.items()) if each.status not in DONE]
        return failed[0].error if failed else None

    def outcome(self) -> Outcome:
        """Return the point's own outcome, for what chooses the next points."""
        return Outcome(self.status, value=self.mean, seconds=self.seconds, error=self.error)
