"""Binary cross-entropy over labels that may stand together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from headway.models.losses.class_weights import check_weights, counted


class BinaryCrossEntropy(nn.Module):
    """Mean over the labels of each label's own cross-entropy, computed in float32.

    Args:
        positive_weights: What a label's presence weighs against its absence: "auto" (negatives / positives in
            train; 1 for a label that all rows or none have), one number a label, or None.
        class_counts: (rows that have each label, rows) in train; "auto" needs them.
    """

    roles: ClassVar[frozenset[str]] = frozenset({"labels"})
    weights: Tensor | None

    def __init__(
        self,
        positive_weights: str | Sequence[float] | None = None,
        *,
        class_counts: tuple[Sequence[int], int] | None = None,
    ) -> None:
        checked = check_weights("task.loss.positive_weights", positive_weights)
        super().__init__()
        weights = None
        if checked is not None:
            counts = class_counts[0] if class_counts else None
            positives = counted(checked, counts, key="task.loss.positive_weights")
            weights = checked if not isinstance(checked, str) else _balance(positives, class_counts)
        # Not in checkpoints: weights follow from the config and the data.
        self.register_buffer("weights", None if weights is None else torch.tensor(weights), persistent=False)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return each item's loss.

        Args:
            logits: (num_items, num_labels) float.
            targets: (num_items, num_labels) of 0 and 1.

        Returns:
            (num_items,) float32.
        """
        losses = binary_cross_entropy_with_logits(
            logits.float(), targets.float(), pos_weight=self.weights, reduction="none"
        )
        return losses.mean(-1)


def _balance(positives: Sequence[int], class_counts: tuple[Sequence[int], int] | None) -> tuple[float, ...]:
    rows = class_counts[1] if class_counts else 0
    return tuple((rows - count) / count if 0 < count < rows else 1.0 for count in positives)
