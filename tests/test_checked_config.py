"""What is wrong with a config is told before anything is read."""

from __future__ import annotations

import pytest

from headway.checked_config import checked
from headway.types import ConfigError

WORDS = ("backbone=local", "backbone.name=nowhere", "data=files", "data.train=no.csv", "data.label=label")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("task.head.pooling=man", r"task\.head\.pooling.*'mean'"),
        ("task.head.dropout=1.5", r"task\.head\.dropout.*got 1\.5"),
        ("callbacks.checkpoint.every_n_steps=0", r"`callbacks\.checkpoint\.every_n_steps` must be.*got 0"),
        (
            "callbacks.checkpoint.every_n_steps=1.5",
            r"`callbacks\.checkpoint\.every_n_steps` must be.*got 1\.5",
        ),
        ("callbacks.checkpoint.every_minutes=-1", r"`callbacks\.checkpoint\.every_minutes` must be.*got -1"),
    ],
)
def test_values_are_checked_without_a_model(compose_config, word, message):
    with pytest.raises(ConfigError, match=message):
        checked(compose_config(*WORDS, word))
