"""`headway train --resume RUN`, and trials of a sweep that go on where they were killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
import yaml

from headway.cli.resumed import resumed_words
from headway.types import ConfigError

LOSS = """
import os, signal
from pathlib import Path
from torch import nn


class Killer(nn.CrossEntropyLoss):
    def __init__(self, after: int) -> None:
        super().__init__(reduction="none")
        self.after = after

    def forward(self, logits, labels):
        self.after -= logits.requires_grad
        if self.after == 0 and not Path("killed").exists():
            Path("killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(logits, labels)
"""


@pytest.fixture
def begun(tmp_path):
    """Return a function: (words, *, finished) -> the folder of a run that was begun with the words."""

    def begun(words, *, finished=False):
        folder = tmp_path / "it's a run"
        folder.mkdir()
        (folder / "overrides.yaml").write_text(yaml.safe_dump(words))
        if finished:
            (folder / "record.json").write_text("{}")
        return folder

    return begun


def test_the_words_that_began_the_run_come_first_and_the_users_replace_them(begun):
    folder = begun(["data=r8", "+logger.api_key=<redacted>", "optimizer.lr=1e-3"])
    words, own = resumed_words(["--resume", str(folder), "optimizer.lr=2e-3", "+logger.api_key=abc"])
    assert words == ["data=r8", "optimizer.lr=2e-3", "+logger.api_key=abc"]
    assert own == [f"hydra.run.dir='{str(folder).replace(chr(39), chr(92) + chr(39))}'", "hydra.mode=RUN"]


def test_what_was_kept_secret_is_asked_for(begun, capsys):
    words, _ = resumed_words([f"--resume={begun(['+logger.api_key=<redacted>'])}"])
    assert words == []
    assert "say them again if they are needed: +logger.api_key=<redacted>" in capsys.readouterr().err


def test_without_the_flag_nothing_is_changed():
    assert resumed_words(["data=r8", "-m"]) == (["data=r8", "-m"], [])


def test_what_is_no_run_to_go_on_with_is_refused(begun, tmp_path):
    for words in (["--resume"], ["--resume", str(tmp_path)], ["--resume", "nowhere"]):
        with pytest.raises(ConfigError, match="--resume must name a run's folder, got"):
            resumed_words(words)
    folder = begun([], finished=True)
    with pytest.raises(ConfigError, match="--resume must name a run that stopped"):
        resumed_words(["--resume", str(folder)])
    (folder / "record.json").unlink()
    with pytest.raises(ConfigError, match="--resume must name one run, got .* and -m"):
        resumed_words(["-m", "--resume", str(folder)])


@pytest.fixture
def tiny(tiny_bert, here):
    """Words of a run of 8 epochs of 3 steps on a file in the current folder."""
    rows = [f"the {'fox' if i % 2 else 'dog'} jumps {i},{'fox' if i % 2 else 'dog'}\n" for i in range(40)]
    (here / "my.csv").write_text("text,label\n" + "".join(rows), encoding="utf-8")
    return (
        "backbone=local", f"backbone.name={tiny_bert}", "data=files", "data.train=my.csv", "data.label=label",
        "data.max_length=16", "trainer.max_epochs=8", "trainer.accelerator=cpu", "batching.batch_size=12",
        "trainer.precision=32-true", "trainer.enable_progress_bar=false", "num_threads=1",
    )  # fmt: skip


@pytest.mark.slow
def test_a_command_that_was_stopped_goes_on(headway, refused, here, tiny):
    run = here / "it's mine"
    command = [sys.executable, "-P", "-m", "headway.cli.main", "train", *tiny, "trainer.max_epochs=40"]
    with subprocess.Popen(
        [*command, "hydra.run.dir='it\\'s mine'"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not (run / "checkpoints" / "last.ckpt").exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
        assert process.wait(60) == 143
    assert said.startswith("stopped by SIGTERM after step ")
    assert f"go on with: headway train --resume {run}" in said
    assert "Traceback" not in said
    message = refused("train", "--resume", run, "optimizer.lr=1")
    assert "differs in optimizer.lr: 5e-05 -> 1;" in message
    outcome = headway("train", "--resume", run)
    assert outcome.status == 0, outcome.out + outcome.err
    assert f"going on from {run / 'checkpoints' / 'last.ckpt'}: " in outcome.out
    assert json.loads((run / "record.json").read_text())["resumed_from_step"] > 0


@pytest.mark.slow
def test_a_trial_that_was_killed_goes_on_in_its_next_attempt(headway, here, tiny, monkeypatch):
    (here / "killer.py").write_text(LOSS, encoding="utf-8")
    monkeypatch.setenv("HEADWAY_ALLOW_MODULES", "killer")
    monkeypatch.setenv("PYTHONPATH", str(here))
    loss = ("~task.loss", "+task.loss._target_=killer.Killer", "+task.loss.after=10")
    outcome = headway("train", "-m", *tiny, *loss, "seed=1,2", "sweep.on_fail=retry", "sweep.name=mine")
    assert outcome.status == 0, outcome.out + outcome.err
    sweep = here / "outputs" / "files" / "mine"
    resumed = {
        record.parent.name: json.loads(record.read_text())["resumed_from_step"]
        for record in sweep.glob("*/record.json")
    }
    assert resumed == {"0": None, "0-retry-1": 9, "1": None}
    assert not (sweep / "0" / "checkpoints").exists()
