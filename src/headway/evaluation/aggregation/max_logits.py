"""The largest logit of any window, for each label by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headway.evaluation.aggregation.aggregation import Aggregation
from headway.evaluation.document import Segments


@dataclass(frozen=True)
class MaxLogits(Aggregation):
    """Take each label's largest logit: one window that is sure decides, as for topics named in passing."""

    def reduce(self, together: Segments) -> np.ndarray:
        """Return the largest value a label of each segment, (num_segments, num_labels) float32."""
        return np.maximum.reduceat(together.logits, together.starts, axis=0)
