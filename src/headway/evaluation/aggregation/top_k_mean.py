"""The mean of the largest logits, for each label by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headway.evaluation.aggregation.aggregation import Aggregation
from headway.evaluation.document import Segments
from headway.types import ConfigError


@dataclass(frozen=True)
class TopKMean(Aggregation):
    """Average each label's k largest logits: between the largest alone and the mean of all windows.

    A topic that fills a few windows of a long document isn't thinned by the others, and one window alone
    doesn't decide either. Of fewer than k windows all count.

    Args:
        k: How many logits of each label are averaged, at least 1. 1 is max_logits.

    Raises:
        ConfigError: k is below 1.
    """

    k: int

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ConfigError(
                f"`task.aggregation.k` must be at least 1, got {self.k}; use 1 for the largest logit alone"
            )

    def reduce(self, together: Segments) -> np.ndarray:
        """Return each segment's mean of the largest values a label, (num_segments, num_labels) float64."""
        counts = together.counts
        means = np.empty((len(counts), together.logits.shape[1]))
        # All segments of one length at once: lengths are few, however many segments there are.
        for length in np.unique(counts).tolist():
            of_length = np.flatnonzero(counts == length)
            rows = together.starts[of_length, None] + np.arange(length)  # (segments of that length, length)
            values = np.sort(together.logits[rows], axis=1)  # (segments of that length, length, num_labels)
            means[of_length] = values[:, -self.k :].mean(axis=1, dtype=np.float64)
        return means
