"""One label a word, as for parts of speech."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from headway.evaluation.metrics.counts import count_classes
from headway.evaluation.metrics.metrics import Direction, Metrics
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
