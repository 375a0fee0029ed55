"""Heads on the same frozen backbone share a process; everything else has its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway.sweeps.grouping import MOST, group_key, group_trials
from headway.sweeps.jobs import Outcome, Trial
from headway.sweeps.points import GridPoints
from headway.sweeps.space import Dimension

BASE = {
    "seed": 1,
    "keep_features": "auto",
    "backbone": {"trainable": "none"},
    "data": {"max_length": 128},
    "task": {"head": {"_target_": "a.Head", "dropout": 0.1}, "loss": {"_target_": "a.Loss"}},
    "optimizer": {"lr": 1e-3, "weight_decay": 0.0},
    "batching": {"batch_size": 8},
}


def trial(number, **changes):
    return Trial(str(number), number, None, {**BASE, **changes}, Path(str(number)), (), {})


def ids(jobs):
    return [[each.id for each in job] for job in jobs]


def test_what_a_head_is_trained_by_may_differ():
    trials = [
        trial(0),
        trial(1, seed=2),
        trial(2, optimizer={"lr": 1e-2, "weight_decay": 0.1}),
        trial(3, task={"head": {"_target_": "a.Head", "dropout": 0.5}, "loss": {"_target_": "b.Loss"}}),
    ]
    assert ids(group_trials(trials)) == [["0", "1", "2", "3"]]


def test_what_decides_features_or_steps_may_not():
    trials = [
        trial(0),
        trial(1, data={"max_length": 64}),
        trial(2),
        trial(3, batching={"batch_size": 4}),
        trial(4, data={"max_length": 64}),
    ]
    assert ids(group_trials(trials)) == [["0", "2"], ["1", "4"], ["3"]]


@pytest.mark.parametrize("changes", [{"backbone": {"trainable": "all"}}, {"keep_features": False}])
def test_what_trains_more_than_a_head_is_by_itself(changes):
    assert group_key({**BASE, **changes}) is None
    assert ids(group_trials([trial(0, **changes), trial(1, **changes)])) == [["0"], ["1"]]


def test_a_process_gets_so_many_and_no_more():
    assert [len(job) for job in group_trials([trial(i) for i in range(MOST + 3)])] == [MOST, 3]


def test_some_are_by_themselves_by_wish():
    assert ids(group_trials([trial(0), trial(1), trial(2)], alone={"1"})) == [["0", "2"], ["1"]]


def test_a_config_is_left_as_it_was():
    cfg = {**BASE, "task": {"head": {"dropout": 0.1}, "loss": {}}}
    group_key(cfg)
    assert cfg["task"] == {"head": {"dropout": 0.1}, "loss": {}}


@pytest.mark.parametrize("status", ["killed", "timeout"])
def test_those_that_a_shared_process_took_with_it_are_run_alone(sweep, composer, status):
    points = GridPoints([Dimension("optimizer.lr", ("0.1", "0.2", "0.3"))])

    calls = []

    def train(each, _):
        calls.append(each.point)
        # The process that all three share ends, and so does that of the one it was the fault of.
        gone = len(calls) <= 3 or each.point == 1
        return Outcome(status, error="gone") if gone else Outcome("finished", value=0.5)

    results, runner = sweep(points, train, make=composer("backbone.trainable=none"))
    assert [each.status for each in results] == ["finished", status, "finished"]
    assert runner.jobs == [3, 1, 1, 1]
