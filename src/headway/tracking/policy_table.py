"""The aggregations that were compared, as a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from headway.tracking.summary import PER_CLASS

if TYPE_CHECKING:
    from headway.evaluation.policy import Comparison

BESIDE = 1
"""Metrics beside the one that decides."""


def policy_table(comparison: Comparison, *, title: Callable[[str], str] = str) -> Table:
    """Return a row an aggregation: what it is worth on validation, and which one was chosen.

    Args:
        comparison: Of one run.
        title: What a report calls a metric; the task's `Metrics.title`.
    """
    first = next(iter(comparison.candidates.values())).evaluation.metrics
    others = [name for name in first if name != comparison.monitor and not name.startswith(PER_CLASS)]
    others = [name for name in others if name != "coverage"][:BESIDE]
    with_ece = any(each.calibration is not None for each in comparison.candidates.values())
    table = Table(title="aggregations on validation")
    table.add_column("aggregation", overflow="fold")
    for name in (comparison.monitor, *others, "loss", *(["ECE"] if with_ece else [])):
        table.add_column(Text(title(name)), justify="right", no_wrap=True)
    table.add_column("")
    for name, each in comparison.candidates.items():
        values = [comparison.value(name), *(each.evaluation.metrics[other] for other in others)]
        values.append(each.evaluation.loss)
        if with_ece and each.calibration is not None:
            values.append(each.calibration.ece)
        marks = ["chosen"] * (name == comparison.chosen) + ["in use"] * (name == comparison.current)
        table.add_row(Text(name), *(f"{value:.4f}" for value in values), ", ".join(marks))
    return table
