"""Faults that strike a training at a moment, as a callback that a config or a caller adds."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

MOMENTS = ("fit_start", "step", "validation", "train_end")
YESTERDAY = 24 * 3600.0


def kill_worker(*_: Any) -> None:
    """Kill a loader worker, as a kernel does that is short of memory."""
    worker = multiprocessing.active_children()[0]
    os.kill(int(worker.pid or 0), signal.SIGKILL)
    worker.join()


def poison_weights(_: pl.Trainer, module: Any, __: Path) -> None:
    """Let a weight be no number, as a step that was too large leaves it."""
    with torch.no_grad():
        module.head.classifier.weight[0, 0] = float("nan")


def infinite_gradient(_: pl.Trainer, module: Any, __: Path) -> None:
    """Let the next gradient of the head's weights be infinite."""
    weight = module.head.classifier.weight
    handle = weight.register_hook(lambda gradient: (handle.remove(), gradient + float("inf"))[1])


def forget_metric(_: pl.Trainer, module: Any, __: Path) -> None:
    """Let the monitored metric never be logged."""
    _log_otherwise(module, lambda _: None)


def spoil_metric(_: pl.Trainer, module: Any, __: Path) -> None:
    """Let the monitored metric be logged as no number."""
    _log_otherwise(module, lambda _: float("nan"))


def _log_otherwise(module: Any, change: Callable[[Any], Any]) -> None:
    """Change what is logged as the monitored metric; None: nothing is."""
    log = module.log

    def changed(name: str, value: Any, *rest: Any, **named: Any) -> None:
        """Log."""
        value = change(value) if name == "val/f1_macro" else value
        if value is not None:
            log(name, value, *rest, **named)

    module.log = changed


def raise_own(*_: Any) -> None:
    """Fail as code of the user's own may."""
    raise ZeroDivisionError("a mistake in a callback of the user's own")


def fill_disk(*_: Any, size: int = 1000) -> None:
    """Let no file grow beyond some bytes from now on."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def fill_disk_at_once(*_: Any) -> None:
    """Let no file hold more than a few letters from now on."""
    fill_disk(size=20)


def remove_folder(_trainer: pl.Trainer, _: Any, folder: Path) -> None:
    """Remove the run's folder."""
    shutil.rmtree(folder)


def remove_cache(*_: Any) -> None:
    """Remove the cache in which encoded splits lie; `TRUST_CACHE` names it."""
    shutil.rmtree(os.environ["TRUST_CACHE"])


def remove_best(_: Any, __: Any, folder: Path) -> None:
    """Remove the best checkpoint."""
    (folder / "checkpoints" / "best.ckpt").unlink()


def clock_back(*_: Any) -> None:
    """Set the clock back by a day."""
    real = time.time
    time.time = lambda: real() - YESTERDAY


ACTS: dict[str, Callable[..., None]] = {
    each.__name__: each
    for each in (kill_worker, poison_weights, infinite_gradient, forget_metric, spoil_metric, raise_own,
                 fill_disk, fill_disk_at_once, remove_folder, remove_cache, remove_best, clock_back)
}  # fmt: skip


class Fault(pl.Callback):
    """Lets something go wrong once.

    Args:
        act: One of ACTS.
        at: One of MOMENTS.
        after: Micro-batches, or validations, before it.
        dirpath: Of checkpoints, in the run's folder.
    """

    def __init__(self, act: str, at: str, dirpath: Path, after: int = 0) -> None:
        self._act = ACTS[act]
        self._at = at
        self._left = after
        self._folder = Path(dirpath).parent

    def _strike(self, at: str, trainer: pl.Trainer, module: Any) -> None:
        if at != self._at:
            return
        if self._left == 0:
            self._act(trainer, module, self._folder)
        self._left -= 1

    def on_fit_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Strike where it is time."""
        self._strike("fit_start", trainer, pl_module)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *_: Any) -> None:
        """Strike where it is time."""
        self._strike("step", trainer, pl_module)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Strike where it is time, before the best checkpoint is chosen."""
        self._strike("validation", trainer, pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Strike where it is time."""
        self._strike("train_end", trainer, pl_module)


class NarrowMemory(pl.Callback):
    """A device whose memory holds so many tokens at once; beyond, torch says what it says there.

    Args:
        most: Tokens.
        backward: Whether it is the backward pass that doesn't fit.
    """

    def __init__(self, most: int, *, backward: bool = False) -> None:
        self._most = most
        self._backward = backward

    def on_fit_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Watch the encoder."""
        pl_module.encoder.register_forward_hook(self._after)

    def _after(self, _: Any, arguments: tuple[Any, ...], output: torch.Tensor) -> None:
        if sum(arguments[0].lengths) <= self._most:
            return
        if not self._backward:
            self._refuse()
        if output.requires_grad:
            output.register_hook(lambda _: self._refuse())

    @staticmethod
    def _refuse() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 is full")
