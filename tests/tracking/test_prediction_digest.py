"""Answers have one hash however their file was written, and another with any other bit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headway.tracking.prediction_digest import answers_digest, prediction_digests

ROWS = {
    "id": ["a", "b"],
    "text": ["x", "y"],
    "prediction": ["fox", "dog"],
    "probabilities": [np.float32([0.5, 0.5]), np.float32([0.25, 0.75])],
    "loss": [0.1, 0.2],
}


def test_the_file_does_not_matter(tmp_path):
    table = pa.table(ROWS)
    (tmp_path / "predictions").mkdir()
    pq.write_table(table, tmp_path / "predictions" / "test.parquet", row_group_size=1, compression="none")
    assert prediction_digests(tmp_path) == {"test": answers_digest(table)}


@pytest.mark.parametrize(
    "change",
    [
        {"id": ["a", "c"]},
        {"prediction": ["fox", None]},
        {"prediction": ["fo", "xdog"]},
        {"prediction": [["fox"], ["dog"]]},
        {"loss": [0.1, float(np.nextafter(0.2, 1))]},
        {"probabilities": [np.float32([0.5, 0.5]), np.float32([0.25, np.nextafter(np.float32(0.75), 1)])]},
        {"probabilities": [np.float32([0.5]), np.float32([0.5, 0.25, 0.75])]},
    ],
)
def test_any_other_answer_has_another(change):
    assert answers_digest(pa.table(ROWS | change)) != answers_digest(pa.table(ROWS))


def test_the_text_is_no_answer():
    assert answers_digest(pa.table(ROWS | {"text": ["z", "z"]})) == answers_digest(pa.table(ROWS))
