"""Training of heads on kept features: one run's alone, or those of many trials at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headway.config.build import build
from headway.models.head_plans import HeadPlan, head_plan
from headway.models.head_training import HeadTrainer

if TYPE_CHECKING:
    import numpy as np

    from headway.data.datamodule import DataModule
    from headway.models.head_plans import HeadEpoch
    from headway.models.head_tuner import HeadTuner


def plan_of(cfg: Mapping[str, Any], module: HeadTuner, *, total_steps: int) -> HeadPlan:
    """Return how a run's head is trained.

    Args:
        cfg: The run's resolved config.
        module: Its module, with fresh weights.
        total_steps: Optimizer steps of its whole training.
    """
    return head_plan(
        module.encoder,
        module.head,  # type: ignore[arg-type]
        loss=module.loss,
        loss_key=json.dumps(cfg["task"]["loss"], sort_keys=True),
        optimizer=build(cfg["optimizer"], key="optimizer"),
        schedule=build(cfg["schedule"], key="schedule"),
        total_steps=total_steps,
        clip=cfg["trainer"]["gradient_clip_val"],
        seed=cfg["seed"],
    )


def train_alone(
    cfg: Mapping[str, Any],
    module: HeadTuner,
    *,
    features: np.ndarray,
    loaders: DataModule,
    total_steps: int,
) -> None:
    """Let a module's training step train its head epoch by epoch.

    Args:
        cfg: The run's resolved config.
        module: Its module, with fresh weights.
        features: Of train.
        loaders: Give the epoch's steps.
        total_steps: Optimizer steps of the whole training.
    """
    labels, weights = loaders.training_rows()
    plan = plan_of(cfg, module, total_steps=total_steps)
    trainer = HeadTrainer([plan], features=features, labels=labels, weights=weights)

    def epoch(number: int) -> HeadEpoch:
        """Train one epoch."""
        return trainer.epoch(number, [loaders.row_steps(number)])[0]

    loaders.by_epoch = True
    module.epochs = epoch
    module.trainer_state = trainer
