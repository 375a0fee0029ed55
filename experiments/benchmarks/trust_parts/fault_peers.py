"""The faults that have a meaning for other frameworks too, in their trainings."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from trust_parts.fault_exact import close_stdout, full_stdout, lose_reader
from trust_parts.fault_hooks import YESTERDAY, NarrowMemory, kill_worker
from trust_parts.forks import in_process
from trust_parts.peers import LightningPeer, Peer, TrainerPeer
from trust_parts.rows import Case, Cases, check

AT = 3
"""The step after which something goes wrong."""


def _poison(_: Peer, model: Any) -> None:
    with torch.no_grad():
        model.classifier.weight[0, 0] = float("nan")


def _infinite(_: Peer, model: Any) -> None:
    model.classifier.weight.register_hook(lambda gradient: gradient + float("inf"))


def _raise(*_: Any) -> None:
    raise ZeroDivisionError("a mistake in a callback of the user's own")


def _remove(peer: Peer, _: Any) -> None:
    shutil.rmtree(peer.folder, ignore_errors=True)


def _worker(*_: Any) -> None:
    kill_worker()


def _clock(*_: Any) -> None:
    real = time.time
    time.time = lambda: real() - YESTERDAY


def _memory(_: Peer, model: Any) -> None:
    def refuse(_module: Any, _arguments: Any, named: Any) -> None:
        """Hold half of a batch at most."""
        if len(named["input_ids"]) > 4:
            NarrowMemory._refuse()

    model.bert.register_forward_pre_hook(refuse, with_kwargs=True)


STRUCK: dict[str, tuple[Callable[[Peer, Any], None], int]] = {
    # In a training: what happens after step AT, and with how many loader workers.
    "a loader worker is killed": (_worker, 2),
    "a loss that is no number": (_poison, 0),
    "an infinite gradient": (_infinite, 0),
    "a callback of the user's own raises": (_raise, 0),
    "the run's folder is removed": (_remove, 0),
    "the clock is set back in a training": (_clock, 0),
    "memory runs out in a forward pass": (_memory, 0),
}
BEFORE = {
    "stdout is closed": close_stdout,
    "the reader of stdout has gone": lose_reader,
    "stdout is on a full disk": full_stdout,
}
MAY_FAIL = ("a loader worker is killed", "a loss that is no number", "an infinite gradient",
            "a callback of the user's own raises", "the run's folder is removed")  # fmt: skip
"""Where a non-zero exit is right; elsewhere the outcome must be that of a training without a fault."""


def _peer(make: Callable[..., Peer]) -> Cases:
    def cases(work: Path, _share: float) -> Iterator[Case]:
        """Yield the same faults in a peer's training."""
        whole = {workers: make(work, "whole", workers=workers) for workers in (0, 2)}
        for peer in whole.values():
            in_process(lambda peer=peer: peer.train(), work / "faults.log")
        for name, (act, workers) in STRUCK.items():
            yield name, _case(make(work, "struck", workers=workers), whole[workers], name, act=act)
        for name, before in BEFORE.items():
            yield name, _case(make(work, "told", workers=0), whole[0], name, before=before)

    return cases


def _case(
    peer: Any,
    whole: Peer,
    name: str,
    *,
    act: Callable[[Peer, Any], None] | None = None,
    before: Callable[[], None] = lambda: None,
) -> Callable[[], None]:
    def strike(model: Any, seen: int) -> None:
        """Let it happen once."""
        if act is not None and seen == AT:
            act(peer, model)

    def train() -> None:
        """Train with the fault."""
        before()
        peer.fault = strike
        peer.train()

    def case() -> None:
        """Look at the exit status, and where it is 0 at the outcome."""
        shutil.rmtree(peer.folder, ignore_errors=True)
        peer.tape.unlink(missing_ok=True)
        status = in_process(train, peer.work / "faults.log")
        if name in MAY_FAIL:
            check(status != 0, "it ended with 0, as if nothing had happened")
            return
        check(status == 0, f"it ended with {status}")
        peer.compare(whole)

    return case


PEERS = {"Lightning": _peer(LightningPeer), "HF Trainer": _peer(TrainerPeer)}
