"""Runs are found however they ended."""

import json

import pytest

from headway.reports.run_folders import read_runs
from headway.types import DataError


def index(sweep, *events):
    sweep.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"time": 0, **event}) for event in events]
    (sweep / "index.jsonl").write_text("\n".join(lines) + "\n")


def begin(name, point, folder, seed=1):
    return {"event": "begin", "id": name, "point": point, "seed": seed, "folder": folder}


def end(name, status, error=None):
    return {"event": "end", "id": name, "status": status, "value": None, "seconds": 1.0, "error": error,
            "traceback": None, "collapsed": None, "mistake": False}  # fmt: skip


def test_a_run_and_a_folder_of_runs(written_run, tmp_path):
    first = written_run("a/1", ["no"], ["no"])
    written_run("a/2", ["no"], ["yes"], seed=2)
    assert [run.folder for run in read_runs([first])] == [first]
    runs = read_runs([tmp_path / "runs", first])  # each once
    assert [run.folder.name for run in runs] == ["1", "2"]
    assert [run.status for run in runs] == ["finished", "finished"]
    assert runs[1].seeds == (2, 2)


def test_numbers_are_in_their_order(written_run, tmp_path):
    for number in (10, 9, 1):
        written_run(str(number), ["no"], ["no"], seed=number)
    assert [run.folder.name for run in read_runs([tmp_path / "runs"])] == ["1", "9", "10"]


def test_one_that_did_not_finish_says_why(written_run, tmp_path):
    folder = written_run("a", ["no"], ["no"])
    (folder / "record.json").unlink()
    (folder / "run.log").write_text(
        "[time][headway.run][INFO] x\n[time][headway.run][ERROR] - the loss is nan\n"
    )
    (run,) = read_runs([folder])
    assert (run.status, run.error) == ("unfinished", "the loss is nan")


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [("finished", None, ("finished", None)), ("running", None, ("unfinished", None)),
     ("failed", "TrainingError: nan", ("failed", "TrainingError: nan"))],
)  # fmt: skip
def test_a_record_that_was_begun_before_the_training_says_how_it_ended(written_run, status, error, expected):
    record = {"status": status, "process": {"error": error}}
    (run,) = read_runs([written_run("a", ["no"], ["no"], record=record)])
    assert (run.status, run.error) == expected


def test_a_sweep_says_what_failed_was_killed_or_pruned(written_run, tmp_path):
    sweep = tmp_path / "sweep"
    for name in ("0", "1", "2-retry-1", "2"):
        written_run(name, ["no"], ["no"], place=sweep)
    (sweep / "1" / "record.json").unlink()
    (sweep / "2" / "record.json").unlink()
    index(
        sweep,
        begin("a", 0, "0"), end("a", "finished"), begin("b", 1, "1"), end("b", "pruned", "stopped"),
        begin("c", 2, "2"), end("c", "killed", "kill -9"), begin("c", 2, "2-retry-1"), end("c", "finished"),
        begin("d", 3, "3"), end("d", "failed", "its config was refused"),
    )  # fmt: skip
    (sweep / "sweep.json").write_text(json.dumps({"points": [{"point": 3, "params": {"optimizer.lr": 9}}]}))
    found = {run.folder.name: run for run in read_runs([sweep])}
    assert {name: run.status for name, run in found.items()} == {
        "0": "finished", "1": "pruned", "2-retry-1": "finished", "3": "failed",
    }  # fmt: skip
    assert found["2-retry-1"].attempts == 2  # the attempt that was killed is no run of its own
    assert (found["3"].error, found["3"].params, found["3"].cfg) == (
        "its config was refused", {"optimizer.lr": 9}, {"seed": 1},
    )  # fmt: skip
    (alone,) = read_runs([sweep / "1"])  # known to its sweep from below, too
    assert alone.status == "pruned"


@pytest.mark.parametrize("place", ["nowhere", "empty"])
def test_a_place_without_a_run_is_refused(tmp_path, place):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=f"RUN must .*got '{tmp_path / place}'"):
        read_runs([tmp_path / place])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [("record.json", "{", "must be JSON"), ("record.json", "[]", "must hold keys"),
     ("config.yaml", "a: [", "must be YAML"), ("config.yaml", "- a", "must hold keys")],
)  # fmt: skip
def test_damaged_files_are_named(written_run, name, text, message):
    folder = written_run("a", ["no"], ["no"])
    (folder / name).write_text(text)
    with pytest.raises(DataError, match=f"{name} {message}"):
        read_runs([folder])


def test_a_damaged_index_is_named(written_run, tmp_path):
    written_run("0", ["no"], ["no"], place=tmp_path / "sweep")
    (tmp_path / "sweep" / "index.jsonl").write_text('{"event": "begin", "id": "a", "time": 0}\n')
    with pytest.raises(DataError, match="index.jsonl must be as headway wrote it"):
        read_runs([tmp_path / "sweep"])
