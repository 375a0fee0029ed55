"""A head on an encoder: what the head doesn't read isn't computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from torch import Tensor, nn

from headway.models.heads.cls import ClsHead

if TYPE_CHECKING:
    from headway.models.encoder import Encoder
    from headway.types import Batch

POOLING = ("forward", "pool", "pool_first", "reads_first")
"""What a ClsHead does before anything that trains."""


def pools(head: nn.Module) -> bool:
    """Return whether a head makes one vector a window, as ClsHead does, before anything that trains.

    A class of the user's that pools otherwise may train in it, or by arguments that no key knows: it is
    given tokens' states.
    """
    if not isinstance(head, ClsHead):
        return False
    kind = type(head)
    return all(getattr(kind, name) is getattr(ClsHead, name) and name not in vars(head) for name in POOLING)


def pooled(head: ClsHead, encoder: Encoder, batch: Batch) -> Tensor:
    """Return the vectors that a head classifies.

    Args:
        head: One that `pools`.
        encoder: Any.
        batch: Windows end to end.

    Returns:
        (num_windows, hidden_size) float.
    """
    if head.reads_first:
        return head.pool_first(encoder(batch, first_only=True), encoder)
    return head.pool(encoder(batch), batch, encoder)


def head_logits(head: nn.Module, encoder: Encoder, batch: Batch) -> Tensor:
    """Return logits of a batch, or of its features where these are all that the encoder would give.

    Args:
        head: Gives logits of states.
        encoder: Gives the states.
        batch: Windows end to end.

    Returns:
        (num_windows, num_labels) or (num_tokens, num_labels) float.
    """
    logits: Tensor
    if batch.features is not None and encoder.frozen:
        if pools(head):
            return cast("ClsHead", head).classify(batch.features)
        logits = head(batch.features, batch, encoder)
    elif pools(head):
        head = cast("ClsHead", head)
        logits = head.classify(pooled(head, encoder, batch))
    else:
        logits = head(encoder(batch), batch, encoder)
    return logits
