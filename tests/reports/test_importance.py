"""What explains a sweep's scores."""

import random

import pytest

from headway.reports.importance import importance


def grid():
    return [{"lr": lr, "loss": loss} for lr in (0.1, 0.2, 0.3) for loss in ("a", "b")]


def test_a_key_that_decides_all():
    settings = grid()
    found = importance(settings, [each["lr"] for each in settings], ["lr", "loss"])
    assert found["lr"] == pytest.approx(1)
    assert found["loss"] == 0


def test_epsilon_squared_by_hand():
    # Groups 1, 2 and 3, 5: 8.75 in all, within 0.5 + 2, noise 2.5 / 2
    found = importance([{"x": "a"}, {"x": "a"}, {"x": "b"}, {"x": "b"}], [1, 2, 3, 5], ["x"])
    assert found["x"] == pytest.approx((8.75 - 2.5 - 1.25) / 8.75)


def test_a_number_with_many_values_is_grouped():
    draw = random.Random(0)
    settings = [{"lr": draw.random(), "noise": draw.random()} for _ in range(60)]
    found = importance(settings, [each["lr"] for each in settings], ["lr", "noise"])
    assert found["lr"] > 0.85
    assert found["noise"] < 0.2


def test_nothing_explains_what_does_not_vary():
    assert importance(grid(), [0.5] * 6, ["lr", "loss"]) == {"lr": 0, "loss": 0}
    assert importance([{"x": "a"}, {"x": "b"}], [1, 2], ["x"]) == {"x": 0}  # a group a config says nothing
