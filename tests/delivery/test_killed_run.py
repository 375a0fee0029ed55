"""A run that is killed leaves the artifact of its best checkpoint so far."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

import headway


@pytest.mark.slow
def test_a_killed_run_leaves_a_model_that_answers(tiny_bert, tmp_path):
    rows = ["text,label", *(f"the fox {number} jumps,{'ab'[number % 2]}" for number in range(16))]
    (tmp_path / "train.csv").write_text("\n".join(rows) + "\n")
    words = (
        f"backbone=local backbone.name={tiny_bert} data=files data.train={tmp_path / 'train.csv'} "
        "data.text=text data.label=label data.validation_ratio=0.5 data.max_length=16 num_threads=1 "
        f"trainer.accelerator=cpu trainer.enable_progress_bar=false trainer.max_epochs=100000 "
        f"hydra.run.dir={tmp_path / 'run'} cache_dir={tmp_path / 'cache'}"
    ).split()
    process = subprocess.Popen(
        [sys.executable, "-m", "headway.cli.main", "train", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    written = tmp_path / "run" / "model" / "headway.json"
    deadline = time.monotonic() + 120
    while not written.is_file() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "run" / "metrics.json").exists()
    model = headway.load(tmp_path / "run")
    assert model.predict(["the fox"])[0]["prediction"] in ("a", "b")
    assert list(model.spec.about["results"]) == ["validation"]
    card = (tmp_path / "run" / "model" / "README.md").read_text()
    assert "`a`, `b`" in card
    assert str(tmp_path) not in card
