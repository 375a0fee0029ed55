"""How much of the spread of a sweep's scores each varied key explains by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from headway.reports.configs import text
from headway.reports.figures.parallel import is_number

MOST_GROUPS = 4


def importance(
    settings: Sequence[Mapping[str, Any]], values: Sequence[float], keys: Sequence[str]
) -> dict[str, float]:
    """Return a share of the variance for each key: what the groups of its values explain.

    It is epsilon squared of a one-way analysis of variance, so that a key without influence has about 0
    however many values it takes; numbers with many values fall into four groups of equal size. What two
    keys do only together belongs to neither.

    Args:
        settings: Key -> value of each config.
        values: The score of each.
        keys: What was varied.

    Returns:
        Key -> share in [0, 1].

    Source: Kelley 1935 for epsilon squared; main effects as in Hutter, Hoos and Leyton-Brown 2014.
    """
    scores = np.asarray(values, dtype=np.float64)
    total = float(((scores - scores.mean()) ** 2).sum())
    found = {}
    for key in keys:
        groups = _groups([each.get(key) for each in settings])
        number = int(groups.max()) + 1
        if total == 0 or not 1 < number < len(scores):
            found[key] = 0.0
            continue
        within = sum(float(((part - part.mean()) ** 2).sum()) for part in _parts(scores, groups, number))
        noise = (number - 1) * within / (len(scores) - number)
        found[key] = min(1.0, max(0.0, (total - within - noise) / total))
    return found


def _parts(scores: np.ndarray, groups: np.ndarray, number: int) -> list[np.ndarray]:
    return [scores[groups == each] for each in range(number)]


def _groups(values: Sequence[Any]) -> np.ndarray:
    """Return the group of each value, (num_configs,) int64 from 0 without gaps."""
    if all(is_number(value) for value in values):
        known, places = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True)
        if len(known) <= MOST_GROUPS or len(known) <= len(values) // 2:
            return places
        number = min(MOST_GROUPS, max(2, len(values) // 3))
        ranks = np.argsort(np.argsort(places, kind="stable"), kind="stable")
        groups: np.ndarray = ranks * number // len(values)
        return groups
    names = [text(value) for value in values]
    return np.unique(names, return_inverse=True)[1]
