"""Batches from the flat token store: slices laid end to end, nothing padded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import Dataset

from headway.data.plans import BatchPlan
from headway.types import Batch

if TYPE_CHECKING:
    from headway.data.store import Encoded


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
        self.labels = labels
        self.token_level = token_level
        self.features = features
        self.token_features = token_features
        self.teacher = teacher
        self.weights = None if weights is None else weights.astype(np.float32, copy=False)

    def __len__(self) -> int:
        return len(self.encoded.documents)

    def __getitem__(self, plan: BatchPlan) -> Batch:
        """Return the plan's windows as one flat batch, in the plan's order."""
        encoded, windows = self.encoded, plan.windows
        starts, ends = encoded.offsets[windows], encoded.offsets[windows + 1]
        lengths = (ends - starts).astype(np.int64)
        pooled = self.features is not None and not self.token_features
        # Of pooled windows nobody looks at the tokens.
        spans = [] if pooled else list(zip(starts.tolist(), ends.tolist(), strict=True))
        documents = np.asarray(encoded.documents[windows], dtype=np.int64)
        words = labels = None
        if self.token_level:
            words = _gather(encoded.words, spans, np.int64)
            words[~_gather(encoded.first_pieces, spans, np.bool_)] = -1
        if self.labels is not None:
            labels = (
                _gather(self.labels, spans, np.int64)
                if self.token_level
                else torch.from_numpy(self.labels[documents])
            )
        types = encoded.token_type_ids
        return Batch(
            input_ids=_gather(encoded.input_ids, spans, np.int64),
            token_type_ids=None if types is None else _gather(types, spans, np.int64),
            cu_seq_lens=torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)])),
            lengths=tuple(lengths.tolist()),
            documents=torch.from_numpy(documents),
            windows=torch.from_numpy(np.array(windows, dtype=np.int64)),
            words=words,
            labels=labels,
            weights=self._weights(plan, spans),
            normalizer=plan.normalizer,
            features=self._features(windows, spans),
            teacher_logits=self._teacher(documents, lengths, spans),
        )

    def _teacher(
        self, documents: np.ndarray, lengths: np.ndarray, spans: Sequence[tuple[int, int]]
    ) -> torch.Tensor | None:
        """Return what a teacher thinks of each window's document, or of each token's word; else NaN."""
        if self.teacher is None:
            return None
        if not self.token_level:
            return torch.from_numpy(self.teacher[documents])
        offsets = self.encoded.word_offsets
        if offsets is None:
            raise ValueError("windows of words are needed where tokens are labelled")
        words = _gather(self.encoded.words, spans, np.int64).numpy()  # (num_tokens,), -1 for special tokens
        rows = np.repeat(offsets[documents], lengths) + words
        found = np.full((len(words), self.teacher.shape[1]), np.nan, dtype=np.float32)
        found[words >= 0] = self.teacher[rows[words >= 0]]
        return torch.from_numpy(found)

    def _features(self, windows: np.ndarray, spans: Sequence[tuple[int, int]]) -> torch.Tensor | None:
        if self.features is None:
            return None
        parts = [self.features[start:end] for start, end in spans] if self.token_features else None
        rows = np.asarray(self.features[windows]) if parts is None else np.concatenate(parts)
        tensor = torch.from_numpy(rows)
        return tensor.view(torch.bfloat16) if rows.dtype == np.uint16 else tensor

    def _weights(self, plan: BatchPlan, spans: Sequence[tuple[int, int]]) -> torch.Tensor:
        """Return what each window, or each token, of a plan counts; float32."""
        if plan.padding or self.weights is None:
            rows = sum(end - start for start, end in spans) if self.token_level else len(plan.windows)
            return torch.full((rows,), 0.0 if plan.padding else 1.0)
        if self.token_level:
            return _gather(self.weights, spans, np.float32)
        return torch.from_numpy(self.weights[plan.windows])


def _gather(
    values: np.ndarray | None, spans: Sequence[tuple[int, int]], dtype: type[np.generic]
) -> torch.Tensor:
    """Return the rows of some windows end to end, as a copy."""
    if values is None:
        raise ValueError("windows of words are needed where tokens are labelled")
    parts = [values[start:end] for start, end in spans] or [values[:0]]
    return torch.from_numpy(np.concatenate(parts).astype(dtype, copy=False))
