"""What `headway predict` refuses: with one message and status 2, and before it has written anything."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def texts(here):
    (here / "texts.csv").write_text("body,bodies\nThe fox.,x\n")
    return "texts.csv"


@pytest.fixture
def no_answers(refused):
    """(*words) -> the message of `headway predict words`."""
    return lambda *words: refused("predict", *words)


@pytest.fixture
def run(finished_run):
    return finished_run("class").folder


def test_a_missing_file(run, no_answers, texts, tmp_path):
    assert "FILE must be a file or - for stdin, got 'text.csv'" in no_answers(run, "text.csv")
    assert "did you mean 'texts.csv'" in no_answers(run, "text.csv")
    assert "a folder" in no_answers(run, tmp_path)


def test_a_missing_run(no_answers, texts):
    assert "RUN must be a run's folder" in no_answers("nothing", texts)


def test_a_missing_column(run, no_answers, texts):
    message = "line 2 must have the column 'bodyy', got ['body', 'bodies'] (did you mean 'body'?)"
    assert message in no_answers(run, texts, "--text", "bodyy")


def test_a_missing_id(run, no_answers, texts):
    assert "line 2 must have the column 'key'" in no_answers(run, texts, "--id", "key")


def test_a_role_that_the_model_lacks(run, no_answers, texts):
    assert "--text-pair must be left out" in no_answers(run, texts, "--text-pair", "x")


def test_lines_for_a_pair(finished_run, no_answers, texts):
    assert "--format lines" in no_answers(finished_run("pair").folder, texts, "--format", "lines")


def test_a_blank_row_of_parquet_is_named_as_a_row(run, no_answers, here):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"body": [None]}), here / "in.parquet")
    assert "in.parquet, row 1, column 'body'" in no_answers(run, "in.parquet")


def test_a_file_without_suffix_is_read_as_in_training(finished_run, predict, no_answers, here):
    (here / "texts").write_text('{"question": "a?", "body": "b"}\n')
    assert predict(finished_run("pair").folder, "texts")[0] == 0
    assert "must be a whole Parquet file" in no_answers(finished_run("labels").folder, "texts")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("data.source.delimitr=x", "did you mean 'data.source.delimiter'"),
        ("data.text=body", "options of FILE must be KEY=VALUE"),
        ("data.source.delimiter=ab", "`data.source.delimiter` must be null, one character"),
        ("data.source.by_document=true", "`data.source.by_document` must be left out for the format csv"),
    ],
)
def test_a_wrong_option_of_the_file(word, message, run, no_answers, texts):
    assert message in no_answers(run, texts, word)


def test_an_output_that_is_there(run, no_answers, predict, texts, here):
    output = here / "out.jsonl"
    output.write_text("mine")
    assert "--overwrite" in no_answers(run, texts, "--output", output)
    # A wrong column is told before the file is opened: nothing has come that could replace it.
    assert "'bad'" in no_answers(run, texts, "--output", output, "--overwrite", "--text", "bad")
    assert output.read_text() == "mine"
    assert predict(run, texts, "--overwrite", "--output", output)[0] == 0
    assert json.loads(output.read_text())["id"] == "2"


def test_a_batch_of_none(run, no_answers, texts):
    assert "--batch-size must be >= 1" in no_answers(run, texts, "--batch-size", 0)
