"""How an epoch's windows are cut into batches: pure functions of their lengths and a generator."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from headway.types import ConfigError


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
        drop_last: Whether an incomplete last batch is left out, unless it is the only one.

    Raises:
        ConfigError: batching.batch_size is below 1.
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
        drop_last: Whether an incomplete last batch is left out, unless it is the only one.
        pool: Batches that are sorted by length together.

    Raises:
        ConfigError: batching.batch_size or batching.pool is below 1.
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
        max_tokens: Tokens in a micro-batch on one process; a longer window stands alone. Several processes
            share them to within one window.

    Raises:
        ConfigError: batching.max_tokens is below 1.
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
        batches: list[np.ndarray] = []
        current: list[int] = []
        tokens = 0
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
