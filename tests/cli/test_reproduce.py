"""`headway reproduce` runs the seeds that are missing, and says pass or fail."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from headway.cli.reproduce import mean_interval
from headway.evaluation.metrics import Classification
from headway.types import DataError

ROOT = Path(__file__).parents[2]
MANIFEST = {
    "paper": "A et al. 2020, B", "table": "table 1", "model": "C", "ours": "", "split": "test",
    "metric": "accuracy", "value": 0.0, "tolerance": 0.0, "higher_is_better": True, "seeds": [1, 2],
    "minutes": 3, "machine": "a laptop",
}  # fmt: skip


@pytest.fixture
def manifest(here, tiny_bert, monkeypatch):
    """(**changes) -> writes experiments/reproduce/tiny.yaml, a training of a second on rows of its own."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    rows = [f"the {'fox' if i % 2 else 'dog'} jumps {i},{'fox' if i % 2 else 'dog'}\n" for i in range(40)]
    for name in ("my.csv", "test.csv"):
        (here / name).write_text("text,label\n" + "".join(rows), encoding="utf-8")
    overrides = [
        "backbone=local", f"backbone.name={tiny_bert}", "data=files", "data.train=my.csv",
        "data.test=test.csv", "data.label=label", "data.max_length=16", "trainer.max_epochs=1",
        "trainer.accelerator=cpu",
        "trainer.precision=32-true", "trainer.enable_progress_bar=false", "num_threads=1", "name=tiny",
    ]  # fmt: skip

    def manifest(**changes):
        path = here / "experiments" / "reproduce" / "tiny.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump({**MANIFEST, "overrides": overrides, **changes}))

    return manifest


def test_all_are_listed(headway, monkeypatch):
    monkeypatch.setenv("HEADWAY_EXPERIMENTS", str(ROOT / "experiments"))
    outcome = headway("reproduce")
    assert outcome.status == 0
    assert (
        "r8               accuracy 0.978 - 0.01  BERT-base, table 2 of Lin et al. 2021; 3 seeds"
        in outcome.out
    )


@pytest.mark.slow
def test_pass_then_nothing_is_run_again_then_fail(headway, here, manifest):
    manifest()
    first = headway("reproduce", "tiny")
    assert first.status == 0, first
    assert "2 seeds, 0 finished already; expected cost: 6 minutes (a laptop)" in first.out
    runs = sorted((here / "outputs" / "tiny").iterdir())
    scores = {
        json.loads((run / "record.json").read_text())["seeds"]["seed"]: json.loads(
            (run / "metrics.json").read_text()
        )["test"]["accuracy"]
        for run in runs
    }
    mean = (scores[1] + scores[2]) / 2
    assert f"PASS  accuracy {mean:.4f} over 2 seeds, 95% interval" in first.out
    assert "must be at least 0.0000 (published 0, tolerance 0)" in first.out
    manifest(value=1.1, tolerance=0.05)
    second = headway("reproduce", "tiny")
    assert second.status == 1
    assert "2 finished already; expected cost: 0 minutes" in second.out
    assert "FAIL  accuracy" in second.out
    assert sorted((here / "outputs" / "tiny").iterdir()) == runs


@pytest.mark.slow
def test_a_run_that_fails_leaves_no_verdict(headway, manifest):
    manifest(
        overrides=["data=files", "data.train=nowhere.csv", "name=tiny", "data.label=label", "num_threads=1"]
    )
    outcome = headway("reproduce", "tiny")
    assert outcome.status == 1
    assert "error: the run with seed=1 ended with status 2, so there is no mean" in outcome.err
    assert "PASS" not in outcome.out


def test_a_dry_run_makes_nothing(headway, here, manifest):
    manifest()
    outcome = headway("reproduce", "tiny", "--dry-run", "num_threads=2")
    assert outcome.status == 0
    assert "expected cost: 6 minutes" in outcome.out
    assert not (here / "outputs").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tinny"], "NAME must be a manifest of ['tiny'], got 'tinny' (did you mean 'tiny'?)"),
        (["tiny", "optimizer.lr=1"], "`optimizer.lr` must be left to the manifest, got 'optimizer.lr=1'"),
        (["tiny", "seed=3"], "`seed` must be left to the manifest"),
        (["tiny", "num_threads=0"], "`num_threads` must be a whole number >= 1"),
    ],
)
def test_what_is_refused(refused, manifest, words, message):
    manifest()
    assert message in refused("reproduce", *words)


def test_a_split_that_is_not_scored(refused, manifest):
    manifest(split="train")
    assert "tiny: `split` must be one of score_splits" in refused("reproduce", "tiny")


def test_overrides_that_do_not_compose(refused, manifest):
    manifest(overrides=["optimizer.lrr=1"])
    assert "`optimizer.lrr` is not a key" in refused("reproduce", "tiny")


def test_outside_a_checkout(refused):
    assert "needs manifests in experiments/reproduce/" in refused("reproduce", "r8")


@pytest.fixture
def predicted(tmp_path):
    """(name, right) -> a run's folder with predictions of documents; `right` says which are right."""

    def predicted(name, right):
        table = pa.table({
            "id": [str(number) for number in range(len(right))],
            "gold": ["a"] * len(right),
            "prediction": ["a" if each else "b" for each in right],
            "loss": [0.5] * len(right),
        })  # fmt: skip
        path = tmp_path / name / "predictions" / "test.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(table.replace_schema_metadata({"label_names": json.dumps(["a", "b"])}), path)
        return tmp_path / name

    return predicted


def judged(folders, scores, metric="accuracy"):
    manifest = SimpleNamespace(metric=metric, split="test")
    return mean_interval(Classification(), manifest, folders, scores=scores)


def test_of_one_seed_the_interval_is_the_binomials(predicted):
    low, high = judged([predicted("one", np.arange(1000) < 800)], [0.8])
    half = 1.96 * np.sqrt(0.8 * 0.2 / 1000)
    assert (low, high) == (pytest.approx(0.8 - half, abs=0.004), pytest.approx(0.8 + half, abs=0.004))


def test_seeds_that_differ_widen_the_interval(predicted):
    order = np.arange(500)
    alike = judged([predicted("a", order < 400), predicted("b", order < 400)], [0.8, 0.8])
    unlike = judged([predicted("c", order < 450), predicted("d", order < 350)], [0.9, 0.7])
    assert unlike[1] - unlike[0] > 2 * (alike[1] - alike[0])


def test_seeds_of_other_documents_are_refused(predicted):
    folders = [predicted(str(count), np.ones(count, dtype=bool)) for count in (3, 4)]
    with pytest.raises(DataError, match="must have answered the same documents"):
        judged(folders, [1.0, 1.0])
