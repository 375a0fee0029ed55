"""A head that sees one vector a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from headway.models.heads.linear import LinearHead

if TYPE_CHECKING:
    from headway.models.encoder import Encoder
    from headway.types import Batch


class TokenHead(LinearHead):
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
        super().__init__(
            dropout, hidden_size=hidden_size, num_labels=num_labels, initializer_range=initializer_range
        )

    def forward(self, states: Tensor, batch: Batch, encoder: Encoder) -> Tensor:
        """Return logits of tokens.

        Args:
            states: (num_tokens, hidden_size) float.
            batch: That the states are of; all heads take it.
            encoder: That the states are from; all heads take it.

        Returns:
            (num_tokens, num_labels) float32.
        """
        return self.classify(states)

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
