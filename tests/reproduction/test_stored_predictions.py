"""Metrics of stored answers are those of the run, for every kind of task."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml

from headway.config.build import build
from headway.reproduction.stored_predictions import read_predictions
from headway.types import HeadwayError

KINDS = ("class", "pair", "labels", "score", "entities", "words")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_they_score_what_the_run_scored(kind, finished_run):
    folder = finished_run(kind).folder
    cfg = yaml.safe_load((folder / "config.yaml").read_text())
    stored = read_predictions(folder, "test")
    metrics = build(cfg["task"]["metrics"], key="task.metrics")
    everything = np.arange(len(stored.ids))
    found = metrics(*stored.take(everything), stored.label_names)
    expected = json.loads((folder / "metrics.json").read_text())["test"]
    assert set(found) <= set(expected)
    assert len(found) > 1
    for name, value in found.items():
        assert value == pytest.approx(expected[name], abs=1e-6), name


@pytest.mark.slow
def test_documents_are_taken_whole(finished_run):
    stored = read_predictions(finished_run("words").folder, "test")
    sizes = np.diff(stored.gold.word_offsets)
    prediction, gold = stored.take(np.array([3, 0, 3]))
    assert np.diff(gold.word_offsets).tolist() == [sizes[3], sizes[0], sizes[3]]
    start = stored.gold.word_offsets[3]
    third = stored.gold.values[start : start + sizes[3]].tolist()
    assert gold.values.tolist() == [*third, *stored.gold.values[: sizes[0]].tolist(), *third]
    assert len(prediction.values) == len(gold.values)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(HeadwayError, match=r"test\.parquet must be as headway wrote it"):
        read_predictions(tmp_path, "test")
