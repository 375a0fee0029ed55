"""What a page says of one config beside its score: from its run in the middle, and from all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

from markupsafe import Markup

from headway.reports.answers import has_answers, read_answers
from headway.reports.board import Board, Row
from headway.reports.configs import flatten
from headway.reports.confusion import ClassRow, Confusion, class_rows, confusion
from headway.reports.errors import Mistake, worst_errors
from headway.reports.figures.small_plots import reliability, scatter
from headway.reports.run_folders import Run
from headway.tracking.slice_table import METRICS, TITLES

BULKY = ("metrics", "lengths", "features", "timing", "seconds", "config", "labels", "schema", "overrides")
"""Parts of a record that other parts of the page show, or that are too long for it."""
LONGEST = 300
MOST_FACTS = 400


@dataclass(frozen=True)
class SliceTable:
    """The scores of one way to divide the split.

    Attributes:
        title: What it is divided by.
        counts: Names of the counts.
        metrics: Names of the metrics.
        rows: Name, counts and scores of each part.
    """

    title: str
    counts: tuple[str, ...]
    metrics: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Any, ...], tuple[float | None, ...]], ...]


@dataclass(frozen=True)
class Details:
    """All that a page shows of one config.

    Attributes:
        row: The config on its board.
        run: The run whose answers are shown: the one in the middle.
        confusion: None where there is no such matrix.
        classes: A row a label.
        calibration: As calibration.json has it; empty where there is none.
        reliability: Its drawing.
        scatter: Predictions beside right scores; None for labels.
        slices: A table a way to divide.
        errors: The worst.
        wrong: How many documents are wrong; None for scores.
        facts: The run's record, key -> value.
        config: The run's config, key -> value.
    """

    row: Row
    run: Run
    confusion: Confusion | None
    classes: Sequence[ClassRow]
    calibration: Mapping[str, Any]
    reliability: Markup | None
    scatter: Markup | None
    slices: Sequence[SliceTable]
    errors: Sequence[Mistake]
    wrong: int | None
    facts: Mapping[str, str]
    config: Mapping[str, str]


def details(row: Row, board: Board) -> Details | None:
    """Return the details of a config; None where it has no predictions.

    Args:
        row: Of the board.
        board: Whose split is shown.
    """
    runs = row.config.replicates()
    if row.draws is None or not all(has_answers(run.folder, board.split) for run in runs):
        return None
    middle = median(row.values)
    place = min(range(len(runs)), key=lambda i: abs(row.values[i] - middle))
    run = runs[place]
    answers = read_answers(run.folder, board.split, with_texts=True)
    others = [answers if each is run else read_answers(each.folder, board.split) for each in runs]
    calibration = _read(run.folder / "calibration.json").get(board.split, {})
    scores = answers.kind == "scores"
    return Details(
        row=row,
        run=run,
        confusion=confusion(answers),
        classes=class_rows(answers),
        calibration=calibration,
        reliability=reliability(calibration.get("bins", ())),
        scatter=scatter(answers.gold.values.tolist(), answers.prediction.values.tolist()) if scores else None,
        slices=_slices(_read(run.folder / "slices.json").get(board.split, ()), board.metric),
        errors=worst_errors(answers, others),
        wrong=None if scores else int((~answers.correct()).sum()),
        facts=_facts({key: value for key, value in run.record.items() if key not in BULKY}),
        config=_facts(run.cfg),
    )


def _read(path: Path) -> dict[str, Any]:
    """Return a JSON file of a run; empty where there is none, as in older runs."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _facts(values: Mapping[str, Any]) -> dict[str, str]:
    flat = {key: value for key, value in flatten(values).items() if value is not None and value != []}
    texts = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        for key, value in flat.items()
    }
    kept = list(texts.items())[:MOST_FACTS]
    return {key: each if len(each) <= LONGEST else each[:LONGEST] + "…" for key, each in kept}


def _slices(slices: Sequence[Mapping[str, Any]], monitor: str) -> list[SliceTable]:
    tables = []
    for by, group in groupby(slices, key=lambda each: str(each["by"])):
        parts = list(group)
        names = list(dict.fromkeys(name for part in parts for name in part["metrics"]))
        others = [name for name in names if name != monitor and not name.startswith("f1/")]
        chosen = ([monitor] if monitor in names else []) + others
        metrics = tuple(chosen[:METRICS])
        counts = tuple(dict.fromkeys(name for part in parts for name in part["counts"]))
        rows = tuple(
            (
                str(part["name"]),
                tuple(part["counts"].get(name, "") for name in counts),
                tuple(part["metrics"].get(name) for name in metrics),
            )
            for part in parts
        )
        tables.append(SliceTable(TITLES.get(by, f"by {by}"), counts, metrics, rows))
    return tables
