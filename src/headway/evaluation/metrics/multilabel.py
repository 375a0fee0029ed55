"""Any number of labels a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from headway.evaluation.metrics.counts import Counts
from headway.evaluation.metrics.metrics import Direction, Metrics
from headway.evaluation.statistics.document_metric import DocumentCounts, DocumentMetric, mean
from headway.types import Gold, Prediction


class Multilabel(Metrics):
    """F1 and subset accuracy, equal to scikit-learn's with zero_division=0.

    f1_macro is the mean over all labels, those that occur nowhere included (as 0): leaving them out would
    make a split without a hard label look better. subset_accuracy is the share of documents with every label
    right.
    """

    roles: ClassVar[frozenset[str]] = frozenset({"labels"})
    names: ClassVar[Mapping[str, Direction]] = {
        "f1_micro": "max",
        "f1_macro": "max",
        "subset_accuracy": "max",
    }

    def __call__(self, prediction: Prediction, gold: Gold, label_names: Sequence[str]) -> dict[str, float]:
        """Return f1_micro, f1_macro, subset_accuracy and f1/<label>; see the class."""
        predicted, actual = prediction.values == 1, gold.values == 1  # (num_documents, num_labels) bool
        counts = Counts(
            hits=(predicted & actual).sum(axis=0), predicted=predicted.sum(axis=0), actual=actual.sum(axis=0)
        )
        return {
            "f1_micro": float(counts.total().f1[0]),
            "f1_macro": float(counts.f1.mean()),
            "subset_accuracy": float(np.mean(np.all(prediction.values == gold.values, axis=1))),
        } | {f"f1/{name}": float(value) for name, value in zip(label_names, counts.f1, strict=True)}

    def by_document(
        self, name: str, prediction: Prediction, gold: Gold, label_names: Sequence[str]
    ) -> DocumentMetric | None:
        """Return a metric as a function of how often each document counts; see Metrics."""
        if name == "subset_accuracy":
            return mean(np.all(prediction.values == gold.values, axis=1).astype(np.float64))
        predicted, actual = prediction.values == 1, gold.values == 1
        counts = DocumentCounts(
            *(each.astype(np.float32) for each in (predicted & actual, predicted, actual))
        )
        if name == "f1_macro":
            return counts.macro(occurring=False)
        if name.startswith("f1/") and name.removeprefix("f1/") in label_names:
            return counts.of_class(list(label_names).index(name.removeprefix("f1/")))
        return counts.micro() if name == "f1_micro" else None
