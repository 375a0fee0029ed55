"""Dropout whose random numbers cost little on a CPU: sixteen bits an element and a threshold.

torch draws a Bernoulli variable for each element on a CPU, which took 16 % of a bf16 training step of MiniLM.
Here 64 random bits serve four elements. A rate is rounded to a multiple of 1/65536 (0.1 becomes 0.1000061),
and what is kept is scaled by the rounded rate, so that the expectation is exact.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

LEVELS = 1 << 16
_LOWEST = -(1 << 15)


def fast_dropout(values: Tensor, rate: float) -> Tensor:
    """Zero each element with a probability and scale the others up.

    Args:
        values: Any shape, float, on the CPU.
        rate: Probability of zero, in [0, 1); rounded to a multiple of 1/65536.

    Returns:
        The same shape and dtype; differentiable.

    Source: Srivastava et al. 2014, section 4, inverted as is usual.
    """
    dropped = round(rate * LEVELS)
    if dropped == 0:
        return values
    count = values.numel()
    words = torch.empty((count + 3) // 4, dtype=torch.int64)
    # From the least int64 to the greatest: the default upper bound leaves the sign bit at zero, and with it
    # every fourth element could never be dropped.
    words.random_(-(2**63), None)
    kept = words.view(torch.int16)[:count].view(values.shape) >= _LOWEST + dropped
    return torch.where(kept, values * (LEVELS / (LEVELS - dropped)), 0.0)


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
