"""What stands in the batches of every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from headway.data.datamodule import DataModule
    from headway.data.plans import BatchPlan


@dataclass(frozen=True)
class EpochPlan:
    """What stands in the batches of an epoch.

    Attributes:
        tokens: (num_batches,) int64, real tokens of each micro-batch.
        computed: (num_batches,) int64, tokens that the encoder computes: padding too, where there is any.
        windows: (num_batches,) int64.
        steps: Optimizer steps.
    """

    tokens: np.ndarray
    computed: np.ndarray
    windows: np.ndarray
    steps: int

    @classmethod
    def of(
        cls, plans: Sequence[BatchPlan], lengths: np.ndarray, *, padded: bool, accumulate: int
    ) -> EpochPlan:
        """Count the plans of an epoch.

        Args:
            plans: The micro-batches.
            lengths: (num_windows,) int64, tokens of the split's windows.
            padded: Whether windows are padded to the longest of their batch.
            accumulate: Micro-batches in an optimizer step.
        """
        each = [lengths[plan.windows] for plan in plans]
        tokens = np.array([int(batch.sum()) for batch in each], dtype=np.int64)
        windows = np.array([len(batch) for batch in each], dtype=np.int64)
        longest = np.array([int(batch.max()) for batch in each], dtype=np.int64)
        return cls(tokens, windows * longest if padded else tokens, windows, ceil(len(plans) / accumulate))


def epoch_plans(
    loaders: DataModule, lengths: np.ndarray, *, max_epochs: int, accumulate: int, padded: bool
) -> list[EpochPlan]:
    """Return what stands in every epoch that has a step.

    Args:
        loaders: Of the splits.
        lengths: (num_windows,) int64, tokens of train's windows.
        max_epochs: Epochs at most.
        accumulate: Micro-batches in an optimizer step.
        padded: Whether windows are padded.
    """
    plans = (loaders.train_plan(epoch) for epoch in range(max_epochs))
    return [EpochPlan.of(each, lengths, padded=padded, accumulate=accumulate) for each in plans if each]
