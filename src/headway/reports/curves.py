"""Learning curves from the CSV file that a run writes."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from functools import lru_cache
from pathlib import Path

Curve = tuple[tuple[float, float], ...]
FILE = "metrics.csv"
TRAIN = "train/loss"


@lru_cache(maxsize=4096)
def read_curves(folder: Path) -> dict[str, Curve]:
    """Return a run's curves.

    A validation stands at the end of its epoch, which is the number of validations so far where the run says
    no more; the training loss is the mean of what was logged since the validation before.

    Args:
        folder: The run's folder.

    Returns:
        val/<metric> and train/loss -> (epoch from 1, value) for each; empty without a file or a logger.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    losses: list[float] = []
    validations = 0
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        for row in csv.DictReader(stream):
            train = _number(row.get(TRAIN))
            losses += [] if train is None else [train]
            values = {
                name: value
                for name, cell in row.items()
                if isinstance(name, str) and name.startswith("val/") and (value := _number(cell)) is not None
            }
            if values:
                validations += 1
                for name, value in values.items():
                    found[name].append((validations, value))
                if losses:
                    found[TRAIN].append((validations, sum(losses) / len(losses)))
                losses = []
    return {name: tuple(curve) for name, curve in found.items()}


def _number(cell: str | None) -> float | None:
    try:
        value = float(cell or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
