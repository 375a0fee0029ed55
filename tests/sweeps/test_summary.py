"""What a sweep's summary says, and that it says what failed."""

from __future__ import annotations

import csv
import io
import json

import pytest
from rich.console import Console

from headway.sweeps.jobs import Outcome
from headway.sweeps.results import PointResult
from headway.sweeps.summary import (
    SweepFacts,
    best_point,
    is_complete,
    show_summary,
    summary_table,
    write_summary,
)

FACTS = SweepFacts(
    ["optimizer.lr=1,2", "+x.api_key=abc"], "val/f1", "max", {"storage": "mysql://me:pw@h/x"}, "s"
)


def _point(number, *outcomes, seeds=2, lr=0.000123456):
    ended = dict(enumerate(outcomes))
    folders = {place: f"{number}/seed-{place}" for place in ended}
    ids = tuple(f"{number}-{place}" for place in range(seeds))
    return PointResult(
        number, {"optimizer.lr": lr, "task/loss": "focal"}, tuple(range(seeds)), ids, ended, folders
    )


@pytest.fixture
def points():
    good = [Outcome("finished", value=value, seconds=2.0) for value in (0.5, 0.7)]
    return [
        _point(0, *good),
        _point(
            1, Outcome("finished", value=0.9, collapsed="flat"), Outcome("killed", error="[SIGKILL] at 3")
        ),
        _point(2, Outcome("pruned", value=0.95, seconds=1.0)),
        _point(3),
    ]


def test_statuses(points):
    assert [point.status for point in points] == ["finished", "killed", "pruned", "not run"]
    assert [point.mean for point in points] == [pytest.approx(0.6), 0.9, 0.95, None]
    assert not is_complete(points)
    assert is_complete([points[0], points[2]])
    assert not is_complete([])


def test_the_best_is_one_that_finished(points):
    assert best_point(points, "max").number == 0
    assert best_point([points[0], _point(4, Outcome("finished", value=0.1), seeds=1)], "min").number == 4
    assert best_point(points[1:], "max") is None


def test_the_table_shows_all(points):
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(summary_table(points, FACTS))
    text = console.export_text()
    for part in (
        "mean ± sd over seeds",
        "0.6000 ± 0.1414",
        "0.0001235",
        "2/2",
        "1 collapsed; [SIGKILL] at 3",
    ):
        assert part in text


def test_a_long_table_shows_failures_and_the_best():
    many = [_point(n, Outcome("finished", value=n / 100), seeds=1) for n in range(70)]
    many.append(_point(70, Outcome("failed", error="broken"), seeds=1))
    table = summary_table(many, FACTS)
    assert table.row_count == 60
    numbers = list(table.columns[0].cells)
    assert [str(each) for each in numbers[:2]] == ["70", "69"]


def test_the_files(points, tmp_path):
    write_summary(tmp_path, points, FACTS)
    rows = list(csv.DictReader((tmp_path / "summary.csv").read_text().splitlines()))
    assert len(rows) == 8
    assert rows[0] | {"folder": ""} == {
        "point": "0", "optimizer.lr": "0.000123456", "task/loss": "focal", "seed": "0", "status": "finished",
        "value": "0.5", "seconds": "2.0", "collapsed": "", "folder": "", "error": "",
    }  # fmt: skip
    assert [row["status"] for row in rows[2:]] == ["finished", "killed", "pruned", *["not run"] * 3]
    document = json.loads((tmp_path / "sweep.json").read_text())
    assert (document["complete"], document["highest"], document["collapsed_runs"]) == (False, 0, 1)
    assert document["points"][1]["runs"][1]["error"] == "[SIGKILL] at 3"
    text = json.dumps(document)
    assert "abc" not in text
    assert "pw" not in text


def test_what_is_said(points, tmp_path, capsys):
    points[1].outcomes[1] = Outcome("failed", error="RuntimeError: broken")
    show_summary(tmp_path, points, FACTS)
    out = capsys.readouterr().out
    assert "4 points: 1 finished, 1 failed, 1 pruned, 1 not run; 1 runs collapsed" in out
    assert "#1: RuntimeError: broken" in out
    assert "the same command again runs what isn't finished" in out
