"""Corrections of p-values for the number of comparisons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values adjusted so that any false alarm among all has at most the level's chance.

    Args:
        p: One at least.

    Source: Holm 1979.
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(value) for value in adjusted]


def romano_wolf(values: Sequence[float], draws: Sequence[np.ndarray]) -> list[float]:
    """Return p-values adjusted as Holm's are, but by how the comparisons hang together.

    A comparison is as surprising as the largest of all that are left is rarely as large; the largest comes
    from the same resamples. So comparisons that share a config cost less, and the smallest p that is possible
    doesn't grow with their number.

    Args:
        values: Differences.
        draws: (num_resamples,) each, centred deviations of each difference from the same resamples.

    Source: Romano and Wolf 2005, algorithm 4.1, studentised by the bootstrap's standard error.
    """
    deviations = np.abs(np.stack(draws, axis=1))
    # The quantile's scale rather than a standard deviation: few seeds give tails that have none.
    errors = np.maximum(np.quantile(deviations, 0.6827, axis=0), 1e-12)
    statistics = np.abs(np.asarray(values, dtype=np.float64)) / errors
    deviations /= errors
    order = np.argsort(-statistics, kind="stable")
    # The largest of a comparison and of all that are less surprising.
    largest = np.maximum.accumulate(deviations[:, order[::-1]], axis=1)[:, ::-1]
    exceeding = (largest >= statistics[order] - 1e-12).sum(axis=0)
    adjusted = np.empty_like(statistics)
    adjusted[order] = np.maximum.accumulate((1 + exceeding) / (1 + len(deviations)))
    return [float(value) for value in adjusted]
