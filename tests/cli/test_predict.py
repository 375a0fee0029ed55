"""`headway predict` gives the answers that the test was scored with, from every kind of file."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headway.delivery.artifact_spec import read_spec, write_spec

KINDS = ("class", "pair", "labels", "score", "entities", "words")
pytestmark = pytest.mark.slow


def scored(run):
    return pq.read_table(run.folder / "predictions" / "test.parquet").to_pylist()


def assert_scored(answers, rows, *, ids=True):
    assert len(answers) == len(rows)
    for answer, row in zip(answers, rows, strict=True):
        if ids:
            assert answer["id"] == row["id"]
        if isinstance(row["prediction"], float):
            assert answer["prediction"] == pytest.approx(row["prediction"], abs=1e-6)
            continue
        assert answer["prediction"] == row["prediction"]
        chances = answer["probabilities"]
        chances = list(chances.values()) if isinstance(chances, dict) else chances
        np.testing.assert_allclose(chances, row["probabilities"], atol=1e-6, rtol=0)


@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_test_file_gets_the_answers_it_was_scored_with(kind, batch_size, finished_run, predict):
    run = finished_run(kind)
    options = ["--batch-size", batch_size] if batch_size else []
    options += ["--id", "key"] if kind == "class" else []
    status, answers, _ = predict(run.folder, run.file, *options)
    assert status == 0
    assert_scored(answers, scored(run))


def rows_of(run):
    with run.file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def as_csv(rows, delimiter=","):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_parquet(rows):
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    return stream.getvalue()


FORMATS = {
    "a.csv": as_csv,
    "a.tsv": lambda rows: as_csv(rows, "\t"),
    "a.jsonl": as_jsonl,
    "a.json": lambda rows: json.dumps(rows, indent=1).encode(),
    "a.parquet": as_parquet,
    "a.csv.gz": lambda rows: gzip.compress(as_csv(rows)),
    "a.jsonl.gz": lambda rows: gzip.compress(as_jsonl(rows)),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same(name, finished_run, predict, tmp_path):
    run = finished_run("class")
    (tmp_path / name).write_bytes(FORMATS[name](rows_of(run)))
    status, answers, _ = predict(run.folder / "model", tmp_path / name, "--id", "key")
    assert status == 0
    assert_scored(answers, scored(run))


@pytest.mark.parametrize(
    ("options", "make"),
    [
        ([], as_jsonl),
        (["--format", "csv"], as_csv),
        (["--format", "csv", "data.source.delimiter=semicolon"], lambda rows: as_csv(rows, ";")),
        (["--format", "parquet"], as_parquet),
        (["--format", "lines"], lambda rows: "".join(row["body"] + "\n" for row in rows).encode()),
    ],
)
def test_stdin_gives_the_same(options, make, finished_run, predict, monkeypatch):
    run = finished_run("class")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(make(rows_of(run)))))
    status, answers, _ = predict(run.folder, "-", *options)
    assert status == 0
    assert_scored(answers, scored(run), ids=False)
    assert [int(answer["id"]) for answer in answers] == sorted(int(answer["id"]) for answer in answers)


def test_lines_are_split_for_a_model_of_words(finished_run, predict, tmp_path):
    run = finished_run("entities")
    rows = scored(run)
    (tmp_path / "a.txt").write_text("".join(" ".join(row["tokens"]) + "\n" for row in rows))
    status, answers, _ = predict(run.folder, tmp_path / "a.txt", "--format", "lines")
    assert status == 0
    assert_scored(answers, rows, ids=False)
    assert answers[0]["tokens"] == rows[0]["tokens"]


@pytest.mark.parametrize("kind", KINDS)
def test_parquet_and_csv_hold_what_jsonl_does(kind, finished_run, predict, tmp_path):
    run = finished_run(kind)
    _, expected, _ = predict(run.folder, run.file)
    for name in ("a.parquet", "a.csv", "a.jsonl"):
        status, answers, _ = predict(run.folder, run.file, "--output", tmp_path / name)
        assert (status, answers) == (0, [])
    assert [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()] == expected
    found = pq.read_table(tmp_path / "a.parquet").to_pylist()
    with (tmp_path / "a.csv").open(newline="") as stream:
        texts = list(csv.DictReader(stream))
    for row, text, wanted in zip(found, texts, expected, strict=True):
        assert list(row) == list(text) == list(wanted)
        assert row["id"] == text["id"] == wanted["id"]
        assert row["prediction"] == wanted["prediction"]
        plain = text["prediction"]
        assert (plain if isinstance(wanted["prediction"], str) else json.loads(plain)) == wanted["prediction"]


def test_columns_are_renamed(finished_run, predict, tmp_path):
    run = finished_run("pair")
    rows = [json.loads(line) for line in run.file.read_text().splitlines()]
    renamed = [{"q": row["question"], "p": row["body"], "name": row["key"]} for row in rows]
    (tmp_path / "a.jsonl").write_bytes(as_jsonl(renamed))
    words = (run.folder, tmp_path / "a.jsonl", "--text", "q", "--text-pair", "p", "--id", "name")
    status, answers, _ = predict(*words)
    assert status == 0
    assert_scored(answers, scored(run), ids=False)
    assert [answer["id"] for answer in answers] == [row["key"] for row in rows]


class TestBadRow:
    @pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
    def test_it_is_named_and_what_came_before_is_valid(self, suffix, finished_run, predict, tmp_path):
        run = finished_run("class")
        rows = rows_of(run)[:7]
        rows[5]["body"] = " "
        (tmp_path / "in.csv").write_bytes(as_csv(rows))
        output = tmp_path / f"out{suffix}"
        status, _, error = predict(run.folder, tmp_path / "in.csv", "--output", output)
        assert status == 2
        assert f"{tmp_path / 'in.csv'}, line 7, column 'body' must hold a text that isn't blank" in error
        assert "Traceback" not in error
        if suffix == ".parquet":
            assert pq.read_table(output).num_rows == 5
        else:
            assert len(output.read_text().splitlines()) == 5 + (suffix == ".csv")

    def test_a_pair_that_fits_no_window_leaves_the_answers_before_it(self, finished_run, predict, tmp_path):
        run = finished_run("pair")
        rows = [json.loads(line) for line in run.file.read_text().splitlines()][:5]
        rows[3] |= {"question": "the " * 40, "body": "the " * 40}
        folder = shutil.copytree(run.folder / "model", tmp_path / "windows")
        spec = read_spec(folder)
        encoding = {**spec.encoding, "truncation": "windows", "overlap": 2}
        write_spec(folder, replace(spec, encoding=encoding))
        (tmp_path / "in.jsonl").write_bytes(as_jsonl(rows))
        status, answers, error = predict(folder, tmp_path / "in.jsonl")
        assert status == 2
        assert "in.jsonl, line 4" in error
        assert len(answers) == 3

    def test_a_ragged_row_is_named(self, finished_run, predict, tmp_path):
        run = finished_run("class")
        (tmp_path / "in.csv").write_text("body,key\nThe fox.,1\nThe, dog.,2\n")
        status, answers, error = predict(run.folder, tmp_path / "in.csv")
        assert status == 2
        assert len(answers) == 1
        assert f"{tmp_path / 'in.csv'}, line 3 must have 2 columns" in error


def test_an_empty_file_of_lines_has_no_answers(finished_run, predict, tmp_path):
    (tmp_path / "in.jsonl").write_text("")
    assert predict(finished_run("pair").folder, tmp_path / "in.jsonl")[:2] == (0, [])


def run_headway(*words, **options):
    command = [sys.executable, "-m", "headway.cli.main", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_a_reader_that_leaves_ends_it_quietly(finished_run, tmp_path):
    """As `headway predict RUN FILE | head -1`, with more than a pipe's buffer to write."""
    run = finished_run("class")
    (tmp_path / "many.jsonl").write_bytes(as_jsonl([{"body": "The fox."}] * 3000))
    with run_headway("predict", run.folder, tmp_path / "many.jsonl") as process:
        first = process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read()
        status = process.wait()
    assert json.loads(first)["id"] == "1"
    assert status == 141
    assert error.decode() == ""


def test_a_pipe_in_the_place_of_a_file(finished_run, tmp_path):
    """As `headway predict RUN <(zcat texts.jsonl.gz) --format jsonl`."""
    run = finished_run("class")
    os.mkfifo(tmp_path / "pipe")
    with run_headway("predict", run.folder, tmp_path / "pipe", "--format", "jsonl") as process:
        (tmp_path / "pipe").write_bytes(as_jsonl([{"body": "Ein Wört."}]))
        out, error = process.communicate()
    assert (process.returncode, error.decode()) == (0, "")
    assert json.loads(out)["id"] == "1"
