"""What counts as a collapsed training."""

from __future__ import annotations

import numpy as np
import pytest

from headway.evaluation.collapse import collapse_reason
from headway.types import Gold, Prediction

FALLING = [(0.9, 0.8), (0.5, 0.6)]


def _reason(answers, gold, losses=FALLING, names=("a", "b")):
    return collapse_reason(
        Prediction(np.array(answers), None), Gold(np.array(gold)), losses, label_names=names
    )


def test_one_class_for_all():
    assert _reason([1, 1, 1], [0, 1, 1]) == "one answer for all of validation: b"


def test_one_class_is_right_where_there_is_only_one():
    assert _reason([1, 1], [1, 1]) is None


def test_words_that_no_window_held_are_no_answer():
    assert _reason([1, -1, 1], [0, 1, 1]) == "one answer for all of validation: b"
    assert _reason([1, -1, 0], [0, 1, 1]) is None


def test_the_same_labels_for_all():
    gold = [[1, 0], [0, 1]]
    assert _reason([[0, 0], [0, 0]], gold) == "one answer for all of validation: no label"
    assert _reason([[1, 1], [1, 1]], gold) == "one answer for all of validation: a, b"
    assert _reason([[0, 1], [0, 0]], gold) is None


def test_the_same_score_for_all():
    assert _reason([0.5, 0.5 + 1e-9], [0.1, 0.9], names=()) == "one answer for all of validation: 0.5000"
    assert _reason([0.5, 0.6], [0.1, 0.9], names=()) is None


@pytest.mark.parametrize(
    ("losses", "flat"),
    [
        ([(0.693, 0.694), (0.692, 0.693), (0.690, 0.693)], True),
        ([(0.693, 0.694), (0.68, 0.693)], False),  # train falls by 2 %
        ([(0.693, 0.694), (0.693, 0.68)], False),  # validation does
        ([(0.693, 0.694)], False),  # one epoch tells nothing
        ([], False),
        ([(0.693, float("nan")), (0.693, float("nan"))], False),
    ],
)
def test_flat_losses(losses, flat):
    assert bool(_reason([0, 1], [0, 1], losses)) is flat
