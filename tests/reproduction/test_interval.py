"""The interval is as wide as documents and seeds make it."""

from __future__ import annotations

import numpy as np
import pytest

from headway.reproduction.interval import mean_interval
from headway.reproduction.stored_predictions import StoredPredictions
from headway.types import Gold, HeadwayError, Prediction


def run_with(hits):
    """A run that is right where `hits` says so."""
    gold = np.zeros(len(hits), dtype=np.int64)
    ids = tuple(map(str, range(len(hits))))
    return StoredPredictions(Prediction(1 - hits.astype(np.int64), None), Gold(gold), ("a", "b"), ids)


def accuracy(prediction, gold, names):
    return float(np.mean(prediction.values == gold.values))


def test_of_one_seed_it_is_the_binomials():
    hits = np.arange(1000) < 800
    low, high = mean_interval([run_with(hits)], accuracy, draws=2000)
    half = 1.96 * np.sqrt(0.8 * 0.2 / 1000)
    assert (low, high) == (pytest.approx(0.8 - half, abs=0.004), pytest.approx(0.8 + half, abs=0.004))


def test_seeds_that_differ_widen_it():
    right, wrong = run_with(np.ones(500, dtype=bool)), run_with(np.zeros(500, dtype=bool))
    assert mean_interval([right, right], accuracy) == (1.0, 1.0)
    assert mean_interval([right, wrong], accuracy) == (0.0, 1.0)  # one time in four both are the same


def test_it_is_the_same_each_time():
    runs = [run_with(np.arange(50) < count) for count in (30, 40)]
    assert mean_interval(runs, accuracy) == mean_interval(runs, accuracy)


def test_other_documents_are_refused():
    runs = [run_with(np.ones(count, dtype=bool)) for count in (3, 4)]
    with pytest.raises(HeadwayError, match="must have answered the same documents"):
        mean_interval(runs, accuracy)
