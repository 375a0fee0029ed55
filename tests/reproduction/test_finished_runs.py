"""A finished run is found by its config's hash alone, in a folder of its own or of a sweep."""

from __future__ import annotations

import json

import pytest

from headway.reproduction.finished_runs import finished_run


@pytest.fixture
def made(tmp_path):
    """(folder, run_id, status, predictions) -> the run's folder."""

    def made(name, run_id="a", status="finished", split="test"):
        folder = tmp_path / name
        (folder / "predictions").mkdir(parents=True)
        (folder / "record.json").write_text(json.dumps({"run_id": run_id, "status": status}))
        (folder / "predictions" / f"{split}.parquet").write_text("")
        return folder

    return made


@pytest.mark.parametrize("name", ["20260101-1", "sweep-abc/0"])
def test_it_is_found(made, tmp_path, name):
    made("20259999-other", run_id="b")
    folder = made(name)
    assert finished_run(tmp_path, "a", split="test") == folder


def test_what_does_not_count(made, tmp_path):
    made("1", status="running")
    made("2", status="failed")
    made("3", split="validation")
    (tmp_path / "4").mkdir()
    (tmp_path / "4" / "record.json").write_text("{")
    assert finished_run(tmp_path, "a", split="test") is None


def test_of_two_the_newest(made, tmp_path):
    made("20260101-1")
    newer = made("20260102-1")
    assert finished_run(tmp_path, "a", split="test") == newer
