"""Logits of windows from a function of padded rows, such as an ONNX graph; torch isn't needed for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headway.data.plans import plan_evaluation
from headway.types import WindowLogits

if TYPE_CHECKING:
    from headway.data.store import Encoded

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
"""The names that a graph may ask for, as transformers has them."""


class PaddedEngine:
    """Pads windows of about equal length to the longest and runs a function on them.

    Args:
        run: Name -> (batch, length) int64 to logits, (batch, num_labels) or (batch, length, num_labels)
            float32.
        inputs: The names that it takes, of INPUTS.
        pad_token_id: What stands where there is no token.
        max_positions: Tokens that the model can read at once.
        token_level: Whether it labels tokens.

    Attributes:
        max_positions: See above.
    """

    def __init__(
        self,
        run: Callable[[Mapping[str, np.ndarray]], np.ndarray],
        *,
        inputs: Sequence[str],
        pad_token_id: int,
        max_positions: int,
        token_level: bool,
    ) -> None:
        self.max_positions = max_positions
        self._run = run
        self._inputs = tuple(inputs)
        self._pad_token_id = pad_token_id
        self._token_level = token_level

    def window_logits(self, encoded: Encoded, *, batch_size: int) -> WindowLogits:
        """Return the logits of windows, or of the first piece of each word in them.

        Args:
            encoded: At least one window.
            batch_size: Windows a batch.
        """
        rows = []
        for plan in plan_evaluation(encoded.window_lengths, batch_size=batch_size):
            logits = self._run(self._padded(encoded, plan.windows))
            rows.append(self._rows(logits, encoded, plan.windows))
        return _joined(rows)

    def _padded(self, encoded: Encoded, windows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the inputs of some windows, each (batch, length) int64."""
        starts, lengths = encoded.offsets[windows], encoded.window_lengths[windows]
        shape = (len(windows), int(lengths.max()))
        held = np.arange(shape[1]) < lengths[:, None]  # (batch, length)
        tokens = (starts[:, None] + np.arange(shape[1]))[held]  # (tokens of these windows,)
        made = {}
        for name in self._inputs:
            values = np.full(shape, self._pad_token_id if name == "input_ids" else 0, dtype=np.int64)
            source = encoded.input_ids if name == "input_ids" else encoded.token_type_ids
            if name == "attention_mask":
                values[held] = 1
            elif source is not None:
                values[held] = source[tokens]
            made[name] = values
        return made

    def _rows(self, logits: np.ndarray, encoded: Encoded, windows: np.ndarray) -> WindowLogits:
        """Return the rows of some windows, as headway.models.rows does."""
        documents = np.asarray(encoded.documents[windows], dtype=np.int64)
        numbers = np.asarray(windows, dtype=np.int64)
        if not self._token_level:
            return WindowLogits(np.asarray(logits, dtype=np.float32), documents, numbers)
        if encoded.words is None or encoded.first_pieces is None:
            raise ValueError("windows of words are needed where tokens are labelled")
        picked = []
        for row, window in enumerate(windows.tolist()):
            start, end = int(encoded.offsets[window]), int(encoded.offsets[window + 1])
            words = np.asarray(encoded.words[start:end], dtype=np.int64)
            places = np.flatnonzero(encoded.first_pieces[start:end] & (words >= 0))
            edges = np.minimum(places, end - start - 1 - places)
            picked.append((np.full(len(places), row), places, words[places], edges))
        row_of, places, words, edges = (np.concatenate(part) for part in zip(*picked, strict=True))
        values = np.asarray(logits[row_of, places], dtype=np.float32)
        return WindowLogits(values, documents[row_of], numbers[row_of], words, edges)


def _joined(rows: Sequence[WindowLogits]) -> WindowLogits:
    """Return the rows of several batches as one; headway.models.rows would bring torch."""
    joined: dict[str, Any] = {
        name: None if value is None else np.concatenate([getattr(row, name) for row in rows])
        for name, value in vars(rows[0]).items()
    }
    return WindowLogits(**joined)
