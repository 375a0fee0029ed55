"""Values that depend only on the order of scores."""

from __future__ import annotations

import numpy as np


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Return each value's rank from 1, equal values sharing the mean of theirs.

    Args:
        values: (rows,) of any type that sorts.

    Returns:
        (rows,) float64.
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)  # rank of the last of each group of equals
    return (last - (counts - 1) / 2)[inverse]


def auroc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return the chance that a positive row scores above a negative one, ties counting one half.

    Args:
        scores: (rows,) float.
        positive: (rows,) bool, with at least one row of either kind.

    Source: Mann and Whitney 1947; equal to the area under the ROC curve.
    """
    num_positive = int(positive.sum())
    num_negative = len(positive) - num_positive
    above = average_ranks(scores)[positive].sum() - num_positive * (num_positive + 1) / 2
    return float(above / (num_positive * num_negative))
