"""From logits to probabilities and back, for each way in which labels can exclude one another."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headway.types import ConfigError

_TINY = float(np.finfo(np.float64).tiny)
_HALF_STEP = 2.0**-53
"""The distance from 1 to the float64 below it, so that both p and 1 - p keep a finite logarithm."""


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return the logarithm of the softmax over the last axis.

    Args:
        logits: (..., num_labels) of any float type.

    Returns:
        (..., num_labels) float64.
    """
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities that sum to 1 over the last axis, (..., num_labels) float64."""
    probabilities: np.ndarray = np.exp(log_softmax(logits))
    return probabilities


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return a probability for each logit by itself, in the same shape, float64."""
    # exp(-log(1 + exp(-x))) neither overflows nor warns, whatever the sign.
    probabilities: np.ndarray = np.exp(-np.logaddexp(0.0, -logits.astype(np.float64)))
    return probabilities


@dataclass(frozen=True)
class Activation:
    """What the logits of one kind of task mean.

    Attributes:
        probabilities: From logits (rows, num_labels) to probabilities of the same shape, float64.
        logits: Back again: the activation of what it returns are the probabilities that it was given.
        votes: From logits (rows, num_labels) to what each row alone would answer, 0 or 1 in each place; None
            where there is nothing to vote on.
    """

    probabilities: Callable[[np.ndarray], np.ndarray]
    logits: Callable[[np.ndarray], np.ndarray]
    votes: Callable[[np.ndarray], np.ndarray] | None


def _log(probabilities: np.ndarray) -> np.ndarray:
    logits: np.ndarray = np.log(np.maximum(probabilities, _TINY))
    return logits


def _logit(probabilities: np.ndarray) -> np.ndarray:
    inside = np.clip(probabilities, _HALF_STEP, 1.0 - _HALF_STEP)
    logits: np.ndarray = np.log(inside) - np.log1p(-inside)
    return logits


def _best(logits: np.ndarray) -> np.ndarray:
    best: np.ndarray = np.arange(logits.shape[-1]) == logits.argmax(axis=-1)[:, None]  # (rows, num_labels)
    return best


def _positive(logits: np.ndarray) -> np.ndarray:
    positive: np.ndarray = logits > 0
    return positive


def _float64(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float64)


ACTIVATIONS = {
    "softmax": Activation(softmax, _log, _best),
    "sigmoid": Activation(sigmoid, _logit, _positive),
    "identity": Activation(_float64, _float64, None),
}
"""softmax: one label a row; sigmoid: any number of labels a row; identity: the logits are the answer."""


def activation_named(name: str) -> Activation:
    """Return the activation of that name.

    Args:
        name: One of ACTIVATIONS.

    Raises:
        ConfigError: There is none of that name.
    """
    if name not in ACTIVATIONS:
        near = difflib.get_close_matches(str(name), ACTIVATIONS, n=1, cutoff=0)[0]
        raise ConfigError(
            f"`activation` must be one of {', '.join(ACTIVATIONS)}, got {name}; the nearest is {near}"
        )
    return ACTIVATIONS[name]
