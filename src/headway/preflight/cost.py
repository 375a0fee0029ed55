"""What a run will cost in seconds and memory, from a few measured steps."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headway.data.checks import Finding
from headway.preflight.epochs import EpochPlan
from headway.preflight.measure import measure_evaluation, measure_training

if TYPE_CHECKING:
    from torch import nn

    from headway.data.datamodule import DataModule
    from headway.preflight.measure import Stepper, TrainMeasure


@dataclass(frozen=True)
class TimeFacts:
    """Estimated seconds, from measured ones a token and a step.

    Attributes:
        step: Of an optimizer step, the mean.
        forward: Of them, in the forward pass.
        backward: In the backward pass.
        optimizer: In clipping and stepping.
        epoch: Of an epoch's training, the mean.
        validation: Of one validation.
        scoring: Of scoring the other splits at the end.
        run: Of all epochs with a validation each, and the scoring.
        tokens_per_second: Real tokens that training takes in.
        load: Processes that wanted a core in the minute before, on average.
        cores: What there is for them.
        features: Of computing what a frozen backbone makes of every split, once, where it is kept for a head
            alone; epochs and scoring then take next to nothing. 0 where it isn't kept.
    """

    step: float
    forward: float
    backward: float
    optimizer: float
    epoch: float
    validation: float
    scoring: float
    run: float
    tokens_per_second: float
    load: float
    cores: int
    features: float = 0.0


@dataclass(frozen=True)
class MemoryFacts:
    """Bytes, on the device.

    Attributes:
        device: Its name.
        weights: All parameters and buffers.
        gradients: Measured.
        optimizer: States of the optimizer, measured.
        activations: Measured: what forward and backward took at their peak beside weights and gradients, on
            the batch with the most tokens.
        largest_batch: The tokens that this batch computes.
        peak: What the process held at the peak; on a GPU, torch's tensors.
    """

    device: str
    weights: int
    gradients: int
    optimizer: int
    activations: int
    largest_batch: int
    peak: int


@dataclass(frozen=True)
class CostFacts:
    """What a run will cost.

    Attributes:
        time: Estimated.
        memory: Measured.
        first_loss: Mean loss of a batch before any step; None where it is no finite number.
    """

    time: TimeFacts
    memory: MemoryFacts
    first_loss: float | None


def time_facts(
    measure: TrainMeasure,
    plans: Sequence[EpochPlan],
    *,
    rate: float,
    validation: int,
    scored: int,
    kept: int = 0,
) -> TimeFacts:
    """Return the seconds of a run.

    Args:
        measure: Of training.
        plans: Of every epoch with a step.
        rate: Seconds a token in scoring.
        validation: Tokens that a validation computes.
        scored: Tokens that scoring other splits computes.
        kept: Tokens of train, where features are kept for a head alone; else 0.
    """
    computed = sum(int(plan.computed.sum()) for plan in plans)
    tokens = sum(int(plan.tokens.sum()) for plan in plans)
    steps = sum(plan.steps for plan in plans)
    forward, backward = measure.forward * computed / steps, measure.backward * computed / steps
    step = forward + backward + measure.optimizer
    epoch, validated, scoring = step * steps / len(plans), rate * validation, rate * scored
    features = 0.0
    if kept:
        features = rate * (kept + validation + scored)
        epoch, validated, scoring = measure.optimizer * steps / len(plans), 0.0, 0.0
    return TimeFacts(
        step=step,
        forward=forward,
        backward=backward,
        optimizer=measure.optimizer,
        epoch=epoch,
        validation=validated,
        scoring=scoring,
        run=features + (epoch + validated) * len(plans) + scoring,
        tokens_per_second=tokens / (step * steps),
        load=measure.load,
        cores=os.cpu_count() or 1,
        features=features,
    )


def cost_facts(
    stepper: Stepper,
    loaders: DataModule,
    plans: Sequence[EpochPlan],
    *,
    splits: Sequence[str],
    limits: Mapping[str, int | float],
    lengths: Mapping[str, np.ndarray],
    padded: bool,
    heads_only: bool = False,
) -> CostFacts:
    """Measure a few steps and say what a run will cost.

    Args:
        stepper: Takes the steps.
        loaders: Of the splits.
        plans: Of every epoch with a step.
        splits: Those that are scored at the end.
        limits: "validation" and "test" -> share of the batches (float) or their count (int).
        lengths: Split -> (num_windows,) int64, tokens of its windows.
        padded: Whether windows are padded.
        heads_only: Whether features are kept for a head alone.
    """
    weights = module_bytes(stepper.module)
    dataset: Any = loaders.train_dataloader().dataset
    measure = measure_training(stepper, dataset, loaders.train_plan(0), plans[0].computed)
    computed = {}
    for split in dict.fromkeys(("validation", *splits)):
        batches = list(loaders.eval_dataloader(split).sampler)
        each = EpochPlan.of(batches, lengths[split], padded=padded, accumulate=1).computed
        limit = limits["validation" if split == "validation" else "test"]
        count = limit if isinstance(limit, int) else int(len(each) * limit)
        computed[split] = each[:count]
        if split == "validation":
            scored: Any = loaders.eval_dataloader(split)
            rate = measure_evaluation(stepper, scored.dataset, batches, each)
    others = sum(int(each.sum()) for split, each in computed.items() if split != "validation")
    return CostFacts(
        time=time_facts(
            measure,
            plans,
            rate=rate,
            validation=int(computed["validation"].sum()),
            scored=others,
            kept=int(lengths["train"].sum()) if heads_only else 0,
        ),
        memory=MemoryFacts(
            device=str(stepper.device),
            weights=weights,
            gradients=measure.gradients,
            optimizer=measure.states,
            activations=max(0, measure.peak.growth - measure.gradients),
            largest_batch=int(plans[0].computed.max()),
            peak=measure.peak.total,
        ),
        first_loss=measure.first_loss if math.isfinite(measure.first_loss) else None,
    )


def module_bytes(module: nn.Module) -> int:
    """Return the bytes of a module's parameters and buffers."""
    return sum(each.numel() * each.element_size() for each in (*module.parameters(), *module.buffers()))


def cost_findings(facts: CostFacts) -> Iterator[Finding]:
    """Find that training goes wrong with its first step.

    Args:
        facts: Measured.
    """
    if facts.first_loss is None:
        yield Finding(
            "error",
            "`trainer.precision`: the loss of the first batch is not a finite number; try "
            "trainer.precision=32-true, and look at the backbone's weights",
        )
