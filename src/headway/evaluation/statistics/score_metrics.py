"""Metrics of scores and of ranks as functions of how often each document counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headway.evaluation.statistics.document_metric import DocumentMetric, Sums, mean


@dataclass(frozen=True)
class Ranked:
    """A metric that depends on the order of documents.

    Attributes:
        num_documents: Documents of the split.
        value: (num_resamples, num_documents) weights -> (num_resamples,).
    """

    num_documents: int
    value: Callable[[np.ndarray], np.ndarray]

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """Return the metric for each row of weights; see DocumentMetric."""
        return np.asarray(self.value(weights.astype(np.float64)))


class _Order:
    """Documents sorted by a value, with groups of equals.

    Args:
        values: (num_documents,) of any type that sorts.
    """

    def __init__(self, values: np.ndarray) -> None:
        self.order = np.argsort(values, kind="stable")
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        ends = np.cumsum(counts)
        self._first, self._last = (ends - counts)[inverse], ends[inverse]

    def below(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the weight of what is below each document, and of its equals, itself among them.

        Args:
            weights: (num_resamples, num_documents).
        """
        zeros = np.zeros((len(weights), 1))
        sums = np.concatenate([zeros, np.cumsum(weights[:, self.order], axis=1)], axis=1)
        lower = sums[:, self._first]
        return lower, sums[:, self._last] - lower


def auroc(probabilities: np.ndarray, gold: np.ndarray, *, answered: np.ndarray) -> DocumentMetric:
    """Return the macro mean of one class against the rest; for two classes that of the second.

    Args:
        probabilities: (num_documents, num_classes) float.
        gold: (num_documents,) int64.
        answered: (num_documents,) bool; a document without an answer loses every comparison.
    """
    classes = [1] if probabilities.shape[1] == 2 else list(range(probabilities.shape[1]))
    sides = []
    for label in classes:
        positive = gold == label
        worst = np.where(positive, -np.inf, np.inf)
        sides.append((positive, _Order(np.where(answered, probabilities[:, label], worst))))

    def value(weights: np.ndarray) -> np.ndarray:
        """Return the mean over the classes that some documents have and others don't."""
        total, number = np.zeros(len(weights)), np.zeros(len(weights))
        for positive, order in sides:
            below, equal = order.below(weights * ~positive)
            of_class = (weights * positive).sum(axis=1)
            pairs = of_class * (weights.sum(axis=1) - of_class)
            above = (weights * positive * (below + equal / 2)).sum(axis=1)
            total += np.where(pairs > 0, above / np.maximum(pairs, 1), 0.0)
            number += pairs > 0
        mean: np.ndarray = total / np.maximum(number, 1)
        return mean

    return Ranked(len(gold), value)


def pearson(predicted: np.ndarray, gold: np.ndarray) -> DocumentMetric:
    """Return Pearson's correlation, 0 where either side is constant.

    Args:
        predicted: (num_documents,) float.
        gold: (num_documents,) float.
    """
    left, right = predicted - predicted.mean(), gold - gold.mean()  # sums of squares then cancel less
    ones = np.ones(len(left))
    return Sums(np.stack([ones, left, right, left * left, right * right, left * right], axis=1), _correlation)


def spearman(predicted: np.ndarray, gold: np.ndarray) -> DocumentMetric:
    """Return Spearman's correlation, ranks taken anew in each resample, 0 where either side is constant.

    Args:
        predicted: (num_documents,) float.
        gold: (num_documents,) float.
    """
    orders = _Order(predicted), _Order(gold)

    def value(weights: np.ndarray) -> np.ndarray:
        """Return the correlation of mean ranks."""
        ranks = []
        for order in orders:
            below, equal = order.below(weights)
            rank = below + (equal + 1) / 2
            ranks.append(rank - weights.shape[1] / 2)
        left, right = ranks
        terms = (np.ones_like(left), left, right, left * left, right * right, left * right)
        return _correlation(np.stack([(weights * term).sum(axis=1) for term in terms], axis=1))

    return Ranked(len(gold), value)


def errors(predicted: np.ndarray, gold: np.ndarray, *, squared: bool) -> DocumentMetric:
    """Return the mean absolute error, or the root of the mean squared error.

    Args:
        predicted: (num_documents,) float.
        gold: (num_documents,) float.
        squared: Which.
    """
    difference = predicted - gold
    if not squared:
        return mean(np.abs(difference))
    rows = np.stack([difference**2, np.ones(len(difference))], axis=1)
    return Sums(rows, lambda sums: np.sqrt(sums[:, 0] / np.maximum(sums[:, 1], 1)))


def _correlation(sums: np.ndarray) -> np.ndarray:
    number, left, right, left_left, right_right, both = sums.T
    number = np.maximum(number, 1)
    spread = (left_left - left**2 / number) * (right_right - right**2 / number)
    together = both - left * right / number
    # Rounding leaves a constant side a little spread.
    there = spread > 1e-18 * np.maximum(left_left * right_right, 1e-300)
    return np.where(there, together / np.sqrt(np.where(there, spread, 1.0)), 0.0)
