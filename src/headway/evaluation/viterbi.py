"""The best sequence under rules on which label may follow which."""

from __future__ import annotations

import numpy as np

_BLOCK = 1 << 22
"""Values that a step of one block of sequences holds at most, 32 MB."""


def best_sequences(
    scores: np.ndarray, *, offsets: np.ndarray, may_follow: np.ndarray, may_begin: np.ndarray
) -> np.ndarray:
    """Return for each sequence the labels with the highest summed score that the rules allow.

    All sequences go forward together, so that the time is that of the longest. Of equal sums the one with the
    lower label number, at the latest place where they differ, is taken.

    Args:
        scores: (num_rows, num_labels) float64, sequences end to end.
        offsets: (num_sequences + 1,) int64, where each starts and ends.
        may_follow: (num_labels, num_labels) bool, whether the column's label may stand behind the row's.
        may_begin: (num_labels,) bool, whether a sequence may begin with the label.

    Returns:
        (num_rows,) int64 label numbers.

    Source: Viterbi 1967; Forney 1973, The Viterbi Algorithm, section III.
    """
    lengths = np.diff(offsets)
    best = np.empty(len(scores), dtype=np.int64)
    order = np.argsort(-lengths, kind="stable")
    order = order[: int((lengths > 0).sum())]
    size = max(1, _BLOCK // scores.shape[1] ** 2)
    between, first = (np.where(rule, 0.0, -np.inf) for rule in (may_follow, may_begin))
    for start in range(0, len(order), size):
        block = order[start : start + size]
        _solve(scores, best, offsets[block], lengths[block], between, first)
    return best


def _solve(
    scores: np.ndarray,
    best: np.ndarray,
    starts: np.ndarray,
    lengths: np.ndarray,
    between: np.ndarray,
    first: np.ndarray,
) -> None:
    """Fill `best` for sequences that stand longest first."""
    longest = int(lengths[0])
    # How many sequences are longer than each place: they are the first ones.
    active = np.searchsorted(-lengths, -np.arange(longest), side="left")
    sums = scores[starts] + first  # (sequences, num_labels): of the best way to each label
    came_from = []
    for place in range(1, longest):
        count = int(active[place])
        ways = sums[:count, :, None] + between  # (count, from, to)
        arrived = ways.argmax(axis=1)
        came_from.append(arrived.astype(np.int32))
        reached = np.take_along_axis(ways, arrived[:, None, :], axis=1)[:, 0]
        sums[:count] = reached + scores[starts[:count] + place]
    labels = sums.argmax(axis=1)  # where each ends
    best[starts + lengths - 1] = labels
    for place in range(longest - 1, 0, -1):
        count = int(active[place])
        labels[:count] = came_from[place - 1][np.arange(count), labels[:count]]
        best[starts[:count] + place - 1] = labels[:count]
