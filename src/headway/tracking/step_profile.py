"""`trainer.profile=true`: what a few steps of a training are made of, operator by operator."""

from __future__ import annotations

import logging
from pathlib import Path

import pytorch_lightning as pl
from torch.profiler import ProfilerActivity, profile

log = logging.getLogger(__name__)
SKIPPED, RECORDED = 10, 5
"""Micro-batches: the first ones fill caches, and a profile of all of them would be gigabytes."""
LARGEST_TABLE = 60


def recorded_steps(count: int) -> range:
    """Return which of the micro-batches of a training are recorded.

    Args:
        count: There are.

    Returns:
        At most RECORDED of them, after SKIPPED; of a short training the last ones.
    """
    start = min(SKIPPED, max(0, count - RECORDED))
    return range(start, min(count, start + RECORDED))


class StepProfile(pl.Callback):
    """Writes trace.json.gz, for Perfetto or chrome://tracing, and operators.txt, by time of their own.

    Recording ends where an evaluation begins, so that a file holds steps alone.

    Args:
        folder: Where to; made when there is something to write.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = 0
        self._steps = range(0)
        self._profile: profile | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Choose the steps: by now the first epoch's number of batches is known."""
        self._steps = recorded_steps(int(trainer.num_training_batches))

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: object, batch_idx: int
    ) -> None:
        """Begin recording, if this is the first of the steps."""
        if self._steps and self._seen == self._steps.start:
            activities = [ProfilerActivity.CPU]
            if pl_module.device.type == "cuda":
                activities.append(ProfilerActivity.CUDA)
            self._profile = profile(activities=activities, acc_events=True)
            self._profile.start()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """End recording, if this is the last of the steps."""
        self._seen += 1
        if self._seen == self._steps.stop:
            self._write()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """End recording early."""
        self._write()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """End recording where training ended early."""
        self._write()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """End recording where training failed."""
        self._write()

    def _write(self) -> None:
        recorded, self._profile = self._profile, None
        if recorded is None:
            return
        recorded.stop()
        self._folder.mkdir(parents=True, exist_ok=True)
        recorded.export_chrome_trace(str(self._folder / "trace.json.gz"))
        on_cuda = ProfilerActivity.CUDA in recorded.activities
        order = "self_device_time_total" if on_cuda else "self_cpu_time_total"
        table = recorded.key_averages().table(sort_by=order, row_limit=LARGEST_TABLE)
        steps = self._seen - self._steps.start
        head = f"{steps} micro-batches after {self._steps.start} others, by {order}\n"
        (self._folder / "operators.txt").write_text(head + table + "\n", encoding="utf-8")
        log.info("profile of %d steps: %s", steps, self._folder)
