"""The temperature that makes probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

LOWEST, HIGHEST = 0.1, 10.0
"""Bounds of a fitted temperature: beyond them a few rows decide and probabilities round to 0 and 1."""
UNCHANGED = 1.0
"""The temperature that leaves the logits as they are."""
_MAX_STEPS = 100
_PRECISION = 1e-9
"""Newton's step, as a share of the value, at which the search ends."""
_LARGEST_EXPONENT = 700.0
"""exp of it is still a float64."""

_Slopes = Callable[[float], tuple[float, float]]
"""From 1 / temperature to the first and second derivative of the mean negative log-likelihood in it."""


def fit_temperature(logits: np.ndarray, gold: np.ndarray, *, activation: str) -> float:
    """Return the temperature that gives the right answers the highest likelihood.

    The negative log-likelihood is convex in 1 / temperature, so there is one minimum. Where nothing is wrong
    (no other label's logit is above gold's; for sigmoid, no logit is on the wrong side of 0), every lower
    temperature is likelier still: there is nothing to fit on, and 1.0 is returned, as it is without rows.

    Args:
        logits: (rows, num_labels) of any float type, only rows that some window held.
        gold: (rows,) int64 label numbers for softmax; (rows, num_labels) of 0 and 1 for sigmoid, where every
            pair of row and label counts alike.
        activation: softmax or sigmoid.

    Returns:
        The temperature, in [LOWEST, HIGHEST].

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2. For sigmoid a pair is
        taken as a softmax over the logit and 0.
    """
    slopes = _SLOPES[activation](logits.astype(np.float64), gold)
    return UNCHANGED if slopes is None else 1.0 / _root(slopes, low=1.0 / HIGHEST, high=1.0 / LOWEST)


def _softmax_slopes(logits: np.ndarray, gold: np.ndarray) -> _Slopes | None:
    """Return the slopes where one label a row is right; None if gold has every row's largest logit."""
    if not len(logits):
        return None
    logits = logits - logits.max(axis=1, keepdims=True)  # nothing above 0, so exp never overflows
    of_gold = logits[np.arange(len(gold)), gold]  # (rows,)
    if (of_gold == 0).all():
        return None
    weights = np.empty_like(logits)

    def slopes(beta: float) -> tuple[float, float]:
        """Return both derivatives at `beta`, which is 1 / temperature."""
        np.exp(np.multiply(logits, beta, out=weights), out=weights)
        np.divide(weights, weights.sum(axis=1, keepdims=True), out=weights)
        np.multiply(weights, logits, out=weights)
        mean = weights.sum(axis=1)  # (rows,), the expected logit
        variance = np.einsum("rl,rl->r", weights, logits) - mean**2
        return float((mean - of_gold).mean()), float(variance.mean())

    return slopes


def _sigmoid_slopes(logits: np.ndarray, gold: np.ndarray) -> _Slopes | None:
    """Return the slopes where each label is right or wrong by itself; None if all are on their side of 0."""
    signed = np.where(gold == 1, logits, -logits)
    if (signed >= 0).all():  # of no rows too
        return None

    def slopes(beta: float) -> tuple[float, float]:
        """Return both derivatives at `beta`, which is 1 / temperature."""
        wrong = 1.0 / (1.0 + np.exp(np.minimum(signed * beta, _LARGEST_EXPONENT)))  # what gold is denied
        first = signed * wrong
        return -float(first.mean()), float((first * signed * (1.0 - wrong)).mean())

    return slopes


_SLOPES: dict[str, Callable[[np.ndarray, np.ndarray], _Slopes | None]] = {
    "softmax": _softmax_slopes,
    "sigmoid": _sigmoid_slopes,
}


def _root(slopes: _Slopes, *, low: float, high: float) -> float:
    """Return where the first derivative, which rises, is 0; the bound that is nearer if that is outside.

    Newton's method, but each step halves the bracket instead where it would leave it.
    """
    if slopes(low)[0] >= 0:
        return low
    if slopes(high)[0] <= 0:
        return high
    beta = 1.0
    for _ in range(_MAX_STEPS):
        slope, curvature = slopes(beta)
        step = slope / curvature if curvature > 0 else float("inf")
        # Asked before the bracket: near the root the slope's sign is rounding, and so are the brackets' ends.
        if abs(step) <= _PRECISION * beta:
            break
        low, high = (low, beta) if slope > 0 else (beta, high)
        beta = beta - step if low < beta - step < high else (low + high) / 2
    return beta
