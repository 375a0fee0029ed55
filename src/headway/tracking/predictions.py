"""The predictions of a split, a row a document: what was asked, what is right, what came, and how sure."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headway.evaluation.readable import chosen_probabilities, readable
from headway.named_errors import naming
from headway.types import HeadwayError

if TYPE_CHECKING:
    import pyarrow as pa

    from headway.data.table import Table
    from headway.data.text_data import TextData
    from headway.evaluation.evaluator import Evaluation
    from headway.types import Gold


def predictions_table(
    table: Table, evaluation: Evaluation, gold: Gold, label_names: Sequence[str]
) -> pa.Table:
    """Return a split's predictions, a row a document.

    Args:
        table: The split in canonical columns.
        evaluation: Its answers.
        gold: The right answers.
        label_names: The labels in the order of the logits; empty for scores.

    Returns:
        Columns id, the inputs, gold, prediction, probabilities and loss. `probabilities` holds a number a
        label in the order of the schema's metadata key "label_names"; for words a number a word, of the tag
        chosen.
    """
    import pyarrow as pa

    columns: dict[str, Any] = {
        name: table.column(name)
        for name in ("id", "text", "text_pair", "tokens")
        if name in table.column_names
    }
    columns["gold"] = readable(gold.values, gold.word_offsets, label_names)
    columns |= answer_columns(evaluation, label_names)
    return pa.table(columns).replace_schema_metadata({"label_names": json.dumps(list(label_names))})


def answer_columns(evaluation: Evaluation, label_names: Sequence[str]) -> dict[str, Any]:
    """Return the columns that decoding decides: prediction, probabilities and loss.

    Args:
        evaluation: Of one split.
        label_names: The labels in the order of the logits; empty for scores.

    Returns:
        Name -> (num_documents,) values, as `predictions_table` describes them.
    """
    prediction = evaluation.prediction
    offsets = prediction.word_offsets
    columns: dict[str, Any] = {"prediction": readable(prediction.values, offsets, label_names)}
    if prediction.probabilities is not None:
        chances = prediction.probabilities.astype(np.float32)
        if offsets is None:
            columns["probabilities"] = list(chances)
        else:
            chosen = chosen_probabilities(prediction)
            columns["probabilities"] = [chosen[start:end] for start, end in pairwise(offsets.tolist())]
    columns["loss"] = evaluation.losses.astype(np.float64)
    return columns


def with_answers(folder: Path, split: str, evaluation: Evaluation, label_names: Sequence[str]) -> pa.Table:
    """Return what is in predictions/<split>.parquet with other answers; the file stays as it is.

    Args:
        folder: The run's folder.
        split: The split's name.
        evaluation: The new answers, to the same documents.
        label_names: The labels in the order of the logits; empty for scores.

    Returns:
        The new table.

    Raises:
        HeadwayError: The file isn't there, or is of other documents.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "predictions" / f"{split}.parquet"
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise HeadwayError(f"{path} must be as headway wrote it, got {error}; train again") from error
    if len(table) != len(evaluation.losses):
        raise HeadwayError(
            f"{path} must have a row for each of {len(evaluation.losses)} documents, got {len(table)}; "
            "train again"
        )
    for name, values in answer_columns(evaluation, label_names).items():
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.table({name: values}).column(0))
    return table


def replace_predictions(folder: Path, split: str, table: pa.Table) -> None:
    """Write predictions/<split>.parquet anew.

    Args:
        folder: The run's folder.
        split: The split's name.
        table: As `with_answers` returned it.
    """
    _write(table, folder / "predictions" / f"{split}.parquet")


def write_predictions(folder: Path, split: str, evaluation: Evaluation, data: TextData) -> Path:
    """Write predictions/<split>.parquet, whole or not at all.

    Args:
        folder: The run's folder.
        split: The split's name.
        evaluation: Its answers.
        data: Where its rows and gold are.

    Returns:
        The file.
    """
    table = predictions_table(data.tables[split], evaluation, data.gold[split], data.label_names)
    path = folder / "predictions" / f"{split}.parquet"
    _write(table, path)
    return path


def _write(table: pa.Table, path: Path) -> None:
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with naming(path):
            pq.write_table(table, partial)
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
