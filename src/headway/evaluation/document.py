"""Bring the rows of one document, or of one word, together, whatever order they came in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headway.types import DocumentLogits, WindowLogits


@dataclass(frozen=True)
class Segments:
    """Window logits in a fixed order: a segment holds all rows of one document, or of one word of it.

    Sums over a segment run in the order of the windows, so they don't depend on how rows arrived, to the bit.

    Attributes:
        logits: (num_rows, num_labels) float32, sorted by slot, then by window.
        edge_distances: (num_rows,) int64 in the same order, or None where whole windows are labelled.
        starts: (num_segments,) int64, the first row of each segment.
        slots: (num_segments,) int64, the row of DocumentLogits that each segment becomes; ascending.
        num_slots: Rows of DocumentLogits, seen or not.
        word_offsets: (num_documents + 1,) int64, or None where whole documents are labelled.
    """

    logits: np.ndarray
    edge_distances: np.ndarray | None
    starts: np.ndarray
    slots: np.ndarray
    num_slots: int
    word_offsets: np.ndarray | None

    @property
    def counts(self) -> np.ndarray:
        """(num_segments,) int64, the rows in each segment, at least 1."""
        return np.diff(self.starts, append=len(self.logits))

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Add up the rows of each segment.

        Args:
            values: (num_rows, num_labels), in the order of `logits`.

        Returns:
            (num_segments, num_labels) float64.
        """
        total: np.ndarray = np.add.reduceat(values, self.starts, axis=0, dtype=np.float64)
        return total

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Average the rows of each segment; shapes as `sum`."""
        mean: np.ndarray = self.sum(values) / self.counts[:, None]
        return mean

    def fill(self, values: np.ndarray) -> DocumentLogits:
        """Put one row a segment where it belongs; what no window held stays zero and unseen.

        Args:
            values: (num_segments, num_labels), of any float type.

        Returns:
            Logits of all documents, or of all words of all documents.
        """
        logits = np.zeros((self.num_slots, values.shape[1]), dtype=np.float32)
        seen = np.zeros(self.num_slots, dtype=bool)
        logits[self.slots] = values
        seen[self.slots] = True
        return DocumentLogits(logits=logits, word_offsets=self.word_offsets, seen=seen)


def blank_document(num_labels: int) -> DocumentLogits:
    """Return one document with logits of zero, to try a decoding on.

    Args:
        num_labels: Columns.
    """
    return DocumentLogits(np.zeros((1, num_labels), dtype=np.float32), None, np.ones(1, dtype=np.bool_))


def segments(windows: WindowLogits, *, num_documents: int, word_offsets: np.ndarray | None) -> Segments:
    """Sort the rows and find where each document, or each word, starts.

    Args:
        windows: Rows in any order.
        num_documents: Documents in the split, with or without rows.
        word_offsets: (num_documents + 1,) int64 where words are labelled, else None.

    Returns:
        The same rows, sorted.

    Raises:
        ValueError: A row's document or word isn't in the split, or one window gave the same row twice (a
            sampler that pads does this, and the mean would count the row double).
    """
    num_slots = num_documents if word_offsets is None else int(word_offsets[-1])
    slots = _slots(windows, num_documents=num_documents, word_offsets=word_offsets)
    order = np.lexsort((windows.windows, slots))
    slots, numbers = slots[order], windows.windows[order]
    same_slot = slots[1:] == slots[:-1]
    twice = np.flatnonzero(same_slot & (numbers[1:] == numbers[:-1]))
    if len(twice):
        raise ValueError(
            f"window {numbers[twice[0]]} gave row {slots[twice[0]]} twice; gather each window once"
        )
    starts = np.flatnonzero(np.concatenate([[True], ~same_slot])[: len(slots)])
    edges = windows.edge_distances
    return Segments(
        logits=windows.logits[order],
        edge_distances=None if edges is None else edges[order],
        starts=starts,
        slots=slots[starts],
        num_slots=num_slots,
        word_offsets=word_offsets,
    )


def _slots(windows: WindowLogits, *, num_documents: int, word_offsets: np.ndarray | None) -> np.ndarray:
    """Return for each row the row of DocumentLogits it belongs to, (num_rows,) int64."""
    if (windows.words is None) != (word_offsets is None):
        raise ValueError("windows.words and word_offsets must both be given or both be None")
    documents = windows.documents.astype(np.int64)
    if np.any((documents < 0) | (documents >= num_documents)):
        raise ValueError(
            f"documents must be in [0, {num_documents}), got {documents.min()} to {documents.max()}"
        )
    if windows.words is None or word_offsets is None:
        return documents
    num_words = np.diff(word_offsets)[documents]
    if np.any((windows.words < 0) | (windows.words >= num_words)):
        raise ValueError("every row's word must be in its document; rows of special tokens must be left out")
    slots: np.ndarray = word_offsets[documents] + windows.words
    return slots
