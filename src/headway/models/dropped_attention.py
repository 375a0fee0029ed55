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
