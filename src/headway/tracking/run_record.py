"""record.json as a run goes on: begun before the training, added to, and closed however the run ends."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytorch_lightning as pl

from headway.tracking.record import redact, write_json
from headway.types import HeadwayError, Stopped

if TYPE_CHECKING:
    from headway.models.module import FineTuner

SCHEMA = 1
FILE = "record.json"
RUNNING, FINISHED, FAILED = "running", "finished", "failed"
PAUSE = 5.0
"""Seconds between two writings in the course of a training at least."""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class RunRecord:
    """The record of one run; nothing is written before `begin`.

    A run that is killed at once leaves the record as it was written last, with the status "running".

    Args:
        folder: The run's folder.
        active: Whether this process writes the run's folder: of several that train together only the first.
    """

    def __init__(self, folder: Path, *, active: bool = True) -> None:
        self._folder = folder
        self.active = active
        self._written = -PAUSE
        self._process: dict[str, Any] = {
            "pid": os.getpid(),
            "start": _now(),
            "end": None,
            "exit_status": None,
        }
        self._facts: dict[str, Any] = {}

    @property
    def begun(self) -> bool:
        """Whether there is a record to close."""
        return bool(self._facts)

    def begin(self, facts: Mapping[str, Any]) -> None:
        """Write what is known before the training.

        Args:
            facts: Section -> plain values without secrets.
        """
        self._facts = {"schema": SCHEMA, "status": RUNNING, **facts}
        self._write()

    def add(self, **sections: Any) -> None:
        """Add to the record; a mapping joins what stands under its name.

        Args:
            **sections: Plain values.
        """
        for name, value in sections.items():
            before = self._facts.get(name)
            if isinstance(before, dict) and isinstance(value, dict):
                self._facts[name] = {**before, **value}
            else:
                self._facts[name] = value

    def write_now_and_then(self) -> None:
        """Write what was added, unless that was done a moment ago."""
        if time.monotonic() - self._written >= PAUSE:
            self._write()

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Close the record when the block ends, with its exit status and, where it failed, why."""
        try:
            yield
        except BaseException as error:
            status, code = getattr(error, "run_status", FAILED), exit_status(error)
            with suppress(OSError):  # a disk that is full has ended the run, and is what it ends with
                self._end(status, code, f"{type(error).__name__}: {error}")
            raise
        self._end(FINISHED, 0, None)

    def _end(self, status: str, code: int, reason: str | None) -> None:
        if not self.begun:
            return
        self._process |= {"end": _now(), "exit_status": code, "error": redact(reason)}
        self._facts["status"] = status
        self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        if self.active:
            write_json(self._folder / FILE, {**self._facts, "process": self._process})


def exit_status(error: BaseException) -> int:
    """Return the status that the command ends with after an exception.

    Args:
        error: What ended the run.
    """
    if isinstance(error, HeadwayError | Stopped):
        return error.exit_status
    if isinstance(error, KeyboardInterrupt):
        return 130
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    return 1


class RecordProgress(pl.Callback):
    """Adds to the record what is known after each validation, so that a killed run's record has it.

    Args:
        record: Begun before the training.
    """

    def __init__(self, record: RunRecord) -> None:
        self._record = record
        self._chain: list[dict[str, Any]] = []

    def state_dict(self) -> dict[str, Any]:
        """Return the chain so far, for a checkpoint."""
        return {"chain": list(self._chain)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the chain of a checkpoint."""
        self._chain = list(state_dict["chain"])

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Add the losses' chain and the scores."""
        if trainer.sanity_checking or trainer.state.fn != "fit" or not self._record.begun:
            return
        module = cast("FineTuner", pl_module)
        link = {"epoch": trainer.current_epoch + 1, "step": trainer.global_step}
        self._chain.append(link | module.loss_chain.state_dict())
        evaluation = module.evaluations.get("val")
        self._record.add(
            results={
                "loss_chain": list(self._chain),
                "last_validation": None if evaluation is None else dict(evaluation.metrics),
            }
        )
        self._record.write_now_and_then()
