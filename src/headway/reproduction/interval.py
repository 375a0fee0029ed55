"""The confidence interval of a metric's mean over seeds, by the bootstrap over seeds and documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from headway.reproduction.stored_predictions import StoredPredictions
from headway.types import Gold, HeadwayError, Prediction

DRAWS = 500
LEVEL = 0.95
Score = Callable[[Prediction, Gold, Sequence[str]], float]


def mean_interval(
    runs: Sequence[StoredPredictions], score: Score, *, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float]:
    """Return the percentile interval of the mean.

    Each draw takes as many seeds as there are, and as many documents, both with replacement; the documents
    are the same for all its seeds, as they were.

    Args:
        runs: The answers of each seed, to the same documents.
        score: (answers, right answers, labels) -> the metric.
        draws: How often.
        seed: Of the draws.

    Returns:
        The lower and the upper end of the 95 % interval.

    Raises:
        HeadwayError: The runs answered different documents.

    Source:
        Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 13.3 (percentile interval).
    """
    count = len(runs[0].ids)
    if any(run.ids != runs[0].ids for run in runs):
        raise HeadwayError(
            "the runs of a reproduction must have answered the same documents, got different ids; remove the "
            "runs that are of other data"
        )
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(draws):
        chosen = rng.integers(len(runs), size=len(runs))
        documents = rng.integers(count, size=count)
        scores = {number: _score(runs[number], documents, score) for number in set(chosen.tolist())}
        means.append(np.mean([scores[number] for number in chosen.tolist()]))
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _score(run: StoredPredictions, documents: np.ndarray, score: Score) -> float:
    prediction, gold = run.take(documents)
    return score(prediction, gold, run.label_names)
