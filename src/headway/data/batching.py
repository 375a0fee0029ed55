"""Which windows stand in which micro-batch: pure functions of (lengths, seed, epoch).

A plan is drawn for the whole training, not for one process: each global batch is split among the processes,
so every process takes the same number of optimizer steps, and each knows the total weight of its step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from headway.types import ConfigError


@dataclass(frozen=True)
class BatchPlan:
    """The windows of one micro-batch on one process.

    Attributes:
        windows: (batch,) int64, window numbers.
        normalizer: Sum of the weights of the whole optimizer step, over its micro-batches and processes.
        padding: Whether the only window is there to keep this process in step and must weigh nothing.
    """

    windows: np.ndarray
    normalizer: float
    padding: bool = False


class Batching(ABC):
    """Cuts an epoch's windows into global batches."""

    @abstractmethod
    def batches(
        self, lengths: np.ndarray, *, rng: np.random.Generator, num_processes: int
    ) -> list[np.ndarray]:
        """Return the global batches of one epoch.

        Args:
            lengths: (num_windows,) int64, tokens in each window.
            rng: The epoch's generator.
            num_processes: Processes that share each global batch.

        Returns:
            (batch,) int64 window numbers, one array a global batch.
        """


def _check_batch_size(batch_size: int) -> None:
    if batch_size < 1:
        raise ConfigError(f"batching.batch_size must be >= 1, got {batch_size}")


def _chunks(order: np.ndarray, size: int, *, drop_last: bool) -> list[np.ndarray]:
    chunks = [order[start : start + size] for start in range(0, len(order), size)]
    if drop_last and len(chunks) > 1 and len(chunks[-1]) < size:
        chunks.pop()
    return chunks


class RandomBatches(Batching):
    """Cut a fresh permutation of all windows into batches: the textbook's stochastic gradient.

    Args:
        batch_size: Windows in a micro-batch on one process.
        drop_last: Whether an incomplete last batch is left out.
    """

    def __init__(self, *, batch_size: int, drop_last: bool) -> None:
        _check_batch_size(batch_size)
        self.batch_size = batch_size
        self.drop_last = drop_last

    def batches(
        self, lengths: np.ndarray, *, rng: np.random.Generator, num_processes: int
    ) -> list[np.ndarray]:
        """Return random batches; see the base class."""
        order = rng.permutation(len(lengths))
        return _chunks(order, self.batch_size * num_processes, drop_last=self.drop_last)


class GroupedBatches(Batching):
    """Sort pools of random windows by length and shuffle the batches: less padding, less randomness.

    Args:
        batch_size: Windows in a micro-batch on one process.
        drop_last: Whether an incomplete last batch is left out.
        pool: Batches that are sorted by length together.
    """

    def __init__(self, *, batch_size: int, drop_last: bool, pool: int) -> None:
        _check_batch_size(batch_size)
        if pool < 1:
            raise ConfigError(f"batching.pool must be >= 1 batches, got {pool}")
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.pool = pool

    def batches(
        self, lengths: np.ndarray, *, rng: np.random.Generator, num_processes: int
    ) -> list[np.ndarray]:
        """Return batches of like lengths; see the base class."""
        size = self.batch_size * num_processes
        order = rng.permutation(len(lengths))
        whole = len(order) // size * size
        # The incomplete batch is drawn before sorting: were it cut from a sorted pool, drop_last would
        # always leave out the longest windows.
        grouped: list[np.ndarray] = []
        for start in range(0, whole, size * self.pool):
            pool = order[start : min(start + size * self.pool, whole)]
            pool = pool[np.argsort(lengths[pool], kind="stable")]
            grouped += _chunks(pool, size, drop_last=False)
        shuffled = [grouped[i] for i in rng.permutation(len(grouped))]
        if whole < len(order) and (not self.drop_last or not shuffled):
            shuffled.append(order[whole:])
        return shuffled


