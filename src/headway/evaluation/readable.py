"""Answers in the words that people use."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from headway.types import Prediction


def readable(values: np.ndarray, offsets: np.ndarray | None, label_names: Sequence[str]) -> list[Any]:
    """Return answers in the words that people use.

    Args:
        values: As in Gold and Prediction.
        offsets: (num_documents + 1,) int64 for words, else None.
        label_names: The labels in the order of the logits; empty for scores.

    Returns:
        (num_documents,) a label, a list of labels, a number, or a list of a word's tags (None for a word
        that no window held).
    """
    if not label_names:
        return [float(value) for value in values]
    if offsets is not None:
        tags = [None if value < 0 else label_names[value] for value in values.tolist()]
        return [tags[start:end] for start, end in pairwise(offsets.tolist())]
    if values.ndim == 2:
        return [[label_names[i] for i in np.flatnonzero(row == 1).tolist()] for row in values]
    return [None if value < 0 else label_names[value] for value in values.tolist()]


def chosen_probabilities(prediction: Prediction) -> np.ndarray:
    """Return the probability of each word's tag, 0 where no window held the word: (num_words,) float32.

    Args:
        prediction: Of words.

    Raises:
        ValueError: It has no probabilities.
    """
    if prediction.probabilities is None:
        raise ValueError("scores have no probabilities")
    rows = np.arange(len(prediction.values))
    chosen: np.ndarray = prediction.probabilities[rows, np.maximum(prediction.values, 0)]
    return chosen.astype(np.float32)
