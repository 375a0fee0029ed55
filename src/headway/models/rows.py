"""From a batch's logits to the rows that evaluation sees; Lightning isn't needed for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headway.types import IGNORE_INDEX, Batch, WindowLogits


def window_logits(logits: Tensor, batch: Batch, *, token_level: bool) -> WindowLogits:
    """Return the rows that evaluation sees: whole windows, or the first piece of every word.

    Args:
        logits: (num_windows, num_labels), or (num_tokens, num_labels) where tokens are labelled.
        batch: What the logits were computed from.
        token_level: Whether they are tokens'.

    Returns:
        Rows on the host, in float32. A window of weight 0 is padding and gives none.

    Raises:
        ValueError: Logits are tokens' and the batch has no words.
    """
    documents, windows, kept = batch.documents.cpu(), batch.windows.cpu(), batch.weights.cpu() > 0
    if not token_level:
        values = logits.detach().float().cpu()
        return WindowLogits(values[kept].numpy(), documents[kept].numpy(), windows[kept].numpy())
    if batch.words is None:
        raise ValueError("a token head needs batch.words")
    words = batch.words.cpu()
    lengths = torch.tensor(batch.lengths)
    window = torch.repeat_interleave(torch.arange(len(lengths)), lengths)  # (num_tokens,)
    first = ((words >= 0) & kept).nonzero().squeeze(1)  # (num_rows,)
    position = torch.arange(len(words)) - batch.cu_seq_lens.cpu()[:-1][window]
    edge = torch.minimum(position, lengths[window] - 1 - position)
    return WindowLogits(
        logits.detach()[first.to(logits.device)].float().cpu().numpy(),  # only these leave the device
        documents[window][first].numpy(),
        windows[window][first].numpy(),
        words[first].numpy(),
        edge[first].numpy(),
    )


def token_items(
    logits: Tensor, labels: Tensor, weights: Tensor, *rest: Tensor, keep_all: bool
) -> tuple[Tensor, ...]:
    """Return logits, labels and weights of the tokens that count in the loss.

    Args:
        logits: (num_tokens, num_labels) float.
        labels: (num_tokens,) int64 with IGNORE_INDEX.
        weights: (num_tokens,) float32.
        rest: (num_tokens, ...) each, what else the loss takes.
        keep_all: Whether tokens without a label stay, as ones of label 0 and weight 0.

    Returns:
        The same for (num_items,) tokens.
    """
    labelled = labels != IGNORE_INDEX
    if keep_all:
        return logits, labels.where(labelled, 0), weights * labelled, *rest
    return tuple(each[labelled] for each in (logits, labels, weights, *rest))


def concatenate(rows: Sequence[WindowLogits]) -> WindowLogits:
    """Return the rows of several batches as one.

    Args:
        rows: At least one; all of whole windows, or all of words.
    """
    joined: dict[str, Any] = {
        name: None if value is None else np.concatenate([getattr(row, name) for row in rows])
        for name, value in vars(rows[0]).items()
    }
    return WindowLogits(**joined)


def gather_rows(rows: WindowLogits) -> WindowLogits:
    """Return the rows of all processes; the evaluators put them in order by document and window.

    Args:
        rows: Of this process.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return rows
    parts: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(parts, rows)
    return concatenate(parts)
