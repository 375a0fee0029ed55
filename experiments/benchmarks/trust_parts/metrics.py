"""Row: a metric is the same on one and two processes, in any batch size and row order."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from headway.assembly import build_backbone, build_data, build_module, encode_data
from headway.process import prepare_process
from headway.run import run
from headway.tracking.checkpoint_io import load
from trust_parts.forks import end, in_process, start
from trust_parts.rows import Case, Row, check, some
from trust_parts.works import compose, words_of

OWN = {
    # Kinds beside those of works.py, over the same rows with a few columns more.
    "multilabel": ("task=multilabel", "data.text=body", "data.labels=topics"),
    # Trained until predictions differ: Pearson's r of nearly equal numbers is that of their rounding.
    "regression": (
        "task=regression",
        "data.text=body",
        "data.score=length",
        "optimizer.lr=1e-2",
        "trainer.max_epochs=20",
    ),
    "entities": (
        "task=entities",
        "data.text=null",
        "data.tokens=words",
        "data.tags=spans",
        "data.scheme=IOB2",
    ),
}
KINDS = ("single", "pair", "words", "windows", *OWN)
BATCHES, ORDERS, SHARED = (1, 3, 7), (1, 2), (1, 5)
NEAR = 1e-6


def _rows(work: Path) -> Path:
    """Write the rows with an answer of every kind; return the file."""
    path = work / "answers.jsonl"
    lines = []
    for line in (work / "rows.jsonl").read_text().splitlines():
        row = json.loads(line)
        long = [tag == "long" for tag in row["tags"]]
        row["topics"] = ",".join(
            name for name, holds in {"any": any(long), "first": long[0]}.items() if holds
        )
        row["length"] = str(len(row["words"]))
        row["spans"] = ["B-LONG" if holds else "O" for holds in long]
        lines.append(json.dumps(row))
    path.write_text("\n".join(lines))
    return path


def _config(work: Path, kind: str, rows: Path, **data: Any) -> dict[str, Any]:
    words = words_of("single" if kind in OWN else kind, work)
    if kind in OWN:
        dropped = ("data.label", "data.text", "task.monitor")
        words = [word for word in words if word.partition("=")[0] not in dropped]
    cfg = compose(*(word for word in OWN.get(kind, ()) if word.startswith("task=")), *words,
                  *(word for word in OWN.get(kind, ()) if not word.startswith("task=")),
                  f"data.train={work / 'answers.jsonl'}", "data.validation=" + str(rows))  # fmt: skip
    cfg["data"] |= data
    return cfg


def score(cfg: dict[str, Any], checkpoint: Path, *, world: int = 1) -> dict[str, float]:
    """Return the metrics of a checkpoint on validation.

    Args:
        cfg: Of the run, with other validation rows or batches.
        checkpoint: Its best.
        world: Processes that score together, of which this is one.
    """
    prepare_process(cfg)
    data, backbone = build_data(cfg), build_backbone(cfg)
    data.read()
    encode_data(data, backbone, backbone.load_tokenizer())
    module, loaders, _ = build_module(cfg, data, backbone)
    module.load_state_dict(load(checkpoint)["state_dict"])
    trainer = pl.Trainer(
        accelerator="cpu", devices=world, strategy="ddp" if world > 1 else "auto", logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        use_distributed_sampler=False,
    )  # fmt: skip
    trainer.validate(module, datamodule=loaders, verbose=False)
    return dict(module.evaluations["val"].metrics)


def _scored(cfg: dict[str, Any], checkpoint: Path, work: Path, *, world: int = 1) -> dict[str, float]:
    """Score in forked processes; return what the first found."""
    out = work / "metrics.json"
    out.unlink(missing_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def one(rank: int) -> Callable[[], None]:
        """Return what a process does."""

        def act() -> None:
            """Score."""
            if world > 1:
                os.environ |= {
                    "MASTER_ADDR": "127.0.0.1",
                    "MASTER_PORT": str(port),
                    "NODE_RANK": "0",
                    "LOCAL_RANK": str(rank),
                    "RANK": str(rank),
                    "WORLD_SIZE": str(world),
                }
            found = score(cfg, checkpoint, world=world)
            if rank == 0:
                out.write_text(json.dumps(found))

        return act

    statuses = [end(pid) for pid in [start(one(rank), work / "metrics.log") for rank in range(world)]]
    check(statuses == [0] * world, f"they ended with {statuses}: {(work / 'metrics.log').read_text()[-300:]}")
    return dict(json.loads(out.read_text()))


def _same(expected: dict[str, float], found: dict[str, float]) -> None:
    check(expected.keys() == found.keys(), f"other metrics: {sorted(expected.keys() ^ found.keys())}")
    far = {
        name: (value, found[name]) for name, value in expected.items() if not abs(value - found[name]) <= NEAR
    }
    check(not far, f"these differ: {far}")


def _cases(work: Path, share: float) -> Iterator[Case]:
    rows, draw = _rows(work), random.Random(19)
    for kind in KINDS[: some(len(KINDS), share)]:
        folder = work / f"metrics-{kind}"
        shutil.rmtree(folder, ignore_errors=True)
        cfg = _config(work, kind, rows)
        in_process(lambda cfg=cfg, folder=folder: run(cfg, folder) and None, work / "metrics.log")
        best = folder / "checkpoints" / "best.ckpt"
        expected = _scored(_config(work, kind, rows, eval_batch_size=64), best, work)
        for size in BATCHES[: some(len(BATCHES), share)]:
            yield f"{kind}: batches of {size}", _case(work, kind, best, expected, rows=rows, size=size)
        for number in ORDERS[: some(len(ORDERS), share)]:
            lines = rows.read_text().splitlines()
            draw.shuffle(lines)
            other = work / f"order-{number}.jsonl"
            other.write_text("\n".join(lines))
            yield f"{kind}: order {number}", _case(work, kind, best, expected, rows=other, size=4)
        for size in SHARED[: some(len(SHARED), share)]:
            name = f"{kind}: two processes, batches of {size}"
            yield name, _case(work, kind, best, expected, rows=rows, size=size, world=2)


def _case(
    work: Path,
    kind: str,
    best: Path,
    expected: dict[str, float],
    *,
    rows: Path,
    size: int,
    world: int = 1,
) -> Callable[[], None]:
    def case() -> None:
        """Score, and compare."""
        cfg = _config(work, kind, rows, eval_batch_size=size)
        _same(expected, _scored(cfg, best, work, world=world))

    return case


ROW = Row(
    "metrics",
    "Metrics: equal on one and two processes, in any batch size and row order, to 1e-6",
    _cases,
)
