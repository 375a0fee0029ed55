"""Checkpoints that are whole or not there."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.plugins.io import CheckpointIO

from headway.types import TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytorch_lightning as pl

    from headway.evaluation.evaluator import Evaluation
    from headway.models.module import FineTuner


class AtomicCheckpointIO(CheckpointIO):
    """Write beside the target and rename: a kill or a full disk leaves the previous checkpoint as it was.

    Lightning stages in the temporary folder, and a move from another file system is a copy (#21253).
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Save tensors and scalars to `path`."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with partial.open("wb") as stream:
                torch.save(checkpoint, stream)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Load tensors and scalars; objects are refused whatever the caller asks for."""
        loaded: dict[str, Any] = torch.load(path, map_location=map_location, weights_only=True)
        return loaded

    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove a checkpoint that a better one replaced."""
        Path(path).unlink(missing_ok=True)


class BestCheckpoint(ModelCheckpoint):
    """Keep the checkpoint with the best validation metric, and what it scored.

    Args:
        monitor: The metric, as logged.
        mode: Which way is better, "max" or "min".
        dirpath: Where best.ckpt and last.ckpt go.
        save_last: Whether last.ckpt is written after every validation, too.

    Attributes:
        best_evaluation: What the best checkpoint scored; None before the first.
        best_epoch: From 0; -1 before the first.
        on_better: Called with the module and its scores after every new best checkpoint is written.
    """

    def __init__(self, *, monitor: str, mode: str, dirpath: Path, save_last: bool) -> None:
        super().__init__(
            dirpath=dirpath,
            filename="best",
            monitor=monitor,
            mode=mode,
            save_top_k=1,
            save_last=False,  # Lightning's is written only with a new best, and then is the best
            auto_insert_metric_name=False,
            enable_version_counter=False,
            save_on_train_epoch_end=False,
        )
        self.keep_last = save_last
        self.best_evaluation: Evaluation | None = None
        self.best_epoch = -1
        self.on_better: Callable[[FineTuner, Evaluation], None] | None = None

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save if the metric improved; a metric that isn't a number is never the best (it would be kept)."""
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        name = str(self.monitor)
        value = trainer.callback_metrics.get(name)
        if value is None or not math.isfinite(float(value)):
            raise TrainingError(
                f"{name} is {'not logged' if value is None else float(value)} after epoch "
                f"{trainer.current_epoch}, so no best checkpoint can be chosen; look at the validation "
                f"split, or set task.monitor to another metric ({sorted(trainer.callback_metrics)})"
            )
        before = self.best_model_score
        super().on_validation_end(trainer, pl_module)
        if self.best_model_score is not before:
            module = cast("FineTuner", pl_module)
            self.best_evaluation = module.evaluations["val"]
            self.best_epoch = trainer.current_epoch
            if self.on_better is not None:
                self.on_better(module, self.best_evaluation)
        if self.keep_last:
            self.last_model_path = str(Path(str(self.dirpath)) / "last.ckpt")
            trainer.save_checkpoint(self.last_model_path)
