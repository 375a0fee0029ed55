"""Where a training stands, in the words that Lightning goes on from to the step.

Lightning can stop and go on at many points of a step, and at some of them takes one log row, one validation
or one callback too many or too few. A checkpoint of headway is of one of three moments, and these functions
write each as the state that Lightning's loops take up exactly there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytorch_lightning as pl


class Moment(StrEnum):
    """Where in a training a checkpoint is written."""

    BETWEEN = "between steps"
    """Just before a micro-batch; all of the one before is done, its validation and log rows too."""
    DUE = "validation due"
    """In a validation, which is to be made anew."""
    VALIDATED = "validated"
    """A validation has just been made; the epoch may end here."""


def resumable_loops(trainer: pl.Trainer, loops: dict[str, Any], moment: Moment) -> dict[str, Any]:
    """Return the state of Lightning's loops that it goes on from at a moment.

    Args:
        trainer: In training.
        loops: What it would write itself.
        moment: Of the checkpoint.
    """
    fit = dict(loops["fit_loop"])
    batches = fit["epoch_loop.batch_progress"]
    done = {name: _all(counts["completed"]) for name, counts in _counts(batches).items()}
    last = batches["is_last_batch"] and moment is not Moment.BETWEEN
    fit["epoch_loop.batch_progress"] = {**done, "is_last_batch": last}
    if moment is Moment.BETWEEN:
        stepped = trainer.fit_loop.epoch_loop._batches_that_stepped
        # Where a validation comes, or came, after this many batches, Lightning counts a step when it goes on.
        again = _counts_again(trainer, done["current"]["completed"])
        fit["epoch_loop.state_dict"] = {"_batches_that_stepped": stepped - int(again)}
    validation = fit["epoch_loop.val_loop.batch_progress"]
    fit["epoch_loop.val_loop.batch_progress"] = _validation_progress(validation, moment)
    return {**loops, "fit_loop": fit}


def _validation_progress(progress: dict[str, Any], moment: Moment) -> dict[str, Any]:
    """Return how far the validation is: all of the last one, or just begun where one is due.

    Lightning counts on from one that was interrupted: the batch it was begun with stays among those that are
    ready and never becomes one that is completed. By exactly that it knows a validation that is to be gone on
    with, and so would make one again that is made, in every later resume of the epoch.
    """
    if moment is Moment.DUE:
        begun = {"ready": 1, "started": 1, "processed": 0, "completed": 0}
        return {"total": begun, "current": dict(begun), "is_last_batch": False}
    made = _all(progress["current"]["completed"])
    return {"total": made, "current": dict(made), "is_last_batch": progress["is_last_batch"]}


def _counts(progress: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {name: progress[name] for name in ("total", "current")}


def _all(number: int) -> dict[str, int]:
    return dict.fromkeys(("ready", "started", "processed", "completed"), number)


def _counts_again(trainer: pl.Trainer, batches: int) -> bool:
    """Say whether to Lightning a validation is due after so many batches of the epoch, none included."""
    loop = trainer.fit_loop.epoch_loop
    every = trainer.val_check_batch
    if not loop._should_check_val_epoch() or every is None or every == float("inf"):
        return False
    whole: bool = batches % every == 0
    return whole and batches % trainer.accumulate_grad_batches == 0


def done_position(trainer: pl.Trainer) -> tuple[int, int]:
    """Return the epoch, from 0, and how many of its micro-batches are done.

    Args:
        trainer: In training, at a moment.
    """
    return trainer.current_epoch, trainer.fit_loop.epoch_loop.batch_progress.current.completed
