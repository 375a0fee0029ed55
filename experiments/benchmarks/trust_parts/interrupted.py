"""Trainings that are interrupted: what they see in each step, and how they are stopped."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl


class PowerCutError(BaseException):
    """The process ends here, as far as the training can tell."""


class Tape(pl.Callback):
    """Note what each micro-batch is and which loss it gives, to the bit; end the training where told.

    Lines are added to a file at once, so that they outlive the process.

    Args:
        path: The file.
        stop_after: Micro-batches of this process, after which it happens; None: never.
        kill: Whether the process kills itself then, instead of raising PowerCutError.
        signal_at: "step" or "validation": where, from then on, the process sends itself a signal instead.
        number: The signal.
        linger: Seconds that the step takes after the signal, which `PATH.signal` tells of.
        plain: Whether only micro-batches are counted, where they aren't headway's batches.
    """

    def __init__(
        self,
        path: Path,
        *,
        stop_after: int | None = None,
        kill: bool = False,
        signal_at: str | None = None,
        number: int = signal.SIGTERM,
        linger: float = 0.0,
        plain: bool = False,
    ) -> None:
        self._path = path
        self._stop_after = stop_after
        self._kill = kill
        self._signal_at = signal_at
        self._number = number
        self._linger = linger
        self._plain = plain
        self._seen = 0

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Note the micro-batch, and end where told."""
        if not self._plain:
            line = {
                "epoch": trainer.current_epoch,
                "batch": batch_idx,
                "windows": batch.windows.tolist(),
                "loss": float(outputs["loss"]).hex(),
                "lr": trainer.optimizers[0].param_groups[0]["lr"],
            }
            with self._path.open("a") as file:
                file.write(json.dumps(line) + "\n")
        self._seen += 1
        if self._seen == self._stop_after and self._signal_at is None:
            if self._kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise PowerCutError
        if self._seen == self._stop_after and self._signal_at == "step":
            self._send()

    def on_validation_batch_end(self, *_: Any) -> None:
        """Send the signal where told."""
        if self._signal_at == "validation" and self._seen >= (self._stop_after or 0):
            self._signal_at = None
            self._send()

    def _send(self) -> None:
        # As a terminal or a scheduler does it, to the loader workers too.
        os.killpg(0, self._number) if os.getpgid(0) == os.getpid() else os.kill(os.getpid(), self._number)
        self._path.with_name(f"{self._path.name}.signal").touch()
        time.sleep(self._linger)


def read_tape(path: Path) -> dict[tuple[int, int], dict[str, Any]]:
    """Return (epoch, batch) -> what was seen; where a batch was seen twice, both must be the same.

    Raises:
        ValueError: A batch was another the second time.
    """
    seen: dict[tuple[int, int], dict[str, Any]] = {}
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        key = entry["epoch"], entry["batch"]
        if seen.setdefault(key, entry) != entry:
            raise ValueError(f"batch {key} was {seen[key]}, and {entry} the second time")
    return seen
