"""Weights of classes, given or balanced."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from headway.models.ranges import check_number
from headway.types import ConfigError


def check_weights(key: str, weights: object) -> str | tuple[float, ...] | None:
    """Return weights as a loss's yaml may state them.

    Args:
        key: Where they stand in the config.
        weights: "auto", a list of numbers, or None.

    Returns:
        "auto", finite numbers of at least 0 and not all 0, or None.

    Raises:
        ConfigError: Anything else.
    """
    if weights is None or weights == "auto":
        return weights
    if isinstance(weights, str) or not isinstance(weights, Sequence) or not weights:
        raise ConfigError(
            f"`{key}` must be auto, null or a list of numbers, got {weights!r}; list one a class"
        )
    numbers = tuple(
        check_number(f"{key}[{i}]", weight, low=0, advice="set a finite weight")
        for i, weight in enumerate(weights)
    )
    if not any(numbers):
        raise ConfigError(
            f"`{key}` must have a weight above 0, got {list(numbers)}; nothing would be learned"
        )
    return numbers


def counted(weights: str | tuple[float, ...], counts: Sequence[int] | None, *, key: str) -> Sequence[int]:
    """Return the label counts that weights need or must fit.

    Args:
        weights: Checked ones.
        counts: Of each label in train, if they are known.
        key: Where the weights stand in the config.

    Returns:
        The counts; a list's own length of zeros where they aren't known.

    Raises:
        ConfigError: "auto" without counts, or a list of another length.
    """
    if counts is None:
        if isinstance(weights, str):
            raise ConfigError(
                f"`{key}` can be auto only where the labels of train have been counted; list the weights "
                "instead"
            )
        return [0] * len(weights)
    if not isinstance(weights, str) and len(weights) != len(counts):
        raise ConfigError(
            f"`{key}` must list one weight a label ({len(counts)}), got {len(weights)}; add or drop some"
        )
    return counts


def balanced_or_given(
    weights: str | tuple[float, ...] | None,
    counts: Sequence[int] | None,
    *,
    key: str = "task.loss.class_weights",
) -> Tensor | None:
    """Return each class's weight.

    Args:
        weights: Checked ones.
        counts: Rows (or labelled tokens) of each class in train.
        key: Where the weights stand in the config.

    Returns:
        (num_labels,) float32, or None for none. "auto" is n / (K n_c) for n rows, n_c of class c and K
        classes that
        occur: the mean weight of a row of train is 1, so a learning rate keeps its meaning. A class that
        doesn't occur weighs 1.

    Raises:
        ConfigError: "auto" without counts, or a list that doesn't fit them.
    """
    if weights is None:
        return None
    numbers = counted(weights, counts, key=key)
    if not isinstance(weights, str):
        return torch.tensor(weights)
    total, occurring = sum(numbers), sum(1 for count in numbers if count)
    return torch.tensor([total / (occurring * count) if count else 1.0 for count in numbers])
