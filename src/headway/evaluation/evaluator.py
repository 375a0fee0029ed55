"""Collect a split's window logits in any order and score the whole split at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from headway.evaluation.aggregation import Aggregation
from headway.evaluation.decoding import Decoding
from headway.evaluation.metrics import Metrics
from headway.types import ConfigError, DataError, DocumentLogits, Gold, Prediction, WindowLogits

COVERAGE = "coverage"
"""The metric beside all others: the share of labelled documents or words that some window held."""


@dataclass(frozen=True)
class Evaluation:
    """What one pass over a split came to.

    Attributes:
        metrics: Values by name, `coverage` among them.
        documents: The logits that were decoded.
        prediction: The answers.
        losses: (num_documents,) float64, NaN where no window held the document.
        decoding: What decoded them; with what it has learned, if it was fitted here.
        windows: What the documents were put together from; None where only they are known.
    """

    metrics: dict[str, float]
    documents: DocumentLogits
    prediction: Prediction
    losses: np.ndarray
    decoding: Decoding
    windows: WindowLogits | None = None

    @property
    def loss(self) -> float:
        """Mean loss of the documents that some window held; NaN if none did."""
        known = self.losses[~np.isnan(self.losses)]
        return float(known.mean()) if len(known) else float("nan")


def evaluate(
    documents: DocumentLogits, gold: Gold, *, decoding: Decoding, metrics: Metrics, label_names: Sequence[str]
) -> Evaluation:
    """Decode and score logits that are already put together.

    Args:
        documents: (num_documents or num_words, num_labels) logits.
        gold: The right answers for the same documents or words.
        decoding: Turns logits into answers; used as it is.
        metrics: Scores the answers.
        label_names: The labels by number; empty for scores.

    Returns:
        The answers and what they are worth.
    """
    prediction = decoding(documents)
    return Evaluation(
        metrics=metrics(prediction, gold, label_names) | {COVERAGE: float(documents.seen.mean())},
        documents=documents,
        prediction=prediction,
        losses=decoding.losses(documents, gold),
        decoding=decoding,
    )


class Evaluator:
    """The state of one evaluation of one split: update with rows as they come, then compute once.

    Args:
        gold: The split's right answers.
        aggregation: Windows -> documents or words.
        decoding: Logits -> answers.
        metrics: Answers -> values.
        label_names: The labels by number; empty for scores.
        fit_decoding: Whether `compute` fits the decoding on this split first. Only ever for validation; what
            was fitted is in the Evaluation, to be stored and applied to other splits.

    Raises:
        DataError: The split has no gold.
        ConfigError: The aggregation or the decoding needs words, and whole documents are labelled.
    """

    def __init__(
        self,
        gold: Gold,
        *,
        aggregation: Aggregation,
        decoding: Decoding,
        metrics: Metrics,
        label_names: Sequence[str],
        fit_decoding: bool = False,
    ) -> None:
        if not len(gold.values):
            raise DataError(
                "a split must hold at least one labelled document to be scored, got none; see its file"
            )
        if aggregation.needs_words and gold.word_offsets is None:
            raise ConfigError(
                f"`task.aggregation` must be one for whole documents, got {type(aggregation).__name__}, "
                f"which puts words together; choose task/aggregation=mean_logits"
            )
        if decoding.needs_words and gold.word_offsets is None:
            raise ConfigError(
                f"`task.decoding` must be one for whole documents, got {type(decoding).__name__}, which "
                f"reads the words of a document together; choose task/decoding=argmax"
            )
        self._gold = gold
        self.aggregation = aggregation
        self._decoding = decoding
        self._metrics = metrics
        self._label_names = tuple(label_names)
        self._fit_decoding = fit_decoding
        self._rows: list[WindowLogits] = []

    def reset(self) -> None:
        """Forget every row, for another pass over the split."""
        self._rows = []

    def update(self, rows: WindowLogits) -> None:
        """Take in some rows.

        Args:
            rows: (num_rows, num_labels) logits, in any order, each window once a pass.

        Raises:
            ValueError: The rows don't have a column a label, or are of words where documents are labelled, or
                the other way round.
        """
        num_columns = self._num_columns()
        if rows.logits.ndim != 2 or rows.logits.shape[1] != num_columns:
            raise ValueError(f"logits must be (num_rows, {num_columns}), got {rows.logits.shape}")
        if (rows.words is None) != (self._gold.word_offsets is None):
            raise ValueError("rows must be of words if and only if gold is")
        self._rows.append(rows)

    def windows(self) -> WindowLogits:
        """Return all rows so far: to gather over processes, or to compare aggregations without a model."""
        if not self._rows:
            none = np.zeros(0, dtype=np.int64)
            of_words = None if self._gold.word_offsets is None else none
            logits = np.zeros((0, self._num_columns()), dtype=np.float32)
            return WindowLogits(logits, none, none, words=of_words, edge_distances=of_words)
        return WindowLogits(
            logits=np.concatenate([rows.logits for rows in self._rows]),
            documents=np.concatenate([rows.documents for rows in self._rows]),
            windows=np.concatenate([rows.windows for rows in self._rows]),
            words=_joined([rows.words for rows in self._rows]),
            edge_distances=_joined([rows.edge_distances for rows in self._rows]),
        )

    def compute(self) -> Evaluation:
        """Put the windows together and score the split; what no window held counts as missed.

        Raises:
            ValueError: A row's document or word isn't in the split, or a window came twice.
        """
        gold, offsets = self._gold, self._gold.word_offsets
        num_documents = len(gold.values) if offsets is None else len(offsets) - 1
        windows = self.windows()
        documents = self.aggregation(windows, num_documents=num_documents, word_offsets=offsets)
        decoding = self._decoding.fit(documents, gold) if self._fit_decoding else self._decoding
        evaluation = evaluate(
            documents, gold, decoding=decoding, metrics=self._metrics, label_names=self._label_names
        )
        return replace(evaluation, windows=windows)

    def _num_columns(self) -> int:
        return max(len(self._label_names), 1)  # a score has one column and no name


def _joined(parts: list[np.ndarray | None]) -> np.ndarray | None:
    given = [part for part in parts if part is not None]
    if len(given) not in (0, len(parts)):
        raise ValueError("either every update has words and edge_distances, or none has")
    return np.concatenate(given) if given else None
