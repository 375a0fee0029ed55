"""Cross-entropy with class weights and label smoothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from headway.models.losses.class_weights import balanced_or_given, check_weights
from headway.models.ranges import check_number


class CrossEntropy(nn.Module):
    """Negative log-likelihood of the right class, computed in float32.

    Args:
        class_weights: "auto" (balanced), one number a class, or None.
        label_smoothing: Share of the target's mass spread evenly over all classes, in [0, 1).
        class_counts: Rows (or labelled tokens) of each class in train; "auto" needs them.

    Source: label smoothing is Szegedy et al. 2016, section 7.
    """

    roles: ClassVar[frozenset[str]] = frozenset({"label", "tags"})
    weights: Tensor | None

    def __init__(
        self,
        class_weights: str | Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        *,
        class_counts: Sequence[int] | None = None,
    ) -> None:
        checked = check_weights("task.loss.class_weights", class_weights)
        smoothing = check_number(
            "task.loss.label_smoothing",
            label_smoothing,
            low=0,
            high=1,
            open_high=True,
            advice="set 0 for none",
        )
        super().__init__()
        self.label_smoothing = smoothing
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
        return cross_entropy(
            logits.float(),
            targets,
            weight=self.weights,
            reduction="none",
            label_smoothing=self.label_smoothing,
        )
