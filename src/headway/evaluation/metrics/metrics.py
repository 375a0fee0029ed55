"""What every set of metrics offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from headway.evaluation.statistics.document_metric import DocumentMetric
from headway.types import Gold, Prediction

Direction = Literal["max", "min"]


class Metrics(ABC):
    """Score the prediction of a whole split at once; a document or word that no window held counts as missed.

    Attributes:
        names: What a checkpoint or early stopping may watch, and whether more or less of it is better. These
            are known before data are loaded; values a label (f1/<label>) come on top of them.
    """

    names: ClassVar[Mapping[str, Direction]]

    @abstractmethod
    def __call__(self, prediction: Prediction, gold: Gold, label_names: Sequence[str]) -> dict[str, float]:
        """Return the values by name.

        Args:
            prediction: What decoding made of the split.
            gold: The right answers, in the same shapes.
            label_names: The labels by number; empty for scores.
        """

    def title(self, name: str) -> str:
        """Return what a report calls the metric `name`."""
        return name

    def by_document(
        self, name: str, prediction: Prediction, gold: Gold, label_names: Sequence[str]
    ) -> DocumentMetric | None:
        """Return a metric as a function of how often each document counts, for resampling.

        Args:
            name: Of the metric.
            prediction: What decoding made of the split.
            gold: The right answers.
            label_names: The labels by number; empty for scores.

        Returns:
            None where the metric can't be resampled: reports then know its seeds alone.
        """
        return None
