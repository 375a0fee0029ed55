"""How long a split's documents are, and what did not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headway.data.store import Encoded
    from headway.types import Gold

_COVERED_RATIO = 0.95


@dataclass(frozen=True)
class LengthReport:
    """What cutting did to one split; lengths are in tokens with special tokens, before cutting.

    Attributes:
        split: The split's name.
        documents: Documents of the split.
        windows: Windows of all documents.
        most_windows: Windows of the document that has most.
        tokens: Tokens of all documents before cutting.
        median: The length that half of the documents don't exceed.
        max_length_95: The max_length that holds 95 % of the documents whole, and no shorter one does.
        longest: The greatest length.
        truncated_documents: Documents of which something was cut off.
        tokens_lost: Tokens that no window holds.
        words: Labelled words; None unless words are labelled.
        words_lost: Labelled words that no window shows to the model, so that they are never predicted.
        entities: Gold entities; None unless the labels are those of entities (B-X, I-X).
        entities_lost: Gold entities of which a word at least is lost.
    """

    split: str
    documents: int
    windows: int
    most_windows: int
    tokens: int
    median: int
    max_length_95: int
    longest: int
    truncated_documents: int
    tokens_lost: int
    words: int | None = None
    words_lost: int | None = None
    entities: int | None = None
    entities_lost: int | None = None

    def lines(self) -> list[str]:
        """Return the report as lines of text, a fact each."""
        lines = [
            f"{self.split}: {self.documents} documents, {self.windows} windows (at most {self.most_windows} "
            f"a document), {self.tokens} tokens",
            f"{self.split}: tokens a document: median {self.median}, longest {self.longest}; "
            f"max_length={self.max_length_95} holds 95 % of the documents whole",
            f"{self.split}: {_share(self.truncated_documents, self.documents)} documents truncated, "
            f"{_share(self.tokens_lost, self.tokens)} tokens lost",
        ]
        for name in ("words", "entities"):
            total, lost = getattr(self, name), getattr(self, f"{name}_lost")
            if total is not None:
                lines.append(f"{self.split}: {_share(lost, total)} gold {name} lost, counted as missed")
        return lines


def length_report(
    split: str, encoded: Encoded, *, gold: Gold | None = None, label_names: Sequence[str] | None = None
) -> LengthReport:
    """Count what a split's documents are long and what of them no window holds.

    Args:
        split: The split's name.
        encoded: Its windows; one document at least.
        gold: The split's answers, where there are any.
        label_names: (num_labels,) the labels by number, for gold.

    Returns:
        The counts.
    """
    # The smallest length that at least this share of documents doesn't exceed: no value in between.
    median, covered = np.quantile(encoded.lengths, [0.5, _COVERED_RATIO], method="inverted_cdf")
    words: dict[str, int] = {}
    if gold is not None and gold.word_offsets is not None and encoded.word_seen is not None:
        words = {"words": len(encoded.word_seen), "words_lost": int((~encoded.word_seen).sum())}
        if label_names and any(name.startswith("B-") for name in label_names):
            words["entities"], words["entities_lost"] = _count_entities(
                gold.values, gold.word_offsets, label_names=label_names, seen=encoded.word_seen
            )
    return LengthReport(
        split=split,
        documents=encoded.num_documents,
        windows=encoded.num_windows,
        most_windows=int(encoded.windows_per_document.max()),
        tokens=int(encoded.lengths.sum()),
        median=int(median),
        max_length_95=int(covered),
        longest=int(encoded.lengths.max()),
        truncated_documents=int(encoded.truncated.sum()),
        tokens_lost=int(encoded.lost.sum()),
        **words,
    )


def _count_entities(
    tags: np.ndarray, word_offsets: np.ndarray, *, label_names: Sequence[str], seen: np.ndarray
) -> tuple[int, int]:
    """Return how many entities IOB2 tags hold, and of how many a word is not seen.

    Args:
        tags: (num_words,) int64.
        word_offsets: (num_documents + 1,) int64; no entity crosses documents.
        label_names: (num_labels,) the tags by number.
        seen: (num_words,) bool.
    """
    types = [name[2:] if name[:2] in ("B-", "I-") else "" for name in label_names]
    kinds = sorted(set(types) - {""})
    kind = np.array([kinds.index(name) if name else -1 for name in types])[tags]
    begins = np.array([name.startswith("B-") for name in label_names])[tags]
    begins[1:] |= kind[1:] != kind[:-1]
    begins[word_offsets[:-1][np.diff(word_offsets) > 0]] = True
    inside = kind >= 0
    begins &= inside
    # Numbered from 1; words outside carry the number of the entity before them and are masked out.
    entity = np.cumsum(begins)
    lost = np.unique(entity[inside & ~seen])
    return int(begins.sum()), len(lost)


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole if whole else 0:.1%})"
