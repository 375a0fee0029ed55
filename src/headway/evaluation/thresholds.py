"""Where to cut each label's probability."""

from __future__ import annotations

import numpy as np

DEFAULT_THRESHOLD = 0.5


def best_thresholds(probabilities: np.ndarray, gold: np.ndarray, *, seen: np.ndarray) -> tuple[float, ...]:
    """Choose for each label the threshold with the highest F1; a label is predicted where p > threshold.

    Candidates are 0.5, the midpoints between neighbouring probabilities, and half of the lowest. Among equals
    the one nearest to 0.5 is taken, so a label without a positive document keeps 0.5. Positive documents that
    no window held count as missed, as they do in the metric.

    Args:
        probabilities: (num_documents, num_labels) float64.
        gold: (num_documents, num_labels) of 0 and 1.
        seen: (num_documents,) bool, whether any window held the document.

    Returns:
        num_labels thresholds, each in [0, 1].
    """
    return tuple(
        _best_threshold(scores[seen], positive[seen], num_positives=int(positive.sum()))
        for scores, positive in zip(probabilities.T, gold.T == 1, strict=True)
    )


def _best_threshold(scores: np.ndarray, positive: np.ndarray, *, num_positives: int) -> float:
    """Return the best threshold of one label; `scores` and `positive` are (num_seen,) float64 and bool."""
    distinct = np.unique(scores)  # ascending
    midpoints = (distinct[1:] + distinct[:-1]) / 2
    candidates = np.concatenate([[DEFAULT_THRESHOLD], distinct[:1] / 2, midpoints])
    predicted = _count_above(scores, candidates)
    hits = _count_above(scores[positive], candidates)
    # Integers over integers: equal fractions are equal floats, so ties are exact.
    f1 = 2 * hits / np.maximum(predicted + num_positives, 1)
    best = candidates[f1 == f1.max()]
    return float(best[np.abs(best - DEFAULT_THRESHOLD).argmin()])


def _count_above(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return how many scores are above each threshold, (num_thresholds,) int64."""
    return len(scores) - np.searchsorted(np.sort(scores), thresholds, side="right")
