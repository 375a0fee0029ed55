"""The mean of the windows' logits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headway.evaluation.aggregation.aggregation import Aggregation
from headway.evaluation.document import Segments


@dataclass(frozen=True)
class MeanLogits(Aggregation):
    """Average the logits: a geometric mean of the windows' probabilities, and for scores their plain mean."""

    def reduce(self, together: Segments) -> np.ndarray:
        """Return the mean row of each segment, (num_segments, num_labels) float64."""
        return together.mean(together.logits)
