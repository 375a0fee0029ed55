"""Row: resume after kill -9 is exact."""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

from headway.run import run
from trust_parts.comparison import differences
from trust_parts.forks import in_process
from trust_parts.interrupted import Tape, read_tape
from trust_parts.peers import LightningPeer, Peer, TrainerPeer
from trust_parts.rows import Case, Row, check, some
from trust_parts.works import KINDS, compose, words_of

STEPS = 15
STOPS = 20


def _cases(work: Path, share: float) -> Iterator[Case]:
    draw = random.Random(7)
    for kind in KINDS:
        cfg = {n: compose(*words_of(kind, work, f"data.num_workers={n}")) for n in (0, 2)}
        whole = work / f"whole-{kind}"
        log = work / "resume.log"
        tape = work / f"whole-{kind}.tape"
        whole_cfg = cfg[0]

        def train_whole(cfg: dict = whole_cfg, folder: Path = whole, tape: Path = tape) -> None:
            """Train without interruption."""
            run(cfg, folder, callbacks=[Tape(tape)])

        in_process(train_whole, log)
        for workers in (0, 2):
            for number in range(some(STOPS, share)):
                stop = draw.randrange(1, STEPS)
                folder = work / f"run-{kind}-{workers}-{number}"
                case = _case(cfg[workers], folder, whole, log=log, stop=stop)
                yield f"{kind}, {workers} workers, killed after micro-batch {stop}", case


def _case(cfg: dict, folder: Path, whole: Path, *, log: Path, stop: int) -> Callable[[], None]:
    def case() -> None:
        """Kill a training, let it go on, and compare."""
        tape = folder.with_suffix(".tape")
        status = in_process(lambda: run(cfg, folder, callbacks=[Tape(tape, stop_after=stop, kill=True)]), log)
        check(status == -signal.SIGKILL, f"it wasn't killed, but ended with {status}")
        status = in_process(lambda: run(cfg, folder, callbacks=[Tape(tape)]), log)
        check(status == 0, f"it didn't go on, but ended with {status}")
        check(read_tape(tape) == read_tape(whole.with_suffix(".tape")), "batches or losses differ")
        found = differences(folder, whole)
        check(not found, f"these differ: {found}")
        shutil.rmtree(folder)

    return case


def _peer(make: Callable[..., Peer]) -> Callable[[Path, float], Iterator[Case]]:
    def cases(work: Path, share: float) -> Iterator[Case]:
        """Yield the same kills of a peer's training."""
        draw = random.Random(7)
        log = work / "resume.log"
        for workers in (0, 2):
            whole = make(work, "whole", workers=workers)
            in_process(lambda peer=whole: peer.train(), log)
            for number in range(some(STOPS, share)):
                stop = draw.randrange(1, STEPS)
                peer = make(work, f"run-{workers}-{number}", workers=workers)
                yield f"{workers} workers, killed after step {stop}", _peer_case(peer, whole, stop, log)

    return cases


def _peer_case(peer: Peer, whole: Peer, stop: int, log: Path) -> Callable[[], None]:
    def case() -> None:
        """Kill a training, let it go on, and compare."""
        status = in_process(lambda: peer.train(kill_after=stop), log)
        check(status == -signal.SIGKILL, f"it wasn't killed, but ended with {status}")
        status = in_process(lambda: peer.train(resume=True), log)
        check(status == 0, f"it didn't go on, but ended with {status}")
        peer.compare(whole)
        shutil.rmtree(peer.folder)

    return case


ROW = Row(
    "resume",
    "Resume after kill -9 is exact: batches, loss bits, curves, final weights",
    _cases,
    {"Lightning": _peer(LightningPeer), "HF Trainer": _peer(TrainerPeer)},
)
