"""What Hydra's programs can do, `headway train` can: help, configs, completion, sweeps, experiments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture
def with_experiments(monkeypatch, headway):
    monkeypatch.setenv("HEADWAY_EXPERIMENTS", str(ROOT / "experiments"))
    return headway


def test_help_lists_the_groups_and_their_options(with_experiments):
    outcome = with_experiments("train", "--help")
    assert outcome.status == 0
    lines = dict(line.split(": ", 1) for line in outcome.out.splitlines() if ": " in line)
    assert "minilm" in lines["backbone"].split(", ")
    assert {"r8", "sst2", "files"} <= set(lines["data"].split(", "))
    assert lines["task/head"] == "cls, token"
    assert "demo" in lines["experiment"].split(", ")
    assert outcome.out.startswith("headway train")


def test_hydra_help_lists_the_flags(headway):
    outcome = headway("train", "--hydra-help")
    assert outcome.status == 0
    assert "--multirun" in outcome.out


def test_cfg_job_prints_the_config_and_makes_nothing(headway, here):
    outcome = headway("train", "--cfg", "job", "data=sst2", "seed=7")
    assert outcome.status == 0
    shown = yaml.safe_load(outcome.out)
    assert (shown["seed"], shown["data"]["name"], shown["data"]["source"]["config"]) == (7, "sst2", "sst2")
    assert "hydra" not in shown
    assert list(here.iterdir()) == []


def test_cfg_job_of_an_experiment(with_experiments):
    outcome = with_experiments("train", "experiment=reproductions/r8", "--cfg", "job", "-p", "data")
    assert yaml.safe_load(outcome.out)["name"] == "r8"


def test_info_shows_the_search_path(with_experiments):
    outcome = with_experiments("train", "--info", "searchpath")
    assert outcome.status == 0
    assert "pkg://headway.conf" in outcome.out
    assert "headway-experiments" in outcome.out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("headway ", "train check evaluate export predict reproduce serve report compare doctor"),
        ("headway tr", "train"),
        ("headway train data=r", "data=r52 data=r8 data=rte"),
        ("/usr/bin/headway train seed=1 task.head.po", "task.head.pooling="),
        ("headway train task/head=", "task/head=cls task/head=token"),
        ("headway check data=r", "data=r52 data=r8 data=rte"),
        ("headway train task=entities task.head.", "task.head._target_= task.head.dropout="),
        ("headway predict ", ""),
    ],
)
def test_completion(line, words, headway, monkeypatch):
    monkeypatch.setenv("COMP_LINE", line)
    outcome = headway("-sc", "query=bash")
    assert (outcome.status, outcome.out.strip(), outcome.err) == (0, words, "")


def test_completion_is_installed_for_the_command(headway):
    last = headway("-sc", "install=bash").out.splitlines()[-1]
    assert last.endswith(" hydra_bash_completion headway")


# --- Runs of a tiny model


@pytest.fixture
def tiny(tiny_bert, here):
    """Words of a run that takes a second, on a file in the current folder."""
    rows = [f"the {'fox' if i % 2 else 'dog'} jumps {i},{'fox' if i % 2 else 'dog'}\n" for i in range(40)]
    (here / "my.csv").write_text("text,label\n" + "".join(rows), encoding="utf-8")
    return (
        *(
            "backbone=local",
            f"backbone.name={tiny_bert}",
            "data=files",
            "data.train=my.csv",
            "data.label=label",
        ),
        *(
            "data.max_length=16",
            "trainer.max_epochs=1",
            "trainer.accelerator=cpu",
            "trainer.precision=32-true",
        ),
        *("trainer.enable_progress_bar=false", "num_threads=1", "~logger"),
    )


@pytest.mark.slow
def test_a_grid_gives_each_job_a_folder(headway, here, tiny):
    outcome = headway("train", "-m", *tiny, "seed=1,2", "optimizer.lr=1e-3")
    assert (outcome.status, outcome.err) == (0, "")
    assert "2 points: 2 finished" in outcome.out
    (sweep,) = (here / "outputs" / "files").iterdir()
    assert sorted(path.name for path in sweep.iterdir() if path.is_dir()) == ["0", "1"]
    files = {path.name for path in sweep.iterdir() if path.is_file()}
    assert files == {".lock", "index.jsonl", "multirun.yaml", "summary.csv", "sweep.json", "sweep.log"}
    for number, seed in enumerate((1, 2)):
        config = yaml.safe_load((sweep / str(number) / "config.yaml").read_text(encoding="utf-8"))
        assert (config["seed"], config["data_seed"]) == (seed, seed)
        overrides = yaml.safe_load((sweep / str(number) / "overrides.yaml").read_text(encoding="utf-8"))
        assert f"seed={seed}" in overrides
        assert "test" not in json.loads((sweep / str(number) / "metrics.json").read_text(encoding="utf-8"))
        log = (sweep / str(number) / "run.log").read_text(encoding="utf-8")
        assert "epoch 1/1" in log
        assert "#1" not in log
        assert "run folder" in (sweep / str(number) / "output.log").read_text(encoding="utf-8")


@pytest.mark.slow
def test_two_runs_have_two_folders_and_a_used_one_is_refused(headway, refused, here, tiny):
    assert headway("train", *tiny).status == 0
    assert headway("train", *tiny).status == 0
    first, second = sorted((here / "outputs" / "files").iterdir())
    assert (first / "record.json").is_file()
    assert (second / "record.json").is_file()
    message = refused("train", *tiny, f"hydra.run.dir={first}")
    assert "`hydra.run.dir` must be a folder without a run" in message


@pytest.mark.slow
def test_a_mistake_in_the_second_job_leaves_the_first(headway, here, tiny):
    outcome = headway("train", "-m", *tiny, "data.max_length=16,1000")
    assert outcome.status == 1
    assert "2 points: 1 finished, 1 failed" in outcome.out
    assert "data.max_length" in outcome.out
    (sweep,) = (here / "outputs" / "files").iterdir()
    assert (sweep / "0" / "record.json").is_file()
    assert not (sweep / "1" / "record.json").exists()
    assert "data.max_length" in (sweep / "1" / "run.log").read_text(encoding="utf-8")


@pytest.mark.slow
def test_an_experiment_of_the_users_own(headway, here, tiny):
    (here / "experiments" / "experiment").mkdir(parents=True)
    (here / "experiments" / "experiment" / "mine.yaml").write_text(
        "# @package _global_\n# Mine.\nname: mine\nseed: 11\nbatching:\n  batch_size: 4\n", encoding="utf-8"
    )
    outcome = headway("train", "experiment=mine", *tiny)
    assert (outcome.status, outcome.err) == (0, "")
    (run,) = (here / "outputs" / "mine").iterdir()
    config = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    assert (config["seed"], config["batching"]["batch_size"]) == (11, 4)
