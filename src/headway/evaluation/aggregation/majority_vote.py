"""One vote a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headway.evaluation.activations import activation_named
from headway.evaluation.aggregation.aggregation import Aggregation
from headway.evaluation.document import Segments
from headway.types import UnfitError


@dataclass(frozen=True)
class MajorityVote(Aggregation):
    """Let each window vote for its own answer; equal votes are decided by the sum of the probabilities.

    Of n windows the probability is (votes + mean probability) / (n + 1). The mean is like one more vote, cut
    into fractions: it never turns a majority round, it decides ties, and the probabilities still sum to 1
    (softmax) and pass 0.5 exactly when the vote is won (sigmoid).

    Args:
        activation: softmax (a vote for the best label) or sigmoid (a vote for or against each label). Not in
            the yaml; it is the decoding's.

    Raises:
        ConfigError: There is no such activation.
        UnfitError: There is nothing to vote on (identity).
    """

    activation: str

    def __post_init__(self) -> None:
        if activation_named(self.activation).votes is None:
            raise UnfitError(
                "`task.aggregation` must be one for scores, got majority_vote, which needs labels; "
                "choose task/aggregation=mean_logits or max_logits"
            )

    def reduce(self, together: Segments) -> np.ndarray:
        """Return logits of each segment's share of votes, (num_segments, num_labels) float64."""
        activation = activation_named(self.activation)
        if activation.votes is None:  # __post_init__ refused it
            raise TypeError(self.activation)
        votes = together.sum(activation.votes(together.logits))
        fraction = together.mean(activation.probabilities(together.logits))
        return activation.logits((votes + fraction) / (together.counts[:, None] + 1))
