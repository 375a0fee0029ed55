"""What heads on kept features are trained by, and what they are after an epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from headway.types import TrainingError

if TYPE_CHECKING:
    from headway.models.encoder import Encoder
    from headway.models.heads.linear import LinearHead
    from headway.models.optimizer import AdamW


@dataclass(frozen=True)
class HeadPlan:
    """How one head is trained.

    Attributes:
        weight: (num_labels, hidden_size) float32, to begin with.
        bias: (num_labels,) float32, to begin with.
        dropout: Share of the features dropped, in [0, 1).
        loss: Gives one value an item.
        loss_key: Equal for losses that compute the same, which are then computed together.
        lr: Peak learning rates of weight and bias.
        weight_decay: Of weight and bias.
        betas: AdamW's.
        eps: AdamW's.
        clip: Largest gradient norm, or None.
        rates: (total_steps,) float64, the schedule's multiplier of each optimizer step, in [0, 1].
        seed: Of the dropout.
    """

    weight: Tensor
    bias: Tensor
    dropout: float
    loss: nn.Module
    loss_key: str
    lr: tuple[float, float]
    weight_decay: tuple[float, float]
    betas: tuple[float, float]
    eps: float
    clip: float | None
    rates: np.ndarray
    seed: int


@dataclass(frozen=True)
class HeadEpoch:
    """One head after an epoch.

    Attributes:
        weight: (num_labels, hidden_size) float32.
        bias: (num_labels,) float32.
        losses: (num_steps,) float32, the mean loss of each optimizer step's items.
        weights: (num_steps,) float32, the summed weight of each step's items.
        first_step: Optimizer steps before the epoch.
    """

    weight: Tensor
    bias: Tensor
    losses: Tensor
    weights: Tensor
    first_step: int


def finite(epoch: HeadEpoch, number: int) -> HeadEpoch:
    """Return an epoch whose losses are numbers.

    Args:
        epoch: Of one head; others that were trained with it don't matter to it.
        number: Of the epoch, from 0.

    Raises:
        TrainingError: A loss is not a number.
    """
    wrong = (~torch.isfinite(epoch.losses)).nonzero()
    if len(wrong):
        step = int(wrong[0, 0])
        raise TrainingError(
            f"the training loss is {epoch.losses[step].item()} in epoch {number} (optimizer step "
            f"{epoch.first_step + step}); lower optimizer.lr"
        )
    return epoch


Epochs = Callable[[int], HeadEpoch]
"""Epoch number -> the head after it; asked for in order, or after a state was loaded, from there."""


def head_plan(
    encoder: Encoder,
    head: LinearHead,
    *,
    loss: nn.Module,
    loss_key: str,
    optimizer: AdamW,
    schedule: Callable[[int, int], float],
    total_steps: int,
    clip: float | None,
    seed: int,
) -> HeadPlan:
    """Return how a head is trained, as an optimizer built for it would do it.

    Args:
        encoder: Frozen.
        head: With the weights to begin with.
        loss: Gives one value an item.
        loss_key: Equal for losses that compute the same.
        optimizer: Says rates, decay and which parameters have none.
        schedule: (step, total_steps) -> multiplier in [0, 1].
        total_steps: Optimizer steps of the whole training.
        clip: Largest gradient norm, or None.
        seed: Of the dropout.

    Raises:
        ConfigError: A pattern of optimizer.no_decay matches nothing.
    """
    groups = optimizer.groups(encoder, head)
    rates = {id(p): (group["lr"], group["weight_decay"]) for group in groups for p in group["params"]}
    classifier = head.classifier
    of_parts = [rates[id(classifier.weight)], rates[id(classifier.bias)]]
    return HeadPlan(
        weight=classifier.weight.detach().cpu().clone(),
        bias=classifier.bias.detach().cpu().clone(),
        dropout=head.dropout.p,
        loss=loss,
        loss_key=loss_key,
        lr=(of_parts[0][0], of_parts[1][0]),
        weight_decay=(of_parts[0][1], of_parts[1][1]),
        betas=optimizer.betas,
        eps=optimizer.eps,
        clip=clip,
        rates=np.array([schedule(step, total_steps) for step in range(total_steps)]),
        seed=seed,
    )
