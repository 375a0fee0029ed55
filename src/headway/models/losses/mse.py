"""Squared error."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn


class MeanSquaredError(nn.Module):
    """Squared difference of score and target, computed in float32."""

    roles: ClassVar[frozenset[str]] = frozenset({"score"})

    def __init__(self) -> None:  # nn.Module's own takes any argument, and a typo in yaml with it
        super().__init__()

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return each item's loss.

        Args:
            logits: (num_items, 1) float.
            targets: (num_items,) float.

        Returns:
            (num_items,) float32.

        Raises:
            ValueError: More than one logit an item, which would broadcast silently.
        """
        if logits.shape != (len(targets), 1):
            raise ValueError(f"logits must be ({len(targets)}, 1), got {tuple(logits.shape)}")
        return (logits.squeeze(-1).float() - targets.float()).square()
