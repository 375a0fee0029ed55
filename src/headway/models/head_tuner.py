"""Training of a head on kept features within Lightning: an epoch a step, everything else as always."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from headway.models.module import FineTuner

if TYPE_CHECKING:
    from headway.models.head_plans import Epochs
    from headway.models.head_training import HeadTrainer

STATE = "head_trainer"


class HeadTuner(FineTuner):
    """A FineTuner whose encoder is frozen and whose head is trained by `head_training`.

    The loader gives one item an epoch, and a training step takes all of the epoch's optimizer steps:
    Lightning's own share of a step is three times what a head costs. Validation, checkpoints, callbacks and
    curves are those of any run; `global_step` counts optimizer steps. The curve of the training loss has each
    optimizer step's mean.

    Args:
        **arguments: As FineTuner.

    Attributes:
        epochs: Gives the head after each epoch; set before training.
        trainer_state: The HeadTrainer that `epochs` asks, where checkpoints are to hold its state.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.automatic_optimization = False
        self.epochs: Epochs | None = None
        self.trainer_state: HeadTrainer | None = None

    def training_step(self, batch: Any, batch_idx: int) -> None:  # type: ignore[override]
        """Take an epoch's optimizer steps and put the head's new weights in place.

        Args:
            batch: Not looked at.
            batch_idx: 0.

        Raises:
            TrainingError: A loss is not a number.
            ValueError: `epochs` isn't set.
        """
        if self.epochs is None:
            raise ValueError("a HeadTuner needs `epochs` to train")
        epoch = self.epochs(self.current_epoch)
        classifier: Any = self.head.classifier
        with torch.no_grad():
            classifier.weight.copy_(epoch.weight)
            classifier.bias.copy_(epoch.bias)
        self._log_losses(epoch.losses)
        self.loss_chain.extend(epoch.losses.tolist())
        self._epoch_loss = (epoch.losses * epoch.weights).sum(), epoch.weights.sum()
        # What Lightning counts itself where it takes the steps.
        progress = self.trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
        for counts in (progress.total, progress.current):
            counts.ready += len(epoch.losses)
            counts.completed += len(epoch.losses)
        self.trainer.fit_loop.epoch_loop._batches_that_stepped += len(epoch.losses) - 1  # and one by itself

    def _log_losses(self, losses: Tensor) -> None:
        every, before = self.trainer.log_every_n_steps, self.global_step  # type: ignore[attr-defined]
        for step in range(before, before + len(losses)):
            if (step + 1) % every == 0:
                for logger in self.loggers:
                    logger.log_metrics({"train/loss": float(losses[step - before])}, step=step)
        self.log("train/loss", losses[-1], prog_bar=True, logger=False, batch_size=1)

    def configure_optimizers(self) -> None:
        """Return none: the steps are taken elsewhere."""
        return

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what going on needs."""
        super().on_save_checkpoint(checkpoint)
        if self.trainer_state is not None:
            checkpoint[STATE] = self.trainer_state.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on from there."""
        super().on_load_checkpoint(checkpoint)
        if self.trainer_state is not None and STATE in checkpoint:
            self.trainer_state.load_state_dict(checkpoint[STATE])
