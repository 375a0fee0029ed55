"""Runs that keep what frozen layers compute come to the same as others (long: they share their fixtures)."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.testing import assert_close
from transformers import AutoModel

from headway.run import run
from headway.types import ConfigError

pytestmark = pytest.mark.slow

FAST = (
    "backbone=local",
    "data=files",
    "num_threads=1",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
    "trainer.enable_progress_bar=false",
    "data.max_length=24",
    "task.head.dropout=0",
    "batching.batch_size=8",
    "optimizer.lr=1e-2",
    "trainer.max_epochs=2",
    "score_splits=[validation]",
)
ANIMALS = ("dog", "fox", "goalkeeper", "farmer")
FROZEN = ("backbone.trainable=none",)
LAST = ("backbone.trainable=last_n", "backbone.last_n=1")
LABEL = ("data.label=label", "task.monitor=accuracy")
TAGS = ("task=words", "data.tokens=tokens", "data.text=null", "data.tags=tags", "task.monitor=accuracy")
LONG = ("data.truncation=windows", "data.max_length=12", "data.overlap=2")


@pytest.fixture
def animals(tmp_path):
    path = tmp_path / "animals.csv"
    rows = [
        (f"the {ANIMALS[i % 4]} jumps over number {i} and {'very ' * (i % 9)}far", ANIMALS[i % 4])
        for i in range(43)
    ]
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("text", "label"), *rows])
    return path


@pytest.fixture
def train(tmp_path, plain_bert, compose_config):
    """Return a function: (file, folder, *overrides) -> the result of a run validated on the same file."""

    def train(file, folder, *more, backbone=plain_bert, drop="nothing"):
        words = [*without(FAST, drop), f"backbone.name={backbone}", f"cache_dir={tmp_path / 'cache'}"]
        words += [f"data.train={file}", f"data.validation={file}", *more]
        return run(compose_config(*words), tmp_path / folder)

    return train


def record(result):
    return json.loads((result.folder / "record.json").read_text())


def weights(result):
    return load_file(result.folder / "model" / "model.safetensors")


def logits(result):
    """The kept logits in the order of the windows, whatever batches they came in."""
    kept = load_file(result.folder / "logits" / "validation.safetensors")
    return kept["logits"][kept["windows"].argsort()]


CASES = {
    "cls": (*FROZEN, *LABEL),
    "mean": (*FROZEN, *LABEL, "task.head.pooling=mean"),
    "max, windows": (*FROZEN, *LABEL, *LONG, "task.head.pooling=max"),
    "pooler": (*FROZEN, *LABEL, "task.head.pooling=pooler"),
    "accumulation, no clipping": (
        *FROZEN,
        *LABEL,
        "trainer.accumulate_grad_batches=4",
        "trainer.gradient_clip_val=null",
    ),
    "max_steps": (*FROZEN, *LABEL, "trainer.max_steps=8"),
    "tokens a batch": (*FROZEN, *LABEL, "batching=tokens", "batching.max_tokens=100"),
    "padded": (*FROZEN, *LABEL, "backbone.layout=padded"),
    "last layer": (*LAST, *LABEL),
    "last layer, padded, windows": (*LAST, *LABEL, *LONG, "backbone.layout=padded"),
}


def assert_close_weights(kept, plain):
    expected = weights(plain)
    for name, value in weights(kept).items():
        if "key.bias" not in name:  # its gradient is rounding alone, which AdamW takes whole steps by
            assert_close(value, expected[name], atol=2e-5, rtol=1e-4)


def without(words, name):
    return [word for word in words if not word.startswith(name)]


@pytest.mark.parametrize("case", CASES)
def test_training_comes_to_the_same(train, animals, case, compose_config, tmp_path, plain_bert):
    def one(folder, kept):
        words = [*FAST, f"backbone.name={plain_bert}", f"cache_dir={tmp_path / 'cache'}"]
        if "batching=tokens" in CASES[case]:
            words = without(words, "batching.batch_size")
        words += [
            f"data.train={animals}",
            f"data.validation={animals}",
            *CASES[case],
            f"keep_features={kept}",
        ]
        return run(compose_config(*words), tmp_path / folder)

    kept, plain = one("kept", "true"), one("plain", "false")
    assert record(kept)["features"]["train"]["kind"] == ("states" if "last" in case else "pooled")
    assert record(plain)["features"] is None
    assert record(kept)["total_steps"] == record(plain)["total_steps"]
    assert_close_weights(kept, plain)
    assert_close(logits(kept), logits(plain), atol=1e-4, rtol=1e-4)
    assert kept.best_value == plain.best_value


@pytest.mark.parametrize("more", [FROZEN, LAST, (*FROZEN, "data.subword_labels=all")])
def test_training_on_words_comes_to_the_same(train, tagged, more):
    kept = train(tagged, "kept", *TAGS, *more, "keep_features=true")
    plain = train(tagged, "plain", *TAGS, *more, "keep_features=false")
    assert record(kept)["features"]["train"]["kind"] == "states"
    assert_close_weights(kept, plain)


def test_features_are_computed_once_and_shared_by_runs_that_differ_above_them(train, animals):
    first = record(train(animals, "first", *FROZEN, *LABEL))["features"]
    assert all(split["computed"] for split in first.values() if split is first["train"])
    assert first["train"]["rows"] == 43
    assert first["train"]["bytes"] == 43 * 32 * 4
    assert first["train"]["computed_in"] == "32-true"
    second = record(train(animals, "second", *FROZEN, *LABEL, "seed=7", "optimizer.lr=1e-3"))["features"]
    assert not any(split["computed"] for split in second.values())


@pytest.mark.parametrize(
    "more",
    [
        ("task.head.pooling=mean",),
        ("data.max_length=8",),
        ("backbone.layout=padded",),
        ("trainer.precision=bf16-mixed",),
        LAST,
    ],
)
def test_what_decides_features_is_in_their_key(train, animals, more):
    train(animals, "first", *FROZEN, *LABEL)
    assert record(train(animals, "second", *FROZEN, *LABEL, *more))["features"]["train"]["computed"]


def test_a_changed_weight_or_text_misses(train, animals, plain_bert, tmp_path):
    train(animals, "first", *FROZEN, *LABEL)
    changed = tmp_path / "changed"
    shutil.copytree(plain_bert, changed)
    model = AutoModel.from_pretrained(changed)
    with torch.no_grad():
        model.encoder.layer[0].output.dense.bias[3] += 1e-3
    model.save_pretrained(changed)
    assert record(train(animals, "second", *FROZEN, *LABEL, backbone=changed))["features"]["train"][
        "computed"
    ]
    animals.write_text(animals.read_text().replace("number 5", "number 6"))
    assert record(train(animals, "third", *FROZEN, *LABEL))["features"]["train"]["computed"]


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_damaged_features_are_computed_again(train, animals, tmp_path, damage):
    expected = weights(train(animals, "first", *FROZEN, *LABEL))
    for path in (tmp_path / "cache" / "features").glob("*/features.npy"):
        raw = bytearray(path.read_bytes())
        raw[-5] ^= 255
        path.write_bytes(raw if damage == "flip" else raw[:-40])
    again = train(animals, "second", *FROZEN, *LABEL)
    assert record(again)["features"]["train"]["computed"]
    for name, value in weights(again).items():
        assert torch.equal(value, expected[name])


def test_auto_computes_nothing_ahead_for_a_few_steps(train, animals):
    result = train(animals, "run", *FROZEN, *LABEL, "trainer.max_steps=2")
    assert record(result)["features"] is None


def test_checkpoints_of_a_frozen_backbone_hold_the_head_alone(train, animals):
    result = train(animals, "run", *FROZEN, *LABEL)
    saved = torch.load(result.folder / "checkpoints" / "best.ckpt", weights_only=True)
    assert sorted(saved["state_dict"]) == ["head.classifier.bias", "head.classifier.weight"]


def test_curves_and_callbacks_see_what_they_would(train, animals):
    result = train(
        animals, "run", *FROZEN, *LABEL, "trainer.log_every_n_steps=2", "callbacks=early_stopping",
        "callbacks.early_stopping.patience=1", "trainer.max_epochs=30", "optimizer.lr=1e-7",
    )  # fmt: skip
    rows = list(csv.DictReader(next(result.folder.rglob("metrics.csv")).read_text().splitlines()))
    validated = [int(row["step"]) for row in rows if row["val/loss"]]
    assert validated[:2] == [5, 11]  # after the last of six steps an epoch, counted from 0
    steps = [int(row["step"]) for row in rows if row["train/loss"]]
    assert steps[:3] == [1, 3, 5]
    losses = [float(row["train/loss"]) for row in rows if row["train/loss"]]
    assert np.isfinite(losses).all()
    assert record(result)["monitor"]["epoch"] < 30
    assert max(steps) < 6 * 29  # stopped early: 6 steps an epoch


HEADS = """
import torch
from torch import nn
from headway.models.heads.cls import ClsHead

