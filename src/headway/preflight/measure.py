"""Seconds and memory of a few real steps, under the precision that training has; nothing is kept of them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from headway.preflight.memory import Peak, watched

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import pytorch_lightning as pl

    from headway.data.collator import WindowBatches
    from headway.data.plans import BatchPlan
    from headway.models.module import FineTuner
    from headway.types import Batch

MEASURED = 3
"""Batches whose median counts."""


@dataclass(frozen=True)
class Step:
    """One micro-batch and one optimizer step.

    Attributes:
        loss: Mean loss of the labelled items, before the step.
        forward: Seconds.
        backward: Seconds.
        optimizer: Seconds of clipping and stepping.
    """

    loss: float
    forward: float
    backward: float
    optimizer: float


@dataclass(frozen=True)
class TrainMeasure:
    """What training costs.

    Attributes:
        first_loss: Mean loss of a batch before any step.
        forward: Seconds a computed token, the median.
        backward: Likewise.
        optimizer: Seconds an optimizer step, the median.
        gradients: Bytes.
        states: Bytes of the optimizer's states.
        peak: Memory of forward and backward on the batch with the most tokens, gradients in its growth.
        load: Processes that wanted a core in the minute before, on average.
    """

    first_loss: float
    forward: float
    backward: float
    optimizer: float
    gradients: int
    states: int
    peak: Peak
    load: float


class Stepper:
    """Takes training steps as Lightning would, but for logging and checkpoints.

    Args:
        module: Freshly built; it is trained, so throw it away.
        optimizer: Of the module's parameters, which are on the device.
        trainer: Says precision, device and clipping.
    """

    def __init__(self, module: FineTuner, optimizer: torch.optim.Optimizer, trainer: pl.Trainer) -> None:
        self.module = module
        self.device = trainer.strategy.root_device
        self._optimizer = optimizer
        self._plugin = trainer.precision_plugin
        self._scaler: Any = getattr(self._plugin, "scaler", None)
        self._clip = trainer.gradient_clip_val

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context of every forward."""
        return self._plugin.forward_context()

    def now(self) -> float:
        """Return the time, once the device has done all that it was asked."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def step(self, batch: Batch, *, peak_of: list[Peak] | None = None) -> Step:
        """Train on a micro-batch.

        Args:
            batch: Has labels.
            peak_of: Gets the memory of forward and backward.

        Returns:
            What it took.
        """
        with watched(self.device) if peak_of is not None else nullcontext(Peak()) as peak:
            start = self.now()
            batch = batch.to(self.device)
            with self.autocast():
                losses, weights = self.module.item_losses(batch)
                total = (losses * weights).sum()
                loss = total / max(batch.normalizer, 1e-12)
            forward = self.now()
            (loss if self._scaler is None else self._scaler.scale(loss)).backward()
            backward = self.now()
        if peak_of is not None:
            peak_of.append(peak)
        self._update()
        mean = float(total.detach() / weights.sum().clamp_min(1e-12))
        return Step(mean, forward - start, backward - forward, self.now() - backward)

    def _update(self) -> None:
        if self._scaler is not None:
            self._scaler.unscale_(self._optimizer)
        if self._clip is not None:
            torch.nn.utils.clip_grad_norm_(self.module.parameters(), self._clip)
        if self._scaler is None:
            self._optimizer.step()
        else:
            self._scaler.step(self._optimizer)
            self._scaler.update()

    def gradients(self) -> int:
        """Return the bytes of all gradients."""
        return sum(_bytes(p.grad) for p in self.module.parameters() if p.grad is not None)

    def states(self) -> int:
        """Return the bytes of the optimizer's states."""
        states = self._optimizer.state.values()
        return sum(_bytes(value) for state in states for value in state.values() if torch.is_tensor(value))

    def clear(self) -> None:
        """Drop the gradients."""
        self._optimizer.zero_grad(set_to_none=True)


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def measure_training(
    stepper: Stepper, dataset: WindowBatches, plans: Sequence[BatchPlan], computed: np.ndarray
) -> TrainMeasure:
    """Measure the batch with the most tokens, then those nearest to the median.

    Args:
        stepper: Takes the steps.
        dataset: Of train.
        plans: Of an epoch.
        computed: (num_plans,) int64, tokens that each computes.

    Returns:
        Medians of MEASURED batches, or of as many as there are.
    """
    stepper.module.train()
    load = os.getloadavg()[0]
    peaks: list[Peak] = []
    # First, so that memory which smaller batches left to the process doesn't hide what this one takes.
    first = stepper.step(dataset[plans[int(computed.argmax())]], peak_of=peaks)
    gradients, states = stepper.gradients(), stepper.states()
    stepper.clear()
    steps: list[tuple[int, Step]] = []
    chosen = nearest_to_median(computed, MEASURED + 1)
    for number in chosen:
        steps.append((int(computed[number]), stepper.step(dataset[plans[number]])))
        stepper.clear()
    counted = steps[1:] or steps  # the first of them warms up
    return TrainMeasure(
        first_loss=first.loss,
        forward=median(step.forward / tokens for tokens, step in counted),
        backward=median(step.backward / tokens for tokens, step in counted),
        optimizer=median(step.optimizer for _, step in counted),
        gradients=gradients,
        states=states,
        peak=peaks[0],
        load=load,
    )


def measure_evaluation(
    stepper: Stepper, dataset: WindowBatches, plans: Sequence[BatchPlan], computed: np.ndarray
) -> float:
    """Return the seconds a computed token that scoring takes, the median of a few batches.

    Args:
        stepper: Knows precision and device.
        dataset: Of the split.
        plans: Of the split.
        computed: (num_plans,) int64, tokens that each computes.
    """
    stepper.module.eval()
    rates = []
    with torch.inference_mode():
        for number in nearest_to_median(computed, MEASURED + 1):
            batch, start = dataset[plans[number]], stepper.now()
            with stepper.autocast():
                stepper.module(batch.to(stepper.device)).float().cpu()
            rates.append((stepper.now() - start) / int(computed[number]))
    return median(rates[1:] or rates)


def nearest_to_median(values: np.ndarray, count: int) -> list[int]:
    """Return the places of the values nearest to the median.

    Args:
        values: (num_values,) at least one.
        count: How many.

    Returns:
        `count` places or as many as there are, the nearest last.
    """
    order = np.argsort(np.abs(values - np.median(values)), kind="stable")[:count]
    places: list[int] = order[::-1].tolist()
    return places
