"""What a checkpoint needs beyond weights and optimizer, so that training goes on as if never stopped."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl

from headway.tracking.curves import CsvCurves
from headway.tracking.loop_state import Moment, resumable_loops
from headway.tracking.random_state import random_state, restore_random_state

STATE = "headway"
"""The key in a checkpoint."""


class TrainingState(pl.Callback):
    """Adds to each checkpoint the generators, the curves' length and where the loops stand; restores them.

    It comes before the callback that writes checkpoints, which Lightning calls last.

    Args:
        facts: What the run's numbers depend on besides its config, as plain values; kept in checkpoints.

    Attributes:
        moment: Where the training stands.
    """

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        self.moment = Moment.BETWEEN
        self._restored: dict[str, Any] | None = None
        self._max_steps = -1

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the state."""
        checkpoint["loops"] = resumable_loops(trainer, checkpoint["loops"], self.moment)
        for logger in trainer.loggers:
            logger.save()
        checkpoint[STATE] = {
            "facts": self.facts,
            "random": random_state(),
            "moment": str(self.moment),
            "should_stop": trainer.should_stop,
            "metrics": {name: value.detach().cpu() for name, value in trainer.callback_metrics.items()},
            "rows": [each.num_rows for each in trainer.loggers if isinstance(each, CsvCurves)],
        }

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Take the state; the generators are set when training starts, as building it draws from them."""
        self._restored = checkpoint[STATE]
        self.moment = Moment(self._restored["moment"])
        curves = [each for each in trainer.loggers if isinstance(each, CsvCurves)]
        for each, rows in zip(curves, self._restored["rows"], strict=False):
            each.keep(rows)
        if (
            self.moment is not Moment.BETWEEN
        ):  # else Lightning wouldn't end an epoch whose steps are all taken
            self._max_steps, trainer.fit_loop.epoch_loop.max_steps = trainer.fit_loop.epoch_loop.max_steps, -1

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Put the generators and the metrics of the last validation back."""
        if self._restored is None:
            return
        restore_random_state(self._restored["random"])
        trainer._logger_connector._callback_metrics.update(self._restored["metrics"])
        epoch_ends = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        if self.moment is Moment.VALIDATED and not epoch_ends:
            self._go_on(trainer)

    def _go_on(self, trainer: pl.Trainer) -> None:
        """End what keeps Lightning from stopping before the epoch's end."""
        if self._restored is not None and self.moment is not Moment.BETWEEN:
            trainer.should_stop = trainer.should_stop or self._restored["should_stop"]
            trainer.fit_loop.epoch_loop.max_steps = self._max_steps
        self._restored = None

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note that all before is done."""
        self._go_on(trainer)
        self.moment = Moment.BETWEEN

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note that a validation is due."""
        self._go_on(trainer)
        self.moment = Moment.DUE

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note that it is made."""
        self.moment = Moment.VALIDATED

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Let the training end where it would have ended."""
        self._go_on(trainer)
