"""`headway export` leaves a folder that others load, or nothing."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from headway import load

pytestmark = pytest.mark.slow
QUICK = ("--lengths", "8,16", "--batch-sizes", "1,3", "--repeats", "2")


@pytest.fixture
def run(finished_run, tmp_path):
    """kind -> a run's folder of one's own."""

    def copied(kind):
        return shutil.copytree(finished_run(kind).folder, tmp_path / "run")

    return copied


@pytest.mark.parametrize("kind", ["class", "pair", "labels", "score", "entities", "words"])
def test_an_onnx_export_of_every_kind_of_task(kind, run, headway):
    folder = run(kind)
    outcome = headway("export", folder, "--to", "onnx", *QUICK)
    assert outcome.status == 0, outcome
    target = folder / "exports" / "onnx"
    assert f"export: {target}" in outcome.out
    assert sorted(path.name for path in target.iterdir()) == [
        "README.md", "gate.json", "headway.json", "model.onnx", "tokenizer.json",
    ]  # fmt: skip
    assert [path.name for path in target.parent.iterdir()] == ["onnx"]
    gate = json.loads((target / "gate.json").read_text())
    assert gate["passed"]
    assert gate["metric"]["drop"] == pytest.approx(0, abs=1e-6)
    rows = pq.read_table(folder / "predictions" / "test.parquet").to_pylist()
    model = load(target)
    answers = model.predict([{name: row[name] for name in model.spec.columns} for row in rows])
    for answer, row in zip(answers, rows, strict=True):
        if kind == "score":
            assert answer["prediction"] == pytest.approx(row["prediction"], abs=1e-4)
            continue
        assert answer["prediction"] == row["prediction"]
        chances = answer["probabilities"]
        chances = list(chances.values()) if isinstance(chances, dict) else chances
        np.testing.assert_allclose(chances, row["probabilities"], atol=1e-4, rtol=0)


def test_predict_takes_an_export(run, finished_run, headway, predict):
    folder = run("class")
    assert headway("export", folder, "--to", "onnx", *QUICK).status == 0
    status, answers, _ = predict(folder / "exports" / "onnx", finished_run("class").file)
    assert status == 0
    rows = pq.read_table(folder / "predictions" / "test.parquet")["prediction"].to_pylist()
    assert [each["prediction"] for each in answers] == rows


@pytest.mark.parametrize("kind", ["class", "labels", "score"])
def test_remote_code_is_said_loudly(kind, run, headway, tmp_path):
    outcome = headway("export", run(kind), "--to", "transformers", "--out", tmp_path / "x", *QUICK)
    assert outcome.status == 0, outcome
    assert "REMOTE CODE: transformers has no class for this head on bert" in outcome.out
    assert (tmp_path / "x" / "modeling_headway.py").is_file()
    assert json.loads((tmp_path / "x" / "gate.json").read_text())["passed"]
    assert "trust_remote_code=True" in (tmp_path / "x" / "README.md").read_text()
    configs = [path.read_text() for path in (tmp_path / "x").glob("*config.json")]
    assert len(configs) == 2
    assert not [text for text in configs if "model/" in text or str(tmp_path.parent) in text]


@pytest.mark.parametrize("kind", ["pair", "entities"])
def test_a_native_form_carries_no_code(kind, run, headway, tmp_path):
    outcome = headway("export", run(kind), "--to", "transformers", "--out", tmp_path / "x", *QUICK)
    assert outcome.status == 0, outcome
    assert f"native: BertFor{'Sequence' if kind == 'pair' else 'Token'}Classification" in outcome.out
    assert not list((tmp_path / "x").glob("*.py"))


@pytest.mark.parametrize("to", ["onnx", "transformers"])
def test_what_fails_the_gate_leaves_nothing(to, run, headway):
    folder = run("class")
    before = {path for path in folder.rglob("*") if path.is_file()}
    outcome = headway("export", folder, "--to", to, "--budget-ms", "0.001", *QUICK)
    assert outcome.status == 1
    assert "error: the export is refused" in outcome.err
    assert "p99 at 8 tokens is" in outcome.err
    assert "│ passed" in outcome.out
    assert {path for path in folder.rglob("*") if path.is_file()} == before
    assert list((folder / "exports").iterdir()) == []


def test_what_is_there_stays_unless_it_may_be_replaced(run, headway):
    folder = run("class")
    words = ("export", folder, "--to", "onnx", *QUICK)
    assert headway(*words).status == 0
    target = folder / "exports" / "onnx"
    first = (target / "gate.json").read_bytes()
    refused = headway(*words)
    assert refused.status == 2
    assert "--out must not be there yet" in refused.err
    assert headway(*words, "--overwrite", "--budget-ms", "0.001").status == 1
    assert (target / "gate.json").read_bytes() == first
    assert headway(*words, "--overwrite").status == 0
    assert (target / "gate.json").read_bytes() != first
    assert [path.name for path in target.parent.iterdir()] == ["onnx"]


def test_a_folder_that_is_no_export_is_never_replaced(run, headway, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    words = ("export", run("class"), "--to", "onnx", "--out", tmp_path / "mine", "--overwrite", *QUICK)
    outcome = headway(*words)
    assert outcome.status == 2
    assert "--out must be an export to be replaced by one" in outcome.err
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "onnx", "--lengths", "8,99"), "--lengths must be <= 20, the tokens that this model sees"),
        (("--to", "onnx", "--batch-sizes", "3", "--budget-ms", "5"), "--batch-sizes must hold 1"),
        (("--to", "onnx", "--max-metric-drop", "-1"), "--max-metric-drop must be >= 0"),
        (("--to", "transformers", "--quantize", "int8"), "--quantize must be left out"),
        (("--to", "onnx", "optimizer.lr=1"), "can change only data=<name>"),
        (("--to", "onnx", "data.validation=none.csv"), "none.csv"),
    ],
)
def test_a_mistake_is_told_before_anything_is_written(words, message, run, headway):
    folder = run("class")
    before = {path for path in folder.rglob("*") if path.is_file()}
    outcome = headway("export", folder, *words)
    assert outcome.status == 2, outcome
    assert message in outcome.err
    assert {path for path in folder.rglob("*") if path.is_file()} == before


def test_an_export_cant_be_exported_and_an_artifact_alone_has_no_validation(run, headway, tmp_path):
    folder = run("class")
    assert headway("export", folder, "--to", "onnx", *QUICK).status == 0
    outcome = headway("export", folder / "exports" / "onnx", "--to", "transformers", *QUICK)
    assert outcome.status == 2
    assert "RUN must be a run's folder, got the ONNX export" in outcome.err
    shutil.copytree(folder / "model", tmp_path / "alone" / "model")
    outcome = headway("export", tmp_path / "alone", "--to", "onnx", *QUICK)
    assert outcome.status == 2
    assert "RUN must be a run's folder, whose config.yaml" in outcome.err
