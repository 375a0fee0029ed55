"""Dropout whose random numbers cost little on a CPU: sixteen bits an element and a threshold.

torch draws a Bernoulli variable for each element on a CPU, which took 16 % of a bf16 training step of MiniLM.
Here 64 random bits serve four elements. A rate is rounded to a multiple of 1/65536 (0.1 becomes 0.1000061),
and what is kept is scaled by the rounded rate, so that the expectation is exact.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

LEVELS = 1 << 16
_LOWEST = -(1 << 15)


def random_bits(count: int, *, generator: torch.Generator | None = None) -> Tensor:
    """Return random numbers, each of sixteen bits equally likely.

    Args:
        count: How many.
        generator: Draws them; None: torch's own.

    Returns:
        (count,) int16.
    """
    words = torch.empty((count + 3) // 4, dtype=torch.int64)
    # From the least int64 to the greatest: the default upper bound leaves the sign bit at zero, and with it
    # every fourth element could never be dropped.
    words.random_(-(2**63), None, generator=generator)
    return words.view(torch.int16)[:count]


def draw_mask(shape: torch.Size, dropped: int, *, dtype: torch.dtype) -> Tensor:
    """Return 1 for each element that stays and 0, with probability dropped / LEVELS, for each that goes.

    A product with numbers of the same type takes a fifth of the time of `torch.where` with a bool.

    Args:
        shape: Any.
        dropped: In [0, LEVELS).
        dtype: Of the mask.
    """
    bits = random_bits(shape.numel()).view(shape)
    return torch.ge(bits, _LOWEST + dropped, out=torch.empty(shape, dtype=dtype))


class _Dropped(torch.autograd.Function):
    """Values times mask times scale, and the same of the gradient: only the mask is kept."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, dropped: int) -> Tensor:
        """Return the values with a share of dropped / LEVELS zeroed and the others scaled up, same shape."""
        mask = draw_mask(values.shape, dropped, dtype=values.dtype)
        ctx.save_for_backward(mask)
        ctx.scale = LEVELS / (LEVELS - dropped)
        # Not folded into the mask, which in bfloat16 would hold 1.109 for 1.111.
        return (values * mask).mul_(ctx.scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of the values, same shape, and none for the rate."""
        (mask,) = ctx.saved_tensors
        return (gradients[0] * mask).mul_(ctx.scale), None


def fast_dropout(values: Tensor, rate: float) -> Tensor:
    """Zero each element with a probability and scale the others up.

    Args:
        values: Any shape, float, on the CPU.
        rate: Probability of zero, in [0, 1); rounded to a multiple of 1/65536.

    Returns:
        The same shape and dtype; differentiable once.

    Source: Srivastava et al. 2014, section 4, inverted as is usual.
    """
    dropped = round(rate * LEVELS)
    if dropped == 0:
        return values
    result: Tensor = _Dropped.apply(values, dropped)  # type: ignore[no-untyped-call]
    return result


class FastDropout(nn.Module):
    """`torch.nn.Dropout` with cheap random numbers on a CPU; on other devices torch's own.

    Args:
        p: Probability of zero, in [0, 1).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, values: Tensor) -> Tensor:
        """Return the values, dropped out in training; any shape."""
        if not self.training or self.p == 0:
            return values
        if values.device.type != "cpu":
            return nn.functional.dropout(values, self.p)
        return fast_dropout(values, self.p)


def use_fast_dropout(model: nn.Module) -> None:
    """Replace every `nn.Dropout` in a model; parameters and their names stay as they are.

    Args:
        model: Changed in place.
    """
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, FastDropout(child.p).train(child.training))
