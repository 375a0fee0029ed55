"""Trainings that are interrupted: what they see in each step, and how they are stopped."""

from __future__ import annotations

import json
import os
import signal

import pytorch_lightning as pl


class PowerCutError(BaseException):
    """The process ends here, as far as the training can tell."""


class Tape(pl.Callback):
    """Note what each micro-batch is and which loss it gives, to the bit; end the training where told.

    Lines are added to a file at once, so that they outlive the process.
    """

    def __init__(self, path, *, stop_after=None, kill=False):
        self._path = path
        self._stop_after = stop_after
        self._kill = kill
        self._seen = 0
        self._windows = None

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        """Note the batch's windows."""
        self._windows = batch.windows.tolist()

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        """Note the loss, and end where told."""
        line = {
            "epoch": trainer.current_epoch,
            "batch": batch_idx,
            "windows": self._windows,
            "loss": float(outputs["loss"]).hex(),
            "lr": trainer.optimizers[0].param_groups[0]["lr"],
        }
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self._seen += 1
        if self._seen == self._stop_after:
            if self._kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise PowerCutError


def read_tape(path):
    """Return (epoch, batch) -> what was seen; where a batch was seen twice, both must be the same."""
    seen = {}
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        key = entry["epoch"], entry["batch"]
        assert seen.setdefault(key, entry) == entry, f"batch {key} was another the second time"
    return seen
