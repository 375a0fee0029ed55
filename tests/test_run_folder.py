"""What killed processes leave half written in a run's folder goes; what is somebody's stays."""

from __future__ import annotations

import os
import subprocess

import pytest

from headway.run_folder import remove_unfinished


@pytest.fixture
def ended():
    """The number of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_what_an_ended_process_left_unfinished_goes(tmp_path, ended):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / f".model.{ended}").mkdir()
    (tmp_path / f".model.{ended}" / "config.json").write_text("{")
    for name in (f".record.json.{ended}", f"checkpoints/.last.ckpt.{ended}", f".metrics.csv.{os.getpid()}"):
        (tmp_path / name).write_text("half")
    kept = ["record.json", ".lock", f".model.{os.getppid()}", ".config.yaml.swp", f"plain.{ended}"]
    kept += [f".mine.{ended}", f".onnx.before.{ended}"]  # a user's, and what an export sets aside
    for name in kept:
        (tmp_path / name).write_text("whole")
    remove_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted([*kept, "checkpoints"])
