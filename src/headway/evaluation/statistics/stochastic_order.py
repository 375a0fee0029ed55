"""Almost stochastic order: how far one set of scores is from being better at every quantile."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np


def violation_ratio(left: Sequence[float] | np.ndarray, right: Sequence[float] | np.ndarray) -> float:
    """Return the share of the distance between two sets of scores that speaks against the left being larger.

    With the quantile functions F and G of left and right, it is the integral of (G - F)^2 where G is above
    F, divided by that of (G - F)^2: 0 where the left is larger at every quantile, 1 where it never is, and
    0.5 for equal sets, of which nothing can be said. Quantile functions of samples are steps, so the
    integrals are sums.

    Args:
        left: Scores, larger is better.
        right: Scores.

    Source: del Barrio, Cuesta-Albertos and Matrán 2018, equation 8; Dror, Shlomov and Reichart 2019.
    """
    return float(_ratios(np.asarray(left)[None], np.asarray(right)[None])[0])


def _ratios(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the ratio of each row: (rows, n) and (rows, m) -> (rows,)."""
    size_left, size_right = left.shape[1], right.shape[1]
    # In whole numbers, so that a step of both is one step: 1/3 and 2/6 differ in floats.
    steps = np.union1d(
        np.arange(size_left + 1, dtype=np.int64) * size_right,
        np.arange(size_right + 1, dtype=np.int64) * size_left,
    )
    widths = np.diff(steps) / (size_left * size_right)
    starts = steps[:-1]
    upper = np.sort(left, axis=1)[:, starts // size_right]
    lower = np.sort(right, axis=1)[:, starts // size_left]
    gaps = lower - upper
    distance = (gaps**2) @ widths
    against = (np.maximum(gaps, 0.0) ** 2) @ widths
    return np.where(distance > 0, against / np.where(distance > 0, distance, 1.0), 0.5)


def almost_stochastic_order(
    left: Sequence[float] | np.ndarray,
    right: Sequence[float] | np.ndarray,
    *,
    confidence: float = 0.95,
    num_resamples: int = 1_000,
    seed: int = 0,
) -> float:
    """Return the upper bound of the violation ratio at a confidence: epsilon min.

    Below 0.5 the left is almost stochastically larger; 0.2 is the bound that keeps false alarms rare with few
    scores (Ulmer, Hardmeier and Frellsen 2022). Scores must be independent of each other, as those of seeds
    are.

    Args:
        left: Scores, larger is better; two at least.
        right: Scores; two at least.
        confidence: Of the bound.
        num_resamples: Of the bootstrap for the ratio's standard error.
        seed: Of the draws.

    Raises:
        ValueError: There is a single score.

    Source: Dror, Shlomov and Reichart 2019, section 4.
    """
    first, second = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if min(len(first), len(second)) < 2:
        raise ValueError("almost stochastic order needs two scores a side")
    generator = np.random.default_rng(seed)
    ratio = violation_ratio(first, second)
    at_once = max(1, (1 << 22) // (len(first) + len(second)))
    found = []
    for start in range(0, num_resamples, at_once):
        rows = min(at_once, num_resamples - start)
        drawn = (
            scores[generator.integers(len(scores), size=(rows, len(scores)))] for scores in (first, second)
        )
        found.append(_ratios(*drawn))
    # sigma / sqrt(nm / (n + m)), where sigma is that root times the deviation of the resampled ratios
    error = float(np.concatenate(found).std())
    return min(1.0, max(0.0, ratio - error * NormalDist().inv_cdf(1 - confidence)))
