"""What a training says while it runs."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING, cast

import pytorch_lightning as pl
from pytorch_lightning.callbacks import RichProgressBar

if TYPE_CHECKING:
    from torch import Tensor

    from headway.models.module import FineTuner

log = logging.getLogger(__name__)


class EpochLines(pl.Callback):
    """Say one line an epoch: mean losses, the monitored metric, seconds, and whether it is the best so far.

    Args:
        monitor: The metric, as logged.
        mode: Which way is better, "max" or "min".
    """

    def __init__(self, *, monitor: str, mode: str) -> None:
        self._monitor = monitor
        self._sign = 1.0 if mode == "max" else -1.0
        self._best = -float("inf")
        self._start = time.perf_counter()

    def state_dict(self) -> dict[str, float]:
        """Return the best value so far."""
        return {"best": self._best}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """Go on with it.

        Args:
            state_dict: What `state_dict` returned.
        """
        self._best = state_dict["best"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock of an epoch that an earlier process began."""
        self._start = time.perf_counter()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the epoch's clock."""
        self._start = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say the epoch's line."""
        metrics: dict[str, Tensor] = dict(trainer.callback_metrics)
        value = float(metrics.get(self._monitor, float("nan")))
        is_best = self._sign * value > self._best
        self._best = max(self._best, self._sign * value)
        seconds = time.perf_counter() - self._start
        log.info(
            "epoch %d/%s  step %d  train/loss %.4f  val/loss %.4f  %s %.4f%s  %.0f s",
            trainer.current_epoch + 1,
            trainer.max_epochs,
            trainer.global_step,
            cast("FineTuner", pl_module).epoch_loss,
            float(metrics.get("val/loss", float("nan"))),
            self._monitor,
            value,
            "  best" if is_best else "",
            seconds,
        )


def progress_bar() -> pl.Callback | None:
    """Return a bar for a terminal; None elsewhere, where it would fill the log."""
    return RichProgressBar(leave=False) if sys.stdout.isatty() else None


class EpochLosses(pl.Callback):
    """Keep the mean losses of every epoch.

    Attributes:
        losses: Train's and validation's, one pair an epoch that was validated.
    """

    def __init__(self) -> None:
        self.losses: list[tuple[float, float]] = []

    def state_dict(self) -> dict[str, list[list[float]]]:
        """Return those of the epochs so far."""
        return {"losses": [list(pair) for pair in self.losses]}

    def load_state_dict(self, state_dict: dict[str, list[list[float]]]) -> None:
        """Go on with them.

        Args:
            state_dict: What `state_dict` returned.
        """
        self.losses = [(train, validation) for train, validation in state_dict["losses"]]

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep the epoch's."""
        validation = trainer.callback_metrics.get("val/loss")
        if validation is not None:
            self.losses.append((cast("FineTuner", pl_module).epoch_loss, float(validation)))
