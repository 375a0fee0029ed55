"""Whole runs of a tiny random BERT on files made here, through the composed config."""

from __future__ import annotations

import csv

import pytest

from headway.run import run

pytestmark = pytest.mark.slow

FAST = (
    "backbone=local",
    "data=files",
    "num_threads=1",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
    "trainer.enable_progress_bar=false",
    "data.max_length=16",
    "task.head.dropout=0",
)


@pytest.fixture
def train(tmp_path, tiny_bert, compose_config):
    def train(*overrides, folder="run"):
        cfg = compose_config(
            *FAST, f"backbone.name={tiny_bert}", f"cache_dir={tmp_path / 'cache'}", *overrides
        )
        return run(cfg, tmp_path / folder)

    return train


def _write(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)


ANIMALS = ("dog", "fox", "goalkeeper", "farmer")


@pytest.fixture
def animals(tmp_path):
    rows = [(f"the {ANIMALS[i % 4]} jumps over number {i}", ANIMALS[i % 4]) for i in range(64)]
    _write(tmp_path / "animals.csv", ("text", "label"), rows)
    return tmp_path / "animals.csv"


def test_overfits_classes(train, animals):
    result = train(f"data.train={animals}", f"data.validation={animals}", "data.label=label",
        "score_splits=[validation]", "optimizer.lr=5e-3", "trainer.max_epochs=10", "batching.batch_size=16",
        "task.monitor=accuracy")
    assert result.metrics["validation"]["accuracy"] == 1.0
