"""What every aggregation shares: rows come together first, then one row stands for each document or word."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from headway.evaluation.document import Segments, segments
from headway.evaluation.spec import Specified
from headway.types import DocumentLogits, WindowLogits


@dataclass(frozen=True)
class Aggregation(Specified, ABC):
    """Windows -> document; where words are labelled, the windows that hold a word -> that word.

    The result is the same to the bit whatever the order of the rows. One window alone keeps its answer.

    Attributes:
        needs_words: Whether it has a meaning only where words are labelled.
    """

    needs_words: ClassVar[bool] = False

    def __call__(
        self, windows: WindowLogits, *, num_documents: int, word_offsets: np.ndarray | None
    ) -> DocumentLogits:
        """Put the windows of each document, or of each word, together.

        Args:
            windows: Rows in any order, (num_rows, num_labels) logits.
            num_documents: Documents in the split, with or without rows.
            word_offsets: (num_documents + 1,) int64 where words are labelled, else None.

        Returns:
            (num_documents or num_words, num_labels) logits; zeros, and not seen, where no
            window was.

        Raises:
            ValueError: The rows don't fit the split.
        """
        together = segments(windows, num_documents=num_documents, word_offsets=word_offsets)
        return together.fill(self.reduce(together))

    @abstractmethod
    def reduce(self, together: Segments) -> np.ndarray:
        """Return one row a segment, (num_segments, num_labels) of any float type.

        Args:
            together: The rows, sorted by document or word.
        """
