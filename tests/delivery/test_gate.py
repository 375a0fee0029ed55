"""The gate lets through what agrees, and says of what doesn't where and by how much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import headway
from headway.delivery.agreement import agreement
from headway.delivery.export import Bounds
from headway.delivery.gate import Scores, run_gate
from headway.delivery.gate_table import gate_tables
from headway.delivery.limits import Limits
from headway.types import ConfigError

TIGHT = Bounds(absolute=1e-4, relative=None)
QUICK = Limits(lengths=(8, 20), batch_sizes=(1, 3), repeats=2)


class Spoiled:
    """An engine whose logits are off by what `spoil` does to them."""

    def __init__(self, engine, spoil):
        self.max_positions = engine.max_positions
        self._engine = engine
        self._spoil = spoil

    def window_logits(self, encoded, *, batch_size):
        rows = self._engine.window_logits(encoded, batch_size=batch_size)
        return replace(rows, logits=self._spoil(rows.logits, encoded, batch_size).astype(np.float32))


@pytest.fixture(params=["token", "cls"])
def pair_of_predictors(request, random_artifact):
    folder = random_artifact("bert", request.param)
    return headway.load(folder, device="cpu"), headway.load(folder, device="cpu")


def spoiled(predictor, spoil):
    predictor.engine = Spoiled(predictor.engine, spoil)
    return predictor


def texts_of(predictor, documents):
    if "tokens" in predictor.spec.columns:
        return {"tokens": documents}
    return {"text": [" ".join(each) for each in documents]}


def gated(folder, predictors, documents, *, drop=0.0, bounds=TIGHT, limits=QUICK, mode="max"):
    torch, export = predictors
    texts = texts_of(torch, documents)
    sign = 1 if mode == "max" else -1
    return run_gate(
        folder,
        torch=torch,
        export=export,
        encoded=torch.encode(texts),
        texts=texts,
        bounds=bounds,
        limits=limits,
        score=lambda: Scores("f1", mode, torch={"f1": 0.9}, export={"f1": 0.9 - sign * drop}),
        threads=1,
    )


def test_what_agrees_passes(pair_of_predictors, documents, tmp_path):
    (tmp_path / "model.bin").write_bytes(b"123")
    found = gated(tmp_path, pair_of_predictors, documents)
    assert found.failures == []
    table = found.table
    assert table["passed"]
    assert table["bytes"] == {"model.bin": 3}
    assert [(each["length"], each["batch_size"]) for each in table["logits"]] == [
        (8, 1), (8, 3), (20, 1), (20, 3),
    ]  # fmt: skip
    assert {(each["engine"], each["length"], each["batch_size"]) for each in table["latency_ms"]} == {
        (engine, length, size) for engine in ("torch", "export") for length in (8, 20) for size in (1, 3)
    }
    assert all(0 < each["p50"] <= each["p95"] <= each["p99"] for each in table["latency_ms"])
    titles = [table.title for table in gate_tables(found.table)]
    assert titles == ["milliseconds from text to answer, 1 threads", "export against torch"]


def test_a_difference_in_one_cell_is_enough(pair_of_predictors, documents, tmp_path):
    torch, export = pair_of_predictors

    def spoil(logits, encoded, batch_size):
        return logits + 0.01 * (batch_size == 3 and encoded.window_lengths.max() == 20)

    found = gated(tmp_path, (torch, spoiled(export, spoil)), documents)
    (failure,) = found.failures
    assert failure.startswith(
        "logits differ from torch's in 1 of 4 cells, most at 20 tokens and batch size 3: by 0.01 at most"
    )
    assert not found.table["passed"]


def test_what_is_no_number_never_agrees(pair_of_predictors, documents, tmp_path):
    torch, export = pair_of_predictors
    export = spoiled(export, lambda logits, *_: logits * np.nan)
    (failure,) = gated(tmp_path, (torch, export), documents, bounds=Bounds(None, 10.0)).failures
    assert "in 4 of 4 cells" in failure


def test_a_loose_bound_is_of_the_spread(pair_of_predictors, documents):
    torch, export = pair_of_predictors
    export = spoiled(export, lambda logits, *_: logits * 1.1)
    encoded = torch.encode(texts_of(torch, documents))
    cells = {"lengths": (20,), "batch_sizes": (3,)}
    (cell,) = agreement(torch, export, encoded, **cells, bounds=Bounds(None, 0.25))
    assert cell.within
    assert cell.relative > 0.09
    (cell,) = agreement(torch, export, encoded, **cells, bounds=Bounds(None, 0.05))
    assert not cell.within


def test_the_spread_is_that_of_the_whole_grid(random_artifact, documents):
    """Two logits of one window that lie together by chance would make every error of theirs look large."""
    folder = random_artifact("bert", "cls")
    torch, export = headway.load(folder, device="cpu"), headway.load(folder, device="cpu")
    logits = {8: np.array([[1.0, 1.0, 1.001]]), 20: np.array([[4.0, 0.0, -4.0]])}
    torch = spoiled(torch, lambda _, encoded, *__: logits[int(encoded.window_lengths.max())])
    export = spoiled(export, lambda _, encoded, *__: logits[int(encoded.window_lengths.max())] + 0.1)
    encoded = torch.encode(texts_of(torch, documents))
    found = agreement(torch, export, encoded, lengths=(8, 20), batch_sizes=(1,), bounds=Bounds(None, 0.05))
    spread = np.std([1.0, 1.0, 1.001, 4.0, 0.0, -4.0])
    assert [cell.relative for cell in found] == pytest.approx([0.1 / spread] * 2, rel=1e-4)
    assert all(cell.within for cell in found)


@pytest.mark.parametrize("mode", ["max", "min"])
def test_a_worse_metric_is_refused_and_a_better_one_not(mode, pair_of_predictors, documents, tmp_path):
    limits = replace(QUICK, max_metric_drop=0.02)
    (failure,) = gated(tmp_path, pair_of_predictors, documents, drop=0.03, limits=limits, mode=mode).failures
    assert "worse by 0.0300 (--max-metric-drop 0.02)" in failure
    for drop in (0.01, -0.3):
        assert gated(tmp_path, pair_of_predictors, documents, drop=drop, limits=limits).failures == []


def test_a_metric_that_is_no_number_is_refused(pair_of_predictors, documents, tmp_path):
    (failure,) = gated(tmp_path, pair_of_predictors, documents, drop=float("nan")).failures
    assert "--max-metric-drop" in failure


def test_the_budget_is_for_one_text_at_every_length(pair_of_predictors, documents, tmp_path):
    found = gated(tmp_path, pair_of_predictors, documents, limits=replace(QUICK, budget_ms=1e-3))
    assert [failure[:18] for failure in found.failures] == ["p99 at 8 tokens is", "p99 at 20 tokens i"]
    assert gated(tmp_path, pair_of_predictors, documents, limits=replace(QUICK, budget_ms=1e5)).failures == []


def test_a_link_is_refused(pair_of_predictors, documents, tmp_path):
    (tmp_path / "weights").symlink_to("/etc/hostname")
    (failure,) = gated(tmp_path, pair_of_predictors, documents).failures
    assert failure == "weights is a link to /etc/hostname"


class TestLimits:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"lengths": ()}, "--lengths must be whole numbers >= 4"),
            ({"lengths": (3,)}, "--lengths must be whole numbers >= 4"),
            ({"batch_sizes": (0,)}, "--batch-sizes must be whole numbers >= 1"),
            ({"repeats": 0}, "--repeats must be >= 1, got 0"),
            ({"max_metric_drop": -0.1}, "--max-metric-drop must be >= 0, got -0.1"),
            ({"max_metric_drop": float("nan")}, "--max-metric-drop must be >= 0, got nan"),
            ({"budget_ms": 0.0}, "--budget-ms must be > 0 milliseconds"),
        ],
    )
    def test_a_wrong_value_is_named(self, change, message):
        with pytest.raises(ConfigError, match=message):
            Limits(**change)

    def test_usual_lengths_shrink_and_declared_ones_dont(self):
        assert Limits().within(128) == (16, 64, 128)
        assert Limits().within(10) == (10,)
        with pytest.raises(ConfigError, match="--lengths must be <= 128"):
            Limits(lengths=(256,)).within(128)