class Deep(ClsHead):
    def __init__(self, dropout: float, *, hidden_size: int, num_labels: int):
        super().__init__("mean", dropout, hidden_size=hidden_size, num_labels=num_labels)
        self.hidden = nn.Linear(hidden_size, hidden_size)

    def classify(self, features):
        return super().classify(torch.tanh(self.hidden(features)))

class Attentive(ClsHead):
    def __init__(self, dropout: float, *, hidden_size: int, num_labels: int):
        super().__init__("mean", dropout, hidden_size=hidden_size, num_labels=num_labels)
        self.scale = nn.Parameter(torch.ones(hidden_size))

    def pool(self, states, batch, encoder):
        return super().pool(states * self.scale, batch, encoder)

class Nth(nn.Module):
    token_level = False
    uses_pooler = False

    def __init__(self, place: int, *, hidden_size: int, num_labels: int):
        super().__init__()
        self.place, self.linear = place, nn.Linear(hidden_size, num_labels)

    def pool(self, states, batch, encoder):
        return states[batch.cu_seq_lens[:-1] + self.place]

    def classify(self, features):
        return self.linear(features)

    def forward(self, states, batch, encoder):
        return self.classify(self.pool(states, batch, encoder))
"""


@pytest.mark.parametrize(
    ("head", "arguments", "kind"),
    [
        ("Deep", {"dropout": 0.0}, "pooled"),
        ("Attentive", {"dropout": 0.0}, "states"),
        ("Nth", {"place": 0}, "states"),
        ("Nth", {"place": 1}, "states"),
    ],
)
def test_heads_of_ones_own_come_to_the_same(train, animals, tmp_path, monkeypatch, head, arguments, kind):
    (tmp_path / "kept_heads.py").write_text(HEADS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HEADWAY_ALLOW_MODULES", "kept_heads")
    own = [f"task.head._target_=kept_heads.{head}", "~task.head.pooling"]
    own += ["~task.head.dropout", *(f"+task.head.{name}={value}" for name, value in arguments.items())]
    kept = train(animals, "kept", *FROZEN, *LABEL, *own, "keep_features=true", drop="task.head.dropout")
    plain = train(animals, "plain", *FROZEN, *LABEL, *own, "keep_features=false", drop="task.head.dropout")
    assert record(kept)["features"]["train"]["kind"] == kind
    assert_close_weights(kept, plain)
    assert kept.best_value == plain.best_value


def test_where_all_layers_train_nothing_is_kept(train, animals):
    result = train(animals, "run", "backbone.trainable=last_n", "backbone.last_n=2", *LABEL)
    assert record(result)["features"] is None


def test_features_that_the_disk_cannot_hold_are_refused(train, animals, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ConfigError, match=r"`keep_features` needs .* GB are free; set cache_dir"):
        train(animals, "run", *FROZEN, *LABEL, "keep_features=true")


def test_a_disk_that_fills_meanwhile_is_an_error_and_leaves_nothing(train, animals, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ConfigError, match="cache_dir must be a folder that can be written and has room"):
        train(animals, "run", *FROZEN, *LABEL)
    assert list((tmp_path / "cache" / "features").iterdir()) == []


def test_auto_leaves_most_of_the_disk_free(train, animals, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=100_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert record(train(animals, "run", *LAST, *LABEL))["features"] is None


@pytest.mark.parametrize("wish", ["yes please", "1", "null"])
def test_an_unknown_wish_is_refused(train, animals, wish):
    with pytest.raises(ConfigError, match="`keep_features` must be auto, true or false"):
        train(animals, "run", *LABEL, f"keep_features={wish}")
