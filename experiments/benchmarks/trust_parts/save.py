"""Row: a kill or a full disk while a checkpoint is written loses nothing, and no failure is silent."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from headway.tracking import checkpoint_io
from trust_parts.forks import end, start
from trust_parts.peers import TrainerPeer
from trust_parts.rows import Case, Cases, Row, check, some

KILLS, FULL = 20, 8
NUMBERS = 100_000
NOWHERE = Path("/proc/headway")
"""Where nobody can write, not even root."""

Save = Callable[[int], None]


class Saver:
    """Writes checkpoints, again and again, as a framework does it.

    Args:
        work: A folder.
    """

    def __init__(self, work: Path) -> None:
        self.folder = work / "saved"
        self.folder.mkdir(exist_ok=True)

    def prepare(self) -> Save:
        """Return what writes a step's checkpoint; called in the process that is to be killed."""
        return lambda step: checkpoint_io.save(_state(step), self.folder / "last.ckpt")

    def step(self) -> int:
        """Return the step of the checkpoint that a training would go on from; it must load whole."""
        loaded = checkpoint_io.load(self.folder / "last.ckpt")
        check(bool(loaded["weights"].eq(loaded["step"]).all()), "the weights are of several steps")
        return int(loaded["step"])


def _state(step: int) -> dict[str, Any]:
    return {"step": step, "weights": torch.full((NUMBERS,), float(step))}


class LightningSaver(Saver):
    """Lightning's own file plugin, which `Trainer.save_checkpoint` calls."""

    def prepare(self) -> Save:
        """Return what writes a step's checkpoint."""
        plugin = pl.plugins.io.TorchCheckpointIO()
        return lambda step: plugin.save_checkpoint(_state(step), self.folder / "last.ckpt")

    def step(self) -> int:
        """Return the step of the checkpoint that a training would go on from."""
        loaded = torch.load(self.folder / "last.ckpt", weights_only=True)
        return int(loaded["step"])


class TrainerSaver(Saver):
    """Trainer's own checkpoint folders, of which it keeps one."""

    def __init__(self, work: Path) -> None:
        super().__init__(work)
        self._work = work

    def prepare(self) -> Save:
        """Return what writes a step's checkpoint: the training's own method."""
        peer = TrainerPeer(self._work, "saver")
        trainer = peer.trainer(max_steps=1, save_total_limit=1, output_dir=str(self.folder))
        trainer.train()

        def save(step: int) -> None:
            """Write a checkpoint."""
            trainer.state.global_step = step
            trainer._save_checkpoint(trainer.model, trial=None)

        return save

    def step(self) -> int:
        """Return the step of the checkpoint that a training would go on from."""
        peer = TrainerPeer(self._work, "saver")
        peer.folder = self.folder
        step = peer.saved_step()
        check(step is not None, "the newest checkpoint doesn't load")
        return int(step or 0)


def _cases_of(make: Callable[[Path], Saver]) -> Cases:
    def cases(work: Path, share: float) -> Iterator[Case]:
        """Yield kills, full disks and folders that can't be written."""
        draw = random.Random(11)
        for number in range(some(KILLS, share)):
            yield f"kill {number}", _kill(make, draw.uniform(0.0, 0.1), work)
        for number in range(some(FULL, share)):
            tmp = "/dev/shm" if number % 2 and Path("/dev/shm").is_dir() else None
            yield f"full disk {number}, TMPDIR={tmp}", _fill(make, draw.randrange(1, 60) * 1000, tmp, work)
        for number in range(some(2, share)):
            yield f"a folder that can't be written, {number}", _nowhere(make, work)

    return cases


def _saved_once(make: Callable[[Path], Saver], work: Path) -> Saver:
    """Return a saver that has written one good checkpoint."""
    shutil.rmtree(work / "saved", ignore_errors=True)
    saver = make(work)
    end(start(lambda: saver.prepare()(1), work / "save.log"))
    return saver


def _kill(make: Callable[[Path], Saver], seconds: float, work: Path) -> Callable[[], None]:
    def case() -> None:
        """Kill a process that writes one checkpoint after the other."""
        ready = work / "ready"
        ready.unlink(missing_ok=True)

        def save_for_ever() -> None:
            """Write checkpoints until killed."""
            save = saver.prepare()
            step = saver.step()
            ready.touch()
            while True:
                step += 1
                save(step)

        saver = _saved_once(make, work)
        before = saver.step()
        pid = start(save_for_ever, work / "save.log")
        while not ready.exists():
            time.sleep(0.002)
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        end(pid)
        check(saver.step() >= before, "an older checkpoint is there than before")

    return case


def _fill(make: Callable[[Path], Saver], size: int, tmp: str | None, work: Path) -> Callable[[], None]:
    def case() -> None:
        """Let the disk be full after some bytes of each file."""

        def save_once() -> None:
            """Write one checkpoint that doesn't fit."""
            if tmp is not None:
                os.environ["TMPDIR"] = tmp
            save = saver.prepare()
            step = saver.step() + 1
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            save(step)

        saver = _saved_once(make, work)
        before = saver.step()
        status = end(start(save_once, work / "save.log"))
        check(status != 0, "no error")
        check(saver.step() == before, "the last good checkpoint is gone")

    return case


def _nowhere(make: Callable[[Path], Saver], work: Path) -> Callable[[], None]:
    def case() -> None:
        """Write where nothing can be written."""
        saver = make(work)
        saver.folder = NOWHERE
        check(end(start(lambda: saver.prepare()(2), work / "save.log")) != 0, "no error")

    return case


ROW = Row(
    "save",
    "A kill, a full disk or a folder that can't be written during a save: the last good checkpoint loads",
    _cases_of(Saver),
    {"Lightning": _cases_of(LightningSaver), "HF Trainer": _cases_of(TrainerSaver)},
)
