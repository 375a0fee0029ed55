"""A head that sees one vector a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from headway.models.heads.linear import LinearHead
from headway.models.length_groups import group_lengths, join_groups, split_groups
from headway.models.ranges import check_one_of

if TYPE_CHECKING:
    from headway.models.encoder import Encoder
    from headway.types import Batch

POOLINGS = ("cls", "mean", "max", "pooler")
FIRST = ("cls", "pooler")
"""Those that read the first token's state alone."""


class ClsHead(LinearHead):
    """Pools each window's states into one vector; dropout and a linear layer make logits of it.

    With pooling "pooler" this is transformers' BertForSequenceClassification.

    Args:
        pooling: "cls": the first token's state; "mean" or "max": over all tokens of the window, special ones
            included; "pooler": the model's own dense layer and activation on the first token's state.
        dropout: Share of the pooled vector dropped in training, in [0, 1).
        hidden_size: Of the states.
        num_labels: Logits a window.
        initializer_range: Standard deviation of the fresh weights.
    """

    token_level: ClassVar[bool] = False

    def __init__(
        self,
        pooling: str = "cls",
        dropout: float = 0.1,
        *,
        hidden_size: int,
        num_labels: int,
        initializer_range: float = 0.02,
    ) -> None:
        check_one_of("task.head.pooling", pooling, POOLINGS)
        super().__init__(
            dropout, hidden_size=hidden_size, num_labels=num_labels, initializer_range=initializer_range
        )
        self.pooling = pooling
        self.uses_pooler = pooling == "pooler"

    def forward(self, states: Tensor, batch: Batch, encoder: Encoder) -> Tensor:
        """Return logits of windows.

        Args:
            states: (num_tokens, hidden_size) float.
            batch: That the states are of.
            encoder: Whose pooler is used, if one is.

        Returns:
            (num_windows, num_labels) float32.
        """
        return self.classify(self.pool(states, batch, encoder))

    def pool(self, states: Tensor, batch: Batch, encoder: Encoder) -> Tensor:
        """Return one vector a window; nothing in it is trained where the encoder is frozen.

        Args:
            states: (num_tokens, hidden_size) float.
            batch: That the states are of.
            encoder: Whose pooler is used, if one is.

        Returns:
            (num_windows, hidden_size) float.
        """
        if self.pooling in ("mean", "max"):
            blocks = split_groups(states, group_lengths(batch.lengths))  # each (count, length, hidden_size)
            reduce = torch.mean if self.pooling == "mean" else torch.amax
            return join_groups([reduce(block, dim=1) for block in blocks])
        return self.pool_first(states.index_select(0, batch.cu_seq_lens[:-1]), encoder)

    @property
    def reads_first(self) -> bool:
        """Whether the first token's state is all that pooling reads."""
        return self.pooling in FIRST

    def pool_first(self, first: Tensor, encoder: Encoder) -> Tensor:
        """Return one vector a window, where pooling reads the first token's state alone.

        Args:
            first: (num_windows, hidden_size) float, the states of the windows' first tokens.
            encoder: Whose pooler is used, if one is.

        Returns:
            (num_windows, hidden_size) float.
        """
        return encoder.pool(first) if self.uses_pooler else first

    def padded(self, states: Tensor, attention_mask: Tensor, encoder: Encoder) -> Tensor:
        """Return the logits that `forward` gives, of windows that are padded to one length.

        Exports compute this way: it has no loop over lengths, so a graph can be traced through it.

        Args:
            states: (num_windows, length, hidden_size) float.
            attention_mask: (num_windows, length) int64, 1 where there is a token.
            encoder: Whose pooler is used, if one is.

        Returns:
            (num_windows, num_labels) float.
        """
        held = attention_mask.unsqueeze(-1).to(states.dtype)  # (num_windows, length, 1)
        if self.pooling == "mean":
            pooled = (states * held).sum(1) / held.sum(1)
        elif self.pooling == "max":
            pooled = (states + (1.0 - held) * torch.finfo(states.dtype).min).amax(1)
        else:
            pooled = self.pool_first(states[:, 0], encoder)
        logits: Tensor = self.classifier(pooled)
        return logits
