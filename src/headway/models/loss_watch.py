"""Ends a training whose loss isn't a number, without making a GPU wait for the host in each step."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from headway.models.loss_chain import LossChain
from headway.types import TrainingError


class Copy(Protocol):
    """A loss on its way to the host."""

    def arrived(self) -> bool:
        """Say whether it is there, without waiting."""

    def value(self) -> float:
        """Return it; waits if it isn't there yet."""


class _HostCopy:
    """A loss that is on the host already."""

    def __init__(self, loss: Tensor) -> None:
        self._value = float(loss)

    def arrived(self) -> bool:
        """Say that it is there."""
        return True

    def value(self) -> float:
        """Return it."""
        return self._value


class _DeviceCopy:
    """A loss that a GPU copies into page-locked memory once it gets there."""

    def __init__(self, loss: Tensor) -> None:
        self._host = torch.empty((), dtype=torch.float32, pin_memory=True)
        self._host.copy_(loss, non_blocking=True)
        self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        self._event.record()

    def arrived(self) -> bool:
        """Say whether the GPU has got so far."""
        return bool(self._event.query())  # type: ignore[no-untyped-call]

    def value(self) -> float:
        """Wait for the GPU, and return the loss."""
        self._event.synchronize()
        return float(self._host)


def start_copy(loss: Tensor) -> Copy:
    """Return a copy of a loss, () float, that doesn't wait for a GPU."""
    return _DeviceCopy(loss) if loss.device.type == "cuda" else _HostCopy(loss)


@dataclass(frozen=True)
class Step:
    """When a loss came up.

    Attributes:
        epoch: From 0.
        batch: In the epoch, from 0.
        step: Optimizer steps taken before it.
    """

    epoch: int
    batch: int
    step: int


class LossWatch:
    """Checks each loss as soon as it is on the host: at once on a CPU, some steps later with a GPU.

    Args:
        start_copy: Makes a Copy of a loss.

    Attributes:
        chain: Of all losses that were checked.
    """

    def __init__(self, start_copy: Callable[[Tensor], Copy] = start_copy) -> None:
        self._start_copy = start_copy
        self._pending: deque[tuple[Copy, Step]] = deque()
        self.chain = LossChain()

    def see(self, loss: Tensor, at: Step) -> None:
        """Take a loss, and check all that have arrived.

        Args:
            loss: () float, detached.
            at: When it came up.

        Raises:
            TrainingError: One of them isn't a number.
        """
        self._pending.append((self._start_copy(loss), at))
        while self._pending and self._pending[0][0].arrived():
            self._check(*self._pending.popleft())

    def finish(self) -> None:
        """Check all that are on their way: before weights are scored or kept.

        Raises:
            TrainingError: One of them isn't a number.
        """
        while self._pending:
            self._check(*self._pending.popleft())

    def _check(self, copy: Copy, at: Step) -> None:
        loss = copy.value()
        if not math.isfinite(loss):
            self._pending.clear()
            raise TrainingError(
                f"the training loss is {loss} in epoch {at.epoch}, batch {at.batch} (optimizer step "
                f"{at.step}); lower optimizer.lr, or train with trainer.precision=32-true"
            )
        self.chain.add(loss)
