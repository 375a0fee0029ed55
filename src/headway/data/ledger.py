"""What becomes of the gold of a split: seen by the model, cut off, or impossible to score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headway.data.store import Encoded
    from headway.types import Gold


@dataclass(frozen=True)
class GoldCount:
    """Gold of one kind in one split; the last three add up to the first.

    Attributes:
        kind: "labels" (of whole documents: classes, scores, or the labels that a document has), "words"
            (tagged ones) or "entities".
        total: All there are. All stay in the denominator of every metric.
        seen: Windows hold it: of a label, the whole document; of a word, the first piece, by which it is
            tagged; of an entity, each of its words.
        truncated: Cut off. A label is then scored by what is left of its document; a word or an entity
            counts as missed.
        unscorable: Words that give no piece, and entities with such a word; they count as missed.
    """

    kind: str
    total: int
    seen: int
    truncated: int
    unscorable: int

    def line(self) -> str:
        """Return the count as a line of text."""
        fate = "scored by the rest of their documents" if self.kind == "labels" else "counted as missed"
        parts = [
            f"gold {self.kind}: {self.seen} of {_share(self.seen, self.total)} seen"
            + (" whole" if self.kind == "labels" else ""),
            f"{self.truncated} truncated",
        ]
        if self.unscorable:
            parts.append(f"{self.unscorable} without a piece")
        return ", ".join(parts) + (f" ({fate})" if self.seen < self.total else "")


def _share(part: int, whole: int) -> str:
    return f"{whole} ({part / whole if whole else 1:.1%})"


def count_gold(gold: Gold, encoded: Encoded, *, label_names: Sequence[str]) -> tuple[GoldCount, ...]:
    """Return what becomes of a split's gold.

    Args:
        gold: The split's right answers.
        encoded: Its windows.
        label_names: (num_labels,) the labels by number; empty for scores.

    Returns:
        One count of labels; or one of words and, where tags mark entities, one of entities.
    """
    if gold.word_offsets is None or encoded.word_seen is None:
        each = gold.values.sum(axis=1) if gold.values.ndim == 2 else np.ones(len(gold.values), dtype=np.int64)
        total, cut = int(each.sum()), int(each[encoded.truncated].sum())
        return (GoldCount("labels", total, total - cut, cut, 0),)
    seen, without = np.asarray(encoded.word_seen), _without_a_piece(encoded)
    total, unscorable = len(seen), int(without.sum())
    lost = int((~seen).sum())
    words = GoldCount("words", total, total - lost, lost - unscorable, unscorable)
    if not any(name.startswith("B-") for name in label_names):
        return (words,)
    entity = number_entities(gold.values, gold.word_offsets, label_names=label_names)
    lost, unscorable = (len(np.unique(entity[(entity > 0) & mask])) for mask in (~seen, without))
    total = int(entity.max(initial=0))
    return (words, GoldCount("entities", total, total - lost, lost - unscorable, unscorable))


def _without_a_piece(encoded: Encoded) -> np.ndarray:
    """Return which words no window can show, whatever max_length is: (num_words,) bool.

    Truncation cuts one end off. What is missing between words that are there, or from a document of which
    nothing was cut, gave no piece.
    """
    seen, offsets = np.asarray(encoded.word_seen), encoded.word_offsets
    if offsets is None:
        raise ValueError("only windows over words have words")
    document = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))  # (num_words,)
    rows = np.arange(len(seen))
    first, last = np.full(len(offsets) - 1, len(seen)), np.full(len(offsets) - 1, -1)
    np.minimum.at(first, document[seen], rows[seen])
    np.maximum.at(last, document[seen], rows[seen])
    between = (rows > first[document]) & (rows < last[document])
    without: np.ndarray = ~seen & (between | ~encoded.truncated[document])
    return without


def number_entities(tags: np.ndarray, word_offsets: np.ndarray, *, label_names: Sequence[str]) -> np.ndarray:
    """Return which entity each word belongs to, by IOB2 tags.

    Args:
        tags: (num_words,) int64.
        word_offsets: (num_documents + 1,) int64; no entity crosses documents.
        label_names: (num_labels,) the tags by number.

    Returns:
        (num_words,) int64, from 1 in the order of the text; 0 outside.
    """
    types = [name[2:] if name[:2] in ("B-", "I-") else "" for name in label_names]
    kinds = sorted(set(types) - {""})
    kind = np.array([kinds.index(name) if name else -1 for name in types])[tags]
    begins = np.array([name.startswith("B-") for name in label_names])[tags]
    begins[1:] |= kind[1:] != kind[:-1]
    begins[word_offsets[:-1][np.diff(word_offsets) > 0]] = True
    inside = kind >= 0
    numbers: np.ndarray = np.where(inside, np.cumsum(begins & inside), 0)
    return numbers
