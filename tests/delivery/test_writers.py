"""Written answers are read back as they were, and what was written before an error is valid."""

from __future__ import annotations

import csv
import json
from functools import partial

import pyarrow.parquet as pq
import pytest

from headway.delivery.outputs import Output, open_output
from headway.delivery.writers import answer_schema
from headway.types import ConfigError

LABELS = ("earn", "=grain")
ROWS = {
    "label": [
        {"id": "1", "prediction": "earn", "probabilities": {"earn": 0.75, "=grain": 0.25}},
        {"id": "=2", "prediction": "=grain", "probabilities": {"earn": 0.0, "=grain": 1.0}},
    ],
    "labels": [
        {"id": "1", "prediction": [], "probabilities": {"earn": 0.25, "=grain": 0.5}},
        {"id": "2", "prediction": ["earn", "=grain"], "probabilities": {"earn": 0.75, "=grain": 1.0}},
    ],
    "score": [{"id": "1", "prediction": -0.5}, {"id": "2", "prediction": 2.0}],
    "tags": [
        {"id": "1", "prediction": [None, "O"], "tokens": ["ein", "Wört"], "probabilities": [0.0, 0.5]},
        {"id": "2", "prediction": ["O"], "tokens": ["a\nb"], "probabilities": [1.0]},
    ],
}


def write(path, role, chunks):
    with open_output(Output(path), partial(answer_schema, role, LABELS)) as writer:
        for rows in chunks:
            writer.write(rows)


@pytest.mark.parametrize("role", ROWS)
class TestRoundTrip:
    def test_jsonl(self, role, tmp_path):
        write(tmp_path / "a.jsonl", role, [[row] for row in ROWS[role]])
        lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in lines] == ROWS[role]

    def test_parquet(self, role, tmp_path):
        """A chunk a row: the first one alone, with its empty lists, wouldn't tell the types."""
        write(tmp_path / "a.parquet", role, [[row] for row in ROWS[role]])
        assert pq.read_table(tmp_path / "a.parquet").to_pylist() == ROWS[role]
        assert pq.ParquetFile(tmp_path / "a.parquet").num_row_groups == 2
        assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]

    def test_csv(self, role, tmp_path):
        write(tmp_path / "a.csv", role, [[row] for row in ROWS[role]])
        with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as stream:
            found = list(csv.DictReader(stream))
        for row, expected in zip(found, ROWS[role], strict=True):
            assert list(row) == list(expected)
            for name, value in expected.items():
                if isinstance(value, list | dict):
                    assert json.loads(row[name]) == value
                elif isinstance(value, float):
                    assert float(row[name]) == value
                else:
                    assert row[name].lstrip("'") == value

    @pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
    def test_no_rows_make_a_valid_file(self, role, suffix, tmp_path):
        write(tmp_path / f"a{suffix}", role, [])
        if suffix == ".parquet":
            assert pq.read_table(tmp_path / "a.parquet").num_rows == 0
        else:
            expected = ",".join(ROWS[role][0]) + "\r\n" if suffix == ".csv" else ""
            assert (tmp_path / f"a{suffix}").read_bytes().decode() == expected


def test_without_probabilities_the_schema_has_none():
    for role in ROWS:
        names = answer_schema(role, LABELS, spans=True, probabilities=False).names
        assert names == ["id", "prediction", *(["spans", "tokens"] if role == "tags" else [])]


def test_spans_are_read_back(tmp_path):
    span = {"label": "X", "text": "a", "start": 0, "end": 1, "start_word": 0, "end_word": 1}
    rows = [
        {"id": "1", "prediction": ["O"], "spans": [], "tokens": ["a"]},
        {"id": "2", "prediction": ["B-X"], "spans": [span], "tokens": ["a"]},
    ]
    schema = partial(answer_schema, "tags", ("B-X", "O"), spans=True, probabilities=False)
    for suffix in (".parquet", ".csv"):
        with open_output(Output(tmp_path / f"a{suffix}"), schema) as writer:
            writer.write(rows)
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == rows
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as stream:
        assert [json.loads(row["spans"]) for row in csv.DictReader(stream)] == [[], [span]]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_after_an_error_what_was_written_is_valid(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"

    def chunks():
        yield ROWS["score"]
        raise ConfigError("row 3 is bad")

    with pytest.raises(ConfigError, match="row 3 is bad"):
        write(path, "score", chunks())
    if suffix == ".parquet":
        assert pq.read_table(path).to_pylist() == ROWS["score"]
    else:
        assert path.read_text().count("\n") == 2 + (suffix == ".csv")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("-1.5", "-1.5"),
        ("+3e-4", "+3e-4"),
        ("-", "-"),
        ("a=b", "a=b"),
        ("B-PER", "B-PER"),
    ],
)
def test_csv_marks_what_a_spreadsheet_would_run(text, written, tmp_path):
    rows = [{"id": text, "prediction": "earn", "probabilities": {"earn": 1.0, "=grain": 0.0}}]
    write(tmp_path / "a.csv", "label", [rows])
    write(tmp_path / "a.jsonl", "label", [rows])
    with (tmp_path / "a.csv").open(newline="") as stream:
        assert next(csv.DictReader(stream))["id"] == written
    assert json.loads((tmp_path / "a.jsonl").read_text())["id"] == text
