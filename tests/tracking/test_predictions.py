"""The table of predictions says in words what the arrays say in numbers."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from headway.data.sources.source import Record
from headway.data.table import Table
from headway.evaluation.evaluator import Evaluation
from headway.evaluation.readable import readable
from headway.tracking.predictions import predictions_table, write_predictions
from headway.types import Gold, Prediction

NAMES = ("earn", "grain", "ship")


class TestReadable:
    def test_classes(self):
        assert readable(np.array([2, 0, -1]), None, NAMES) == ["ship", "earn", None]

    def test_several_labels(self):
        values = np.array([[1, 0, 1], [0, 0, 0], [-1, -1, -1]])
        assert readable(values, None, NAMES) == [["earn", "ship"], [], []]

    def test_scores(self):
        assert readable(np.array([0.5, 2.0]), None, ()) == [0.5, 2.0]

    def test_a_tag_a_word(self):
        found = readable(np.array([0, -1, 2]), np.array([0, 2, 3]), NAMES)
        assert found == [["earn", None], ["ship"]]


def evaluation_of(values, probabilities, losses, offsets=None):
    prediction = Prediction(np.asarray(values), probabilities, word_offsets=offsets)
    return Evaluation(
        metrics={}, documents=None, prediction=prediction, losses=np.asarray(losses), decoding=None
    )


def table_of(rows):
    return Table.from_records([Record(i, row) for i, row in enumerate(rows, 2)], origin="my.csv")


def test_a_row_a_document():
    probabilities = np.array([[0.25, 0.5, 0.25], [1.0, 0.0, 0.0]], np.float32)
    table = predictions_table(
        table_of([{"id": "a", "text": "x", "label": "ship"}, {"id": "b", "text": "y", "label": "earn"}]),
        evaluation_of([1, 0], probabilities, [0.5, 0.0]),
        Gold(np.array([2, 0])),
        NAMES,
    )
    assert json.loads(table.schema.metadata[b"label_names"]) == list(NAMES)
    assert table.to_pylist() == [
        {
            "id": "a",
            "text": "x",
            "gold": "ship",
            "prediction": "grain",
            "probabilities": [0.25, 0.5, 0.25],
            "loss": 0.5,
        },
        {
            "id": "b",
            "text": "y",
            "gold": "earn",
            "prediction": "earn",
            "probabilities": [1.0, 0.0, 0.0],
            "loss": 0.0,
        },
    ]


def test_a_probability_a_word():
    offsets = np.array([0, 2, 3])
    probabilities = np.array([[0.75, 0.25], [0, 0], [0.25, 0.75]], np.float32)
    table = predictions_table(
        table_of([{"id": "a", "tokens": ["x", "y"]}, {"id": "b", "tokens": ["z"]}]),
        evaluation_of([0, -1, 1], probabilities, [0.5, np.nan], offsets),
        Gold(np.array([0, 1, 1]), offsets),
        ("O", "N"),
    )
    rows = table.to_pylist()
    assert [row["gold"] for row in rows] == [["O", "N"], ["N"]]
    assert [row["prediction"] for row in rows] == [["O", None], ["N"]]
    assert [row["probabilities"] for row in rows] == [[0.75, 0.0], [0.75]]


def test_scores_have_no_probabilities():
    table = predictions_table(
        table_of([{"id": "a", "text": "x"}]), evaluation_of([0.5], None, [0.25]), Gold(np.array([1.0])), ()
    )
    assert table.to_pylist() == [{"id": "a", "text": "x", "gold": 1.0, "prediction": 0.5, "loss": 0.25}]


@pytest.fixture
def split():
    table = table_of([{"id": "a", "text": "x"}])
    data = SimpleNamespace(tables={"test": table}, gold={"test": Gold(np.array([1.0]))}, label_names=())
    return evaluation_of([0.5], None, [0.25]), data


def test_the_file_is_whole_and_alone(split, tmp_path):
    evaluation, data = split
    path = write_predictions(tmp_path, "test", evaluation, data)
    assert path == tmp_path / "predictions" / "test.parquet"
    assert pq.read_table(path).num_rows == 1
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_earlier_file(split, tmp_path, monkeypatch):
    evaluation, data = split
    path = write_predictions(tmp_path, "test", evaluation, data)
    before = path.read_bytes()

    def full(table, partial):
        partial.write_bytes(b"PAR1")
        raise OSError("no space left on device")

    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    with pytest.raises(OSError, match="no space"):
        write_predictions(tmp_path, "test", evaluation, data)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
