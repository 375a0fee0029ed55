"""What both peers' trainings are made of: rows, and what happens after a step."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset
from transformers import AutoTokenizer

Fault = Callable[[Any, int], None]
"""Takes the model and the steps so far."""


class Rows(Dataset[dict[str, torch.Tensor]]):
    """Encoded rows, padded, each with its number."""

    def __init__(self, work: Path) -> None:
        rows = [json.loads(line) for line in (work / "rows.jsonl").read_text().splitlines()]
        tokenizer = AutoTokenizer.from_pretrained(work / "bert")
        encoded = tokenizer([row["body"] for row in rows], truncation=True, max_length=24, padding=True)
        self.columns = {name: torch.tensor(values) for name, values in encoded.items()}
        self.columns["labels"] = torch.tensor(["ab".index(row["topic"]) for row in rows])
        self.columns["row"] = torch.arange(len(rows))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.columns["row"])

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        """Return one."""
        return {name: values[number] for name, values in self.columns.items()}


class Ender:
    """Notes micro-batches, and ends the process, or lets something go wrong, where told.

    Args:
        tape: The file of notes.
        kill_after: Steps after which the process kills itself; None: never.
        signal_after: A signal and after how many steps the process sends it itself; None: never.
        fault: Called with the model and the steps so far after each; None: nothing is.
        model: What trains.
    """

    def __init__(
        self,
        tape: Path,
        kill_after: int | None,
        signal_after: tuple[int, int] | None,
        *,
        fault: Fault | None = None,
        model: Any = None,
    ) -> None:
        self.tape, self.kill_after, self.signal_after, self.seen = tape, kill_after, signal_after, 0
        self.fault, self.model = fault, model

    def note(self, *, epoch: int, batch: int, rows: list[int], loss: float) -> None:
        """Note a batch."""
        with self.tape.open("a") as file:
            file.write(json.dumps({"epoch": epoch, "batch": batch, "rows": rows, "loss": loss.hex()}) + "\n")

    def end(self) -> None:
        """End, if it is time."""
        self.seen += 1
        if self.seen == self.kill_after:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.signal_after is not None and self.seen == self.signal_after[1]:
            os.kill(os.getpid(), self.signal_after[0])
        if self.fault is not None:
            self.fault(self.model, self.seen)
