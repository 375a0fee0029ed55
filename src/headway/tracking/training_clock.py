"""Where the time of a training goes, step by step, at the price of some clock readings a step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.profilers import Profiler
from torch import Tensor

from headway.tracking.stage_marks import DeviceMarks, HostMarks, Marks
from headway.tracking.timing import TrainingTimes

if TYPE_CHECKING:
    from headway.models.module import FineTuner
    from headway.types import Batch

FETCH = ".train_dataloader_next"
"""How Lightning's name of waiting for a training batch ends."""


class TrainingClock(pl.Callback):
    """Splits training into stages. It comes first among the callbacks, so that theirs aren't counted.

    encoder: its forward, and its backward from the moment when the gradient of its states is there. What a
    frozen encoder or the lowest frozen layers do is in it too; they have a forward only.
    head: head and loss, forward and backward, and the step's log. Where the encoder isn't called in a step,
    all of the step up to the optimizer.
    optimizer: zeroing gradients, clipping, and the step.
    data: waiting for the next batch, by the host's clock; with loader workers or a GPU, what wasn't hidden.
    evaluation: validation within training, decoding and metrics included.

    On a GPU encoder, head and optimizer are the device's own times, read from events without waiting for it;
    the host's clock would only show when work was handed over. The gradient's moment is the device's too,
    since backward runs on the stream that forward ran on.
    """

    def __init__(self) -> None:
        self._marks: Marks = HostMarks()
        self._data = self._evaluation = self._training = 0.0
        self._training_since: float | None = None
        self._in_step = False
        self._evaluation_since = 0.0
        self._tokens = self._computed = 0
        self._hooks: list[Any] = []

    def times(self) -> TrainingTimes:
        """Return what was measured so far."""
        stages = self._marks.seconds()
        return TrainingTimes(
            tokens=self._tokens,
            computed_tokens=self._computed,
            training=self._training,
            data=self._data,
            encoder=stages.get("encoder", 0.0),
            head=stages.get("head", 0.0),
            optimizer=stages.get("optimizer", 0.0),
            evaluation=self._evaluation,
        )

    def waited(self, seconds: float) -> None:
        """Count a wait for a batch.

        Args:
            seconds: How long it took.
        """
        self._data += seconds

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Watch the encoder and the optimizers."""
        if pl_module.device.type == "cuda":
            self._marks = DeviceMarks()
        encoder = cast("FineTuner", pl_module).encoder
        self._hooks = [
            encoder.register_forward_pre_hook(self._before_encoder),
            encoder.register_forward_hook(self._after_encoder),
            *(o.register_step_post_hook(self._after_optimizer) for o in trainer.optimizers),
        ]

    def _before_encoder(self, encoder: Any, arguments: tuple[Batch, ...]) -> None:
        if self._in_step:
            self._computed += encoder.computed_tokens(arguments[0])
            self._marks.mark("encoder")

    def _after_encoder(self, encoder: Any, _: Any, states: Tensor) -> None:
        if self._in_step:
            self._marks.mark("head")
            if states.requires_grad:
                states.register_hook(self._at_states_gradient)  # type: ignore[no-untyped-call]

    def _at_states_gradient(self, _: Tensor) -> None:
        self._marks.mark("encoder")

    def _after_optimizer(self, *_: Any) -> None:
        self._marks.mark(None)

    def resume(self) -> None:
        """Let the time of training run on, if it doesn't run already."""
        if self._training_since is None:
            self._training_since = time.perf_counter()

    def _pause(self, pl_module: pl.LightningModule) -> None:
        if self._training_since is None:
            return
        if pl_module.device.type == "cuda":  # once an epoch, so that its last steps count
            torch.cuda.synchronize(pl_module.device)
        self._training += time.perf_counter() - self._training_since
        self._training_since = None

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Begin a step."""
        self.resume()
        self._in_step = True
        self._tokens += sum(getattr(batch, "lengths", ()))  # a head on kept features sees no tokens
        self._marks.mark("head")

    def on_before_zero_grad(self, *_: Any) -> None:
        """Begin what the optimizer does before the gradients."""
        self._marks.mark("optimizer")

    def on_before_backward(self, *_: Any) -> None:
        """Begin the head's backward."""
        self._marks.mark("head")

    def on_after_backward(self, *_: Any) -> None:
        """End the encoder's backward."""
        self._marks.mark(None)

    def on_before_optimizer_step(self, *_: Any) -> None:
        """Begin clipping and the step."""
        self._marks.mark("optimizer")

    def on_train_batch_end(self, *_: Any) -> None:
        """End a step."""
        self._in_step = False
        self._marks.mark(None)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin an evaluation."""
        self._pause(pl_module)
        self._evaluation_since = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """End an evaluation."""
        self._evaluation += time.perf_counter() - self._evaluation_since

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """End an epoch that wasn't evaluated at its end."""
        self._pause(pl_module)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the watches off."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []


class FetchClock(Profiler):
    """Tells a TrainingClock how long Lightning waited for batches, which no callback sees.

    Args:
        clock: Gets the seconds.
    """

    def __init__(self, clock: TrainingClock) -> None:
        super().__init__()
        self._training_clock = clock
        self._since = 0.0

    def start(self, action_name: str) -> None:
        """Begin an action of Lightning's."""
        if action_name.endswith(FETCH):
            self._training_clock.resume()
            self._since = time.perf_counter()

    def stop(self, action_name: str) -> None:
        """End an action of Lightning's."""
        if action_name.endswith(FETCH):
            self._training_clock.waited(time.perf_counter() - self._since)

    def summary(self) -> str:
        """Return nothing: the run says it."""
        return ""


def training_times(trainer: pl.Trainer) -> TrainingTimes:
    """Return what the trainer's clock measured.

    Args:
        trainer: One with a TrainingClock among its callbacks.
    """
    return next(c for c in trainer.callbacks if isinstance(c, TrainingClock)).times()  # type: ignore[attr-defined]
