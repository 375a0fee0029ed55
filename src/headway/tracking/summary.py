"""What a run says at its end: a table of scores, and where everything is."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from headway.tracking.printable import printable

if TYPE_CHECKING:
    from headway.evaluation.evaluator import Evaluation

PER_CLASS = "f1/"
LARGEST = 12
TITLE = "scores of the best checkpoint"


def score_table(metrics: Mapping[str, Mapping[str, float]], *, title: Callable[[str], str] = str) -> Table:
    """Return a table of metrics by split.

    Args:
        metrics: Split -> metric -> value.
        title: What a report calls a metric; the task's `Metrics.title`.

    Returns:
        A row a metric; those of single classes only where there are few.
    """
    table = Table(title=TITLE, min_width=len(TITLE))
    table.add_column("metric", overflow="fold")
    for split in metrics:
        table.add_column(split, justify="right", no_wrap=True)
    names = list(dict.fromkeys(name for values in metrics.values() for name in values))
    single = [name for name in names if name.startswith(PER_CLASS)]
    for name in names:
        if name in single and len(single) > LARGEST:
            continue
        values = (values.get(name) for values in metrics.values())
        # Text, since a label such as [PAD] would be taken for markup.
        table.add_row(
            Text(printable(title(name))), *("" if value is None else f"{value:.4f}" for value in values)
        )
    if len(single) > LARGEST:
        table.caption = f"{PER_CLASS}<label> of {len(single)} labels: see metrics.json"
    return table


def show_result(
    folder: Path,
    evaluations: Mapping[str, Evaluation],
    seconds: Mapping[str, float],
    *,
    title: Callable[[str], str] = str,
    calibration: str | None = None,
    timing: str | None = None,
) -> None:
    """Print the scores, the seconds of each stage, what training cost and where everything is.

    Args:
        folder: The run's folder.
        evaluations: Split -> evaluation.
        seconds: Stage -> seconds.
        title: What a report calls a metric; the task's `Metrics.title`.
        calibration: A line on how far probabilities can be trusted.
        timing: A line on what training cost.
    """
    if evaluations:
        metrics = {split: evaluation.metrics for split, evaluation in evaluations.items()}
        Console().print(score_table(metrics, title=title))
    if calibration:
        print(calibration)
    print("seconds: " + ", ".join(f"{stage} {value:.1f}" for stage, value in seconds.items()))
    if timing:
        print(timing)
    here = Path.cwd()
    shown = folder.relative_to(here) if folder.is_relative_to(here) else folder
    print(f"run folder: {shown}")
    print(
        "  model/ to load, predictions/*.parquet, metrics.json, record.json; try: "
        f"headway predict {shlex.quote(str(shown))} FILE"
    )
