"""Each word from the window where it stands farthest from an edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from headway.evaluation.aggregation.aggregation import Aggregation
from headway.evaluation.document import Segments


@dataclass(frozen=True)
class WordFarthest(Aggregation):
    """Take each word's logits from the one window that shows most of the text on both sides of it.

    At equal distance the earlier window is taken. Source: Devlin et al.'s run_squad.py, "max context".
    """

    needs_words: ClassVar[bool] = True

    def reduce(self, together: Segments) -> np.ndarray:
        """Return the chosen row of each segment, (num_segments, num_labels) float32."""
        if together.edge_distances is None:
            raise ValueError("word_farthest needs edge_distances, which only rows of words have")
        segment = np.repeat(np.arange(len(together.starts)), together.counts)  # (num_rows,)
        # lexsort is stable, so rows at equal distance stay in the order of their windows.
        farthest_first = np.lexsort((-together.edge_distances, segment))
        chosen: np.ndarray = together.logits[farthest_first[together.starts]]
        return chosen
