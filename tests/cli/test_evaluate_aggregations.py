"""`headway evaluate RUN --aggregations`: chosen on kept logits, and then in every score of the run."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

import headway
from headway.cli.main import main
from headway.delivery.artifact_spec import read_spec, write_spec
from headway.evaluate_policy import choose_aggregation
from headway.evaluate_run import evaluate_run
from headway.types import ConfigError, HeadwayError

pytestmark = pytest.mark.slow
KINDS = ("class", "labels", "score", "entities", "words", "pair")


@pytest.fixture
def run(finished_run, tmp_path):
    """kind -> a copy of a run."""

    def copied(kind):
        shutil.copytree(finished_run(kind).folder, tmp_path / "run")
        return tmp_path / "run"

    return copied


def _json(folder, name):
    return json.loads((folder / name).read_text())


def _without_weights(folder):
    """What has no weights can't run an encoder."""
    (folder / "model" / "model.safetensors").unlink()
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_fit_are_compared_without_the_encoder(kind, run):
    folder = _without_weights(run(kind))
    comparison = choose_aggregation(folder, "all")
    assert len(comparison.candidates) >= 4
    assert ("word_farthest" in comparison.candidates) == (kind in ("entities", "words"))
    assert ("majority_vote" in comparison.candidates) == (kind != "score")
    assert _json(folder, "aggregations.json") == json.loads(json.dumps(comparison.as_json()))


@pytest.mark.parametrize("kind", KINDS)
def test_the_one_in_use_alone_changes_no_score_and_no_prediction(kind, run):
    folder = _without_weights(run(kind))
    names = ("metrics.json", "slices.json", "calibration.json", "record.json")
    before = {name: _json(folder, name) for name in names if (folder / name).exists()}
    files = [folder / "predictions" / f"{split}.parquet" for split in ("validation", "test")]
    rows = [pq.read_table(file) for file in files]
    in_use = "word_farthest" if kind in ("entities", "words") else "mean_logits"
    comparison = choose_aggregation(folder, in_use)
    assert list(comparison.candidates) == [in_use] == [comparison.chosen]
    assert {name: _json(folder, name) for name in before} == before
    for file, table in zip(files, rows, strict=True):
        assert pq.read_table(file).equals(table, check_metadata=True)


def test_the_choice_is_what_predict_and_evaluate_use_afterwards(run):
    folder = run("class")
    before = pq.read_table(folder / "predictions" / "test.parquet")
    in_use = {"_target_": "headway.evaluation.aggregation.max_logits.MaxLogits"}
    write_spec(folder / "model", replace(read_spec(folder / "model"), aggregation=in_use))
    assert choose_aggregation(folder, "max_logits").chosen == "max_logits"
    answers = pq.read_table(folder / "predictions" / "test.parquet")
    assert answers["probabilities"] != before["probabilities"]
    assert answers["gold"] == before["gold"]
    predicted = headway.load(folder).predict(answers["text"].to_pylist())
    assert [each["prediction"] for each in predicted] == answers["prediction"].to_pylist()
    names = json.loads(answers.schema.metadata[b"label_names"])
    chances = [[each["probabilities"][name] for name in names] for each in predicted]
    np.testing.assert_allclose(chances, np.array(answers["probabilities"].to_pylist()), atol=1e-5)
    assert evaluate_run(folder).metrics == pytest.approx(_json(folder, "metrics.json")["test"], abs=1e-6)
    assert _json(folder, "record.json")["aggregation"] == in_use
    assert read_spec(folder / "model").about["results"] == _json(folder, "metrics.json")


def test_only_validation_decides(run):
    """With the gold of test turned over, the same aggregation and the same decoding come out."""
    from headway.tracking.logit_store import StoredSplit, read_split, write_split
    from headway.types import Gold

    folder = run("labels")
    first = choose_aggregation(folder, "all")
    spec = read_spec(folder / "model")
    test = read_split(folder, "test")
    write_split(folder, "test", StoredSplit(test.windows, Gold(1 - test.gold.values), test.facts))
    second = choose_aggregation(folder, "all")
    assert second.chosen == first.chosen
    after = read_spec(folder / "model")
    assert (after.aggregation, after.decoding) == (spec.aggregation, spec.decoding)
    assert after.about["results"]["validation"] == spec.about["results"]["validation"]
    assert after.about["results"]["test"] != spec.about["results"]["test"]


def test_the_table_is_printed_with_the_choice(run, capsys):
    assert main(["evaluate", str(run("class")), "--aggregations", "mean_logits,max_logits"]) == 0
    printed = capsys.readouterr().out
    assert "aggregations on validation" in printed
    assert "chosen" in printed
    assert "aggregations.json" in printed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--aggregations", "mean_logit"], r"`--aggregations` must hold names .*did you mean 'mean_logits'"),
        (["--aggregations", "word_farthest"], "`task.aggregation` must be one for whole documents"),
        (["--aggregations", "all", "--split", "validation"], "--aggregations must stand alone.*--split"),
        (["--aggregations", "all", "data.test=x.csv"], "--aggregations must stand alone.*overrides"),
        (["--aggregations", "all", "--slices"], "--aggregations must stand alone.*--slices"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(run, words, message, capsys):
    import re

    folder = run("class")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert main(["evaluate", str(folder), *words]) == 2
    assert re.search(message, capsys.readouterr().err)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_run_that_kept_no_logits_is_told_so(run):
    folder = run("class")
    (folder / "logits" / "validation.safetensors").unlink()
    with pytest.raises(HeadwayError, match=r"validation\.safetensors must be there"):
        choose_aggregation(folder, "all")


def test_what_is_missing_is_told_before_anything_changes(run):
    folder = run("class")
    (folder / "predictions" / "test.parquet").unlink()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(HeadwayError, match=r"test\.parquet must be as headway wrote it"):
        choose_aggregation(folder, "all")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("_target_: headway.evaluation.aggregation.top_k_mean.TopKMean\nkk: 2\n", "`task.aggregation.kk`"),
        ("_target_: nowhere.Last\n", r"`task\.aggregation\._target_` must be a class of"),
        ("_target_: [\n", "`task/aggregation=last` must be a file that Hydra can compose"),
    ],
)
def test_a_broken_option_of_the_users_is_an_error_and_not_left_out(run, text, message, tmp_path, monkeypatch):
    place = tmp_path / "experiments" / "task" / "aggregation"
    place.mkdir(parents=True)
    (place / "last.yaml").write_text(text)
    monkeypatch.setenv("HEADWAY_EXPERIMENTS", str(tmp_path / "experiments"))
    with pytest.raises(ConfigError, match=message):
        choose_aggregation(run("class"), "all")


def test_scores_have_nothing_to_vote_on(run):
    with pytest.raises(ConfigError, match="majority_vote, which needs labels"):
        choose_aggregation(run("score"), ["majority_vote"])


def test_slices_are_printed_when_asked_for(run, capsys):
    folder = run("entities")
    assert main(["evaluate", str(folder), "--slices"]) == 0
    printed = capsys.readouterr().out
    for title in ("by length", "by number of windows", "by surface form of entities"):
        assert f"test {title}" in printed
    assert _json(folder / "evaluations" / "files-test", "slices.json") == {
        "test": _json(folder, "slices.json")["test"]
    }
