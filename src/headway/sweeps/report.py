"""Tells the sweep what an epoch came to, and stops a trial that the sweep has given up."""

from __future__ import annotations

from collections.abc import Callable

import pytorch_lightning as pl

from headway.types import HeadwayError


class PrunedError(HeadwayError):
    """The sweep's pruner has stopped the training.

    Args:
        message: When, and at which value.
        value: The monitored metric at that epoch.
    """

    run_status = "pruned"
    """What the run's record says became of it."""

    def __init__(self, message: str, value: float) -> None:
        super().__init__(message)
        self.value = value


class EpochReport(pl.Callback):
    """Report the monitored metric after each validation; stop when told.

    Args:
        monitor: The metric, as logged.
        report: Takes the epoch (from 1) and the value; returns whether to stop.
    """

    def __init__(self, *, monitor: str, report: Callable[[int, float], bool]) -> None:
        self._monitor = monitor
        self._report = report
        self._reported: list[tuple[int, float]] = []

    def state_dict(self) -> dict[str, list[list[float]]]:
        """Return what was reported so far."""
        return {"reported": [list(each) for each in self._reported]}

    def load_state_dict(self, state_dict: dict[str, list[list[float]]]) -> None:
        """Report what an earlier attempt has: another sweep's process may not know it.

        Args:
            state_dict: What `state_dict` returned.
        """
        self._reported = [(int(epoch), value) for epoch, value in state_dict["reported"]]
        for epoch, value in self._reported:
            self._report(epoch, value)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report, and raise PrunedError where the answer is to stop."""
        value = trainer.callback_metrics.get(self._monitor)
        if trainer.sanity_checking or trainer.state.fn != "fit" or value is None:
            return
        epoch = trainer.current_epoch + 1
        self._reported.append((epoch, float(value)))
        if self._report(epoch, float(value)):
            message = f"stopped by the sweep's pruner after epoch {epoch}, {self._monitor} {float(value):.4f}"
            raise PrunedError(message, float(value))
