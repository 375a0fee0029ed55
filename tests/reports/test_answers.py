"""Predictions come back as what was scored: a metric of them is the one that the run recorded."""

import json

import numpy as np
import pytest

from headway.config.build import build
from headway.evaluation.statistics.document_metric import on_all
from headway.reports.answers import read_answers, unique_ids
from headway.reports.run_folders import read_run
from headway.types import DataError

KINDS = {
    "class": "label",
    "pair": "label",
    "labels": "labels",
    "score": "scores",
    "entities": "words",
    "words": "words",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("split", ["validation", "test"])
def test_each_metric_of_a_run_is_found_again(finished_run, kind, split):
    run = read_run(finished_run(kind).folder)
    answers = read_answers(run.folder, split, with_texts=True)
    assert answers.kind == KINDS[kind]
    metrics = build(run.cfg["task"]["metrics"], key="task.metrics")
    recorded = json.loads((run.folder / "metrics.json").read_text())[split]
    checked = 0
    for name, value in recorded.items():
        metric = metrics.by_document(name, answers.prediction, answers.gold, answers.label_names)
        if metric is not None:
            assert on_all(metric) == pytest.approx(value, abs=1e-6), name
            checked += 1
    assert checked >= len(metrics.names) - 1  # all but coverage, entity_coverage, and auroc of words
    assert len(answers.texts) == len(answers.ids) == len(answers.losses)


def test_documents_are_sorted_by_id_and_the_fingerprint_is_of_documents(written_run):
    first = read_answers(written_run("a", ["no", "yes"], ["no", "no"], ids=["x", "w"]), "test")
    again = read_answers(written_run("b", ["yes", "no"], ["yes", "no"], ids=["w", "x"]), "test")
    other = read_answers(written_run("c", ["yes", "yes"], ["yes", "no"], ids=["w", "x"]), "test")
    assert first.ids == ("w", "x")
    assert first.gold.values.tolist() == [1, 0]
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    assert first.correct().tolist() == [False, True]


def test_texts_are_read_only_where_they_are_wanted(written_run):
    folder = written_run("a", ["no"], ["no"])
    assert read_answers(folder, "test").texts == []
    assert read_answers(folder, "test", with_texts=True).texts == [{"text": "text 0"}]


def test_ids_that_repeat_are_told_apart():
    assert unique_ids(["a", "b", "a", "a"]) == ["a", "b", "a#2", "a#3"]


def test_what_no_window_held_is_no_answer(written_run):
    answers = read_answers(written_run("a", ["no", "yes"], [None, "yes"], losses=[None, 0.1]), "test")
    assert answers.prediction.values.tolist() == [-1, 1]
    assert np.isnan(answers.losses[0])


def test_damaged_predictions_are_named(written_run):
    folder = written_run("a", ["no"], ["no"])
    with pytest.raises(DataError, match="validation.parquet must be predictions as headway wrote them"):
        read_answers(folder, "validation")
    with pytest.raises(DataError, match="test.parquet must be predictions"):
        read_answers(written_run("b", ["perhaps"], ["no"]), "test")
