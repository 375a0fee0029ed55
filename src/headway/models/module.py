"""The only LightningModule: encoder, head and loss on the way in, evaluators on the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from headway.models.frozen_weights import frozen_names, without_frozen
from headway.models.head_calls import head_logits
from headway.models.loss_watch import LossWatch, Step
from headway.models.memory_limit import MemoryLimit
from headway.models.rows import concatenate, gather_rows, token_items, window_logits
from headway.models.step_recovery import StepRecovery
from headway.models.step_setting import Setting, repeats_forward, setting_of, unless_others_wait
from headway.types import Batch, TrainingError, WindowLogits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from headway.evaluation.evaluator import Evaluation, Evaluator
    from headway.models.encoder import Encoder
    from headway.models.loss_chain import LossChain
    from headway.models.optimizer import AdamW

CHAIN, LIMITS = "loss_chain", "memory_limits"
LOSSES = "epoch_loss"
"""The key in a checkpoint: the epoch's sum of losses and sum of weights."""


class FineTuner(pl.LightningModule):
    """Trains a head on a backbone and scores whole documents.

    Args:
        encoder: Gives (num_tokens, hidden_size) states of a batch.
        head: Gives logits of the states; its `token_level` says of what.
        loss: Gives one value an item, (num_items,).
        optimizer: Builds the optimizer from encoder and head.
        schedule: (step, total_steps) -> multiplier of the learning rate in [0, 1].
        total_steps: Optimizer steps of the whole training.
        accumulate: Micro-batches in an optimizer step.
        evaluators: Split name in metrics ("val", "test") -> what scores it.
    """

    def __init__(
        self,
        *,
        encoder: Encoder,
        head: nn.Module,
        loss: nn.Module,
        optimizer: AdamW | None = None,
        schedule: Callable[[int, int], float] | None = None,
        total_steps: int = 0,
        accumulate: int = 1,
        evaluators: dict[str, Evaluator] | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.loss = loss
        self.token_level = bool(head.token_level)
        self._optimizer = optimizer
        self.schedule = schedule
        self._total_steps = total_steps
        self._accumulate = accumulate
        self.evaluators = evaluators or {}
        self._watch = LossWatch()
        self._rows: list[WindowLogits] = []
        self.evaluations: dict[str, Evaluation] = {}
        self._epoch_loss = (torch.zeros(()), torch.zeros(()))  # sum of losses, sum of weights
        self._resumed_loss: list[Tensor] | None = None
        self._recovery = StepRecovery(self._sums, self._share)
        self._setting: Setting | None = None
        self.memory_limits = {"training": self._recovery.limit, "evaluation": MemoryLimit.of_evaluation()}

    def forward(self, batch: Batch) -> Tensor:
        """Return logits, (num_windows, num_labels) or (num_tokens, num_labels)."""
        return head_logits(self.head, self.encoder, batch)

    def item_losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss and the weight of every labelled window or token.

        Args:
            batch: Has labels.

        Returns:
            Two (num_items,) float32 tensors. On a GPU tokens without a label are among them, with weight 0:
            to leave them out, the host would have to wait for their number.

        Raises:
            ValueError: The batch has no labels.
        """
        if batch.labels is None:
            raise ValueError("training needs a batch with labels")
        labels, weights = batch.labels, batch.weights
        teacher = [] if batch.teacher_logits is None else [batch.teacher_logits]
        logits = self(batch)
        if self.token_level:
            logits, labels, weights, *teacher = token_items(
                logits, labels, weights, *teacher, keep_all=labels.device.type == "cuda"
            )
        return self.loss(logits, labels, *teacher), weights

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the micro-batch's share of the optimizer step's mean loss.

        The sum is divided by the weight of the whole step. Lightning divides by the accumulated batches, also
        where an epoch's last step holds fewer, and DDP averages over processes; both are undone here, so that
        every labelled item of a step counts the same (Lightning #19987, transformers #34191).

        Args:
            batch: Has labels.
            batch_idx: Its number in the epoch.

        Raises:
            TrainingError: A loss is not a number (on a GPU, some steps before), or one window exceeds memory.
        """
        at, begins = Step(self.current_epoch, batch_idx, self.global_step), batch_idx % self._accumulate == 0
        setting = self._setting = self._setting or setting_of(self)
        total, weight = self._recovery.sums(batch, setting, begins=begins, at=vars(at))
        mean = total.detach() / weight.clamp_min(1e-12)
        self._watch.see(mean, at)
        summed, weights = self._epoch_loss
        self._epoch_loss = summed + total.detach(), weights + weight
        self.log("train/loss", mean, prog_bar=True, batch_size=len(batch.lengths))
        return self._recovery.held(total * self._share(batch), setting)

    def _sums(self, batch: Batch) -> tuple[Tensor, Tensor]:
        losses, weights = self.item_losses(batch)
        return (losses * weights).sum(), weights.sum()

    def _share(self, batch: Batch) -> float:  # 0: nothing in the step is labelled
        return self._accumulate * self.trainer.world_size / batch.normalizer if batch.normalizer > 0 else 0.0

    def backward(self, loss: Tensor, *rest: Any, **named: Any) -> None:
        """Add a micro-batch's gradients; where memory doesn't hold them at once, part by part."""
        if self._setting is None or not self._recovery.backward(loss, self._setting):
            with unless_others_wait():
                super().backward(loss, *rest, **named)

    @property
    def epoch_loss(self) -> float:
        """Mean training loss of all items of the epoch so far, on this process; 0 before the first."""
        summed, weight = self._epoch_loss
        return float(summed / weight.clamp_min(1e-12))

    @property
    def loss_chain(self) -> LossChain:
        """The hash chain of the losses so far; on a GPU the last ones may still be on their way."""
        return self._watch.chain

    def on_train_epoch_start(self) -> None:
        """Begin the epoch's mean anew."""
        self._epoch_loss = (torch.zeros((), device=self.device), torch.zeros((), device=self.device))

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep the batch's rows of logits."""
        at = vars(Step(self.current_epoch, batch_idx, self.global_step))
        limit, again = self.memory_limits["evaluation"], repeats_forward(self)
        self._rows += limit.each(batch, self._window_rows, at, again=again)

    def _window_rows(self, batch: Batch) -> WindowLogits:
        return window_logits(self(batch), batch, token_level=self.token_level)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep the batch's rows of logits."""
        self.validation_step(batch, batch_idx)

    def _score(self, split: str) -> None:
        rows, self._rows = gather_rows(concatenate(self._rows)), []
        if not np.isfinite(rows.logits).all():  # an argmax of NaN is a class like any other
            raise TrainingError(
                f"logits of the {split} split are not finite in epoch {self.current_epoch} (optimizer step "
                f"{self.global_step}), so its metrics mean nothing; lower optimizer.lr, or train with "
                "trainer.precision=32-true"
            )
        evaluator = self.evaluators[split]
        evaluator.reset()
        evaluator.update(rows)
        evaluation = evaluator.compute()
        self.evaluations[split] = evaluation
        metrics = {f"{split}/{name}": float(value) for name, value in evaluation.metrics.items()}
        metrics[f"{split}/loss"] = evaluation.loss
        # Every process computed the same numbers from all rows: nothing is left to synchronise.
        self.log_dict(metrics, rank_zero_only=False, sync_dist=False, batch_size=1)

    def on_train_epoch_end(self) -> None:
        """Check the losses that are still on their way."""
        self._watch.finish()

    def on_validation_epoch_start(self) -> None:
        """Check the losses that are still on their way, and forget what an interrupted validation left."""
        self._watch.finish()
        self._rows = []

    def on_validation_epoch_end(self) -> None:
        """Score the whole split at once."""
        self._score("val")

    def on_test_epoch_start(self) -> None:
        """Forget what an interrupted test left."""
        self._rows = []

    def on_test_epoch_end(self) -> None:
        """Score the whole split at once."""
        self._score("test")

    def configure_optimizers(self) -> Any:
        """Return the optimizer and its schedule, stepped each optimizer step."""
        if self._optimizer is None or self.schedule is None:
            raise ValueError("a FineTuner that trains needs an optimizer and a schedule")
        optimizer = self._optimizer.build(self.encoder, self.head)
        schedule, total = self.schedule, self._total_steps
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: schedule(step, total))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leave out what isn't trained: the backbone itself has it. Add the losses so far and their chain."""
        self._watch.finish()
        checkpoint[LOSSES] = [each.detach().cpu() for each in self._epoch_loss]
        checkpoint[CHAIN] = self.loss_chain.state_dict()
        checkpoint[LIMITS] = {name: limit.state_dict() for name, limit in self.memory_limits.items()}
        for name in frozen_names(self):
            checkpoint["state_dict"].pop(name, None)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the epoch's losses and the chain of all."""
        self._resumed_loss = checkpoint.get(LOSSES)
        if CHAIN in checkpoint:
            self.loss_chain.load_state_dict(checkpoint[CHAIN])
        for name, state in checkpoint.get(LIMITS, {}).items():
            self.memory_limits[name].load_state_dict(state)

    def on_train_start(self) -> None:
        """Go on with the epoch's losses, now that the device is known."""
        self._setting = None
        if self._resumed_loss is not None:
            summed, weight = self._resumed_loss
            self._epoch_loss, self._resumed_loss = (summed.to(self.device), weight.to(self.device)), None

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Take weights; what isn't trained may be missing, and stays as it is."""
        found = super().load_state_dict(state_dict, strict=False, assign=assign)
        return without_frozen(found, self, strict=strict)
