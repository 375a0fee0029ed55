"""Sweeps as commands: trials that crash, are killed or hang, and commands that are killed and given again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

TROUBLE = """
import os, signal, time
from pathlib import Path
from torch import nn

class Trouble(nn.Module):
    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind if not Path("mended").exists() else "none"
        self.calls = 0
        with open("pids", "a") as stream:
            stream.write(f"{os.getpid()}\\n")

    def forward(self, logits, targets):
        if self.kind == "crash":
            raise RuntimeError("the loss broke")
        self.calls += 1
        if self.kind == "kill" or (self.kind == "late" and self.calls == 6):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.kind == "abort":
            os.abort()
        if self.kind == "slow":
            time.sleep(0.2)
        while self.kind == "hang":
            time.sleep(60)
        return nn.functional.cross_entropy(logits.float(), targets, reduction="none")
"""


@pytest.fixture
def words(tiny_bert, here, monkeypatch):
    """Words of a sweep of runs that take a second, with a loss that makes trouble."""
    rows = [f"the {'fox' if i % 2 else 'dog'} jumps {i},{'fox' if i % 2 else 'dog'}\n" for i in range(40)]
    (here / "my.csv").write_text("text,label\n" + "".join(rows), encoding="utf-8")
    (here / "trouble.py").write_text(TROUBLE, encoding="utf-8")
    (here / "experiments" / "task" / "loss").mkdir(parents=True)
    loss = "_target_: trouble.Trouble\nkind: none\n"
    (here / "experiments" / "task" / "loss" / "trouble.yaml").write_text(loss, encoding="utf-8")
    monkeypatch.setenv("HEADWAY_ALLOW_MODULES", "trouble")
    return (
        "backbone=local", f"backbone.name={tiny_bert}", "data=files", "data.train=my.csv", "data.label=label",
        "data.max_length=16", "trainer.max_epochs=1", "trainer.accelerator=cpu", "trainer.precision=32-true",
        "num_threads=1", "~logger", "task/loss=trouble", "sweep.name=mine",
    )  # fmt: skip


def _events(here):
    text = (here / "outputs" / "files" / "mine" / "index.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _document(here):
    return json.loads((here / "outputs" / "files" / "mine" / "sweep.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_one_that_dies_ends_itself_alone_and_is_tried_again_by_the_next_command(headway, here, words):
    sweep = ("train", "-m", *words, "task.loss.kind=crash,kill,hang,abort,none", "sweep.n_jobs=3")
    outcome = headway(*sweep, "sweep.time_limit=20")
    assert outcome.status == 1
    document = _document(here)
    runs = {point["params"]["task.loss.kind"]: point["runs"][0] for point in document["points"]}
    statuses = {kind: run["status"] for kind, run in runs.items()}
    assert statuses == {
        "crash": "failed", "kill": "killed", "hang": "timeout", "abort": "killed", "none": "finished",
    }  # fmt: skip
    assert runs["crash"]["error"] == "RuntimeError: the loss broke"
    assert "trouble.py" in runs["crash"]["traceback"]
    assert "SIGKILL" in runs["kill"]["error"]
    assert "SIGABRT" in runs["abort"]["error"]
    assert "sweep.time_limit=20" in runs["hang"]["error"]
    for kind in ("hang", "abort"):  # where it was, in its own log too
        assert "trouble.py" in runs[kind]["traceback"]
        log = here / "outputs" / "files" / "mine" / runs[kind]["folder"] / "output.log"
        assert "trouble.py" in log.read_text(encoding="utf-8")
    assert "RuntimeError: the loss broke" in outcome.out

    (here / "mended").touch()
    outcome = headway(*sweep)
    assert outcome.status == 0, outcome.out
    assert _document(here)["complete"]
    begun = Counter(event["point"] for event in _events(here) if event["event"] == "begin")
    assert begun == {0: 2, 1: 2, 2: 2, 3: 2, 4: 1}
    folders = [event["folder"] for event in _events(here) if event["event"] == "begin"]
    assert len(set(folders)) == len(folders)


@pytest.mark.slow
def test_replicates_of_one_run_need_no_flag(headway, here, words):
    assert headway("train", *words, "seeds=2").status == 0
    (point,) = _document(here)["points"]
    assert [run["seed"] for run in point["runs"]] == [42, 43]
    configs = [here / "outputs" / "files" / "mine" / run["folder"] / "config.yaml" for run in point["runs"]]
    assert "seed: 43" in configs[1].read_text(encoding="utf-8")
    assert "data_seed: 43" in configs[1].read_text(encoding="utf-8")


@pytest.mark.slow
def test_hydras_own_key_for_what_is_swept(headway, here, words):
    swept = "+hydra.sweeper.params.seed='1,2'"
    assert headway("train", "-m", *words, swept, "hydra.sweep.subdir=n${hydra.job.num}").status == 0
    assert [point["params"] for point in _document(here)["points"]] == [{"seed": "1"}, {"seed": "2"}]
    folder = here / "outputs" / "files" / "mine"
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["n0", "n1"]


@pytest.mark.slow
def test_a_users_own_sweep_file_and_a_search(headway, here, words):
    (here / "experiments" / "sweep").mkdir()
    text = "defaults: [random, _self_]\nn_trials: 2\nparams:\n  optimizer.lr: tag(log,interval(1e-4,1e-2))\n"
    (here / "experiments" / "sweep" / "lr.yaml").write_text(text, encoding="utf-8")
    command = ("train", *words, "sweep=lr")
    assert headway(*command).status == 0
    first = _document(here)["points"]
    assert len(first) == 2
    assert headway(*command, "sweep.n_trials=3").status == 0
    document = _document(here)
    assert document["points"][:2] == first
    rates = [point["params"]["optimizer.lr"] for point in document["points"]]
    assert len(set(rates)) == 3
    assert all(1e-4 <= rate <= 1e-2 for rate in rates)
    assert document["monitor"] == {"name": "val/f1_macro", "mode": "max"}


def _alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _wait(condition, seconds=120.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_a_command_that_is_killed_leaves_no_process_and_is_resumed(headway, here, words, number, status):
    sweep = ("train", "-m", *words, "task.loss.kind=slow", "seed=1,2,3", "trainer.max_epochs=3")
    command = [sys.executable, "-P", "-m", "headway.cli.main", *sweep]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        index = here / "outputs" / "files" / "mine" / "index.jsonl"
        _wait(lambda: index.is_file() and '"end"' in index.read_text())
        _wait(lambda: index.read_text().count('"begin"') == 2)
        _wait(lambda: len((here / "pids").read_text().split()) >= 3)  # one checked the sweep
        os.kill(process.pid, number)
        assert process.wait(60) == status
    pids = (here / "pids").read_text().split()
    _wait(lambda: not any(_alive(pid) for pid in pids), 20)
    before = [event for event in _events(here) if event["event"] == "end" and event["status"] == "finished"]
    outcome = headway(*sweep)
    assert outcome.status == 0, outcome.out
    begun = [event for event in _events(here) if event["event"] == "begin"]
    counts = Counter(event["id"] for event in begun)
    assert len(counts) == 3
    assert all(counts[event["id"]] == 1 for event in before)
    assert sum(counts.values()) <= 4
    assert len({event["folder"] for event in begun}) == len(begun)


@pytest.mark.slow
def test_a_launcher_of_hydras_runs_the_trials(headway, here, words):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs headway[submitit]")
    command = ("train", "-m", *words, "hydra/launcher=queue", "sweep.n_jobs=2", "task.loss.kind=none,crash")
    outcome = headway(*command)
    assert outcome.status == 1, outcome.out
    good, broken = (point["runs"][0] for point in _document(here)["points"])
    assert (good["status"], broken["status"]) == ("finished", "failed")
    assert broken["error"] == "RuntimeError: the loss broke"
    assert "trouble.py" in broken["traceback"]
    record = here / "outputs" / "files" / "mine" / good["folder"] / "record.json"
    assert good["value"] == json.loads(record.read_text(encoding="utf-8"))["monitor"]["value"]
    (here / "mended").touch()
    assert headway(*command).status == 0
    begun = Counter(event["point"] for event in _events(here) if event["event"] == "begin")
    assert begun == {0: 1, 1: 2}


@pytest.mark.slow
def test_a_launcher_goes_on_from_a_trial_that_was_killed(headway, here, words):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs headway[submitit]")
    sweep = ("train", "-m", *words, "hydra/launcher=queue", "task.loss.kind=late", "trainer.max_epochs=4")
    assert headway(*sweep).status == 1
    assert _document(here)["points"][0]["runs"][0]["status"] == "killed"
    (here / "mended").touch()
    outcome = headway(*sweep)
    assert outcome.status == 0, outcome.out
    first, second = (
        here / "outputs" / "files" / "mine" / event["folder"]
        for event in _events(here)
        if event["event"] == "begin"
    )
    assert not (first / "checkpoints").exists()
    record = json.loads((second / "record.json").read_text(encoding="utf-8"))
    assert record["resumed_from_step"] == 4  # two steps an epoch; the sixth loss is the second validation


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["seeds=0"], "`seeds` must be a number of replicates >= 1"),
        (["-m", "seed=1,2", "seeds=2"], "`seeds` must be null where `seed` is swept"),
        (["-m", "optimizer.lr=interval(0,1)"], "`optimizer.lr` must be a choice or a range in a grid"),
        (["-m", "sweep=optuna"], "`sweep.params` must name what is searched"),
        (["-m", "sweep=optima"], "(did you mean 'optuna'?)"),
        (["-m", "sweep.n_job=2"], "`sweep.n_job` is not a key of the config (did you mean 'n_jobs'?)"),
        (
            ["-m", "seed=1,2", "hydra/launcher=queue", "sweep.time_limit=9"],
            "`sweep.time_limit` must be null with a hydra/launcher",
        ),
        (
            ["-m", "seed=1,2", "hydra/launcher=queue", "sweep/pruner=median"],
            "`sweep.pruner` must be null with a hydra/launcher",
        ),
        (["-m", "seeds=1,2"], "`seeds` must not be swept, got 1,2; write seeds=[1,2]"),
    ],
)
def test_refused_before_anything_is_made(words, message, refused):
    assert message in refused("train", *words)


@pytest.mark.slow
def test_check_looks_at_one_run_of_several_seeds(headway, words):
    outcome = headway("check", *words, "seeds=3", "--no-step")
    assert outcome.status in (0, 1), outcome.err
    assert "errors" in outcome.out


FROZEN = ("backbone.trainable=none", "trainer.max_epochs=2")


@pytest.mark.slow
def test_heads_on_a_frozen_backbone_are_trained_at_once(headway, here, words):
    plain = [word for word in words if word != "task/loss=trouble"]
    assert headway("train", "-m", *plain, *FROZEN, "optimizer.lr=1e-3,1e-2", "seeds=2").status == 0
    document = _document(here)
    assert document["complete"]
    folder = here / "outputs" / "files" / "mine"
    runs = [folder / run["folder"] for point in document["points"] for run in point["runs"]]
    records = [json.loads((run / "record.json").read_text(encoding="utf-8")) for run in runs]
    assert [record["trained_together"] for record in records] == [4] * 4
    values = {record["monitor"]["value"] for record in records}
    assert all(value == pytest.approx(value) for value in values)
    for run in runs:
        assert (run / "model" / "headway.json").is_file()
        assert "epoch 2/2" in (run / "run.log").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_head_that_takes_others_with_it_is_tried_alone(headway, here, words):
    sweep = ("train", "-m", *words, *FROZEN, "task.loss.kind=none,kill,slow", "sweep.time_limit=60")
    assert headway(*sweep).status == 1
    statuses = {p["params"]["task.loss.kind"]: p["runs"][0]["status"] for p in _document(here)["points"]}
    assert statuses == {"none": "finished", "kill": "killed", "slow": "finished"}


@pytest.mark.slow
def test_a_head_that_diverges_fails_alone(headway, here, words):
    plain = [word for word in words if word != "task/loss=trouble"]
    sweep = ("optimizer.lr=1e-2,1", "optimizer.weight_decay=0,1e38", "trainer.gradient_clip_val=null")
    assert headway("train", "-m", *plain, *FROZEN, *sweep).status == 1
    document = _document(here)
    statuses = [point["runs"][0]["status"] for point in document["points"]]
    assert sorted(statuses) == ["failed", "failed", "finished", "finished"]
    for point in document["points"]:
        run = point["runs"][0]
        if run["status"] == "finished":
            path = here / "outputs" / "files" / "mine" / run["folder"] / "record.json"
            assert json.loads(path.read_text(encoding="utf-8"))["trained_together"] == 4
        else:
            assert "the training loss is" in run["error"]
