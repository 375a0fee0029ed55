"""Heads of several trials trained at once: each equals its own single run."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import signal
from dataclasses import replace

import pytest
from safetensors.torch import load_file
from torch.testing import assert_close

from headway.heads_together import train_together
from headway.run import run
from headway.sweeps.grouping import group_key

pytestmark = pytest.mark.slow

FAST = (
    "backbone=local",
    "data=files",
    "backbone.trainable=none",
    "num_threads=1",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
    "data.max_length=24",
    "batching.batch_size=8",
    "optimizer.lr=1e-2",
    "trainer.max_epochs=3",
    "score_splits=[validation]",
)
ANIMALS = ("dog", "fox", "goalkeeper", "farmer")
LABEL = ("data.label=label", "task.monitor=accuracy")
TAGS = ("task=words", "data.tokens=tokens", "data.text=null", "data.tags=tags", "task.monitor=accuracy")
GRID = (
    (),
    ("optimizer.lr=1e-3",),
    ("optimizer.weight_decay=0.5", "optimizer.head_lr=0.1"),
    ("task.head.dropout=0.5",),
    ("task/loss=focal",),
    ("seed=7",),
    ("data_seed=8", "task.loss.label_smoothing=0.1"),
    ("trainer.gradient_clip_val=null", "schedule=cosine"),
)


@pytest.fixture
def animals(tmp_path):
    path = tmp_path / "animals.csv"
    rows = [(f"the {ANIMALS[i % 4]} jumps over {'very ' * (i % 9)}far", ANIMALS[i % 4]) for i in range(43)]
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("text", "label"), *rows])
    return path


@pytest.fixture
def config(tmp_path, tiny_bert, compose_config):
    """Return a function: (file, *overrides) -> the config of a run that validates on the same file."""

    def config(file, *more):
        words = [*FAST, f"backbone.name={tiny_bert}", f"cache_dir={tmp_path / 'cache'}"]
        return compose_config(*words, f"data.train={file}", f"data.validation={file}", *more)

    return config


def equal_runs(cfgs, tmp_path):
    """Run trials at once and each by itself, and compare what they leave."""
    for number, (cfg, start) in enumerate(zip(cfgs, train_together(cfgs), strict=True)):
        shared = run(cfg, tmp_path / f"shared{number}", shared=start)
        alone = run(cfg, tmp_path / f"alone{number}")
        expected = load_file(alone.folder / "model" / "model.safetensors")
        for name, value in load_file(shared.folder / "model" / "model.safetensors").items():
            assert_close(value, expected[name], atol=1e-6, rtol=1e-5)
        curves = [next(r.folder.rglob("metrics.csv")).read_text().splitlines() for r in (shared, alone)]
        for mine, theirs in zip(*(csv.reader(curve) for curve in curves), strict=True):
            for value, other in zip(mine, theirs, strict=True):
                assert value == other or float(value) == pytest.approx(float(other), abs=1e-5)
        assert shared.metrics["validation"] == pytest.approx(alone.metrics["validation"])
        records = [json.loads((r.folder / "record.json").read_text()) for r in (shared, alone)]
        assert [record["trained_together"] for record in records] == [len(cfgs), 1]
        assert records[0]["total_steps"] == records[1]["total_steps"]
        assert sorted(p.name for p in shared.folder.iterdir()) == sorted(
            p.name for p in alone.folder.iterdir()
        )


def test_each_equals_its_own_run(config, animals, tmp_path):
    equal_runs([config(animals, *LABEL, *more) for more in GRID], tmp_path)


def test_each_equals_its_own_run_on_words(config, tagged, tmp_path):
    chosen = [more for more in GRID if "task/loss=focal" not in more]
    equal_runs([config(tagged, *TAGS, *more) for more in chosen], tmp_path)


def test_max_steps_ends_all(config, animals, tmp_path):
    more = ("trainer.max_steps=8",)
    equal_runs([config(animals, *LABEL, *more, "seed=1"), config(animals, *LABEL, *more)], tmp_path)


def killed_in_third_epoch(cfgs, folder):
    """Train heads together and die in the run of the first, as kill -9 lets it."""
    start = train_together(cfgs)[0]

    def epochs(number):
        if number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return start.epochs(number)

    run(cfgs[0], folder, shared=replace(start, epochs=epochs))


@pytest.mark.parametrize("together", [True, False])
def test_a_killed_one_begins_again_and_ends_the_same(config, animals, tmp_path, together):
    cfgs = [config(animals, *LABEL, f"seed={seed}") for seed in (1, 2)]
    context = multiprocessing.get_context("fork")
    child = context.Process(target=killed_in_third_epoch, args=(cfgs, tmp_path / "killed"))
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
    assert (tmp_path / "killed" / "checkpoints" / "best.ckpt").is_file()
    assert not (tmp_path / "killed" / "checkpoints" / "last.ckpt").exists()
    again = run(cfgs[0], tmp_path / "killed", shared=train_together(cfgs)[0] if together else None)
    whole = run(cfgs[0], tmp_path / "whole", shared=train_together(cfgs)[0])
    curves = [next(r.folder.rglob("metrics.csv")).read_text().splitlines() for r in (again, whole)]
    assert len(curves[0]) == len(curves[1])
    expected = load_file(whole.folder / "model" / "model.safetensors")
    for name, value in load_file(again.folder / "model" / "model.safetensors").items():
        assert_close(value, expected[name], atol=1e-6, rtol=1e-5)
    assert again.metrics["validation"] == pytest.approx(whole.metrics["validation"])


def test_trials_that_may_differ_have_one_key(config, animals):
    keys = {group_key(config(animals, *LABEL, *more)) for more in GRID}
    assert len(keys) == 1
    assert None not in keys


@pytest.mark.parametrize(
    "more",
    [
        ("batching.batch_size=4",),
        ("task.head.pooling=mean",),
        ("trainer.max_epochs=4",),
        ("data.max_length=16",),
        ("trainer.accumulate_grad_batches=2",),
        ("backbone.layout=padded",),
    ],
)
def test_trials_that_share_no_features_or_steps_have_other_keys(config, animals, more):
    assert group_key(config(animals, *LABEL, *more)) != group_key(config(animals, *LABEL))


@pytest.mark.parametrize("more", [("backbone.trainable=all",), ("keep_features=false",)])
def test_what_trains_more_than_a_head_has_no_key(config, animals, more):
    assert group_key(config(animals, *LABEL, *more)) is None


def test_orders_of_other_numbers_of_steps_are_trained_apart(config, tagged):
    cfgs = [config(tagged, *TAGS, f"data_seed={seed}") for seed in range(6)]
    for cfg in cfgs:
        cfg["batching"] = {"_target_": "headway.data.batching.TokenBatches", "max_tokens": 23}
    assert train_together(cfgs) is None
