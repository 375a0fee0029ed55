"""What a leaderboard is made of."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from headway.evaluation.statistics.bootstrap import Draws
from headway.evaluation.statistics.ranks import Comparison, Correction
from headway.reports.configs import Config
from headway.reports.costs import Cost


@dataclass(frozen=True)
class Settings:
    """How a report judges.

    Attributes:
        split: Whose predictions are compared.
        metric: What decides; None: what each run monitored.
        alpha: Level of the tests; intervals hold 1 - alpha.
        correction: Of the p-values.
        resamples: Of the bootstrap; None: by the number of comparisons.
        seed: Of the draws.
    """

    split: str = "test"
    metric: str | None = None
    alpha: float = 0.05
    correction: Correction = "holm"
    resamples: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Row:
    """One config of a board.

    Attributes:
        config: Its runs.
        values: Of its replicates.
        draws: Of its metric; None where it can't be resampled, or nothing finished.
        interval: Of the mean; None without draws.
        rank: From 1, shared where nothing tells configs apart; None where nothing finished.
        best: Whether it can be told from every other config.
        cost: Of its replicates.
    """

    config: Config
    values: tuple[float, ...]
    draws: Draws | None
    interval: tuple[float, float] | None
    rank: int | None
    best: bool
    cost: Cost

    @property
    def mean(self) -> float | None:
        """The mean over the replicates; None where none finished."""
        return fmean(self.values) if self.values else None


@dataclass(frozen=True)
class Board:
    """Configs on the same documents.

    Attributes:
        data: Name of the data.
        task: Name of the kind of task.
        split: Whose predictions.
        documents: How many there are; 0 where nothing was scored.
        metric: What decides.
        title: What people call the metric.
        mode: "max" or "min".
        rows: Best mean first, those without a value last.
        comparisons: Of every two rows with draws, by their places in `rows`.
        resamples: Of the bootstrap.
        notes: What a reader should know.
    """

    data: str
    task: str
    split: str
    documents: int
    metric: str
    title: str
    mode: str
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    resamples: int
    notes: tuple[str, ...]

    @property
    def best(self) -> Row | None:
        """The config that can be told from every other one."""
        return next((row for row in self.rows if row.best), None)