class TokenBatches(Batching):
    """Fill each batch with random windows up to a number of tokens: every step costs about the same.

    Args:
        max_tokens: Tokens in a micro-batch on one process; a longer window stands alone.
    """

    def __init__(self, *, max_tokens: int) -> None:
        if max_tokens < 1:
            raise ConfigError(f"batching.max_tokens must be >= 1 tokens, got {max_tokens}")
        self.max_tokens = max_tokens

    def batches(
        self, lengths: np.ndarray, *, rng: np.random.Generator, num_processes: int
    ) -> list[np.ndarray]:
        """Return batches of like token counts; see the base class."""
        limit = self.max_tokens * num_processes
        order = rng.permutation(len(lengths))
        batches, current, tokens = [], [], 0
        for window in order.tolist():
            length = int(lengths[window])
            if current and tokens + length > limit:
                batches.append(np.array(current, dtype=np.int64))
                current, tokens = [], 0
            current.append(window)
            tokens += length
        if current:
            batches.append(np.array(current, dtype=np.int64))
        return batches


def plan_epoch(
    batching: Batching,
    *,
    lengths: np.ndarray,
    weights: np.ndarray,
    seed: int,
    epoch: int,
    accumulate: int,
    rank: int = 0,
    num_processes: int = 1,
    limit: int | float = 1.0,
    max_steps: int = -1,
) -> list[BatchPlan]:
    """Return one process's micro-batches of one epoch.

    Args:
        batching: How the epoch is cut.
        lengths: (num_windows,) int64, tokens in each window.
        weights: (num_windows,) float64, what each window's labelled units weigh together.
        seed: The data order's seed.
        epoch: The epoch, from 0.
        accumulate: Micro-batches in an optimizer step.
        rank: This process, from 0.
        num_processes: All of them.
        limit: A count of micro-batches (int), or a ratio of them in [0, 1] (float).
        max_steps: Optimizer steps of this epoch at most; -1 for no bound.

    Returns:
        The plans in order; their number is the same on every process. The last optimizer step may hold
        fewer micro-batches, and its normalizer then holds only theirs.
    """
    rng = np.random.default_rng((seed, epoch))
    batches = batching.batches(lengths, rng=rng, num_processes=num_processes)
    keep = limit if isinstance(limit, int) else ceil(len(batches) * limit)
    batches = batches[:keep] if max_steps < 0 else batches[: min(keep, max_steps * accumulate)]
    plans: list[BatchPlan] = []
    for start in range(0, len(batches), accumulate):
        step = batches[start : start + accumulate]
        normalizer = float(sum(weights[batch].sum() for batch in step))
        for batch in step:
            share = np.array_split(batch, num_processes)[rank]
            padding = len(share) == 0
            windows = batch[:1] if padding else share
            windows = windows[np.argsort(lengths[windows], kind="stable")]
            plans.append(BatchPlan(windows, normalizer, padding))
    return plans


def plan_evaluation(
    lengths: np.ndarray, *, batch_size: int, rank: int = 0, num_processes: int = 1
) -> list[BatchPlan]:
    """Return one process's batches for scoring: every window once, like lengths together, none repeated.

    Args:
        lengths: (num_windows,) int64, tokens in each window.
        batch_size: Windows in a batch.
        rank: This process, from 0.
        num_processes: All of them; their plans are disjoint and cover all windows.

    Returns:
        The plans, longest windows first, so that too large a batch fails at once.
    """
    order = np.argsort(lengths, kind="stable")
    chunks = _chunks(order, batch_size, drop_last=False)[::-1]
    return [BatchPlan(chunk, 0.0) for chunk in chunks[rank::num_processes]]


class PlanSampler:
    """Gives a DataLoader (with batch_size=None) the plans of the epoch that Lightning sets.

    Args:
        plan: Epoch number -> plans.
        epoch: The epoch to begin with.
    """

    def __init__(self, plan: Any, *, epoch: int = 0) -> None:
        self._plan = plan
        self._plans: list[BatchPlan] = []
        self._epoch = -1
        self.set_epoch(epoch)

    def set_epoch(self, epoch: int) -> None:
        """Draw the plans of `epoch`; called by Lightning at the start of each."""
        if epoch != self._epoch:
            self._plans = self._plan(epoch)
            self._epoch = epoch

    def __len__(self) -> int:
        return len(self._plans)

    def __iter__(self) -> Iterator[BatchPlan]:
        return iter(self._plans)
