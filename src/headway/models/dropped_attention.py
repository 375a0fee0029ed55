"""Attention with dropout on a CPU, forward and backward by hand: fewer passes over the widest tensors.

Autograd would keep the weights, the random mask, and the weights after dropout, and would walk over the
(length, length) gradient three times. Two of these tensors are enough, since the sum that softmax's gradient
needs is that of gradient times output, a value a token (Dao et al. 2022, appendix B.4).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from headway.models.fast_dropout import LEVELS, draw_mask

SHORT = 256
"""Tokens up to which attention without dropout is faster by hand, in bfloat16 on a CPU."""


class DroppedAttention(torch.autograd.Function):
    """softmax(query @ key^T) with dropout, times value; all float32.

    Source: Vaswani et al. 2017, equation 1; the gradient as Dao et al. 2022, algorithm 4.
    """

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, rate: float
    ) -> Tensor:
        """Return (count, num_heads, length, head_size) float32.

        Args:
            ctx: Keeps what the gradient needs.
            query: (count, num_heads, length, head_size) float32, scaled already.
            key: As query.
            value: As query.
            mask: (length, length) bool, True where seen; None for everywhere.
            rate: Share of the weights dropped, in [0, 1); rounded to a multiple of 1/65536.
        """
        weights = query @ key.transpose(-1, -2)  # (count, num_heads, length, length)
        if mask is not None:
            weights.masked_fill_(~mask, float("-inf"))
        weights = torch.softmax(weights, dim=-1)
        dropped = round(rate * LEVELS)
        kept_weights = weights
        if dropped:
            kept_weights = draw_mask(weights.shape, dropped, dtype=weights.dtype).mul_(weights)
        scale = LEVELS / (LEVELS - dropped)
        # Scaling values instead of weights: head_size numbers a token, not length.
        scaled = value * scale
        output = kept_weights @ scaled
        ctx.save_for_backward(query, key, scaled, weights, kept_weights, output)
        ctx.scale = scale
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        """Return the gradients of query, key and value."""
        query, key, scaled, weights, kept_weights, output = ctx.saved_tensors
        (gradient,) = gradients
        delta = (gradient * output).sum(dim=-1, keepdim=True)  # (count, num_heads, length, 1)
        of_scores = gradient @ scaled.transpose(-1, -2)
        of_scores.mul_(kept_weights).addcmul_(weights, delta, value=-1.0)
        of_value = (kept_weights.transpose(-1, -2) @ gradient).mul_(ctx.scale)
        return of_scores @ key, of_scores.transpose(-1, -2) @ query, of_value, None, None


def attend_with_fast_dropout(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    attn_mask: Tensor | None,
    dropout_p: float,
    scale: float | None,
) -> Tensor:
    """Compute what `scaled_dot_product_attention` does, with `fast_dropout` on the weights.

    Args:
        query: (count, num_heads, length, head_size).
        key: As query.
        value: As query.
        attn_mask: (length, length) bool, True where seen; None for everywhere.
        dropout_p: Share of attention weights dropped.
        scale: Of the scores; None: 1 / sqrt(head_size).

    Returns:
        (count, num_heads, length, head_size).

    Source: Vaswani et al. 2017, equation 1.
    """
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    # In float32, as torch's own plain path computes: oneDNN compiles a bf16 product anew for each shape, and
    # here every length and count is one.
    with torch.autocast(query.device.type, enabled=False):
        attended: Tensor = DroppedAttention.apply(  # type: ignore[no-untyped-call]
            query.float() * factor, key.float(), value.float(), attn_mask, dropout_p
        )
        return attended.to(query.dtype)


def by_hand(query: Tensor, key: Tensor, *, fast: bool, dropout: float) -> bool:
    """Return whether a block's attention is computed by `DroppedAttention` and not by torch's own function.

    On a CPU torch takes the plain path where there is dropout, and ours has cheaper random numbers. Without
    dropout its bfloat16 kernel is the faster one forward, and for long windows; forward and backward of short
    ones is faster by hand.

    Args:
        query: (count, length, num_heads, head_size).
        key: As query, perhaps with fewer heads, which torch's own function alone knows.
        fast: Whether the model draws fast dropout.
        dropout: Share of attention weights dropped.
    """
    if query.device.type != "cpu" or key.shape[2] != query.shape[2]:
        return False
    if dropout > 0:
        return fast
    return query.dtype == torch.bfloat16 and query.requires_grad and query.shape[1] <= SHORT
