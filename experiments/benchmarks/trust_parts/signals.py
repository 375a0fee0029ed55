"""Row: SIGTERM and SIGINT leave a checkpoint at most one step old and the right exit status."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from headway.run import run
from trust_parts.forks import end, in_process, start
from trust_parts.interrupted import Tape
from trust_parts.peers import LightningPeer, Peer, TrainerPeer
from trust_parts.rows import Case, Row, check, some
from trust_parts.works import compose, words_of

STATUS = {signal.SIGTERM: 143, signal.SIGINT: 130}
AGAIN = 4


def _steps(share: float) -> Iterator[tuple[signal.Signals, int, int]]:
    draw = random.Random(3)
    for number in STATUS:
        for workers in (0, 2):
            for _ in range(some(5, share)):
                yield number, workers, draw.randrange(2, 15)


def _cases(work: Path, share: float) -> Iterator[Case]:
    for number, workers, stop in _steps(share):
        for moment in ("step", "validation"):
            name = f"{number.name} in a {moment}, from micro-batch {stop} on, {workers} workers"
            yield name, _case(work, number, workers, stop=stop, moment=moment)
    for place in range(some(AGAIN, share)):
        yield f"a second signal, {place}", _second(work, list(STATUS)[place % 2])


def _config(work: Path, workers: int) -> dict:
    more = (
        f"data.num_workers={workers}",
        "callbacks.checkpoint.every_n_steps=null",
        "data.eval_batch_size=8",
    )
    return compose(*words_of("single", work, *more))


def _case(work: Path, number: signal.Signals, workers: int, *, stop: int, moment: str) -> Callable[[], None]:
    def case() -> None:
        """Send the signal; look at the status and the checkpoint."""
        folder, tape = work / "signalled", work / "signalled.tape"
        shutil.rmtree(folder, ignore_errors=True)
        at = Tape(tape, stop_after=stop, signal_at=moment, number=number)
        status = in_process(lambda: run(_config(work, workers), folder, callbacks=[at]), work / "signals.log")
        check(status == STATUS[number], f"it ended with {status}")
        saved = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["global_step"]
        expected = stop if moment == "step" else 5 * -(-stop // 5)
        check(expected - 1 <= saved <= expected, f"the checkpoint is of step {saved}, not {expected}")

    return case


def _second(work: Path, number: signal.Signals) -> Callable[[], None]:
    def case() -> None:
        """Send a signal in a step that takes long, and another."""
        folder, tape = work / "twice", work / "twice.tape"
        shutil.rmtree(folder, ignore_errors=True)
        sent = tape.with_name("twice.tape.signal")
        sent.unlink(missing_ok=True)
        at = Tape(tape, stop_after=4, signal_at="step", number=number, linger=60)
        pid = start(lambda: run(_config(work, 0), folder, callbacks=[at]), work / "signals.log")
        while not sent.exists():
            time.sleep(0.02)
        begun = time.monotonic()
        os.kill(pid, number)
        status = end(pid, 50)
        check(status == -number, f"it ended with {status}")
        check(time.monotonic() - begun < 5, "it went on for a while")

    return case


def _peer(make: Callable[..., Peer]) -> Callable[[Path, float], Iterator[Case]]:
    def cases(work: Path, share: float) -> Iterator[Case]:
        """Yield the same signals in a peer's training."""
        for number, workers, stop in _steps(share):
            peer = make(work, f"signalled-{number}-{workers}-{stop}", workers=workers, save_every=5)
            yield f"{number.name} in step {stop}, {workers} workers", _peer_case(peer, number, stop)

    return cases


def _peer_case(peer: Peer, number: signal.Signals, stop: int) -> Callable[[], None]:
    def case() -> None:
        """Send the signal; look at the status and the checkpoint."""
        status = in_process(
            lambda: peer.train(signal_after=(number, stop)), peer.folder.parent.parent / "log"
        )
        saved = peer.saved_step()
        # A process that a signal ended shows 128 + its number in a shell.
        right = status in (STATUS[number], -number)
        check(
            right and saved is not None and saved >= stop - 1,
            f"it ended with {status}, and the last checkpoint is of step {saved}",
        )

    return case


ROW = Row(
    "signals",
    "Signals: a checkpoint at most one step old and exit 143 or 130; a second one stops at once",
    _cases,
    {"Lightning": _peer(LightningPeer), "HF Trainer": _peer(TrainerPeer)},
)
