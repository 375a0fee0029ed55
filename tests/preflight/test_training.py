"""What recipes advise against, by key."""

from __future__ import annotations

import numpy as np
import pytest

from headway.data.plans import BatchPlan
from headway.models.schedules import Linear
from headway.preflight.epochs import EpochPlan
from headway.preflight.rates import Group, schedule_points
from headway.preflight.training import TrainingFacts, training_findings

CFG = {"trainer": {"max_steps": -1}, "backbone": {"trainable": "all"}}


def found(*, lr=5e-5, steps=200, warmup=0.1, documents=5000, trainable="all", max_steps=-1):
    groups = (Group("head/decay", 10, 1e-3, 0.0),)
    if trainable != "none":
        groups = (Group("encoder/decay", 100, lr, 0.0), *groups)
    facts = TrainingFacts(
        epochs=1,
        micro_batches=steps,
        steps=steps,
        total_steps=steps,
        accumulate=1,
        windows_a_batch=8.0,
        tokens_a_step=100.0,
        padding=0.0,
        points=schedule_points(Linear(warmup_ratio=warmup), steps, encoder_lr=lr, head_lr=1e-3),
        groups=groups,
        parameters=110,
        trained=110,
        precision="32-true",
        layout="packed",
        device="cpu",
        threads=1,
    )
    cfg = {"trainer": {"max_steps": max_steps}, "backbone": {"trainable": trainable}}
    findings = list(training_findings(facts, cfg, documents=documents))
    assert all(finding.level == "warning" for finding in findings)
    return [finding.message for finding in findings]


def test_a_plain_recipe_has_no_findings():
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 49}, "`trainer.max_epochs` should give 50 optimizer steps or more, got 49 in all"),
        (
            {"steps": 49, "max_steps": 49},
            "`trainer.max_steps` should give 50 optimizer steps or more, got 49",
        ),
        (
            {"lr": 2e-3},
            "`optimizer.lr` should be in [1e-06, 0.001] where the encoder trains, got 0.002; lower it",
        ),
        ({"lr": 1e-7}, "got 1e-07; raise it"),
        (
            {"warmup": 0.0},
            "`schedule.warmup_ratio` should give a warm-up where the encoder trains, got 0 of 200",
        ),
        ({"documents": 1999}, "`backbone.trainable` is all for 1999 documents of train"),
    ],
)
def test_findings(changes, message):
    (only,) = found(**changes)
    assert message in only


def test_a_frozen_encoder_needs_no_warm_up_and_few_documents():
    assert found(trainable="none", lr=None, warmup=0.0, documents=10) == []


def test_last_n_needs_few_documents():
    assert found(trainable="last_n", documents=10) == []


def test_plans_are_counted_with_padding_and_without():
    lengths = np.array([3, 5, 2, 9])
    plans = [
        BatchPlan(np.array([0, 1]), 1.0),
        BatchPlan(np.array([2, 3]), 1.0),
        BatchPlan(np.array([1]), 1.0),
    ]
    packed = EpochPlan.of(plans, lengths, padded=False, accumulate=2)
    assert packed.tokens.tolist() == packed.computed.tolist() == [8, 11, 5]
    assert (packed.windows.tolist(), packed.steps) == ([2, 2, 1], 2)
    assert EpochPlan.of(plans, lengths, padded=True, accumulate=2).computed.tolist() == [10, 18, 5]
