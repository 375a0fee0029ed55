"""Two runs beside each other: scores, a test of pairs, flips, and what differs in how they came about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headway.config.build import build
from headway.evaluation.metrics import Metrics
from headway.evaluation.statistics.bootstrap import Difference, bootstrap, difference
from headway.evaluation.statistics.document_metric import DocumentMetric, mean
from headway.reports.answers import Answers, has_answers, read_answers
from headway.reports.configs import flatten
from headway.reports.flips import Flip, Matched, flips, match
from headway.reports.run_folders import CONFIG, RECORD, Run, read_runs
from headway.types import ConfigError, DataError, Gold, HeadwayError, Prediction, nearest

LOSS = "loss"
RESULTS = (
    "schema", "status", "run_id", "argv", "overrides", "seeds", "metrics", "monitor", "decoding", "lengths",
    "seconds", "timing", "collapsed", "features", "results", "process", "config", "losses", "threads.reason",
)  # fmt: skip
"""Parts of a record that say what came out, or when, not from what."""
EXPECTED = ("environment.argv", "name", "output_dir")
"""What differs between any two runs."""
MADE = ("inputs.model", "schedule", "aggregation", "total_steps", "trained_together", "parameters")
DATA = ("data", "inputs", "files", "label_map", "labels")


@dataclass(frozen=True)
class Change:
    """A key with two values; None where a run lacks it."""

    key: str
    first: Any
    second: Any


@dataclass(frozen=True)
class Compared:
    """Two runs beside each other.

    Attributes:
        runs: The folders.
        split: Whose predictions.
        metric: What is tested.
        values: Of each run, on the common documents.
        difference: Second minus first; None where the metric can't be resampled.
        documents: How many both have.
        matched: Which.
        flips: What is answered otherwise.
        config: What differs in the configs, data apart.
        data: What differs in the data.
        environment: What differs in the environments.
    """

    runs: tuple[Path, Path]
    split: str
    metric: str
    values: tuple[float | None, float | None]
    difference: Difference | None
    documents: int
    matched: Matched
    flips: Sequence[Flip]
    config: Sequence[Change]
    data: Sequence[Change]
    environment: Sequence[Change]

    def counts(self) -> dict[str, int]:
        """Return how many documents flipped in which way."""
        return dict(Counter(flip.kind for flip in self.flips))


def compare(
    first: str | Path, second: str | Path, *, split: str = "test", metric: str | None = None,
    resamples: int = 10_000, alpha: float = 0.05,
) -> Compared:  # fmt: skip
    """Compare two runs by their stored predictions.

    Args:
        first: A run's folder.
        second: Another run's folder.
        split: Whose predictions.
        metric: What is tested; None: what the first run monitored.
        resamples: Of the bootstrap.
        alpha: The interval holds 1 - alpha.

    Raises:
        DataError: A folder isn't one run, lacks predictions, or the two share no document.
        ConfigError: The metric isn't known.
    """
    runs = _one_run(first, "A"), _one_run(second, "B")
    answers = _answers(runs[0], split), _answers(runs[1], split)
    matched = match(*answers)
    name = metric or str(runs[0].record.get("monitor", {}).get("name", LOSS)).removeprefix("val/")
    metrics = [
        _metric(run, _taken(each, rows), name)
        for run, each, rows in zip(runs, answers, (matched.first, matched.second), strict=True)
    ]
    found, values = None, tuple(run.metric(split, name) for run in runs)
    if all(each is not None for each in metrics):
        draws = bootstrap([[each] for each in reversed(metrics) if each], num_resamples=resamples)
        found = difference(*draws, confidence=1 - alpha)
        values = draws[1].mean, draws[0].mean
    elif metric is not None and None in values:
        known = sorted({*runs[0].record.get("metrics", {}).get(split, {}), LOSS})
        raise ConfigError(
            f"--metric must be one of {known}, got {name!r}{nearest(name, known)}; the runs have these"
        )
    config, data = _config_changes(runs)
    made, data_facts, environment = _record_changes(*(_facts(run.record) for run in runs))
    return Compared(
        (runs[0].folder, runs[1].folder), split, name, (values[0], values[1]), found, len(matched.first),
        matched, flips(*answers, matched), config + made, data + data_facts,
        environment,
    )  # fmt: skip


def _one_run(place: str | Path, name: str) -> Run:
    folder = Path(place)
    runs = read_runs([folder])
    if len(runs) != 1 or not any((runs[0].folder / each).is_file() for each in (CONFIG, RECORD)):
        some = ", ".join(str(run.folder) for run in runs[:3])
        raise DataError(
            f"{name} must be one run's folder, got {str(place)!r} with {len(runs)} runs; name one of them, "
            f"such as {some}"
        )
    return runs[0]


def _answers(run: Run, split: str) -> Answers:
    if not has_answers(run.folder, split):
        known = sorted(path.stem for path in (run.folder / "predictions").glob("*.parquet"))
        raise DataError(
            f"--split must be one whose predictions {run.folder} holds, one of {known}, got {split!r}; name "
            "another split, or train to the end"
        )
    return read_answers(run.folder, split, with_texts=True)


def _taken(answers: Answers, rows: np.ndarray) -> Answers:
    """Return some of the documents, enough of them for a metric."""
    gold, prediction = answers.gold, answers.prediction
    losses = answers.losses[rows]
    if gold.word_offsets is None:
        chances = prediction.probabilities
        taken = Prediction(prediction.values[rows], None if chances is None else chances[rows])
        return replace(answers, gold=Gold(gold.values[rows]), prediction=taken, losses=losses)
    offsets = gold.word_offsets
    words = np.concatenate([np.arange(offsets[row], offsets[row + 1]) for row in rows])
    ends = np.concatenate([[0], np.cumsum(np.diff(offsets)[rows])])
    return replace(
        answers,
        gold=Gold(gold.values[words], ends),
        prediction=Prediction(prediction.values[words], None, ends),
        losses=losses,
    )


def _metric(run: Run, answers: Answers, name: str) -> DocumentMetric | None:
    if name == LOSS:
        return mean(answers.losses)
    try:
        metrics = build(run.cfg["task"]["metrics"], key="task.metrics")
    except (HeadwayError, KeyError):  # a class of the user's own that isn't here
        return None
    if not isinstance(metrics, Metrics):
        return None
    return metrics.by_document(name, answers.prediction, answers.gold, answers.label_names)


def _config_changes(runs: Sequence[Run]) -> tuple[list[Change], list[Change]]:
    """Return what differs in the configs, and of that what is about data apart."""
    changes = _differing(*(flatten(run.cfg) for run in runs))
    return (
        [each for each in changes if not each.key.startswith("data.")],
        [each for each in changes if each.key.startswith("data.")],
    )


def _facts(record: Mapping[str, Any]) -> dict[str, Any]:
    flat = flatten(record)
    return {key: value for key, value in flat.items() if not _within(key, RESULTS)}


def _within(key: str, parts: Sequence[str]) -> bool:
    return any(key == part or key.startswith(f"{part}.") for part in parts)


def _record_changes(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> tuple[list[Change], list[Change], list[Change]]:
    """Return what differs in records: by what was configured, the data, and the environment."""
    changes = _differing(first, second)
    made = [each for each in changes if _within(each.key, MADE)]
    data = [each for each in changes if _within(each.key, DATA) and each not in made]
    return made, data, [each for each in changes if each not in made and each not in data]


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Change]:
    keys = list(dict.fromkeys([*first, *second]))
    return [
        Change(key, first.get(key), second.get(key))
        for key in keys
        if first.get(key) != second.get(key) and not _within(key, EXPECTED)
    ]
