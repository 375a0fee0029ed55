"""`headway evaluate` scores a run as its training did, and other data by the same rules."""

from __future__ import annotations

import json
import shutil

import pyarrow.parquet as pq
import pytest
import yaml

from headway.cli.main import main
from headway.evaluate_run import evaluate_run
from headway.types import ConfigError, HeadwayError

KINDS = ("class", "pair", "labels", "score", "entities", "words")
pytestmark = pytest.mark.slow


@pytest.fixture
def run(finished_run, tmp_path):
    """kind -> a copy of a run, for results to be written into."""

    def copied(kind):
        found = finished_run(kind)
        shutil.copytree(found.folder, tmp_path / "run")
        return found._replace(folder=tmp_path / "run")

    return copied


def metrics_of(folder, split="test"):
    return json.loads((folder / "metrics.json").read_text())[split]


@pytest.mark.parametrize("split", ["test", "validation"])
@pytest.mark.parametrize("kind", KINDS)
def test_metrics_are_those_of_training(kind, split, run):
    folder = run(kind).folder
    assert main(["evaluate", str(folder), "--split", split]) == 0
    results = folder / "evaluations" / f"files-{split}"
    expected = metrics_of(folder, split)
    assert expected
    assert metrics_of(results, split) == pytest.approx(expected, abs=1e-6)
    rows, wanted = (
        pq.read_table(place / "predictions" / f"{split}.parquet").to_pylist() for place in (results, folder)
    )
    assert [row["id"] for row in rows] == [row["id"] for row in wanted]
    assert [row["loss"] for row in rows] == pytest.approx([row["loss"] for row in wanted], abs=1e-6)


def test_train_can_be_scored_too(run):
    evaluation = evaluate_run(run("class").folder, split="train")
    assert len(evaluation.losses) == 36


def test_lengths_and_titles_are_printed(run, capsys):
    assert main(["evaluate", str(run("entities").folder)]) == 0
    printed = capsys.readouterr().out
    assert "test: 30 documents" in printed
    assert "entity_f1 (IOB2, lenient" in printed


