"""Leaderboards: configs that were scored on the same documents, ranked by what their scores can tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from headway.config.build import build
from headway.evaluation.metrics import Metrics
from headway.evaluation.statistics.bootstrap import Draws, bootstrap, bootstrap_seeds
from headway.evaluation.statistics.document_metric import DocumentMetric, mean
from headway.evaluation.statistics.ranks import (
    Comparison,
    comparisons,
    shared_ranks,
    told_best,
)
from headway.reports.answers import Answers, has_answers, read_answers
from headway.reports.board import Board, Row, Settings
from headway.reports.board_notes import notes
from headway.reports.configs import Config, group
from headway.reports.costs import cost
from headway.reports.run_folders import FINISHED, Run
from headway.types import ConfigError, HeadwayError, nearest

LOSS = "loss"
SIGNED = ("mcc", "pearson", "spearman")
LEAST, MOST = 10_000, 50_000
"""Resamples where their number isn't given: as many as Holm's correction needs, in these bounds."""


def boards(runs: Sequence[Run], settings: Settings) -> list[Board]:
    """Return the leaderboards of runs; those scored on other documents stand on a board of their own.

    Args:
        runs: However they ended.
        settings: How to judge.

    Raises:
        HeadwayError: The metric isn't known, or predictions are damaged.
    """
    answers = {
        run.folder: read_answers(run.folder, settings.split)
        for run in runs
        if run.status == FINISHED and has_answers(run.folder, settings.split)
    }
    by_documents: dict[str, list[Run]] = {}
    homes: dict[str, str] = {}
    for run in runs:
        if run.folder in answers:
            key = answers[run.folder].fingerprint() + str(_class(run))
            by_documents.setdefault(key, []).append(run)
            homes.setdefault(_about(run), key)
    for run in runs:  # what has no predictions stands where its data's others do
        if run.folder not in answers:
            by_documents.setdefault(homes.get(_about(run), _about(run)), []).append(run)
    return [_Maker(members, answers, settings).board() for members in by_documents.values()]


def _class(run: Run) -> Any:
    return run.cfg.get("task", {}).get("metrics", {}).get("_target_")


def _about(run: Run) -> str:
    data = run.cfg.get("data", {})
    if not data:  # it failed before its config was written: its sweep's others are its kin
        return f"sweep {run.folder.parent}"
    return f"{_class(run)} {[data.get(key) for key in ('name', 'train', 'test', 'text', 'label')]}"


class _Maker:
    """Makes one board.

    Args:
        runs: All of the board.
        answers: Folder -> predictions, of those that have some.
        settings: How to judge.
    """

    def __init__(self, runs: Sequence[Run], answers: Mapping[Any, Answers], settings: Settings) -> None:
        self._settings, self._answers = settings, answers
        self._configs = group(runs)
        self._notes: list[str] = []
        self._metrics = self._task_metrics(runs)
        self._metric, self._mode = self._chosen(runs)

    def board(self) -> Board:
        """Return the board."""
        ranked, draws, resamples = self._drawn()
        found = comparisons(
            draws,
            mode=self._mode,
            alpha=self._settings.alpha,
            correction=self._settings.correction,
            seed=self._settings.seed,
        )
        rows = self._rows(ranked, draws, found)
        places = {row.config.id: place for place, row in enumerate(rows)}
        moved = tuple(_moved(each, [places[config.id] for config in ranked]) for each in found)
        self._notes += notes(rows, moved, self._settings, metric=self._metric, resamples=resamples)
        first = self._configs[0].runs[0]
        known = next((self._answers[run.folder] for run in self._all() if run.folder in self._answers), None)
        return Board(
            data=str(first.cfg.get("data", {}).get("name") or "unnamed data"),
            task=str(_class(first) or "unknown task").rpartition(".")[2].lower(),
            split=self._settings.split,
            documents=0 if known is None else len(known.ids),
            metric=self._metric,
            title=self._metrics.title(self._metric) if self._metrics else self._metric,
            mode=self._mode,
            rows=tuple(rows),
            comparisons=moved,
            resamples=resamples,
            notes=tuple(self._notes),
        )

    def _drawn(self) -> tuple[list[Config], list[Draws], int]:
        """Return the configs that can be ranked, their draws, and how many resamples these are of."""
        by_document = {config: metrics for config in self._configs if (metrics := self._by_run(config))}
        by_seeds = {} if by_document else self._by_seeds()
        ranked = list(by_document or by_seeds)
        pairs = len(ranked) * (len(ranked) - 1) // 2
        resamples = self._settings.resamples or min(MOST, max(LEAST, round(2 * pairs / self._settings.alpha)))
        options = {"num_resamples": resamples, "seed": self._settings.seed}
        if by_document:
            return ranked, bootstrap(list(by_document.values()), **options), resamples
        return ranked, bootstrap_seeds(list(by_seeds.values()), **options), resamples

    def _all(self) -> list[Run]:
        return [run for config in self._configs for run in config.runs]

    def _task_metrics(self, runs: Sequence[Run]) -> Metrics | None:
        node = next((run.cfg["task"]["metrics"] for run in runs if run.cfg.get("task")), None)
        if node is None:
            return None
        try:
            built = build(node, key="task.metrics")
        except HeadwayError as error:
            self._notes.append(f"Scores aren't resampled, since their class can't be built: {error}")
            return None
        return built if isinstance(built, Metrics) else None

    def _chosen(self, runs: Sequence[Run]) -> tuple[str, str]:
        """Return the metric that decides, and its direction."""
        monitors = Counter(
            (str(m["name"]).removeprefix("val/"), str(m["mode"]))
            for run in runs
            if (m := run.record.get("monitor"))
        )
        if self._settings.metric is None:
            if len(monitors) > 1:
                names = ", ".join(sorted(name for name, _ in monitors))
                self._notes.append(f"The runs monitored different metrics ({names}); --metric chooses one.")
            if monitors:
                return monitors.most_common(1)[0][0]
            named = next((run.cfg["task"].get("monitor") for run in runs if run.cfg.get("task")), None)
            return str(named or LOSS), "max"
        name = self._settings.metric
        known = dict(self._metrics.names) if self._metrics else {}
        known |= {LOSS: "min"}
        of_labels = {metric for run in runs for metric in run.record.get("metrics", {}).get("test", {})}
        if name not in known and name not in of_labels and monitors:
            raise ConfigError(
                f"--metric must be one of {sorted({*known, *of_labels})}, got {name!r}"
                f"{nearest(name, {*known, *of_labels})}; these runs are scored by these"
            )
        return name, known.get(name, "max")

    def _by_run(self, config: Config) -> list[DocumentMetric]:
        """Return the metric of each replicate by its documents; empty unless all have it."""
        found = []
        for run in config.replicates():
            answers = self._answers.get(run.folder)
            metric = None if answers is None else self._by_document(answers)
            if metric is None:
                return []
            found.append(metric)
        return found

    def _by_seeds(self) -> dict[Config, np.ndarray]:
        """Return the recorded values of configs with several, for a metric that isn't known by document."""
        recorded = {config: np.array(self._recorded(config)) for config in self._configs}
        found = {config: values for config, values in recorded.items() if len(values) > 1}
        if found:
            self._notes.append(
                f"{self._metric} isn't known by document: intervals and ranks are over seeds alone, and hold "
                "for these documents."
            )
        return found

    def _by_document(self, answers: Answers) -> DocumentMetric | None:
        if self._metric == LOSS:
            return mean(answers.losses)
        if self._metrics is None:
            return None
        return self._metrics.by_document(self._metric, answers.prediction, answers.gold, answers.label_names)

    def _rows(
        self, ranked: Sequence[Config], draws: Sequence[Draws], found: Sequence[Comparison]
    ) -> list[Row]:
        by_id = {config.id: own for config, own in zip(ranked, draws, strict=True)}
        shared = shared_ranks(len(ranked), found)
        ranks = {config.id: rank for config, rank in zip(ranked, shared, strict=True)}
        best = told_best(len(ranked), found)
        rows = []
        for config in self._configs:
            own = by_id.get(config.id)
            values = tuple(own.values.tolist()) if own is not None else self._recorded(config)
            interval = None if own is None else self._possible(own.interval(1 - self._settings.alpha))
            told = best is not None and ranked[best].id == config.id
            rows.append(
                Row(config, values, own, interval, ranks.get(config.id), told, cost(config.replicates()))
            )
        sign = -1.0 if self._mode == "max" else 1.0
        return sorted(rows, key=lambda row: (row.mean is None, sign * (row.mean or 0.0)))

    def _possible(self, interval: tuple[float, float]) -> tuple[float, float]:
        """Return an interval without the values that the metric never has; few seeds reach beyond 1."""
        if self._mode != "max" or self._metric not in (self._metrics.names if self._metrics else ()):
            return interval
        lowest = -1.0 if self._metric in SIGNED else 0.0
        return max(interval[0], lowest), min(interval[1], 1.0)

    def _recorded(self, config: Config) -> tuple[float, ...]:
        values = (run.metric(self._settings.split, self._metric) for run in config.replicates())
        return tuple(value for value in values if value is not None)


def _moved(each: Comparison, places: Sequence[int]) -> Comparison:
    return Comparison(
        places[each.left], places[each.right], each.difference, each.p, each.epsilon, each.decided, each.apart
    )
