"""A head, a loss and a data set are added from a user's own folder: one Python file, a yaml each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]

PARTS = '''
from __future__ import annotations

import torch
from torch import nn


class FirstAndLast(nn.Module):
    """Logits of the first and the last token's states, end to end."""

    token_level = False
    uses_pooler = False

    def __init__(self, scale: float, *, hidden_size: int, num_labels: int) -> None:
        super().__init__()
        self.scale = scale
        self.linear = nn.Linear(2 * hidden_size, num_labels)

    def forward(self, states, batch, encoder):
        ends = batch.cu_seq_lens
        both = torch.cat([states[ends[:-1]], states[ends[1:] - 1]], dim=-1)
        return self.scale * self.linear(both)


class Hinge(nn.Module):
    """Multi-class hinge loss (Crammer and Singer 2001)."""

    def __init__(self, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, logits, targets):
        return nn.functional.multi_margin_loss(logits.float(), targets, margin=self.margin, reduction="none")
'''
YAMLS = {
    "data/mine.yaml": "defaults: [files, _self_]\nname: mine\ntrain: animals.csv\ntext: body\nlabel: topic\n",
    "task/head/my_head.yaml": "_target_: my_parts.FirstAndLast\nscale: 1.0\n",
    "task/loss/my_loss.yaml": "_target_: my_parts.Hinge\nmargin: 0.5\n",
}


@pytest.fixture
def folder(tmp_path):
    """A user's folder: a module, three yamls and a csv."""
    folder = tmp_path / "user"
    for name, text in YAMLS.items():
        path = folder / "experiments" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "my_parts.py").write_text(PARTS, encoding="utf-8")
    animals = ("fox", "dog")
    rows = [f"the {animals[i % 2]} jumps {i},{animals[i % 2]}\n" for i in range(48)]
    (folder / "animals.csv").write_text("body,topic\n" + "".join(rows), encoding="utf-8")
    return folder


@pytest.fixture
def headway(folder, tmp_path):
    """(*words, **environment) -> the finished command, run in the user's folder in a process of its own."""

    def run(*words, **environment):
        variables = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("HEADWAY_", "HYDRA_"))
            },
            "PYTHONPATH": str(ROOT / "src"),
            "HEADWAY_CACHE": str(tmp_path / "cache"),
            **environment,
        }
        # -P: the current folder is not on the path by itself, as in the installed command.
        command = [sys.executable, "-P", "-m", "headway.cli.main", *words]
        return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)

    return run


def test_own_parts_train_and_predict(folder, headway, tiny_bert):
    words = (
        *("train", "data=mine", "task/head=my_head", "task/loss=my_loss", "task.head.scale=2.0"),
        *("backbone=local", f"backbone.name={tiny_bert}", "data.max_length=16", "trainer.max_epochs=2"),
        *(
            "trainer.accelerator=cpu",
            "trainer.enable_progress_bar=false",
            "num_threads=1",
            "optimizer.lr=1e-3",
        ),
    )
    refused = headway(*words)
    assert refused.returncode == 2
    assert "`task.head._target_` must be a class of" in refused.stderr
    assert "run with HEADWAY_ALLOW_MODULES=my_parts" in refused.stderr
    assert not (folder / "outputs").exists()

    done = headway(*words, HEADWAY_ALLOW_MODULES="my_parts")
    assert done.returncode == 0, done.stderr
    (run,) = (folder / "outputs" / "mine").iterdir()
    config = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    assert config["task"]["head"] == {"_target_": "my_parts.FirstAndLast", "scale": 2.0}
    assert config["task"]["loss"] == {"_target_": "my_parts.Hinge", "margin": 0.5}
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    assert 0 <= metrics["validation"]["accuracy"] <= 1

    predicted = headway("predict", str(run), "animals.csv", HEADWAY_ALLOW_MODULES="my_parts")
    assert predicted.returncode == 0, predicted.stderr
    answers = [json.loads(line) for line in predicted.stdout.splitlines()]
    assert len(answers) == 48
    foreign = headway("predict", str(run), "animals.csv")
    assert foreign.returncode == 2
    assert "_target_` must be a class of" in foreign.stderr


def test_own_options_are_listed_and_checked(headway):
    shown = headway("train", "--help").stdout
    lines = dict(line.split(": ", 1) for line in shown.splitlines() if ": " in line)
    assert "mine" in lines["data"].split(", ")
    assert "my_head" in lines["task/head"].split(", ")
    assert "my_loss" in lines["task/loss"].split(", ")
    wrong = headway(
        "train", "data=mine", "task/loss=my_loss", "+task.loss.margn=1", HEADWAY_ALLOW_MODULES="my_parts"
    )
    assert wrong.returncode == 2
    assert "`task.loss.margn` is not an argument of Hinge (did you mean 'margin'?)" in wrong.stderr
