"""A run's record is there from its beginning on, and says how the run ended."""

from __future__ import annotations

import json

import pytest

from headway.sweeps.report import PrunedError
from headway.tracking.run_record import RunRecord
from headway.types import ConfigError, Stopped, TrainingError


def read(folder):
    return json.loads((folder / "record.json").read_text())


def test_it_is_written_at_once_and_closed_at_the_end(tmp_path):
    record = RunRecord(tmp_path)
    with record.closing():
        record.begin({"seeds": {"seed": 1}})
        running = read(tmp_path)  # what a kill would leave
        record.add(results={"a": 1}, total_steps=3)
        record.add(results={"b": 2})
    assert (running["schema"], running["status"]) == (1, "running")
    assert (running["process"]["end"], running["process"]["exit_status"]) == (None, None)
    done = read(tmp_path)
    assert done["status"] == "finished"
    assert done["process"]["exit_status"] == 0
    assert done["process"]["start"] <= done["process"]["end"]
    assert (done["results"], done["total_steps"], done["seeds"]) == ({"a": 1, "b": 2}, 3, {"seed": 1})


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (TrainingError("loss is nan"), "failed", 1),
        (ConfigError("`x` is wrong"), "failed", 2),
        (KeyboardInterrupt(), "failed", 130),
        (SystemExit(143), "failed", 143),
        (Stopped(15, "stopped by SIGTERM"), "stopped", 143),
        (ZeroDivisionError("by zero"), "failed", 1),
        (PrunedError("stopped", 0.5), "pruned", 2),
    ],
)
def test_a_run_that_fails_says_why(tmp_path, error, status, code):
    def fail():
        record = RunRecord(tmp_path)
        with record.closing():
            record.begin({"x": 1})
            raise error

    with pytest.raises(type(error)):
        fail()
    found = read(tmp_path)
    assert (found["status"], found["process"]["exit_status"], found["x"]) == (status, code, 1)
    assert found["process"]["error"].startswith(type(error).__name__)


def test_a_refused_run_leaves_none(tmp_path):
    record = RunRecord(tmp_path)
    with pytest.raises(ConfigError), record.closing():
        raise ConfigError("`x` is wrong")
    assert list(tmp_path.iterdir()) == []


def test_only_the_first_process_writes(tmp_path):
    record = RunRecord(tmp_path, active=False)
    with record.closing():
        record.begin({"x": 1})
    assert list(tmp_path.iterdir()) == []
