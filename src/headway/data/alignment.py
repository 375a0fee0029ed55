"""Labels of words to labels of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headway.types import IGNORE_INDEX, ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headway.data.store import Encoded
    from headway.types import Gold


def label_tokens(
    encoded: Encoded, gold: Gold, *, label_names: Sequence[str], subword_labels: str
) -> np.ndarray:
    """Return the label of every token of every window.

    Args:
        encoded: Windows over words.
        gold: The words' tags, the same documents in the same order.
        label_names: (num_labels,) the tags by number.
        subword_labels: "first": only the first piece of a word is labelled. "all": the others too; where the
            word begins an entity (B-X) they get I-X, since a second B-X would begin another one.

    Returns:
        (num_tokens,) int64, IGNORE_INDEX on special tokens and on pieces that are not labelled.

    Raises:
        ConfigError: subword_labels is "all" and label_names has a B-X without its I-X.
        ValueError: The documents of `encoded` and `gold` don't have the same words.
    """
    offsets = encoded.word_offsets
    if offsets is None or encoded.words is None or encoded.first_pieces is None or gold.word_offsets is None:
        raise ValueError("label_tokens needs windows over words and a tag for each word")
    if not np.array_equal(gold.word_offsets, offsets):
        raise ValueError("the documents of the windows and of the tags don't have the same words")
    rows = np.repeat(offsets[encoded.documents], encoded.window_lengths) + encoded.words
    labels = np.full(encoded.num_tokens, IGNORE_INDEX, dtype=np.int64)
    first = np.asarray(encoded.first_pieces)
    labels[first] = gold.values[rows[first]]
    if subword_labels == "all":
        rest = (encoded.words >= 0) & ~first
        labels[rest] = _continuations(label_names)[gold.values[rows[rest]]]
    return labels


def _continuations(label_names: Sequence[str]) -> np.ndarray:
    """Return the tag that continues each tag within a word: (num_labels,) int64."""
    numbers = {name: number for number, name in enumerate(label_names)}
    inside = [f"I-{name[2:]}" if name.startswith("B-") else name for name in label_names]
    for name, wanted in zip(label_names, inside, strict=True):
        if wanted not in numbers:
            raise ConfigError(
                f"data.label_names must hold {wanted} beside {name} for subword_labels=all, got "
                f"{', '.join(label_names)}; add it or set data.subword_labels=first"
            )
    return np.array([numbers[name] for name in inside], dtype=np.int64)
