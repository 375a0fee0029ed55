"""Two records are compared field by field, without what always differs."""

from __future__ import annotations

import copy

import pytest

from headway.tracking.record_diff import Difference, differences, same_predictions

RECORD = {
    "status": "finished",
    "config": {"seed": 1, "output_dir": "a", "optimizer": {"lr": 0.1}, "data": {"cache_dir": "x"}},
    "environment": {"packages": {"torch": "2.13"}, "cpu": {"flags": ["avx", "sse"]}, "argv": ["a"]},
    "threads": {"count": 2, "reason": "r"},
    "results": {
        "predictions": {"test": "aa"},
        "loss_chain": [{"epoch": 1, "step": 2, "losses": 2, "sha256": "bb"}],
        "checkpoints": {"best.ckpt": "cc"},
    },
    "features": {"train": {"kind": "pooled", "seconds": 1.0, "computed": True}},
    "process": {"pid": 1},
    "seconds": {"fit": 1},
}


def changed(path, value):
    record = copy.deepcopy(RECORD)
    *parents, last = path
    node = record
    for name in parents:
        node = node[name]
    node[last] = value
    return record


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (["config", "optimizer", "lr"], 0.2, ("config.optimizer.lr", 0.1, 0.2)),
        (["environment", "packages", "torch"], None, ("environment.packages.torch", "2.13", None)),
        (["environment", "cpu", "flags"], ["avx"], ("environment.cpu.flags.sse", True, None)),
        (["threads", "count"], 1, ("threads.count", 2, 1)),
        (["results", "predictions", "test"], "zz", ("results.predictions.test", "aa", "zz")),
        (["results", "loss_chain", 0, "sha256"], "zz", ("results.loss_chain.epoch 1.sha256", "bb", "zz")),
        (["features", "train", "kind"], "states", ("features.train.kind", "pooled", "states")),
        (["status"], "failed", ("status", "finished", "failed")),
    ],
)
def test_a_field_that_differs_is_named(path, value, expected):
    assert differences(RECORD, changed(path, value)) == [Difference(*expected)]


@pytest.mark.parametrize(
    "path",
    [
        ["config", "output_dir"], ["config", "data", "cache_dir"], ["environment", "argv"],
        ["threads", "reason"], ["results", "checkpoints", "best.ckpt"], ["process", "pid"],
        ["seconds", "fit"], ["features", "train", "seconds"],
    ],
)  # fmt: skip
def test_what_always_differs_is_left_out(path):
    assert differences(RECORD, changed(path, "other")) == []


def test_a_line_is_short():
    assert Difference("a", None, "x" * 200).line() == f"a: nothing -> {'x' * 77}..."


def test_predictions_are_the_same_only_where_there_are_some():
    assert same_predictions(RECORD, copy.deepcopy(RECORD))
    assert not same_predictions(RECORD, changed(["results", "predictions", "test"], "zz"))
    assert not same_predictions(RECORD, changed(["results", "predictions"], {}))
    assert not same_predictions({"results": {}}, {"results": {}})
