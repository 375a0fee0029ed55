"""What the loss sees of the right answers: one row a document, or one a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headway.data.alignment import label_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headway.data.store import Encoded
    from headway.types import Gold


def loss_labels(
    gold: Gold, encoded: Encoded, *, label_names: Sequence[str], subword_labels: str
) -> np.ndarray:
    """Return what the loss compares logits with.

    Args:
        gold: The split's right answers.
        encoded: Its windows.
        label_names: (num_labels,) the labels by number; empty for scores.
        subword_labels: Which pieces of a word carry its tag, "first" or "all".

    Returns:
        (num_documents,) int64 classes; (num_documents, num_labels) float32 of 0 and 1; (num_documents,)
        float32 scores; or, where words are labelled, (num_tokens,) int64 with IGNORE_INDEX.
    """
    if gold.word_offsets is not None:
        return label_tokens(encoded, gold, label_names=label_names, subword_labels=subword_labels)
    is_class = gold.values.ndim == 1 and gold.values.dtype == np.int64
    return gold.values if is_class else gold.values.astype(np.float32)


def count_labels(gold: Gold, label_names: Sequence[str]) -> list[int] | tuple[list[int], int] | None:
    """Return how often each label occurs, for the weights of losses.

    Args:
        gold: The train split's right answers.
        label_names: (num_labels,) the labels by number; empty for scores.

    Returns:
        (num_labels,) documents or words; where a document may have several labels (those documents that have
        each, all documents); None for scores.
    """
    if not label_names:
        return None
    if gold.values.ndim == 2:
        return [int(count) for count in gold.values.sum(axis=0)], len(gold.values)
    return [int(count) for count in np.bincount(gold.values, minlength=len(label_names))]
