"""Small trainings of four kinds."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments" / "benchmarks"))

KINDS = {
    "single": ("data.text=body", "data.label=topic", "task.monitor=f1_macro"),
    "pair": ("data.text=question", "data.text_pair=body", "data.label=topic", "task.monitor=f1_macro"),
    "words": ("task=words", "data.text=null", "data.tokens=words", "data.tags=tags"),
    "windows": ("data.text=body", "data.label=topic", "data.max_length=16", "data.truncation=windows",
                "data.overlap=4", "task.monitor=f1_macro"),
}  # fmt: skip


@pytest.fixture(scope="session")
def rows_file(tmp_path_factory, corpus_words):
    """40 rows with all that the four kinds read."""
    draw = random.Random(0)
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    rows = []
    for number in range(40):
        words = draw.choices(corpus_words, k=draw.randint(3, 30))
        tags = ["long" if len(word) > 4 else "short" for word in words]
        row = {"body": " ".join(words), "question": " ".join(words[:3]), "topic": "ab"[number % 2]}
        rows.append({**row, "words": words, "tags": tags})
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.fixture
def config(tiny_bert, rows_file, tmp_path, compose_config):
    """Return a function: (kind, *overrides) -> the config of a training of 3 epochs of 5 steps."""

    def config(kind, *more):
        size = [] if "batching=tokens" in more else ["batching.batch_size=8"]
        return compose_config(
            "backbone=local", f"backbone.name={tiny_bert}", "data=files", f"data.train={rows_file}",
            f"data.validation={rows_file}", "data.max_length=24", "num_threads=1",
            "trainer.accelerator=cpu", "trainer.precision=32-true", "trainer.enable_progress_bar=false",
            "trainer.log_every_n_steps=2", "optimizer.lr=1e-3", "score_splits=[validation]",
            "callbacks.checkpoint.every_n_steps=2", f"cache_dir={tmp_path / 'cache'}", *KINDS[kind],
            *size, *more,
        )  # fmt: skip

    return config
