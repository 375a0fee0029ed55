"""When checkpoints are written, and which one is the best."""

from __future__ import annotations

import math
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pytorch_lightning.callbacks import Checkpoint

from headway.stop_signals import ignore_signals
from headway.tracking.checkpoint_io import BEST, LAST
from headway.types import CheckpointError, ConfigError, Stopped, TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytorch_lightning as pl

    from headway.evaluation.evaluator import Evaluation
    from headway.models.module import FineTuner
    from headway.stop_signals import StopSignals


class BestCheckpoint(Checkpoint):
    """Keep the checkpoint with the best validation metric, and the last one to go on from.

    Args:
        monitor: The metric, as logged.
        mode: Which way is better, "max" or "min".
        dirpath: Where best.ckpt and last.ckpt go.
        save_last: Whether last.ckpt is written after every validation, and between them.
        every_n_steps: Optimizer steps after which last.ckpt is written at the latest; None: no bound.
        every_minutes: Minutes after which it is written at the latest; None: no bound.

    Attributes:
        best_model_path: The best checkpoint, once it is safe; "" before the first.
        best_model_score: Its metric.
        best_evaluation: What it scored; None before the first, or where an earlier process wrote it.
        best_epoch: From 0; -1 before the first.
        last_model_path: The last checkpoint, once it is safe.
        on_better: Called with the module and its scores after every new best checkpoint is written.
        signals: Ask the training to stop; None: nothing does.
        resumable: Whether a training that was stopped goes on from last.ckpt; where it would begin again, as
            heads do that were trained with others, it is only written at the end.

    Raises:
        ConfigError: A bound isn't above 0.
    """

    def __init__(
        self,
        *,
        monitor: str,
        mode: str,
        dirpath: Path,
        save_last: bool,
        every_n_steps: int | None = None,
        every_minutes: float | None = None,
    ) -> None:
        for name, bound in (("every_n_steps", every_n_steps), ("every_minutes", every_minutes)):
            if bound is not None and not bound > 0:
                raise ConfigError(
                    f"`callbacks.checkpoint.{name}` must be > 0 or null for no bound, got {bound}; change it"
                )
        self.monitor = monitor
        self._sign = 1.0 if mode == "max" else -1.0
        self.mode = mode
        self.dirpath = dirpath
        self.keep_last = save_last
        self._every_n_steps = every_n_steps
        self._every_seconds = None if every_minutes is None else 60 * every_minutes
        self._saved_step = 0
        self._saved_at = time.monotonic()
        self.best_model_path = self.last_model_path = ""
        self.best_model_score: float | None = None
        self.best_evaluation: Evaluation | None = None
        self.best_epoch = -1
        self.on_better: Callable[[FineTuner, Evaluation], None] | None = None
        self.signals: StopSignals | None = None
        self.resumable = True

    def state_dict(self) -> dict[str, Any]:
        """Return what is the best so far."""
        return {"score": self.best_model_score, "epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what was the best.

        Args:
            state_dict: What `state_dict` returned.

        Raises:
            CheckpointError: The best checkpoint is gone.
        """
        self.best_model_score, self.best_epoch = state_dict["score"], state_dict["epoch"]
        if self.best_model_score is None:
            return
        path = self.dirpath / BEST
        if not path.is_file():
            raise CheckpointError(
                f"the checkpoint {path} is missing, which {LAST} names as the best so far; restore it, or "
                f"remove {LAST} to start from the beginning"
            )
        self.best_model_path = str(path)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Find out before training whether checkpoints can be written.

        Raises:
            CheckpointError: They can't.
        """
        if not trainer.is_global_zero:
            return
        probe = self.dirpath / ".writable"
        try:
            self.dirpath.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise CheckpointError(
                f"checkpoints can't be written to {self.dirpath}: {error.strerror or error}; choose another "
                "output_dir"
            ) from error

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note signals from now on, instead of stopping at once; Lightning has put its own handlers in."""
        self._saved_step, self._saved_at = trainer.global_step, time.monotonic()
        if self.signals is not None:
            self.signals.install()
            self.signals.deferred = True
        elif (
            trainer.global_rank > 0
        ):  # Lightning's would wait here for the first process, which waits for this
            ignore_signals()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Write last.ckpt where it is time, and stop where a signal asked for it.

        Between the micro-batches of an optimizer step nothing is written: gradients aren't in a checkpoint.
        """
        if batch_idx % trainer.accumulate_grad_batches:
            return
        if _agreed(trainer, self._stopping()):
            self._stop(trainer)
        elif _agreed(trainer, self._is_time(trainer.global_step)):
            self._save_last(trainer)

    def on_validation_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any, **__: Any
    ) -> None:
        """Stop where a signal asked for it; the validation is made anew."""
        if trainer.state.fn == "fit" and _agreed(trainer, self._stopping()):
            self._stop(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save if the metric improved; a metric that isn't a number is never the best (it would be kept)."""
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        value = self._value(trainer)
        best = self.best_model_score
        if best is None or self._sign * value > self._sign * best:
            self.best_model_score, self.best_epoch = value, trainer.current_epoch
            trainer.save_checkpoint(self.dirpath / BEST)
            self.best_model_path = str(self.dirpath / BEST)
            module = cast("FineTuner", pl_module)
            self.best_evaluation = module.evaluations["val"]
            if self.on_better is not None:
                self.on_better(module, self.best_evaluation)
        if self.keep_last and self.resumable:
            self._save_last(trainer)
        if _agreed(trainer, self._stopping()):
            self._stop(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leave signals to the rest of the run, and no last.ckpt that nobody asked for."""
        if self.signals is not None:
            self.signals.deferred = False
        if not self.keep_last and self.best_model_path:
            trainer.strategy.remove_checkpoint(self.dirpath / LAST)
        elif self.keep_last and not self.resumable:
            self._save_last(trainer)
        if _agreed(trainer, self._stopping()):
            raise self._stopped(" after the last step")

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Leave signals to the rest of the process."""
        if self.signals is not None:
            self.signals.deferred = False

    def _value(self, trainer: pl.Trainer) -> float:
        name = self.monitor
        value = trainer.callback_metrics.get(name)
        if value is None or not math.isfinite(float(value)):
            raise TrainingError(
                f"{name} is {'not logged' if value is None else float(value)} after epoch "
                f"{trainer.current_epoch}, so no best checkpoint can be chosen; look at the validation "
                f"split, or set task.monitor to another metric ({sorted(trainer.callback_metrics)})"
            )
        return float(value)

    def _is_time(self, step: int) -> bool:
        if not self.keep_last or not self.resumable or step == self._saved_step:
            return False
        by_steps = self._every_n_steps is not None and step - self._saved_step >= self._every_n_steps
        seconds = time.monotonic() - self._saved_at
        return by_steps or (self._every_seconds is not None and seconds >= self._every_seconds)

    def _save_last(self, trainer: pl.Trainer) -> None:
        path = self.dirpath / LAST
        trainer.save_checkpoint(path)
        self.last_model_path = str(path)
        self._saved_step, self._saved_at = trainer.global_step, time.monotonic()

    def _stopping(self) -> bool:
        return self.signals is not None and self.signals.received is not None

    def _stop(self, trainer: pl.Trainer) -> None:
        if not self.resumable:
            raise self._stopped("; heads that were trained together begin again, which takes seconds")
        if trainer.global_step:
            self._save_last(trainer)
        raise self._stopped(f" after step {trainer.global_step}, which {LAST} holds")

    def _stopped(self, when: str) -> Stopped:
        number = self.signals.received if self.signals is not None else None
        number = signal.SIGTERM if number is None else number
        name, folder = signal.Signals(number).name, self.dirpath.parent
        return Stopped(number, f"stopped by {name}{when}; go on with: headway train --resume {folder}")


def _agreed(trainer: pl.Trainer, wish: bool) -> bool:
    """Return whether any of the processes wishes it: writing a checkpoint takes all of them."""
    if trainer.world_size == 1:
        return wish
    return bool(trainer.strategy.reduce_boolean_decision(wish, all=False))
