"""Tells a training that learned nothing: one answer for everything, or a loss that doesn't move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headway.types import Gold, Prediction

FLAT = 0.01
"""A loss whose values over the epochs lie within this ratio of the first one is flat."""


def collapse_reason(
    prediction: Prediction, gold: Gold, losses: Sequence[tuple[float, float]], *, label_names: Sequence[str]
) -> str | None:
    """Return why a training counts as collapsed, or None for one that doesn't.

    Args:
        prediction: Of validation, by the best checkpoint.
        gold: The right answers.
        losses: Train's and validation's mean loss of each epoch.
        label_names: The labels by number; empty for scores.
    """
    answers, right = _distinct(prediction.values), _distinct(gold.values)
    if len(answers) == 1 and len(right) > 1:
        return f"one answer for all of validation: {_named(answers[0], label_names)}"
    if _is_flat([train for train, _ in losses]) and _is_flat([validation for _, validation in losses]):
        return f"a flat loss: train {losses[0][0]:.4f} to {losses[-1][0]:.4f} in {len(losses)} epochs"
    return None


def _distinct(values: np.ndarray) -> np.ndarray:
    """Return the different answers: rows for labels, else single values; those of unseen words (-1) not."""
    if values.ndim == 1 and np.issubdtype(values.dtype, np.integer):
        values = values[values >= 0]
    if np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float32)  # scores of a constant head differ in their last bits
    return np.unique(values, axis=0)


def _is_flat(losses: Sequence[float]) -> bool:
    if len(losses) < 2 or not np.isfinite(losses).all():
        return False
    return max(losses) - min(losses) <= FLAT * abs(losses[0])


def _named(answer: np.ndarray, label_names: Sequence[str]) -> str:
    if answer.ndim:
        names = [label_names[number] for number in np.flatnonzero(answer).tolist()]
        return ", ".join(names) if names else "no label"
    return label_names[int(answer)] if label_names else f"{float(answer):.4f}"
