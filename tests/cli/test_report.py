"""`headway report` and `headway compare` as commands."""

import csv
import io
import json

import pytest


@pytest.fixture
def two(written_run):
    right = ["no", "yes"] * 20
    first = written_run("a", right, right[1:] + ["no"], texts=["=cmd|'/c calc'!A0 \x1b[31m"] * 40)
    second = written_run("b", right, right, cfg={"optimizer": {"lr": "=1+1"}})
    return first, second


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_the_table_is_printed_and_the_page_is_written(headway, two):
    done = headway("report", two[0].parent, "--resamples", "200")
    assert (done.status, done.err) == (0, "")
    assert "b is the best" not in done.out
    assert "is the best: it can be told from every other config" in done.out
    assert "2 runs of 2 configs: 2 finished" in done.out
    assert (two[0].parent / "report.html").read_text().startswith("<!doctype html>")


def test_where_files_go(headway, two, here):
    done = headway("report", *two, "--resamples", "200", "--csv", "out/table.csv")
    assert "page: report.html" in done.out
    assert (here / "report.html").is_file()
    rows = rows_of(here / "out" / "table.csv")
    assert [row["rank"] for row in rows] == ["1", "2"]
    assert rows[0]["optimizer.lr"] == "'=1+1"
    assert rows[0]["mean"] == "1.0"
    (here / "report.html").unlink()
    headway("report", *two, "--resamples", "200", "--no-html")
    assert not (here / "report.html").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--details", "0"], "must be a whole number >= 1, got '0'"),
        (["--alpha", "1"], "must be a number in (0, 1), got '1'"),
        (["--alpha", "x"], "must be a number in (0, 1), got 'x'"),
        (["--resamples", "-3"], "must be a whole number >= 1, got '-3'"),
        (["--metric", "f9"], "--metric must be one of"),
        (["--correction", "none"], "invalid choice"),
    ],
)
def test_refusals(headway, two, words, message):
    done = headway("report", two[0], *words)
    assert done.status == 2
    assert message in done.err


def test_a_place_without_runs(headway, here):
    done = headway("report", "nowhere")
    assert done.status == 2
    assert done.err.startswith("error: RUN must be a folder")


def test_compare_says_what_flipped_without_moving_the_cursor(headway, two):
    done = headway("compare", *two, "--resamples", "500", "--limit", "2")
    assert (done.status, done.err) == (0, "")
    assert "accuracy on 40 documents of test: 0.0000 -> 1.0000" in done.out
    assert "wrong -> right: 40 documents, 2 of them" in done.out
    assert "optimizer.lr" in done.out
    assert "\x1b[31m" not in done.out
    assert "=cmd|'/c calc'!A0" in done.out


def test_compare_for_machines(headway, two, here):
    done = headway("compare", *two, "--resamples", "500", "--json", "--csv", "flips.csv")
    found = json.loads(done.out)
    assert found["counts"] == {"wrong -> right": 40}
    assert found["value_b"] == 1.0
    assert found["difference"]["p"] < 0.01
    assert found["config"] == [{"key": "optimizer.lr", "first": 0.001, "second": "=1+1"}]
    rows = rows_of(here / "flips.csv")
    assert len(rows) == 40
    assert rows[0]["text"].startswith("'=cmd")


def test_compare_refuses_what_is_no_run(headway, two):
    done = headway("compare", two[0], two[0].parent)
    assert done.status == 2
    assert "B must be one run's folder" in done.err
