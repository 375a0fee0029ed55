"""What of a training decides whether a pass may be computed again, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.strategies import FSDPStrategy, SingleDeviceStrategy

from headway.faults import is_out_of_memory
from headway.types import TrainingError


@dataclass(frozen=True)
class Setting:
    """How a module is trained, as far as computing again depends on it.

    Attributes:
        parameters: Those that train.
        forward: Whether a forward pass may be made again: not where weights are gathered from other processes
            in it.
        backward: Whether a backward pass may: not where other processes wait for its gradients.
        context: Makes the block in which a forward pass is computed, such as that of mixed precision.
        scale: Returns what losses are multiplied by before their gradients are taken, so that small ones in
            float16 don't vanish.
    """

    parameters: list[torch.nn.Parameter]
    forward: bool
    backward: bool
    context: Callable[[], Any]
    scale: Callable[[], float] = lambda: 1.0


@contextmanager
def unless_others_wait() -> Iterator[None]:
    """Say what to set where memory runs out in a backward pass that can't be made again.

    Raises:
        TrainingError: It did.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            "a process ran out of memory in a backward pass, whose gradients the others wait for; lower "
            "batching.batch_size (or batching.max_tokens) and raise trainer.accumulate_grad_batches by the "
            "same factor"
        ) from error


def repeats_forward(module: pl.LightningModule) -> bool:
    """Say whether a forward pass may be made again: not where it gathers weights from other processes.

    Args:
        module: With its trainer.
    """
    return not isinstance(getattr(module.trainer, "strategy", None), FSDPStrategy)


def setting_of(module: pl.LightningModule) -> Setting:
    """Return how a module is trained.

    Args:
        module: With its trainer.
    """
    strategy = getattr(module.trainer, "strategy", None)
    precision = getattr(module.trainer, "precision_plugin", None)
    scaler = getattr(precision, "scaler", None)
    return Setting(
        [parameter for parameter in module.parameters() if parameter.requires_grad],
        forward=repeats_forward(module),
        backward=isinstance(strategy, SingleDeviceStrategy),
        context=nullcontext if precision is None else precision.forward_context,
        scale=(lambda: 1.0) if scaler is None else scaler.get_scale,
    )
