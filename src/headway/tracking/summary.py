"""What a run says at its end: a table of scores, and where everything is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from headway.evaluation.evaluator import Evaluation

PER_CLASS = "f1/"
LARGEST = 12


def score_table(metrics: Mapping[str, Mapping[str, float]]) -> Table:
    """Return a table of metrics by split.

    Args:
        metrics: Split -> metric -> value.

    Returns:
        A row a metric; those of single classes only where there are few.
    """
    table = Table(title="scores of the best checkpoint")
    table.add_column("metric")
    for split in metrics:
        table.add_column(split, justify="right")
    names = list(dict.fromkeys(name for values in metrics.values() for name in values))
    single = [name for name in names if name.startswith(PER_CLASS)]
    for name in names:
        if name in single and len(single) > LARGEST:
            continue
        values = (values.get(name) for values in metrics.values())
        table.add_row(name, *("" if value is None else f"{value:.4f}" for value in values))
    return table


def show_result(folder: Path, evaluations: Mapping[str, Evaluation], seconds: Mapping[str, float]) -> None:
    """Print the scores, the seconds of each stage and where everything is.

    Args:
        folder: The run's folder.
        evaluations: Split -> evaluation.
        seconds: Stage -> seconds.
    """
    console = Console()
    console.print(score_table({split: evaluation.metrics for split, evaluation in evaluations.items()}))
    stages = ", ".join(f"{stage} {value:.1f}" for stage, value in seconds.items())
    print(f"seconds: {stages}")
    print(f"run folder: {folder}")
    print(
        f"  model/ to load, predictions/*.parquet, metrics.json, record.json; try: headway predict {folder} FILE"
    )
