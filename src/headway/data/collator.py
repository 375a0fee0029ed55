"""Batches from the flat token store: slices laid end to end, nothing padded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import Dataset

from headway.data.plans import BatchPlan
from headway.types import Batch

if TYPE_CHECKING:
    from headway.data.store import Encoded

ARRAYS = ("input_ids", "token_type_ids", "offsets", "documents", "words", "first_pieces")
"""Of an encoding, what batches are made of."""
ZERO = np.zeros(1, dtype=np.int64)


class WindowBatches(Dataset[Batch]):
    """Makes a Batch of each BatchPlan; a DataLoader uses it with batch_size=None.

    Args:
        encoded: The split's windows.
        labels: (num_documents, ...) labels of whole documents, or (num_tokens,) int64 labels of tokens;
            None without gold.
        token_level: Whether `labels` has a row a token and words are tracked.
        weights: (num_windows,) float32, or (num_tokens,) with `token_level`: what the loss of each window or
            token counts; None: each 1.
        features: What frozen layers made of the windows: (num_windows, hidden_size), or
            (num_tokens, hidden_size) with `token_features`; uint16 holds bfloat16's bits. None: not kept.
        token_features: Whether the features are tokens'.
        teacher: What another run thinks, (num_documents, num_labels) float32, or (num_words, num_labels) with
            `token_level`, the words of all documents end to end; None: nothing.
    """

    def __init__(
        self,
        encoded: Encoded,
        labels: np.ndarray | None,
        *,
        token_level: bool,
        weights: np.ndarray | None = None,
        features: np.ndarray | None = None,
        token_features: bool = False,
        teacher: np.ndarray | None = None,
    ) -> None:
        self.encoded = encoded
        self._look_at(encoded)
        self.labels = labels
        self.token_level = token_level
        self.features = features
        self.token_features = token_features
        self.teacher = teacher
        self.weights = None if weights is None else weights.astype(np.float32, copy=False)

    def _look_at(self, encoded: Encoded) -> None:
        self._arrays = {
            # A memory map seen as a plain array: slicing a `numpy.memmap` costs ten times as much.
            name: None if values is None else np.asarray(values)
            for name, values in vars(encoded).items()
            if name in ARRAYS
        }
        types = self._arrays["token_type_ids"]
        self._one_type = types is not None and not types.any()

    def __getstate__(self) -> dict[str, Any]:
        """Return what a loader's worker is sent: the arrays once."""
        return {name: value for name, value in vars(self).items() if name != "_arrays"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what was sent."""
        vars(self).update(state)
        self._look_at(self.encoded)

    def __len__(self) -> int:
        return len(self.encoded.documents)

    def __getitem__(self, plan: BatchPlan) -> Batch:
        """Return the plan's windows as one flat batch, in the plan's order."""
        arrays, windows = self._arrays, np.asarray(plan.windows, dtype=np.int64)
        offsets = _held(arrays["offsets"])
        starts = offsets[windows]
        lengths = offsets[windows + 1] - starts
        ends = lengths.cumsum()
        pooled = self.features is not None and not self.token_features
        # Of pooled windows nobody looks at the tokens.
        tokens = windows[:0] if pooled else _token_rows(starts, lengths, ends)
        documents = _held(arrays["documents"])[windows].astype(np.int64, copy=False)
        words = labels = None
        if self.token_level:
            words = _taken(arrays["words"], tokens)
            words[~_taken(arrays["first_pieces"], tokens)] = -1
        if self.labels is not None:
            labels = (
                _taken(self.labels, tokens) if self.token_level else torch.from_numpy(self.labels[documents])
            )
        input_ids = _taken(arrays["input_ids"], tokens)
        types = None
        if arrays["token_type_ids"] is not None:
            types = (
                torch.zeros_like(input_ids) if self._one_type else _taken(arrays["token_type_ids"], tokens)
            )
        return Batch(
            input_ids=input_ids,
            token_type_ids=types,
            cu_seq_lens=torch.from_numpy(np.concatenate([ZERO, ends])),
            lengths=tuple(lengths.tolist()),
            documents=torch.from_numpy(documents),
            windows=torch.from_numpy(windows.copy()),
            words=words,
            labels=labels,
            weights=self._weights(plan, tokens),
            normalizer=plan.normalizer,
            features=None if self.features is None else self._features(tokens if not pooled else windows),
            teacher_logits=None if self.teacher is None else self._teacher(documents, lengths, tokens),
        )

    def _teacher(self, documents: np.ndarray, lengths: np.ndarray, tokens: np.ndarray) -> torch.Tensor:
        """Return what a teacher thinks of each window's document, or of each token's word; else NaN."""
        teacher = _held(self.teacher)
        if not self.token_level:
            return torch.from_numpy(teacher[documents])
        words = _held(self._arrays["words"])[tokens]  # (num_tokens,), -1 for special tokens
        rows = np.repeat(_held(self.encoded.word_offsets)[documents], lengths) + words
        found = np.full((len(words), teacher.shape[1]), np.nan, dtype=np.float32)
        found[words >= 0] = teacher[rows[words >= 0]]
        return torch.from_numpy(found)

    def _features(self, rows: np.ndarray) -> torch.Tensor:
        taken = np.asarray(_held(self.features)[rows])
        tensor = torch.from_numpy(taken)
        return tensor.view(torch.bfloat16) if taken.dtype == np.uint16 else tensor

    def _weights(self, plan: BatchPlan, tokens: np.ndarray) -> torch.Tensor:
        """Return what each window, or each token, of a plan counts; float32."""
        rows = tokens if self.token_level else plan.windows
        if plan.padding or self.weights is None:
            return torch.full((len(rows),), 0.0 if plan.padding else 1.0)
        return torch.from_numpy(self.weights[rows])


def _token_rows(starts: np.ndarray, lengths: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the rows of tokens of some windows, end to end.

    Args:
        starts: (batch,) int64, each window's first row of tokens.
        lengths: (batch,) int64.
        ends: (batch,) int64, the lengths' running sum.

    Returns:
        (sum of lengths,) int64.
    """
    rows: np.ndarray = np.repeat(starts - ends + lengths, lengths)
    rows += np.arange(len(rows))
    return rows


def _held(values: np.ndarray | None) -> np.ndarray:
    if values is None:
        raise ValueError("windows of words are needed where tokens are labelled")
    return values


def _taken(values: np.ndarray | None, rows: np.ndarray) -> torch.Tensor:
    """Return rows as a copy, in int64 unless they are bool."""
    taken = _held(values)[rows]
    return torch.from_numpy(taken if taken.dtype == np.bool_ else taken.astype(np.int64, copy=False))
