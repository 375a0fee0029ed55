"""The stored predictions of a split as the arrays that metrics take."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headway.types import DataError, Gold, Prediction

TEXTS = ("text", "text_pair", "tokens")


@dataclass(frozen=True)
class Answers:
    """A run's answers on one split, sorted by the documents' ids.

    Attributes:
        ids: Of the documents; a second one of the same id has #2 behind it.
        gold: The right answers.
        prediction: The run's.
        losses: (num_documents,) float64, NaN where no window held the document.
        label_names: The labels by number; empty for scores.
        right: (num_documents,) what is right in words, as the file has it.
        given: (num_documents,) what came in words.
        texts: (num_documents,) the document's columns; empty where they weren't read.
    """

    ids: tuple[str, ...]
    gold: Gold
    prediction: Prediction
    losses: np.ndarray
    label_names: tuple[str, ...]
    right: Sequence[Any]
    given: Sequence[Any]
    texts: Sequence[Mapping[str, Any]]

    @property
    def kind(self) -> str:
        """Return "scores", "words", "labels" (any number a document) or "label"."""
        if not self.label_names:
            return "scores"
        if self.gold.word_offsets is not None:
            return "words"
        return "labels" if self.gold.values.ndim == 2 else "label"

    def fingerprint(self) -> str:
        """Return the hash of ids, gold and labels, which runs share that are scored on the same documents."""
        digest = hashlib.sha256(json.dumps([self.kind, sorted(self.label_names)]).encode())
        for name, right in zip(self.ids, self.right, strict=True):
            digest.update(json.dumps([name, right], ensure_ascii=False, default=str).encode())
        return digest.hexdigest()[:16]

    def correct(self) -> np.ndarray:
        """Return whether each answer is right as a whole, (num_documents,) bool; scores never are."""
        if self.kind == "scores":
            return np.zeros(len(self.ids), dtype=bool)
        return np.array([a == b for a, b in zip(self.right, self.given, strict=True)], dtype=bool)


def has_answers(folder: Path, split: str) -> bool:
    """Return whether a run's predictions of a split are kept."""
    return (folder / "predictions" / f"{split}.parquet").is_file()


def read_answers(folder: Path, split: str, *, with_texts: bool = False) -> Answers:
    """Read predictions/<split>.parquet.

    Args:
        folder: The run's folder.
        split: The split's name.
        with_texts: Whether to read the documents' texts too.

    Raises:
        DataError: The file isn't there or isn't headway's.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "predictions" / f"{split}.parquet"
    try:
        schema = pq.read_schema(path)
        wanted = [name for name in schema.names if with_texts or name not in TEXTS]
        columns = pq.read_table(path, columns=wanted).to_pydict()
        metadata = schema.metadata or {}
        label_names = tuple(json.loads(metadata.get(b"label_names", b"[]")))
        ids = unique_ids([str(each) for each in columns["id"]])
        order = sorted(range(len(ids)), key=lambda row: ids[row])
        columns = {name: [values[row] for row in order] for name, values in columns.items()}
        words = "tokens" in schema.names
        gold, prediction = _arrays(columns, label_names, words=words)
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"{path} must be predictions as headway wrote them, got {error}; run headway evaluate, or train "
            "again"
        ) from error
    texts = [
        {name: columns[name][row] for name in TEXTS if name in columns}
        for row in (range(len(ids)) if with_texts else ())
    ]
    losses = np.array([np.nan if each is None else each for each in columns["loss"]], dtype=np.float64)
    return Answers(
        tuple(ids[row] for row in order), gold, prediction, losses, label_names, columns["gold"],
        columns["prediction"], texts,
    )  # fmt: skip


def unique_ids(ids: Sequence[str]) -> list[str]:
    """Return ids of which none comes twice: the second of one has #2 behind it.

    Args:
        ids: In order.
    """
    seen: Counter[str] = Counter()
    found = []
    for each in ids:
        seen[each] += 1
        found.append(each if seen[each] == 1 else f"{each}#{seen[each]}")
    return found


def _arrays(
    columns: Mapping[str, list[Any]], label_names: Sequence[str], *, words: bool
) -> tuple[Gold, Prediction]:
    """Return what `headway.evaluation.readable` made readable as numbers again."""
    chances = columns.get("probabilities")
    if not label_names:
        return Gold(_floats(columns["gold"])), Prediction(_floats(columns["prediction"]), None)
    numbers: dict[Any, int] = {name: number for number, name in enumerate(label_names)} | {None: -1}
    if words:
        offsets = np.concatenate([[0], np.cumsum([len(tags) for tags in columns["gold"]], dtype=np.int64)])
        gold, given = (
            np.array([numbers[tag] for tags in columns[name] for tag in tags], dtype=np.int64)
            for name in ("gold", "prediction")
        )
        return Gold(gold, offsets), Prediction(given, None, offsets)
    probabilities = None if not chances else np.array(chances, dtype=np.float32)
    if columns["gold"] and isinstance(columns["gold"][0], list):
        gold, given = (_indicators(columns[name], numbers) for name in ("gold", "prediction"))
    else:
        gold, given = (
            np.array([numbers[each] for each in columns[name]], dtype=np.int64)
            for name in ("gold", "prediction")
        )
    return Gold(gold), Prediction(given, probabilities)


def _floats(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _indicators(rows: Sequence[Sequence[str]], numbers: Mapping[Any, int]) -> np.ndarray:
    found = np.zeros((len(rows), len(numbers) - 1), dtype=np.int64)
    for row, names in enumerate(rows):
        found[row, [numbers[name] for name in names]] = 1
    return found
