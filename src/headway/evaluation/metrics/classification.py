"""One label a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from headway.evaluation.metrics.counts import Counts, count_classes
from headway.evaluation.metrics.metrics import Direction, Metrics
from headway.evaluation.metrics.ranking import auroc
from headway.evaluation.statistics import score_metrics
from headway.evaluation.statistics.document_metric import DocumentCounts, DocumentMetric, mean
from headway.types import Gold, Prediction


class Classification(Metrics):
    """Accuracy, F1, Matthews correlation and AUROC, equal to scikit-learn's.

    f1/<class> is given for classes that occur in gold or prediction, and f1_macro is their plain mean.
    f1_micro is the accuracy where every document was seen. auroc is the macro mean of one against the rest
    over the classes that some documents have and others don't (for two classes: of the second); it is left
    out where there is no such class. A document that no window held loses every comparison.
    """

    roles: ClassVar[frozenset[str]] = frozenset({"label"})
    names: ClassVar[Mapping[str, Direction]] = {
        "accuracy": "max",
        "f1_macro": "max",
        "f1_micro": "max",
        "f1_weighted": "max",
        "mcc": "max",
        "auroc": "max",
    }

    def __call__(self, prediction: Prediction, gold: Gold, label_names: Sequence[str]) -> dict[str, float]:
        """Return accuracy, f1_macro, f1_micro, f1_weighted, mcc, auroc and f1/<class>; see the class."""
        counts = count_classes(prediction.values, gold.values, num_classes=len(label_names))
        f1 = counts.f1
        metrics = {
            "accuracy": float(np.mean(prediction.values == gold.values)),
            "f1_macro": float(f1[counts.occurring].mean()),
            "f1_micro": float(counts.total().f1[0]),
            "f1_weighted": float(np.average(f1, weights=counts.actual)),
            "mcc": _matthews(counts, num_rows=len(gold.values)),
        }
        area = _macro_auroc(prediction, gold)
        if area is not None:
            metrics["auroc"] = area
        return metrics | {
            f"f1/{label_names[each]}": float(f1[each]) for each in np.flatnonzero(counts.occurring).tolist()
        }

    def by_document(
        self, name: str, prediction: Prediction, gold: Gold, label_names: Sequence[str]
    ) -> DocumentMetric | None:
        """Return a metric as a function of how often each document counts; see Metrics."""
        predicted, actual = prediction.values, gold.values
        if name == "accuracy":
            return mean((predicted == actual).astype(np.float64))
        if name == "auroc" and prediction.probabilities is not None:
            return score_metrics.auroc(prediction.probabilities, actual, answered=predicted >= 0)
        counts = DocumentCounts.of_rows(
            predicted, actual, documents=np.arange(len(actual)), shape=(len(actual), len(label_names))
        )
        if name == "f1_macro":
            return counts.macro(occurring=True)
        if name.startswith("f1/") and name.removeprefix("f1/") in label_names:
            return counts.of_class(list(label_names).index(name.removeprefix("f1/")))
        known = {"f1_micro": counts.micro, "f1_weighted": counts.weighted, "mcc": counts.matthews}
        return known[name]() if name in known else None


def _matthews(counts: Counts, *, num_rows: int) -> float:
    """Return the correlation of prediction and gold over many classes; 0 where either is constant.

    Source: Gorodkin 2004, equation 8. No answer is a class of its own, as it would be to scikit-learn.
    """
    unanswered = num_rows - counts.predicted.sum()
    predicted = np.append(counts.predicted, unanswered).astype(np.float64)
    actual = np.append(counts.actual, 0).astype(np.float64)
    rows = float(num_rows)
    covariance = counts.hits.sum() * rows - predicted @ actual
    spread = (rows**2 - predicted @ predicted) * (rows**2 - actual @ actual)
    return float(covariance / np.sqrt(spread)) if spread > 0 else 0.0


def _macro_auroc(prediction: Prediction, gold: Gold) -> float | None:
    probabilities = prediction.probabilities
    if probabilities is None:
        raise ValueError("auroc needs the probabilities of the labels; decode with argmax")
    seen = prediction.values >= 0
    num_classes = probabilities.shape[1]
    areas = []
    for label in [1] if num_classes == 2 else range(num_classes):
        positive = gold.values == label
        if positive.any() and not positive.all():
            worst = np.where(positive, -np.inf, np.inf)
            areas.append(auroc(np.where(seen, probabilities[:, label], worst), positive))
    return float(np.mean(areas)) if areas else None
