"""Corpus metrics as functions of how often each document counts, so that resampling them is a product.

A bootstrap draws documents with replacement, which is the same as giving each document a whole number as its
weight. A metric made of sums over documents needs only the documents' terms of these sums; one made of ranks
needs their order. Neither needs texts or answers again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np


class DocumentMetric(Protocol):
    """A metric of a whole split, given the weight of each document."""

    @property
    def num_documents(self) -> int:
        """Documents of the split."""

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """Return the metric for each row of weights.

        Args:
            weights: (num_resamples, num_documents) float32, how often each document counts.

        Returns:
            (num_resamples,) float64.
        """


@dataclass(frozen=True)
class Sums:
    """A metric that is a function of sums over documents.

    Attributes:
        rows: (num_documents, num_sums), each document's terms.
        value: (num_resamples, num_sums) float64 -> (num_resamples,).
    """

    rows: np.ndarray
    value: Callable[[np.ndarray], np.ndarray]

    @property
    def num_documents(self) -> int:
        """Documents of the split."""
        return len(self.rows)

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """Return the metric for each row of weights; see DocumentMetric."""
        return np.asarray(self.value((weights @ self.rows).astype(np.float64)))


def on_all(metric: DocumentMetric) -> float:
    """Return a metric of the split as it is."""
    return float(metric(np.ones((1, metric.num_documents), dtype=np.float32))[0])


def quotient(part: np.ndarray, whole: np.ndarray) -> DocumentMetric:
    """Return the metric that divides one sum by another, 0 where that is 0.

    Args:
        part: (num_documents,) terms above the line.
        whole: (num_documents,) terms below it.
    """
    return Sums(np.stack([part, whole], axis=1), lambda sums: _divided(sums[:, 0], sums[:, 1]))


def mean(values: np.ndarray) -> DocumentMetric:
    """Return the metric that is the mean of a value a document; documents without one (NaN) don't count.

    Args:
        values: (num_documents,) float.
    """
    known = ~np.isnan(values)
    return quotient(np.where(known, values, 0.0), known.astype(np.float64))


@dataclass(frozen=True)
class DocumentCounts:
    """What precision, recall and F1 are made of, by document.

    Attributes:
        hits: (num_documents, num_classes) float32, right answers.
        predicted: (num_documents, num_classes) float32, answers given.
        actual: (num_documents, num_classes) float32, answers wanted.
    """

    hits: np.ndarray
    predicted: np.ndarray
    actual: np.ndarray

    @classmethod
    def of_rows(
        cls, predicted: np.ndarray, gold: np.ndarray, *, documents: np.ndarray, shape: tuple[int, int]
    ) -> DocumentCounts:
        """Count single-label answers.

        Args:
            predicted: (rows,) int64 class numbers; negative: no answer.
            gold: (rows,) int64 class numbers.
            documents: (rows,) int64, each row's document.
            shape: Documents and classes.
        """

        def table(kept: np.ndarray, classes: np.ndarray) -> np.ndarray:
            """Count the kept rows by document and class."""
            cells = documents[kept] * shape[1] + classes[kept]
            return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float32)

        every = np.ones(len(gold), dtype=bool)
        return cls(table(predicted == gold, gold), table(predicted >= 0, predicted), table(every, gold))

    def micro(self) -> DocumentMetric:
        """Return the F1 of all classes' counts together."""
        return quotient(2 * self.hits.sum(axis=1), (self.predicted + self.actual).sum(axis=1))

    def macro(self, *, occurring: bool) -> DocumentMetric:
        """Return the plain mean of the classes' F1.

        Args:
            occurring: Whether only classes count that are wanted or predicted in the resample.
        """

        def value(sums: np.ndarray) -> np.ndarray:
            """Return the mean over classes."""
            hits, either = np.split(sums, 2, axis=1)
            f1 = _divided(2 * hits, either)
            there = either > 0
            number = np.maximum(there.sum(axis=1), 1) if occurring else np.full(len(f1), f1.shape[1])
            mean_f1: np.ndarray = f1.sum(axis=1) / number
            return mean_f1

        return Sums(np.concatenate([self.hits, self.predicted + self.actual], axis=1), value)

    def weighted(self) -> DocumentMetric:
        """Return the mean of the classes' F1, weighted by how often each is wanted."""

        def value(sums: np.ndarray) -> np.ndarray:
            """Return the weighted mean."""
            hits, either, actual = np.split(sums, 3, axis=1)
            return _divided((_divided(2 * hits, either) * actual).sum(axis=1), actual.sum(axis=1))

        return Sums(np.concatenate([self.hits, self.predicted + self.actual, self.actual], axis=1), value)

    def of_class(self, number: int) -> DocumentMetric:
        """Return the F1 of one class."""
        return quotient(2 * self.hits[:, number], (self.predicted + self.actual)[:, number])

    def precision(self) -> DocumentMetric:
        """Return the precision of all classes' counts together."""
        return quotient(self.hits.sum(axis=1), self.predicted.sum(axis=1))

    def recall(self) -> DocumentMetric:
        """Return the recall of all classes' counts together."""
        return quotient(self.hits.sum(axis=1), self.actual.sum(axis=1))

    def matthews(self) -> DocumentMetric:
        """Return Matthews' correlation over many classes, for one answer a document.

        Source: Gorodkin 2004, equation 8; no answer is a class of its own.
        """
        classes = self.actual.shape[1]
        unanswered = 1 - self.predicted.sum(axis=1, keepdims=True)
        rows = [self.hits.sum(axis=1, keepdims=True), self.predicted, unanswered, self.actual]

        def value(sums: np.ndarray) -> np.ndarray:
            """Return the correlation; 0 where either side is constant."""
            hits, predicted, actual = sums[:, 0], sums[:, 1 : classes + 2], sums[:, classes + 2 :]
            total = predicted.sum(axis=1)
            covariance = hits * total - (predicted[:, :classes] * actual).sum(axis=1)
            spread = (total**2 - (predicted**2).sum(axis=1)) * (total**2 - (actual**2).sum(axis=1))
            return np.where(spread > 0, covariance / np.sqrt(np.maximum(spread, 1e-12)), 0.0)

        return Sums(np.concatenate(rows, axis=1), value)


def _divided(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.divide(part, whole, out=np.zeros_like(part), where=whole != 0)
    return found
