"""Clocks that both trainers carry: the time at the start of each epoch and at the end of each step."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl


class LightningClock(pl.Callback):
    """Writes its marks as JSON when training ends; in a config as `+callbacks.clock`.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.epochs: list[float] = []
        self.steps: list[float] = []

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Mark the start of an epoch."""
        self.epochs.append(time.perf_counter())

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Mark the end of a step."""
        self.steps.append(time.perf_counter())

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the marks."""
        Path(self.path).write_text(json.dumps({"epochs": self.epochs, "steps": self.steps}))


class EndAfterFirstStep(pl.Callback):
    """Writes the time at the end of the first optimizer step and ends the process there.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write, and end without any tidying, which would be counted in neither."""
        Path(self.path).write_text(repr(time.time()))
        os._exit(0)


def counted_seconds(marks: dict[str, list[float]], *, epochs: int) -> float:
    """Return the seconds of the last epoch, from its start to the end of its last step.

    Args:
        marks: As LightningClock writes them.
        epochs: How many there were.

    Raises:
        ValueError: Epochs are missing.
    """
    if len(marks["epochs"]) != epochs:
        raise ValueError(f"there must be {epochs} epochs, got {len(marks['epochs'])}")
    return marks["steps"][-1] - marks["epochs"][-1]
