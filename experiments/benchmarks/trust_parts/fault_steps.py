"""Faults that a training computes its way around: the steps are those of one without them."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from headway.run import run
from trust_parts.fault_hooks import NarrowMemory
from trust_parts.fault_runs import same_as
from trust_parts.forks import in_process
from trust_parts.interrupted import Tape
from trust_parts.rows import Case, check
from trust_parts.works import compose, words_of


def _still(work: Path) -> Path:
    """Return a model without dropout, so that a step is a function of its batch."""
    folder = work / "still"
    if not folder.exists():
        shutil.copytree(work / "bert", folder)
        config = json.loads((folder / "config.json").read_text())
        config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        (folder / "config.json").write_text(json.dumps(config))
    return folder


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    loaded = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    # softmax cancels a key's bias: its gradient is rounding, of which AdamW makes whole steps.
    return {name: value for name, value in loaded.items() if not name.endswith("key.bias")}


def _near(one: Path, other: Path) -> None:
    mine, others = _weights(one), _weights(other)
    far = max(float((value - others[name]).abs().max()) for name, value in mine.items())
    check(mine.keys() == others.keys() and far < 2e-5, f"weights differ by {far}")


def _memory(work: Path, *, backward: bool, accumulate: int) -> Callable[[], None]:
    def case() -> None:
        """Train where memory holds a third of a batch, and where it holds all."""
        cfg = _still_config(work, f"trainer.accumulate_grad_batches={accumulate}")
        for name, callbacks in {"wide": (), "narrow": (NarrowMemory(50, backward=backward),)}.items():
            shutil.rmtree(work / name, ignore_errors=True)
            _run(cfg, work / name, work, callbacks)
        _near(work / "wide", work / "narrow")
        record = json.loads((work / "narrow" / "record.json").read_text())
        check(record["memory_limits"]["training"]["max_tokens"] <= 50, "the record doesn't say so")

    return case


def _memory_and_kill(work: Path) -> Callable[[], None]:
    def case() -> None:
        """Run out of memory, be killed, and go on to the bit."""
        cfg = compose(*words_of("single", work))
        for name in ("narrow-whole", "narrow-killed"):
            shutil.rmtree(work / name, ignore_errors=True)
        _run(cfg, work / "narrow-whole", work, (NarrowMemory(50),))
        kill = Tape(work / "memory.tape", stop_after=8, kill=True, plain=True)
        _run(cfg, work / "narrow-killed", work, (NarrowMemory(50), kill), status=-signal.SIGKILL)
        _run(cfg, work / "narrow-killed", work, (NarrowMemory(50),))
        same_as(work / "narrow-whole", work / "narrow-killed")

    return case


def _uneven(work: Path) -> Callable[[], None]:
    def case() -> None:
        """Train on 37 rows by one process and by two, whose last batches are uneven."""
        rows = (work / "rows.jsonl").read_text().splitlines()[:37]
        (work / "uneven.jsonl").write_text("\n".join(rows))
        more = [f"data.train={work}/uneven.jsonl", "trainer.max_epochs=2", "score_splits=[]"]
        alone = _still_config(work, *more)
        together = _still_config(work, *more, "batching.batch_size=4", "trainer=ddp", "trainer.devices=2")
        for name, cfg in {"alone": alone, "together": together}.items():
            shutil.rmtree(work / name, ignore_errors=True)
            _run(cfg, work / name, work, ())
        _near(work / "alone", work / "together")

    return case


def _still_config(work: Path, *more: str) -> dict[str, Any]:
    others = [word for word in words_of("single", work) if not word.startswith("backbone.name=")]
    # trainer=ddp is an option: what words_of says of the trainer must stand behind it.
    options = [word for word in more if word == "trainer=ddp"]
    rest = [word for word in more if word not in options]
    return compose(*options, *others, f"backbone.name={_still(work)}", "task.head.dropout=0.0", *rest)


def _run(cfg: dict[str, Any], folder: Path, work: Path, callbacks: Sequence[Any], *, status: int = 0) -> None:
    ended = in_process(lambda: run(cfg, folder, callbacks=callbacks) and None, work / "faults.log")
    check(ended == status, f"it ended with {ended}: {(work / 'faults.log').read_text()[-300:]}")


def cases(work: Path) -> Iterator[Case]:
    """Yield them.

    Args:
        work: Holds `bert` and `rows.jsonl`.
    """
    yield "memory runs out in a forward pass", _memory(work, backward=False, accumulate=1)
    yield "memory runs out in a backward pass of several", _memory(work, backward=True, accumulate=2)
    yield "memory runs out, then the process is killed", _memory_and_kill(work)
    yield "an uneven last batch on two processes", _uneven(work)
