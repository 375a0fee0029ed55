"""Which parameters learn, and at which rate at which step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import nn

Schedule = Callable[[int, int], float]


@dataclass(frozen=True)
class SchedulePoint:
    """The learning rates of one optimizer step.

    Attributes:
        name: What the step is.
        step: Optimizer steps taken before it.
        multiplier: The schedule's value, in [0, 1].
        encoder_lr: Of the encoder's last layer; None where it is frozen.
        head_lr: The head's.
    """

    name: str
    step: int
    multiplier: float
    encoder_lr: float | None
    head_lr: float


@dataclass(frozen=True)
class Group:
    """Parameters that share a learning rate and a weight decay.

    Attributes:
        name: Part and decay, such as "encoder/no_decay"; "frozen" for those that don't train.
        parameters: How many numbers they are.
        lr: Peak learning rate.
        weight_decay: Of the optimizer.
    """

    name: str
    parameters: int
    lr: float
    weight_decay: float


def schedule_points(
    schedule: Schedule, total_steps: int, *, encoder_lr: float | None, head_lr: float
) -> tuple[SchedulePoint, ...]:
    """Return the learning rates at the schedule's corners.

    Args:
        schedule: (step, total_steps) -> multiplier.
        total_steps: Optimizer steps of the whole training.
        encoder_lr: Peak rate of the encoder's last layer; None where it is frozen.
        head_lr: The head's.

    Returns:
        The first step, the end of the warm-up (the first step with the greatest rate), the middle and the
        last step.
    """
    multipliers = [schedule(step, total_steps) for step in range(total_steps)]
    steps = {
        "first step": 0,
        "end of warm-up": int(np.argmax(multipliers)),
        "middle": total_steps // 2,
        "last step": total_steps - 1,
    }
    return tuple(
        SchedulePoint(
            name=name,
            step=step,
            multiplier=multipliers[step],
            encoder_lr=None if encoder_lr is None else encoder_lr * multipliers[step],
            head_lr=head_lr * multipliers[step],
        )
        for name, step in steps.items()
    )


def parameter_groups(groups: Iterable[Mapping[str, Any]], modules: Iterable[nn.Module]) -> tuple[Group, ...]:
    """Return what shares a rate, and what is frozen.

    Args:
        groups: The optimizer's, with their peak rate as "initial_lr".
        modules: All that could train.
    """
    found = [
        Group(
            name=str(group.get("name", f"group {number}")),
            parameters=sum(parameter.numel() for parameter in group["params"]),
            lr=float(group.get("initial_lr", group["lr"])),
            weight_decay=float(group.get("weight_decay", 0.0)),
        )
        for number, group in enumerate(groups)
    ]
    all_of_them = [parameter for module in modules for parameter in module.parameters()]
    frozen = sum(parameter.numel() for parameter in all_of_them if not parameter.requires_grad)
    return (*found, *([Group("frozen", frozen, 0.0, 0.0)] if frozen else []))


def peak_rates(groups: Sequence[Group]) -> tuple[float | None, float]:
    """Return the peak rates of the encoder's last layer and of the head.

    Args:
        groups: As `parameter_groups`, of an optimizer that names parts "encoder…" and "head…".

    Returns:
        The encoder's is None where it is frozen.
    """
    named = {part: [g.lr for g in groups if g.name.startswith(part)] for part in ("encoder", "head")}
    rates = [group.lr for group in groups if group.name != "frozen"]
    # The last layer has the greatest rate of the encoder's: layer_decay lowers those below it.
    encoder = max(named["encoder"]) if named["encoder"] else None
    return encoder, max(named["head"] or rates)
