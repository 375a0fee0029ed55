"""Which windows stand in which micro-batch: pure functions of (lengths, seed, epoch).

A plan is drawn for the whole training, not for one process: each global batch is split among the processes,
so every process takes the same number of optimizer steps, and each knows the total weight of its step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from headway.data.batching import Batching


@dataclass(frozen=True)
class BatchPlan:
    """The windows of one micro-batch on one process.

    Attributes:
        windows: (batch,) int64, window numbers.
        normalizer: Sum of the weights of the whole optimizer step, over its micro-batches and processes.
        padding: Whether the only window is there to keep this process in step: it weighs nothing in training
            and is left out of the rows in evaluation.
    """

    windows: np.ndarray
    normalizer: float
    padding: bool = False


def draw_windows(documents: np.ndarray, count: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return some windows of each document, every choice of them equally likely.

    Args:
        documents: (num_windows,) int64, the document of each window, never falling.
        count: Windows of a document at most; of one with fewer, all.
        rng: Draws them.

    Returns:
        (num_drawn,) int64 window numbers, ascending.
    """
    order = np.lexsort((rng.random(len(documents)), documents))  # shuffled within each document
    starts = np.flatnonzero(np.concatenate([[True], documents[1:] != documents[:-1]])[: len(documents)])
    sizes = np.diff(starts, append=len(documents))
    places = np.arange(len(documents)) - np.repeat(starts, sizes)  # in the document's shuffled windows
    drawn: np.ndarray = np.sort(order[places < count])
    return drawn


def plan_epoch(
    batching: Batching,
    *,
    lengths: np.ndarray,
    weights: np.ndarray,
    seed: int,
    epoch: int,
    accumulate: int,
    documents: np.ndarray | None = None,
    windows_each: int | None = None,
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
        documents: (num_windows,) int64, the document of each window, never falling; only for windows_each.
        windows_each: Windows of a document that the epoch sees at most, drawn at random; None: all.
        rank: This process, from 0.
        num_processes: All of them.
        limit: A count of micro-batches (int), or a ratio of them in (0, 1] (float), rounded up.
        max_steps: Optimizer steps of this epoch at most; -1 for no bound.

    Returns:
        The plans in order; their number is the same on every process. The last optimizer step may hold
        fewer micro-batches, and its normalizer then holds only theirs.
    """
    if max_steps == 0:
        return []
    rng = np.random.default_rng((seed, epoch))
    if windows_each is None or documents is None:
        batches = batching.batches(lengths, rng=rng, num_processes=num_processes)
    else:
        chosen = draw_windows(documents, windows_each, rng=rng)
        drawn = batching.batches(lengths[chosen], rng=rng, num_processes=num_processes)
        batches = [chosen[batch] for batch in drawn]
    # Less a little, since 100 * 0.07 is 7.000000000000001.
    keep = limit if isinstance(limit, int) else ceil(len(batches) * limit - 1e-9)
    batches = batches[:keep] if max_steps < 0 else batches[: min(keep, max_steps * accumulate)]
    plans: list[BatchPlan] = []
    for start in range(0, len(batches), accumulate):
        step = batches[start : start + accumulate]
        normalizer = float(sum(weights[batch].sum() for batch in step))
        for batch in step:
            # By length, then in turn: every process gets as many tokens as the others, to within one window.
            ordered = batch[np.argsort(lengths[batch], kind="stable")]
            share = ordered[rank::num_processes]
            padding = len(share) == 0
            plans.append(BatchPlan(ordered[:1] if padding else share, normalizer, padding))
    return plans


def plan_evaluation(
    lengths: np.ndarray, *, batch_size: int, rank: int = 0, num_processes: int = 1
) -> list[BatchPlan]:
    """Return one process's batches for scoring: every window once, like lengths together, none repeated.

    Args:
        lengths: (num_windows,) int64, tokens in each window.
        batch_size: Windows in a batch.
        rank: This process, from 0.
        num_processes: All of them; what they hold beside padding is disjoint and covers all windows.

    Returns:
        The plans, longest windows first, so that too large a batch fails at once. Their number is the same
        on every process, since distributed forwards wait for one another; what is missing is padding.
    """
    order = np.argsort(lengths, kind="stable")
    chunks = [order[max(0, end - batch_size) : end] for end in range(len(order), 0, -batch_size)]
    plans = [BatchPlan(chunk, 0.0) for chunk in chunks[rank::num_processes]]
    if len(plans) < ceil(len(chunks) / num_processes):
        plans.append(BatchPlan(order[:1], 0.0, padding=True))
    return plans


class PlanSampler:
    """Gives a DataLoader (with batch_size=None) the plans of the epoch that Lightning sets.

    Args:
        plan: Epoch number -> plans.
        epoch: The epoch to begin with.
        position: Plans of that epoch that are done already. The length stays that of the whole epoch, since
            Lightning counts those too.
    """

    def __init__(self, plan: Callable[[int], list[BatchPlan]], *, epoch: int = 0, position: int = 0) -> None:
        self._plan = plan
        self._plans: list[BatchPlan] = []
        self._epoch = -1
        self._position = 0
        self.set_epoch(epoch)
        self._position = position

    def set_epoch(self, epoch: int) -> None:
        """Draw the plans of `epoch`; called by Lightning at the start of each."""
        if epoch != self._epoch:
            self._plans = self._plan(epoch)
            self._epoch, self._position = epoch, 0

    def __len__(self) -> int:
        return len(self._plans)

    def __iter__(self) -> Iterator[BatchPlan]:
        return iter(self._plans[self._position :])