class TestOtherData:
    def test_another_file_of_the_same_columns(self, run, tmp_path):
        found = run("class")
        lines = found.file.read_text().splitlines(keepends=True)
        (tmp_path / "some.csv").write_text("".join(lines[:9]))
        evaluation = evaluate_run(found.folder, [f"data.test={tmp_path / 'some.csv'}", "data.name=some"])
        assert len(evaluation.losses) == 8
        written = yaml.safe_load((found.folder / "evaluations" / "some-test" / "data.yaml").read_text())
        assert written["test"] == str(tmp_path / "some.csv")
        assert written["max_length"] == 20

    def test_another_data_set_by_name(self, run):
        """Its own columns, but encoded as in training; data.train isn't needed."""
        found = run("class")
        words = ["data=files", f"data.test={found.file}", "data.text=body", "data.label=topic", "data.id=key"]
        evaluation = evaluate_run(found.folder, words)
        assert evaluation.metrics == pytest.approx(metrics_of(found.folder), abs=1e-6)

    def test_a_validation_that_is_cut_needs_train(self, run):
        words = ["data=files", "data.text=body", "data.label=topic"]
        with pytest.raises(ConfigError, match="`data.train` must be given for this split"):
            evaluate_run(run("class").folder, words, split="validation")

    def test_a_label_without_its_column_is_an_error_and_not_absent_everywhere(self, run):
        found = run("labels")
        words = ["data=files", f"data.test={found.file}", "data.text=body", "data.labels=[even]"]
        with pytest.raises(ConfigError, match=r"`data\.labels` must name .*missing: \['third'\]"):
            evaluate_run(found.folder, words)

    def test_an_unknown_label_is_an_error(self, run, tmp_path):
        found = run("class")
        (tmp_path / "other.csv").write_text("key,body,topic\n1,The fox.,grains\n")
        message = r"other.csv, line 2: data.label must be one of .*, got 'grains'.*did you mean 'grain'"
        with pytest.raises(HeadwayError, match=message):
            evaluate_run(found.folder, [f"data.test={tmp_path / 'other.csv'}"])

    def test_other_inputs_than_the_models_are_an_error(self, run):
        message = (
            r"`data` must name the columns that the model reads, \['text', 'text_pair'\], got \['text'\]"
        )
        with pytest.raises(ConfigError, match=message):
            evaluate_run(run("pair").folder, ["data.text_pair=null"])

    def test_something_cut_off_is_an_error_if_that_is_said(self, run):
        with pytest.raises(
            ConfigError, match="`data.max_length` must hold every document with on_truncate=error"
        ):
            evaluate_run(run("words").folder, ["data.on_truncate=error"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["task.decoding.values=[0.5]"], "can change only data=<name> and data.<key>=<value>"),
        (["optimizer.lr=1"], "can change only data=<name> and data.<key>=<value>"),
        (["backbone=minilm"], "can change only data=<name>"),
        (["data.test=a,b"], "can change only data=<name>"),
        (["data.max_length=64"], "`data.max_length` must be what it was in training"),
        (["data.truncation=windows"], "`data.truncation` must be what it was in training"),
        (["data.overlap=2"], "`data.overlap` must be what it was in training"),
        (["data.subword_labels=all"], "`data.subword_labels` must be what it was in training"),
        (["data.label_names=[a,b]"], "`data.label_names` must be what it was in training"),
        (["data=files", "data.max_length=64"], "`data.max_length` must be what it was in training"),
        (["data.txt=body"], r"`data.txt` is not a key of the run's data (did you mean 'text'?)"),
        (["data.source.delimitr=tab"], "`data.source.delimitr` is not a key of the run's data (did you mean"),
        (["data.test.x=1"], "`data.test.x` is not a key of the run's data"),
        (["~data.id"], "can't remove keys"),
        (["data=reuters"], "reuters"),
        (["data=files", "data.txt=body"], "`data.txt` is not a key of the config (did you mean 'text'?)"),
        (["data=files"], "`data.train` must be given"),
        (["data.test=missing.csv"], "missing.csv must be an existing file"),
        (["data.test=null"], "`data.test` must be given to score that split"),
        (["data.text=bodi"], "did you mean 'body'"),
        (["data.label=null"], "exactly one of data.label"),
        (["data.test={"], "data.test={"),
    ],
)
def test_a_mistake_ends_with_one_message_and_status_2(words, message, run, capsys):
    folder = run("class").folder
    assert main(["evaluate", str(folder), *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert not (folder / "evaluations").exists()


class TestResults:
    def test_earlier_ones_are_kept(self, run, tmp_path):
        folder = run("score").folder
        evaluate_run(folder)
        with pytest.raises(ConfigError, match="files-test must not hold results yet.*--output.*--overwrite"):
            evaluate_run(folder)
        evaluate_run(folder, output=tmp_path / "elsewhere")
        evaluate_run(folder, overwrite=True)
        assert metrics_of(tmp_path / "elsewhere") == metrics_of(folder / "evaluations" / "files-test")

    def test_a_runs_own_are_never_replaced(self, run):
        folder = run("score").folder
        with pytest.raises(ConfigError, match="--output must not be a run's folder"):
            evaluate_run(folder, output=folder, overwrite=True)


class TestDamagedRun:
    def test_without_config(self, run):
        folder = run("score").folder
        (folder / "config.yaml").unlink()
        with pytest.raises(HeadwayError, match="RUN must be a run's folder, whose config.yaml says"):
            evaluate_run(folder)

    @pytest.mark.parametrize(
        ("text", "message"),
        [("a: [", "config.yaml must be YAML"), ("data: {}", "must hold the mapping `task`")],
    )
    def test_with_half_a_config(self, text, message, run):
        folder = run("score").folder
        (folder / "config.yaml").write_text(text)
        with pytest.raises(HeadwayError, match=message):
            evaluate_run(folder)

    def test_on_a_machine_without_its_cache(self, run, tmp_path, monkeypatch):
        folder = run("score").folder
        cfg = yaml.safe_load((folder / "config.yaml").read_text())
        cfg["data"]["cache_dir"] = "/nowhere/cache"
        (folder / "config.yaml").write_text(yaml.safe_dump(cfg))
        monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
        assert evaluate_run(folder).metrics == pytest.approx(metrics_of(folder), abs=1e-6)


def test_an_override_may_stand_behind_an_option(run, tmp_path):
    folder = run("score").folder
    words = ["evaluate", str(folder), "--output", str(tmp_path / "results"), "data.eval_batch_size=3"]
    assert main(words) == 0
    assert metrics_of(tmp_path / "results") == pytest.approx(metrics_of(folder), abs=1e-6)
