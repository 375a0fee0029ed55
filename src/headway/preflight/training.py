"""What training will do: its steps, its batches, its learning rates and what it trains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headway.data.checks import Finding
from headway.preflight.rates import Group, Schedule, SchedulePoint, peak_rates, schedule_points

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headway.models.module import FineTuner
    from headway.preflight.epochs import EpochPlan

FEW_STEPS = 50
"""Optimizer steps of a whole training below which it is reported."""

FEW_DOCUMENTS = 2000
"""Documents of train below which training all of the encoder is reported."""

USUAL_LR = (1e-6, 1e-3)
"""Learning rates at which encoders are fine-tuned."""


@dataclass(frozen=True)
class TrainingFacts:
    """What training will do.

    Attributes:
        epochs: Those with a step.
        micro_batches: Of the first epoch.
        steps: Optimizer steps of the first epoch.
        total_steps: Optimizer steps of the whole training.
        accumulate: Micro-batches in a step.
        windows_a_batch: Mean windows of a micro-batch in the first epoch.
        tokens_a_step: Mean real tokens of an optimizer step in the first epoch.
        padding: Share of the computed tokens that are padding, in [0, 1).
        points: The schedule's corners.
        groups: The optimizer's groups, and what is frozen.
        parameters: All of encoder and head.
        trained: Those that train.
        precision: Lightning's name.
        layout: "packed" or "padded".
        device: Where training runs.
        threads: CPU threads of torch.
    """

    epochs: int
    micro_batches: int
    steps: int
    total_steps: int
    accumulate: int
    windows_a_batch: float
    tokens_a_step: float
    padding: float
    points: tuple[SchedulePoint, ...]
    groups: tuple[Group, ...]
    parameters: int
    trained: int
    precision: str
    layout: str
    device: str
    threads: int


def training_facts(
    module: FineTuner,
    plans: Sequence[EpochPlan],
    *,
    schedule: Schedule,
    groups: tuple[Group, ...],
    total_steps: int,
    accumulate: int,
    precision: str,
    device: str,
) -> TrainingFacts:
    """Return what training will do.

    Args:
        module: Built.
        plans: Of every epoch with a step.
        schedule: (step, total_steps) -> multiplier.
        groups: The optimizer's.
        total_steps: Optimizer steps of the whole training.
        accumulate: Micro-batches in a step.
        precision: Lightning's name.
        device: Where training runs.
    """
    import torch

    first = plans[0]
    encoder_lr, head_lr = peak_rates(groups)
    return TrainingFacts(
        epochs=len(plans),
        micro_batches=len(first.tokens),
        steps=first.steps,
        total_steps=total_steps,
        accumulate=accumulate,
        windows_a_batch=float(first.windows.mean()),
        tokens_a_step=float(first.tokens.sum() / first.steps),
        padding=float(1 - first.tokens.sum() / first.computed.sum()),
        points=schedule_points(schedule, total_steps, encoder_lr=encoder_lr, head_lr=head_lr),
        groups=groups,
        parameters=sum(group.parameters for group in groups),
        trained=sum(group.parameters for group in groups if group.name != "frozen"),
        precision=precision,
        layout=module.encoder.layout,
        device=device,
        threads=torch.get_num_threads(),
    )


def training_findings(facts: TrainingFacts, cfg: Mapping[str, Any], *, documents: int) -> Iterator[Finding]:
    """Find what fine-tuning recipes advise against.

    Args:
        facts: What training will do.
        cfg: The resolved config.
        documents: Of train.
    """
    if facts.total_steps < FEW_STEPS:
        bounded = cfg["trainer"]["max_steps"] >= 0
        key, remedy = (
            ("max_steps", "raise it") if bounded else ("max_epochs", "raise it, or make batches smaller")
        )
        yield Finding(
            "warning",
            f"`trainer.{key}` should give {FEW_STEPS} optimizer steps or more, got {facts.total_steps} in "
            f"all; {remedy}",
        )
    peak, encoder_lr = facts.points[1], peak_rates(facts.groups)[0]
    if encoder_lr is None:
        return
    low, high = USUAL_LR
    if not low <= encoder_lr <= high:
        yield Finding(
            "warning",
            f"`optimizer.lr` should be in [{low:g}, {high:g}] where the encoder trains, got {encoder_lr:g}; "
            f"{'lower' if encoder_lr > high else 'raise'} it, or set backbone.trainable=none",
        )
    if peak.step == 0:
        yield Finding(
            "warning",
            "`schedule.warmup_ratio` should give a warm-up where the encoder trains, got "
            f"0 of {facts.total_steps} optimizer steps; set schedule.warmup_ratio=0.1",
        )
    if documents < FEW_DOCUMENTS and cfg["backbone"]["trainable"] == "all":
        yield Finding(
            "warning",
            f"`backbone.trainable` is all for {documents} documents of train; with fewer than "
            f"{FEW_DOCUMENTS} compare with backbone.trainable=none, or last_n with backbone.last_n=2",
        )
