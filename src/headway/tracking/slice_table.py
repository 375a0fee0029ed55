"""The slices of a split as tables, one for each thing that it was divided by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from headway.tracking.printable import printable
from headway.tracking.summary import PER_CLASS

if TYPE_CHECKING:
    from headway.evaluation.slice_groups import Slice

TITLES = {
    "length": "by length",
    "windows": "by number of windows",
    "truncated": "by truncation",
    "label_frequency": "by frequency of labels in train",
    "entity": "by surface form of entities",
}
METRICS = 3
"""Metrics a table: the monitored one and others beside it; all of them stand in the file."""

_BREAK = re.compile("([^_]{5,}_)")
"""Where a metric's name goes on in the next line: entity_precision_strict would else be folded anywhere."""


def slice_tables(slices: Sequence[Slice], *, split: str, monitor: str) -> list[Table]:
    """Return a table for each dimension.

    Args:
        slices: Of one split, those of a dimension together, as `headway.evaluation.slices` returns them.
        split: What the tables call it.
        monitor: The metric that chose the checkpoint, without the split's name.

    Returns:
        The tables in the order of the slices.
    """
    return [
        slice_table(list(group), split=split, monitor=monitor)
        for _, group in groupby(slices, key=lambda each: each.by)
    ]


def slice_table(slices: Sequence[Slice], *, split: str, monitor: str) -> Table:
    """Return a table of the slices of one dimension.

    Args:
        slices: One at least, all of one dimension.
        split: What the title calls it.
        monitor: The metric that stands first, if the slices have it.

    Returns:
        A row a slice: its name, its counts, and METRICS metrics at most, empty where one isn't defined.
    """
    title = f"{split} {TITLES[slices[0].by]}"
    counts = list(slices[0].counts)
    names = _columns(slices, monitor)
    # Text throughout, since a name such as [PAD] would be taken for markup.
    table = Table(title=Text(title), min_width=len(title))
    table.add_column("slice", overflow="fold")
    for name in counts:
        table.add_column(Text(name), justify="right", no_wrap=True)
    for name in names:
        header = _BREAK.sub("\\1\n", name)
        table.add_column(Text(printable(header)), justify="right", overflow="fold")
    for each in slices:
        values = (each.metrics.get(name) for name in names)
        table.add_row(
            Text(printable(each.name)),
            *(str(each.counts[name]) for name in counts),
            *("" if value is None else f"{value:.4f}" for value in values),
        )
    return table


def _columns(slices: Sequence[Slice], monitor: str) -> list[str]:
    """Return the metrics to show, the monitored one first; those of single labels only if it is one."""
    names = list(dict.fromkeys(name for each in slices for name in each.metrics))
    others = [name for name in names if name != monitor and not name.startswith(PER_CLASS)]
    return ([monitor] if monitor in names else []) + others[: METRICS - (monitor in names)]
