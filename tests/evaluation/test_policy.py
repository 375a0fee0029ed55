"""Aggregations compared on the same logits: the best by the monitored metric, and ties change nothing."""

from __future__ import annotations

import numpy as np
import pytest

from headway.evaluation.aggregation import MajorityVote, MaxLogits, MeanLogits, MeanProbabilities
from headway.evaluation.decoding import Argmax, Identity, Thresholds
from headway.evaluation.metrics import Classification, Multilabel, Regression
from headway.evaluation.policy import compare
from headway.types import Gold, WindowLogits


def rows(logits, documents):
    count = len(documents)
    return WindowLogits(np.array(logits, np.float32), np.array(documents), np.arange(count))


# Document 0 (gold 0): two windows lean to 0, one shouts 1; the mean and the maximum say 1, the vote says 0.
# Documents 1 and 2 are right for all.
SHOUTED = rows([[1, 0], [1, 0], [0, 9], [0, 3], [5, 0]], [0, 0, 0, 1, 2])
GOLD = Gold(np.array([0, 1, 0]))
ALL = {
    "mean_logits": MeanLogits(),
    "max_logits": MaxLogits(),
    "majority_vote": MajorityVote("softmax"),
}


def compared(windows=SHOUTED, gold=GOLD, **changes):
    arguments = {
        "aggregations": ALL,
        "current": "mean_logits",
        "decoding": Argmax(),
        "metrics": Classification(),
        "label_names": ["a", "b"],
        "monitor": "accuracy",
        "mode": "max",
    }
    return compare(windows, gold, **{**arguments, **changes})


def test_the_best_on_the_monitored_metric_is_chosen():
    comparison = compared()
    assert {name: comparison.value(name) for name in ALL} == {
        "mean_logits": pytest.approx(2 / 3),
        "max_logits": pytest.approx(2 / 3),
        "majority_vote": 1.0,
    }
    assert comparison.chosen == "majority_vote"


def test_less_is_better_with_min_and_loss_is_a_metric_too():
    comparison = compared(monitor="loss", mode="min")
    losses = {name: each.evaluation.loss for name, each in comparison.candidates.items()}
    assert comparison.chosen == min(losses, key=losses.get)
    assert comparison.value("max_logits") == losses["max_logits"]


@pytest.mark.parametrize("current", ["mean_logits", "max_logits"])
def test_of_equals_the_one_in_use_stays(current):
    names = {"mean_logits": MeanLogits(), "max_logits": MaxLogits()}
    assert compared(aggregations=names, current=current).chosen == current


def test_each_candidate_fits_its_own_decoding():
    rng = np.random.default_rng(0)
    windows = rows(rng.normal(size=(60, 2)), np.repeat(np.arange(20), 3))
    gold = Gold(rng.integers(0, 2, size=(20, 2)))
    aggregations = {"mean_logits": MeanLogits(), "mean_probabilities": MeanProbabilities("sigmoid")}
    comparison = compared(
        windows,
        gold,
        aggregations=aggregations,
        decoding=Thresholds(),
        metrics=Multilabel(),
        monitor="f1_micro",
    )
    for name, each in comparison.candidates.items():
        by_hand = aggregations[name](windows, num_documents=20, word_offsets=None)
        assert each.evaluation.decoding == Thresholds().fit(by_hand, gold)


def test_scores_have_no_calibration():
    windows = rows([[1.0], [3.0], [2.0]], [0, 0, 1])
    comparison = compared(
        windows,
        Gold(np.array([3.0, 2.0])),
        aggregations={"mean_logits": MeanLogits(), "max_logits": MaxLogits()},
        decoding=Identity(),
        metrics=Regression(),
        label_names=[],
        monitor="rmse",
        mode="min",
    )
    assert comparison.chosen == "max_logits"
    assert comparison.value("max_logits") == 0
    assert all(each.calibration is None for each in comparison.candidates.values())
    assert comparison.as_json()["candidates"]["max_logits"]["ece"] is None


def test_the_table_as_json_says_what_was_compared_and_on_what():
    table = compared().as_json()
    assert (table["split"], table["monitor"], table["chosen"]) == ("validation", "accuracy", "majority_vote")
    assert table["in_use_before"] == "mean_logits"
    assert set(table["candidates"]) == set(ALL)
    assert table["candidates"]["majority_vote"]["metrics"]["accuracy"] == 1.0
    assert table["candidates"]["majority_vote"]["aggregation"]["_target_"].endswith("MajorityVote")
