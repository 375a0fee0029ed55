"""`logger=tensorboard` and `logger=mlflow` write curves and config where the README says."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def train(finished_run, here):
    """(*words) -> the folder of a short run; in a process of its own, as these packages warn on import."""

    def train(*words):
        record = finished_run("class").folder / "record.json"
        command = [sys.executable, "-m", "headway.cli.main", "train", "--from", str(record), *words]
        environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        (run,) = (here / "outputs" / "files").iterdir()
        return run

    return train


def test_tensorboard(train):
    pytest.importorskip("tensorboard", reason="needs headway[tensorboard]")
    run = train("logger=tensorboard", "trainer.log_every_n_steps=1")
    code = (
        "import sys; from tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n"
        "events = EventAccumulator(sys.argv[1]); events.Reload()\n"
        "print([event.step for event in events.Scalars('train/loss')], len(events.Scalars('val/loss')))"
    )
    command = [sys.executable, "-c", code, str(run / "tensorboard")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[0, 1, 2, 3] 1"
    assert "lr: 0.001" in (run / "tensorboard" / "hparams.yaml").read_text()
    assert not (run / "metrics.csv").exists()


def test_mlflow(train, here):
    if subprocess.run([sys.executable, "-c", "import mlflow"], capture_output=True, check=False).returncode:
        pytest.skip("needs headway[mlflow]")
    train("logger=mlflow")
    database = sqlite3.connect(here / "outputs" / "mlflow.db")
    assert database.execute("select name from experiments where name = 'files'").fetchone()
    params = dict(database.execute("select key, value from params"))
    assert params["optimizer/lr"] == "0.001"
    assert database.execute("select status from runs").fetchone() == ("FINISHED",)
    assert len(database.execute("select step from metrics where key = 'val/loss'").fetchall()) == 1
    database.close()
    assert not (here / "mlruns").exists()
