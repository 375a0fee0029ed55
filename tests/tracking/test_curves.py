"""Curves: a row a logged step, readable at any time, and gone on with row for row."""

from __future__ import annotations

import csv

from headway.tracking.curves import CsvCurves


def _rows(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_and_columns(tmp_path):
    curves = CsvCurves(tmp_path)
    curves.log_metrics({"train/loss": 0.5, "epoch": 0.0}, step=9)
    curves.save()
    curves.log_metrics({"train/loss": 0.25, "epoch": 0.0}, step=19)
    curves.log_metrics({"val/f1": 1.0, "epoch": 0.0}, step=19)  # a new column makes the file new
    curves.save()
    assert _rows(tmp_path) == [
        {"epoch": "0", "step": "9", "train/loss": "0.5", "val/f1": ""},
        {"epoch": "0", "step": "19", "train/loss": "0.25", "val/f1": ""},
        {"epoch": "0", "step": "19", "train/loss": "", "val/f1": "1.0"},
    ]
    assert curves.num_rows == 3
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.csv"]


def test_what_came_after_a_checkpoint_is_written_again(tmp_path):
    first = CsvCurves(tmp_path)
    for step in range(5):
        first.log_metrics({"train/loss": 1.0 / (step + 1)}, step=step)
    first.finalize("failed")
    with (tmp_path / "metrics.csv").open("a") as file:
        file.write("5,0.1")  # torn by a kill
    second = CsvCurves(tmp_path)
    second.keep(3)
    for step in range(3, 6):
        second.log_metrics({"train/loss": 1.0 / (step + 1)}, step=step)
    second.finalize("success")
    assert [int(row["step"]) for row in _rows(tmp_path)] == [0, 1, 2, 3, 4, 5]
    assert [float(row["train/loss"]) for row in _rows(tmp_path)] == [1.0 / (i + 1) for i in range(6)]


def test_a_file_that_is_gone_is_begun_again(tmp_path):
    curves = CsvCurves(tmp_path)
    curves.keep(3)
    curves.log_metrics({"train/loss": 1.0}, step=7)
    curves.save()
    assert [row["step"] for row in _rows(tmp_path)] == ["7"]


def test_a_training_that_begins_anew_leaves_nothing_of_the_one_before(tmp_path):
    first = CsvCurves(tmp_path)
    first.log_metrics({"train/loss": 1.0, "val/f1": 0.5}, step=1)
    first.save()
    second = CsvCurves(tmp_path)  # of a process that went on from no checkpoint
    second.log_metrics({"val/f1": 0.25}, step=2)
    second.save()
    second.log_metrics({"val/f1": 0.75}, step=3)
    second.finalize("success")
    assert _rows(tmp_path) == [{"step": "2", "val/f1": "0.25"}, {"step": "3", "val/f1": "0.75"}]
