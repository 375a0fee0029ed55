"""Hits, predictions and gold answers a class: what precision, recall and F1 are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Counts:
    """Counts a class. A quotient without a denominator is 0 (scikit-learn's zero_division=0).

    Attributes:
        hits: (num_classes,) int64, answers that are right (true positives).
        predicted: (num_classes,) int64, answers given (true and false positives).
        actual: (num_classes,) int64, answers wanted (true positives and false negatives).
    """

    hits: np.ndarray
    predicted: np.ndarray
    actual: np.ndarray

    @property
    def occurring(self) -> np.ndarray:
        """(num_classes,) bool, whether the class is wanted or predicted anywhere."""
        occurring: np.ndarray = (self.predicted + self.actual) > 0
        return occurring

    @property
    def precision(self) -> np.ndarray:
        """(num_classes,) float64."""
        return _quotient(self.hits, self.predicted)

    @property
    def recall(self) -> np.ndarray:
        """(num_classes,) float64."""
        return _quotient(self.hits, self.actual)

    @property
    def f1(self) -> np.ndarray:
        """(num_classes,) float64."""
        return _quotient(2 * self.hits, self.predicted + self.actual)

    def total(self) -> Counts:
        """Return the counts of all classes as those of one, for micro averages."""
        return Counts(*(np.atleast_1d(each.sum()) for each in (self.hits, self.predicted, self.actual)))


def count_classes(predicted: np.ndarray, gold: np.ndarray, *, num_classes: int) -> Counts:
    """Count single-label answers.

    Args:
        predicted: (rows,) int64 class numbers; negative: no answer.
        gold: (rows,) int64 class numbers.
        num_classes: How many there are.

    Returns:
        The counts of each class.
    """
    return Counts(
        hits=np.bincount(gold[predicted == gold], minlength=num_classes),
        predicted=np.bincount(predicted[predicted >= 0], minlength=num_classes),
        actual=np.bincount(gold, minlength=num_classes),
    )


def _quotient(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    quotient: np.ndarray = part / np.maximum(whole, 1)
    return quotient
