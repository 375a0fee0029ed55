"""Focal loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from headway.models.losses.class_weights import balanced_or_given, check_weights
from headway.models.ranges import check_number


class Focal(nn.Module):
    """Cross-entropy that counts well-classified items less.

    The loss is -a_c (1 - p_c)^gamma log p_c for the right class c.

    Args:
        gamma: How much less; 0 is cross-entropy, and the paper's choice is 2.
        class_weights: The a_c: "auto" (balanced), one number a class, or None.
        class_counts: Rows (or labelled tokens) of each class in train; "auto" needs them.

    Source: Lin et al. 2017, equation 5, over a softmax's classes.
    """

    roles: ClassVar[frozenset[str]] = frozenset({"label", "tags"})
    weights: Tensor | None

    def __init__(
        self,
        gamma: float = 2.0,
        class_weights: str | Sequence[float] | None = None,
        *,
        class_counts: Sequence[int] | None = None,
    ) -> None:
        checked = check_weights("task.loss.class_weights", class_weights)
        exponent = check_number("task.loss.gamma", gamma, low=0, advice="set 2, or 0 for cross-entropy")
        super().__init__()
        self.gamma = exponent
        # Not in checkpoints: weights follow from the config and the data.
        self.register_buffer("weights", balanced_or_given(checked, class_counts), persistent=False)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return each item's loss.

        Args:
            logits: (num_items, num_labels) float.
            targets: (num_items,) int64, none of them ignored.

        Returns:
            (num_items,) float32.
        """
        log_probability = logits.float().log_softmax(-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        # 1 - p through expm1 keeps its digits near p = 1; the floor keeps the gradient of x^gamma finite at x
        # = 0, where gamma below 1 gives inf * 0.
        rest = (-torch.expm1(log_probability)).clamp_min(torch.finfo(torch.float32).tiny)
        losses = -rest.pow(self.gamma) * log_probability
        return losses if self.weights is None else losses * self.weights[targets]
