"""The mean of the windows' probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headway.evaluation.activations import activation_named
from headway.evaluation.aggregation.aggregation import Aggregation
from headway.evaluation.document import Segments


@dataclass(frozen=True)
class MeanProbabilities(Aggregation):
    """Average the probabilities, and hand on logits whose activation is that mean.

    Args:
        activation: What the logits mean: softmax, sigmoid or identity. Not in the yaml; it is the decoding's.

    Raises:
        ConfigError: There is no such activation.
    """

    activation: str

    def __post_init__(self) -> None:
        activation_named(self.activation)

    def reduce(self, together: Segments) -> np.ndarray:
        """Return logits of each segment's mean probabilities, (num_segments, num_labels) float64."""
        activation = activation_named(self.activation)
        return activation.logits(together.mean(activation.probabilities(together.logits)))
