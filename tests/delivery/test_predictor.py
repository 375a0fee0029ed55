"""A loaded model gives the answers that its test was scored with, whatever the batch size."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

import headway
from headway.types import ConfigError, DataError

KINDS = ("class", "pair", "labels", "score", "entities", "words")
slow = pytest.mark.slow


def scored(run):
    """What predictions/test.parquet holds, as rows."""
    table = pq.read_table(run.folder / "predictions" / "test.parquet")
    return table.to_pylist(), json.loads(table.schema.metadata[b"label_names"])


def assert_same_answers(answers, rows, label_names):
    """Predictions equal, probabilities to 1e-6; scores are numbers, and equal likewise."""
    assert len(answers) == len(rows)
    for answer, row in zip(answers, rows, strict=True):
        if isinstance(row["prediction"], float):
            assert answer["prediction"] == pytest.approx(row["prediction"], abs=1e-6)
            assert "probabilities" not in answer
            continue
        assert answer["prediction"] == row["prediction"]
        chances = answer["probabilities"]
        if isinstance(chances, dict):
            assert list(chances) == label_names
            chances = list(chances.values())
        np.testing.assert_allclose(chances, row["probabilities"], atol=1e-6, rtol=0)


@slow
@pytest.mark.parametrize("batch_size", [None, 1, 7, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_of_the_scored_test(kind, batch_size, finished_run):
    run = finished_run(kind)
    rows, label_names = scored(run)
    predictor = headway.load(run.folder)
    inputs = [{name: row[name] for name in predictor.spec.columns} for row in rows]
    answers = predictor.predict(inputs, batch_size=batch_size)
    assert_same_answers(answers, rows, label_names)


@slow
def test_what_was_scored_in_bf16_is_answered_in_bf16(finished_run):
    run = finished_run("bf16")
    rows, label_names = scored(run)
    predictor = headway.load(run.folder)
    assert predictor.spec.precision == "bf16-mixed"
    assert_same_answers(predictor.predict([row["text"] for row in rows]), rows, label_names)


@slow
def test_the_runs_are_worth_comparing(finished_run):
    """More than one answer, several windows a document, and words that were cut off."""
    answers = [row["prediction"] for row in scored(finished_run("words"))[0]]
    assert any(None in tags for tags in answers)
    for kind in ("class", "pair"):
        rows, _ = scored(finished_run(kind))
        # A fitted temperature may flatten them; still ten times what assert_same_answers lets pass.
        assert len({tuple(np.round(row["probabilities"], 5)) for row in rows}) > 5
    record = json.loads((finished_run("class").folder / "record.json").read_text())
    assert record["lengths"]["test"]["windows"] > record["lengths"]["test"]["documents"]


@slow
@pytest.mark.parametrize("kind", KINDS)
def test_model_folder_alone_is_enough(kind, finished_run, tmp_path, monkeypatch):
    run = finished_run(kind)
    rows, label_names = scored(run)
    shutil.copytree(run.folder / "model", tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    predictor = headway.load("elsewhere")
    inputs = [{name: row[name] for name in predictor.spec.columns} for row in rows]
    assert_same_answers(predictor.predict(inputs), rows, label_names)


@slow
class TestInputs:
    def test_a_text_stands_alone_or_under_its_name(self, finished_run):
        predictor = headway.load(finished_run("class").folder)
        alone, named = predictor.predict(["The fox jumps.", {"text": "The fox jumps.", "other": None}])
        assert alone["prediction"] == named["prediction"]
        assert predictor.predict([]) == []

    def test_words_may_come_as_text(self, finished_run):
        predictor = headway.load(finished_run("words").folder)
        as_list, as_tuple, as_text = predictor.predict([["the", "fox"], ("the", "fox"), " the fox "])
        assert as_list == as_tuple == as_text
        assert as_list["tokens"] == ["the", "fox"]

    def test_a_pair_is_two_texts(self, finished_run):
        predictor = headway.load(finished_run("pair").folder)
        one, other = predictor.predict([("a fox?", "the fox"), {"text_pair": "the fox", "text": "a fox?"}])
        assert one == other

    @pytest.mark.parametrize(
        ("kind", "value", "message"),
        [
            ("class", " \n", "input 1, 'text' must hold a text that isn't blank"),
            ("class", None, "input 1, 'text' must hold a text"),
            ("class", ["a", "b"], "input 1, 'text' must hold a text"),
            ("class", {"txt": "a"}, r"input 1 must have the keys \['text'\]"),
            ("pair", "alone", "input 1 must be a pair of texts"),
            ("pair", ("a", "b", "c"), "input 1 must be a pair of texts"),
            ("pair", ("a", ""), "input 1, 'text_pair' must hold a text that isn't blank"),
            ("words", ["a", None], "input 1, 'tokens' must hold a list of text"),
            ("words", [" "], "input 1, 'tokens' must hold a list of words"),
            ("words", [], "input 1, 'tokens' must hold a list of words"),
            ("words", "['a', 'b']", "input 1, 'tokens' must hold words parted by blanks"),
            ("words", 3, "input 1, 'tokens' must hold a list of text"),
        ],
    )
    def test_a_wrong_input_is_named(self, kind, value, message, finished_run):
        predictor = headway.load(finished_run(kind).folder)
        good = ("a fox?", "the fox") if kind == "pair" else "the fox"
        with pytest.raises(DataError, match=message):
            predictor.predict([good, value])

    @pytest.mark.parametrize("inputs", ["one text", {"text": ["a"]}])
    def test_one_input_alone_is_refused(self, inputs, finished_run):
        with pytest.raises(DataError, match="predict takes a list of inputs"):
            headway.load(finished_run("class").folder).predict(inputs)

    def test_batch_size_is_checked(self, finished_run):
        with pytest.raises(ConfigError, match="batch_size must be >= 1"):
            headway.load(finished_run("class").folder).predict(["a"], batch_size=0)
