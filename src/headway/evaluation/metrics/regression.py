"""A score a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from headway.evaluation.metrics.metrics import Direction, Metrics
from headway.evaluation.metrics.ranking import average_ranks
from headway.evaluation.statistics import score_metrics
from headway.evaluation.statistics.document_metric import DocumentMetric
from headway.types import Gold, Prediction


class Regression(Metrics):
    """Pearson's and Spearman's correlation, root mean squared and mean absolute error.

    A correlation is 0 where gold or prediction is constant: it isn't defined there, and a NaN would stop the
    choice of a checkpoint. A document that no window held gets the mean of the other predictions, which is
    what one would say without having read it.
    """

    roles: ClassVar[frozenset[str]] = frozenset({"score"})
    names: ClassVar[Mapping[str, Direction]] = {
        "pearson": "max",
        "spearman": "max",
        "rmse": "min",
        "mae": "min",
    }

    def __call__(
        self,
        prediction: Prediction,
        gold: Gold,
        label_names: Sequence[str],
    ) -> dict[str, float]:
        """Return pearson, spearman, rmse and mae; see the class."""
        predicted = _filled(prediction.values)
        errors = predicted - gold.values
        return {
            "pearson": _pearson(predicted, gold.values),
            "spearman": _pearson(average_ranks(predicted), average_ranks(gold.values)),
            "rmse": float(np.sqrt(np.mean(errors**2))),
            "mae": float(np.mean(np.abs(errors))),
        }

    def by_document(
        self, name: str, prediction: Prediction, gold: Gold, label_names: Sequence[str]
    ) -> DocumentMetric | None:
        """Return a metric as a function of how often each document counts; see Metrics."""
        predicted, actual = _filled(prediction.values), gold.values
        if name in ("rmse", "mae"):
            return score_metrics.errors(predicted, actual, squared=name == "rmse")
        known = {"pearson": score_metrics.pearson, "spearman": score_metrics.spearman}
        return known[name](predicted, actual) if name in known else None


def _filled(values: np.ndarray) -> np.ndarray:
    """Return scores with the mean of the others where no window held the document."""
    seen = ~np.isnan(values)
    return np.where(seen, values, values[seen].mean() if seen.any() else 0.0)


def _pearson(left: np.ndarray, right: np.ndarray) -> float:
    # Asked of the values themselves: rounding of the mean would leave a constant a little spread.
    if np.ptp(left) == 0 or np.ptp(right) == 0:
        return 0.0
    left, right = left - left.mean(), right - right.mean()
    return float((left / np.linalg.norm(left)) @ (right / np.linalg.norm(right)))
