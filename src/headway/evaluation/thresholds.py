"""Where to cut each label's probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

DEFAULT_THRESHOLD = 0.5
NEVER = 1.0
"""No probability is above it: a label that does micro-F1 more harm than good is not predicted."""
OBJECTIVES = ("f1_micro", "f1_macro")


class _Curve(NamedTuple):
    """What each threshold of one label would give.

    Attributes:
        thresholds: (num_thresholds,) float64, the nearest to 0.5 first.
        predicted: (num_thresholds,) int64, documents above each.
        hits: (num_thresholds,) int64, positive ones among them.
        positives: Positive documents, seen or not.
    """

    thresholds: np.ndarray
    predicted: np.ndarray
    hits: np.ndarray
    positives: int

    def best(self, value: np.ndarray) -> int:
        """Return the place of the highest value; among equals of the threshold nearest to 0.5."""
        return int(value.argmax())


def best_thresholds(
    probabilities: np.ndarray, gold: np.ndarray, *, seen: np.ndarray, objective: str = "f1_macro"
) -> tuple[float, ...]:
    """Choose one threshold a label for the highest F1; a label is predicted where p > threshold.

    For macro-F1 each label's own F1 is maximised, which for rare labels may mean many false positives; for
    micro-F1 all thresholds together maximise the F1 of all pairs of document and label.

    Candidates are 0.5, the midpoints between neighbouring probabilities, half of the lowest, and 1. Among
    equals the one nearest to 0.5 is taken, so for macro-F1 a label without a positive document keeps 0.5.
    Positive documents that no window held count as missed, as they do in the metric.

    Args:
        probabilities: (num_documents, num_labels) float64.
        gold: (num_documents, num_labels) of 0 and 1.
        seen: (num_documents,) bool, whether any window held the document.
        objective: "f1_micro" or "f1_macro".

    Returns:
        num_labels thresholds, each in [0, 1].
    """
    curves = [
        _curve(scores[seen], positive[seen], positives=int(positive.sum()))
        for scores, positive in zip(probabilities.T, gold.T == 1, strict=True)
    ]
    places = _macro(curves) if objective == "f1_macro" else _micro(curves)
    return tuple(float(curve.thresholds[place]) for curve, place in zip(curves, places, strict=True))


def _macro(curves: Sequence[_Curve]) -> list[int]:
    # Integers over integers: equal fractions are equal floats, so ties are exact.
    return [curve.best(2 * curve.hits / np.maximum(curve.predicted + curve.positives, 1)) for curve in curves]


def _micro(curves: Sequence[_Curve]) -> list[int]:
    """Maximise 2 hits / (predicted + positives), summed over labels, by Dinkelbach's method (1967).

    With the best ratio known, each label by itself maximises 2 hits - ratio * predicted; the ratio of that
    choice is a better guess of the best, until it stands still.
    """
    positives = sum(curve.positives for curve in curves)
    ratio, places = -1.0, [0] * len(curves)
    while True:
        found = [curve.best(2 * curve.hits - max(ratio, 0.0) * curve.predicted) for curve in curves]
        hits = sum(int(curve.hits[place]) for curve, place in zip(curves, found, strict=True))
        predicted = sum(int(curve.predicted[place]) for curve, place in zip(curves, found, strict=True))
        better = 2 * hits / max(predicted + positives, 1)
        if better <= ratio:
            return places
        ratio, places = better, found


def _curve(scores: np.ndarray, positive: np.ndarray, *, positives: int) -> _Curve:
    """Return the curve of one label; `scores` and `positive` are (num_seen,) float64 and bool."""
    distinct = np.unique(scores)  # ascending
    midpoints = (distinct[1:] + distinct[:-1]) / 2
    candidates = np.concatenate([[DEFAULT_THRESHOLD, NEVER], distinct[:1] / 2, midpoints])
    candidates = candidates[np.argsort(np.abs(candidates - DEFAULT_THRESHOLD), kind="stable")]
    return _Curve(
        candidates,
        predicted=_count_above(scores, candidates),
        hits=_count_above(scores[positive], candidates),
        positives=positives,
    )


def _count_above(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return how many scores are above each threshold, (num_thresholds,) int64."""
    return len(scores) - np.searchsorted(np.sort(scores), thresholds, side="right")
