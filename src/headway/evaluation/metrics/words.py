"""One label a word, as for parts of speech."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from headway.evaluation.metrics.counts import count_classes
from headway.evaluation.metrics.metrics import Direction, Metrics
from headway.evaluation.statistics.document_metric import DocumentCounts, DocumentMetric, quotient
from headway.types import Gold, Prediction


class Words(Metrics):
    """Accuracy and F1 over the words of all documents, equal to scikit-learn's.

    f1/<label> is given for labels that occur in gold or prediction, and f1_macro is their plain mean.
    """

    roles: ClassVar[frozenset[str]] = frozenset({"tags"})
    names: ClassVar[Mapping[str, Direction]] = {"accuracy": "max", "f1_macro": "max"}

    def __call__(self, prediction: Prediction, gold: Gold, label_names: Sequence[str]) -> dict[str, float]:
        """Return accuracy, f1_macro and f1/<label>; see the class."""
        counts = count_classes(prediction.values, gold.values, num_classes=len(label_names))
        return {
            "accuracy": float(np.mean(prediction.values == gold.values)),
            "f1_macro": float(counts.f1[counts.occurring].mean()),
        } | {
            f"f1/{label_names[each]}": float(counts.f1[each])
            for each in np.flatnonzero(counts.occurring).tolist()
        }

    def by_document(
        self, name: str, prediction: Prediction, gold: Gold, label_names: Sequence[str]
    ) -> DocumentMetric | None:
        """Return a metric as a function of how often each document counts; see Metrics."""
        if gold.word_offsets is None:
            raise ValueError("words need word_offsets: gold must be tags, not labels of whole documents")
        lengths = np.diff(gold.word_offsets)
        documents = np.repeat(np.arange(len(lengths)), lengths)
        if name == "accuracy":
            right = (prediction.values == gold.values).astype(np.float64)
            return quotient(np.bincount(documents, right, minlength=len(lengths)), lengths.astype(np.float64))
        counts = DocumentCounts.of_rows(
            prediction.values, gold.values, documents=documents, shape=(len(lengths), len(label_names))
        )
        if name == "f1_macro":
            return counts.macro(occurring=True)
        if name.startswith("f1/") and name.removeprefix("f1/") in label_names:
            return counts.of_class(list(label_names).index(name.removeprefix("f1/")))
        return None
