"""Where a training stands in the order of its batches, kept in checkpoints."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl


class ResumableOrder(pl.LightningDataModule):
    """A data module whose batches are a function of (seed, epoch, position), which checkpoints hold.

    Args:
        data_seed: Of the order of windows.
    """

    def __init__(self, data_seed: int) -> None:
        super().__init__()
        self.data_seed = data_seed
        self._resumed = (0, 0)  # an epoch, and how many of its micro-batches are done

    def state_dict(self) -> dict[str, Any]:
        """Return which micro-batch comes next."""
        epoch, position = 0, 0
        if self.trainer is not None:
            epoch = self.trainer.current_epoch
            # Those that the training loop has done: loader workers are ahead of it.
            position = self.trainer.fit_loop.epoch_loop.batch_progress.current.completed
        return {"data_seed": self.data_seed, "epoch": epoch, "position": position}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the micro-batch that comes next.

        Args:
            state_dict: What `state_dict` returned.

        Raises:
            ValueError: It is of another order.
        """
        if state_dict["data_seed"] != self.data_seed:
            raise ValueError(
                f"data_seed must be {state_dict['data_seed']}, with which it began, got {self.data_seed}"
            )
        self._resumed = (state_dict["epoch"], state_dict["position"])

    def done_of(self, epoch: int) -> int:
        """Return how many micro-batches of an epoch an earlier process has done.

        Args:
            epoch: From 0.
        """
        return self._resumed[1] if epoch == self._resumed[0] else 0
