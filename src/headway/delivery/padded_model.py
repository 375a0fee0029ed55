"""Encoder and head as one module of padded rows: what is traced, and what exports are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from headway.delivery.padded_engine import INPUTS
from headway.types import HeadwayError

if TYPE_CHECKING:
    from headway.models.encoder import Encoder


class PaddedModel(nn.Module):
    """Takes (batch, length) inputs in the order of `inputs`, in eval mode from the start.

    A module made anew is in training mode, and tracing one turns dropout on in what it wraps.

    Args:
        encoder: In the padded layout.
        head: Has a method `padded`.

    Attributes:
        inputs: Names of the inputs that the encoder declares, of INPUTS.

    Raises:
        HeadwayError: The head has no such method.
    """

    def __init__(self, encoder: Encoder, head: nn.Module) -> None:
        super().__init__()
        if not hasattr(head, "padded"):
            raise HeadwayError(
                f"`task.head` must have a method padded(states, attention_mask, encoder) to be exported, got "
                f"{type(head).__name__} without one; see headway.models.heads.cls.ClsHead.padded"
            )
        self.inputs = tuple(name for name in INPUTS if name in encoder.inputs)
        self.encoder = encoder
        self.head = head
        self.eval()

    def forward(self, *tensors: Tensor) -> Tensor:
        """Return logits, (batch, num_labels) or (batch, length, num_labels).

        Args:
            *tensors: Each (batch, length) int64, in the order of `inputs`.
        """
        given = dict(zip(self.inputs, tensors, strict=True))
        states = self.encoder.model(**given).last_hidden_state
        logits: Tensor = self.head.padded(states, given["attention_mask"], self.encoder)  # type: ignore[operator]
        return logits


def probe(model: PaddedModel, *, seed: int = 0) -> dict[str, Tensor]:
    """Return inputs on which two models that compute differently differ: random tokens, ragged rows.

    Args:
        model: Says which inputs and how many tokens.
        seed: Of the tokens.

    Returns:
        Name -> (3, length) int64.
    """
    import torch

    encoder = model.encoder
    length = min(17, encoder.max_positions)
    vocabulary = int(encoder.model.config.vocab_size)
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, vocabulary, (3, length), generator=generator)
    pad_id = encoder.model.config.pad_token_id or 0
    mask = torch.arange(length) < torch.tensor([[length], [max(2, length // 2)], [max(2, length // 3)]])
    # RoBERTa-like models find positions by comparing with the padding's id.
    ids = torch.where(ids == pad_id, (pad_id + 1) % vocabulary, ids)
    inputs = {
        "input_ids": torch.where(mask, ids, pad_id),
        "attention_mask": mask.long(),
        "token_type_ids": torch.zeros_like(ids),
    }
    return {name: inputs[name] for name in model.inputs}
