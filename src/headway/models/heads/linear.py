"""What both heads are: dropout and one linear layer over features."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headway.models.ranges import check_number


class LinearHead(nn.Module):
    """Makes logits of features by dropout and a linear layer, in float32 whatever the encoder's precision.

    It costs next to nothing beside the encoder, and logits that are compared over thousands of labels keep
    more than bfloat16's three digits.

    Args:
        dropout: Share of the features dropped in training, in [0, 1).
        hidden_size: Of the features.
        num_labels: Logits an item.
        initializer_range: Standard deviation of the fresh weights.

    Raises:
        ConfigError: task.head.dropout is outside its range.
    """

    def __init__(
        self, dropout: float, *, hidden_size: int, num_labels: int, initializer_range: float
    ) -> None:
        rate = check_number(
            "task.head.dropout",
            dropout,
            low=0,
            high=1,
            open_high=True,
            advice="set the share to drop, 0 for none",
        )
        super().__init__()
        self.dropout = nn.Dropout(rate)
        self.classifier = nn.Linear(hidden_size, num_labels)
        nn.init.normal_(self.classifier.weight, std=initializer_range)
        nn.init.zeros_(self.classifier.bias)

    def classify(self, features: Tensor) -> Tensor:
        """Return logits.

        Args:
            features: (num_items, hidden_size) float.

        Returns:
            (num_items, num_labels) float32.
        """
        with torch.autocast(features.device.type, enabled=False):
            logits: Tensor = self.classifier(self.dropout(features.float()))
            return logits
