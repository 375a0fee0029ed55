"""A run's predictions/<split>.parquet as what metrics take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from headway.types import Gold, HeadwayError, Prediction


@dataclass(frozen=True)
class StoredPredictions:
    """Answers to a split, and the right ones.

    Attributes:
        prediction: The answers; those of words are without probabilities.
        gold: The right ones.
        label_names: The labels by number; empty for scores.
        ids: (num_documents,) names of the documents.
    """

    prediction: Prediction
    gold: Gold
    label_names: tuple[str, ...]
    ids: tuple[str, ...]

    def take(self, documents: np.ndarray) -> tuple[Prediction, Gold]:
        """Return answers and right answers of some documents.

        Args:
            documents: (num_taken,) int64, numbers of documents, each as often as it is wanted.
        """
        offsets = self.gold.word_offsets
        rows, taken = documents, None
        if offsets is not None:
            sizes = np.diff(offsets)[documents]
            taken = np.concatenate([[0], np.cumsum(sizes)])
            starts = np.repeat(offsets[documents] - taken[:-1], sizes)
            rows = starts + np.arange(taken[-1])
        chances = self.prediction.probabilities
        return (
            Prediction(self.prediction.values[rows], None if chances is None else chances[rows], taken),
            Gold(self.gold.values[rows], taken),
        )


def read_predictions(folder: Path, split: str) -> StoredPredictions:
    """Return what a run answered.

    Args:
        folder: The run's.
        split: The split's name.

    Raises:
        HeadwayError: The file isn't there or isn't as headway writes it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "predictions" / f"{split}.parquet"
    try:
        table = pq.read_table(path)
        names = tuple(json.loads((table.schema.metadata or {})[b"label_names"]))
        columns = {name: table[name].to_pylist() for name in ("id", "gold", "prediction")}
        chances = table["probabilities"].to_pylist() if "probabilities" in table.column_names else None
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise HeadwayError(f"{path} must be as headway wrote it, got {error!r}; train again") from error
    return _stored(columns, chances, names, of_words=_of_words(columns, chances, names))


def _of_words(columns: dict[str, list[Any]], chances: Any, names: Sequence[str]) -> bool:
    """Say whether words are labelled: then there is a probability a word, and not one a label."""
    listed = any(isinstance(value, list) for value in columns["gold"])
    if not (listed and names):
        return False
    pairs = zip(columns["gold"], chances or (), strict=False)
    return all(len(gold) == len(each) for gold, each in pairs)


def _stored(
    columns: dict[str, list[Any]], chances: list[Any] | None, names: tuple[str, ...], *, of_words: bool
) -> StoredPredictions:
    numbers = {name: number for number, name in enumerate(names)} | {None: -1}
    offsets = None

    def values(column: list[Any]) -> np.ndarray:
        """Return answers as numbers."""
        if not names:
            return np.array([np.nan if value is None else value for value in column], dtype=np.float64)
        if of_words:
            return np.array([numbers[tag] for tag in chain.from_iterable(column)], dtype=np.int64)
        if any(isinstance(value, list) for value in column):
            return np.array([[int(name in (value or ())) for name in names] for value in column])
        return np.array([numbers[value] for value in column], dtype=np.int64)

    if of_words:
        offsets = np.concatenate([[0], np.cumsum([len(tags) for tags in columns["gold"]])])
        chances = None
    probabilities = None if chances is None else np.array(chances, dtype=np.float32)
    return StoredPredictions(
        Prediction(values(columns["prediction"]), probabilities, offsets),
        Gold(values(columns["gold"]), offsets),
        names,
        tuple(map(str, columns["id"])),
    )
