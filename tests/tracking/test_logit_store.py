"""Logits that are kept: what goes in comes out, and what is damaged is said by its name."""

from __future__ import annotations

import numpy as np
import pytest

from headway.evaluation.slices import DocumentFacts
from headway.tracking.logit_store import (
    StoredSplit,
    TrainFacts,
    has_split,
    read_split,
    read_train_facts,
    write_split,
    write_train_facts,
)
from headway.types import Gold, HeadwayError, WindowLogits

FACTS = DocumentFacts(np.array([9, 30]), np.array([1, 2]), np.array([False, True]))


def stored(words=False):
    rng = np.random.default_rng(0)
    numbers = np.arange(3)
    windows = WindowLogits(
        rng.normal(size=(3, 2)).astype(np.float32),
        np.array([0, 1, 1]),
        numbers,
        numbers if words else None,
        numbers + 1 if words else None,
    )
    gold = Gold(np.array([1, 0, 1]), np.array([0, 1, 3])) if words else Gold(np.array([1, 0]))
    return StoredSplit(windows, gold, FACTS)


@pytest.mark.parametrize("words", [False, True])
def test_a_split_comes_back_as_it_was(tmp_path, words):
    before = stored(words)
    assert not has_split(tmp_path, "test")
    write_split(tmp_path, "test", before)
    assert has_split(tmp_path, "test")
    after = read_split(tmp_path, "test")
    for one, other in (
        (before.windows, after.windows),
        (before.gold, after.gold),
        (before.facts, after.facts),
    ):
        for name, value in vars(one).items():
            np.testing.assert_array_equal(getattr(other, name), value)
            if value is None:
                assert getattr(other, name) is None
    assert [path.name for path in (tmp_path / "logits").iterdir()] == ["test.safetensors"]


def test_a_split_that_is_not_kept_is_asked_for_in_vain(tmp_path):
    with pytest.raises(HeadwayError, match=r"validation\.safetensors must be there .* without the encoder"):
        read_split(tmp_path, "validation")


def test_a_damaged_file_is_named(tmp_path):
    write_split(tmp_path, "test", stored())
    path = tmp_path / "logits" / "test.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(HeadwayError, match=r"test\.safetensors must be as headway wrote it"):
        read_split(tmp_path, "test")


@pytest.mark.parametrize(
    "facts",
    [TrainFacts([3, 0], None), TrainFacts(None, None), TrainFacts([1, 2], frozenset({"New York", "Oslo"}))],
)
def test_facts_of_train_come_back(tmp_path, facts):
    write_train_facts(tmp_path, facts)
    assert read_train_facts(tmp_path) == facts


def test_missing_facts_of_train_are_named(tmp_path):
    with pytest.raises(HeadwayError, match=r"train\.json must be JSON"):
        read_train_facts(tmp_path)
