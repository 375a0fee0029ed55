"""A head that sees one vector a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

from headway.models.ranges import check_number

if TYPE_CHECKING:
    from headway.models.encoder import Encoder
    from headway.types import Batch


class TokenHead(nn.Module):
    """Makes logits of every token's state by dropout and a linear layer, as BertForTokenClassification does.

    Args:
        dropout: Share of the states dropped in training, in [0, 1).
        hidden_size: Of the states.
        num_labels: Logits a token.
        initializer_range: Standard deviation of the fresh weights.
    """

    token_level: ClassVar[bool] = True
    uses_pooler: ClassVar[bool] = False

    def __init__(
        self, dropout: float = 0.1, *, hidden_size: int, num_labels: int, initializer_range: float = 0.02
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

    def forward(self, states: Tensor, batch: Batch, encoder: Encoder) -> Tensor:
        """Return logits of tokens.

        Args:
            states: (num_tokens, hidden_size) float.
            batch: That the states are of; all heads take it.
            encoder: That the states are from; all heads take it.

        Returns:
            (num_tokens, num_labels) float.
        """
        logits: Tensor = self.classifier(self.dropout(states))
        return logits

    def padded(self, states: Tensor, attention_mask: Tensor, encoder: Encoder) -> Tensor:
        """Return the logits that `forward` gives, of windows that are padded to one length.

        Args:
            states: (num_windows, length, hidden_size) float.
            attention_mask: (num_windows, length) int64; all heads take it.
            encoder: That the states are from; all heads take it.

        Returns:
            (num_windows, length, num_labels) float.
        """
        logits: Tensor = self.classifier(states)
        return logits
