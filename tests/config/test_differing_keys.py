"""Which keys make another training of a config."""

from __future__ import annotations

import pytest

from headway.config.identity import differing_keys

CONFIG = {
    "seed": 1,
    "name": "a",
    "optimizer": {"lr": 1e-3, "betas": [0.9, 0.999]},
    "trainer": {"max_epochs": 3, "profile": False},
    "callbacks": {"checkpoint": {"every_n_steps": None, "_target_": "x"}, "early_stopping": None},
}


def test_the_same_config_differs_nowhere():
    assert differing_keys(CONFIG, {**CONFIG}) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"seed": 2}, ["seed: 1 -> 2"]),
        ({"optimizer": {"lr": 2e-3, "betas": [0.9, 0.99]}},
         ["optimizer.lr: 0.001 -> 0.002", "optimizer.betas: [0.9, 0.999] -> [0.9, 0.99]"]),
        ({"optimizer": {"lr": 1e-3}}, ["optimizer.betas: [0.9, 0.999] -> null"]),
        ({"more": 1}, ["more: null -> 1"]),
        ({"name": "b", "trainer": {"max_epochs": 3, "profile": True}}, []),
        ({"callbacks": {"checkpoint": {"every_n_steps": 5, "_target_": "x"}, "early_stopping": None}}, []),
        ({"callbacks": {**CONFIG["callbacks"], "early_stopping": {"patience": 2}}},
         ['callbacks.early_stopping: null -> {"patience": 2}']),
    ],
)  # fmt: skip
def test_keys_that_decide_are_named_with_both_values(change, expected):
    assert differing_keys(CONFIG, {**CONFIG, **change}) == expected
