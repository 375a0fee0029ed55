"""Ranges of what no class of ours checks, keys that nothing takes, and the monitored metric."""

from __future__ import annotations

import copy

import pytest

from headway.config.check import check_config, monitored
from headway.types import ConfigError


@pytest.fixture(scope="module")
def config(compose_config):
    return compose_config("data=files", "data.train=my.csv", "data.label=label")


def _changed(config, **changes):
    changed = copy.deepcopy(config)
    for key, value in changes.items():
        node = changed
        *parents, last = key.split("__")
        for name in parents:
            node = node[name]
        node[last] = value
    return changed


def test_the_default_is_right(config):
    before = copy.deepcopy(config)
    check_config(config)
    assert config == before


RANGES = [
    ("seed", -1, r"`seed` must be a whole number in \[0, 4294967295\], got -1"),
    ("seed", 2**32, r"`seed` must be a whole number in \[0, 4294967295\]"),
    ("seed", 1.0, r"`seed` must be a whole number"),
    ("seed", True, r"`seed` must be a whole number"),
    ("data_seed", -1, r"`data_seed` must be"),
    ("data_seed", None, r"`data_seed` must be"),
    ("num_threads", 0, r"`num_threads` must be a whole number >= 1 or null, got 0"),
    ("score_splits", ["tst"], r"`score_splits` must hold .*did you mean 'test'"),
    ("name", " ", r"`name` must name a folder"),
    ("name", "../../x", r"`name` must name a folder"),
    ("name", "/x", r"`name` must name a folder"),
    ("trainer__max_epochs", 0, r"`trainer\.max_epochs` must be a whole number >= 1, got 0"),
    ("trainer__max_epochs", None, r"`trainer\.max_epochs` must be"),
    ("trainer__max_epochs", 1.5, r"`trainer\.max_epochs` must be a whole number"),
    ("trainer__max_steps", 0, r"`trainer\.max_steps` must be -1"),
    ("trainer__max_steps", -2, r"`trainer\.max_steps` must be"),
    ("trainer__accumulate_grad_batches", 0, r"`trainer\.accumulate_grad_batches` must be"),
    ("trainer__log_every_n_steps", 0, r"`trainer\.log_every_n_steps` must be"),
    ("trainer__gradient_clip_val", 0, r"`trainer\.gradient_clip_val` must be > 0"),
    ("trainer__gradient_clip_val", -1.0, r"`trainer\.gradient_clip_val` must be"),
    ("trainer__gradient_clip_val", float("nan"), r"`trainer\.gradient_clip_val` must be"),
    ("trainer__gradient_clip_val", "abc", r"`trainer\.gradient_clip_val` must be"),
    ("trainer__limit_train_batches", 0, r"`trainer\.limit_train_batches` must be a ratio in \(0, 1\]"),
    ("trainer__limit_train_batches", 1.5, r"`trainer\.limit_train_batches` must be a ratio"),
    ("trainer__limit_val_batches", -1, r"`trainer\.limit_val_batches` must be"),
    ("trainer__limit_test_batches", 0.0, r"`trainer\.limit_test_batches` must be"),
    ("trainer__accelerator", "cpuu", r"`trainer\.accelerator` must be one of .*did you mean 'cpu'"),
    ("trainer__devices", 0, r"`trainer\.devices` must be a count"),
    ("trainer__devices", [], r"`trainer\.devices` must be a count"),
    ("trainer__devices", "two", r"`trainer\.devices` must be a count"),
    ("trainer__devices", None, r"`trainer\.devices` must be"),
    ("trainer__strategy", "dpp", r"`trainer\.strategy` must be one of .*did you mean 'ddp'"),
    ("trainer__strategy", "fsdp", r"`trainer\.accelerator` must be gpu with trainer\.strategy=fsdp, got"),
    ("trainer__profile", "yes", r"`trainer\.profile` must be true or false, got 'yes'"),
    ("trainer__precision", "fp16", r"`trainer\.precision` must be one of"),
    ("trainer__deterministic", "yes", r"`trainer\.deterministic` must be true or false, warn or null"),
    ("trainer__enable_progress_bar", "abc", r"`trainer\.enable_progress_bar` must be true or false"),
    ("task__monitor", "f2", r"`task\.monitor` must be one of .*got 'f2'"),
    ("task__monitor", "accurcy", r"did you mean 'accuracy'"),
]


@pytest.mark.parametrize(("key", "value", "message"), RANGES)
def test_ranges(config, key, value, message):
    with pytest.raises(ConfigError, match=message):
        check_config(_changed(config, **{key: value}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", 0),
        ("trainer__limit_train_batches", 3),
        ("trainer__limit_train_batches", 0.5),
        ("trainer__devices", [0, 1]),
        ("trainer__devices", "auto"),
        ("trainer__devices", "0,1"),
        ("trainer__strategy", "ddp"),
        ("trainer__gradient_clip_val", None),
        ("trainer__max_steps", 10),
        ("trainer__deterministic", "warn"),
        ("task__monitor", "val/loss"),
        ("logger", None),
        ("score_splits", []),
    ],
)
def test_what_is_allowed(config, key, value):
    check_config(_changed(config, **{key: value}))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sed", 1, r"`sed` is not a key of the config \(did you mean 'seed'\?\)"),
        ("task__hed", {}, r"`task\.hed` is not a key of a task \(did you mean 'head'\?\)"),
        ("trainer__max_epoch", 1, r"`trainer\.max_epoch` is not an argument of Trainer.*'max_epochs'"),
        ("trainer__callbacks", [], r"`trainer\.callbacks` must be left to headway"),
        ("trainer__use_distributed_sampler", True, r"`trainer\.use_distributed_sampler` must be left"),
        ("trainer__fast_dev_run", True, r"`trainer\.fast_dev_run` must be false or left out"),
        ("trainer__enable_checkpointing", False, r"`trainer\.enable_checkpointing` must be true or left out"),
        ("task__head__hidden_size", 3, r"`task\.head\.hidden_size` must be left to headway"),
        ("optimizer", None, r"`optimizer` must be a mapping with a `_target_`, got None"),
        ("callbacks", None, r"`callbacks` must be a mapping"),
        ("callbacks__checkpoint", "x", r"`callbacks\.checkpoint` must be a mapping"),
        ("callbacks__mine", {"patience": 1}, r"`callbacks\.mine\._target_` must be given"),
        ("data__source", "x", r"`data\.source` must be a mapping with a `_target_`, got 'x'"),
    ],
)
def test_keys(config, key, value, message):
    with pytest.raises(ConfigError, match=message):
        check_config(_changed(config, **{key: value}))


def test_a_callback_may_watch_another_metric(config):
    target = "pytorch_lightning.callbacks.EarlyStopping"
    stopping = {"_target_": target, "patience": 2, "monitor": "val/loss", "mode": "min"}
    check_config(_changed(config, callbacks__early_stopping=stopping))


@pytest.mark.parametrize(
    ("monitor", "logged", "mode"),
    [
        ("f1_macro", "val/f1_macro", "max"),
        ("val/accuracy", "val/accuracy", "max"),
        ("loss", "val/loss", "min"),
    ],
)
def test_the_monitored_metric_and_its_direction(config, monitor, logged, mode):
    assert monitored(_changed(config, task__monitor=monitor)) == (logged, mode)


def test_fsdp_does_not_clip(config):
    sharded = _changed(config, trainer__strategy="fsdp", trainer__accelerator="gpu")
    with pytest.raises(ConfigError, match=r"`trainer\.gradient_clip_val` must be null with trainer"):
        check_config(sharded)
    check_config(_changed(sharded, trainer__gradient_clip_val=None))
