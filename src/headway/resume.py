"""Whether a run's folder holds a training to go on with, and whether it is the one of the config."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from headway.run_folder import refuse_other_run, remove_unfinished
from headway.tracking.checkpoint_io import last_checkpoint, load, verify
from headway.tracking.curves import FILE as CURVES
from headway.tracking.training_state import STATE, TrainingState
from headway.types import CheckpointError, ConfigError
from headway.version import __version__

if TYPE_CHECKING:
    import numpy as np

    from headway.built_run import BuiltRun
    from headway.data.text_data import TextData
    from headway.heads_together import SharedStart

log = logging.getLogger(__name__)
LOCK = ".lock"
DECISIVE = ("data", "precision", "layout", "features", "device")
"""Facts without which a resumed training would be another one."""


@dataclass(frozen=True)
class GoingOn:
    """A run's start: a training to go on with, or none.

    Attributes:
        state: The callback that keeps and restores what weights and optimizer don't hold.
        path: The checkpoint to go on from; None where training begins.
        step: Optimizer steps that are taken already; None where training begins.
        before: What the numbers of the training so far depend on besides the config.
    """

    state: TrainingState
    path: Path | None = None
    step: int | None = None
    before: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def find(cls, cfg: Mapping[str, Any], folder: Path) -> GoingOn:
        """Return what a folder holds of the training that the config describes.

        Args:
            cfg: The resolved config.
            folder: The run's.

        Raises:
            ConfigError: It holds a finished run, or one of another config.
            CheckpointError: Its checkpoint is damaged.
        """
        refuse_other_run(cfg, folder)
        path = last_checkpoint(folder / "checkpoints")
        if path is None:
            return cls(TrainingState({}))
        if not path.is_file():
            raise CheckpointError(
                f"the checkpoint {path} is missing beside its sha256; restore it, or remove both"
            )
        checkpoint = load(path, map_location="cpu")
        if STATE not in checkpoint:
            raise CheckpointError(
                f"the checkpoint {path} holds no state to go on from; name another hydra.run.dir"
            )
        facts = checkpoint[STATE]["facts"]
        if facts["trained_together"] > 1:  # its head's state was in the process that trained many
            log.info("heads that were trained together begin again, which takes seconds")
            shutil.rmtree(path.parent)
            return cls(TrainingState({}))
        log.info("going on from %s: %d optimizer steps are taken", path, checkpoint["global_step"])
        return cls(TrainingState({}), path, checkpoint["global_step"], facts)

    def num_threads(self, cfg: Mapping[str, Any]) -> int | None:
        """Return the CPU threads to compute with: without a word of the user's, as many as before.

        Args:
            cfg: The resolved config.
        """
        return cfg["num_threads"] or self.before.get("num_threads")

    def config(self, cfg: dict[str, Any]) -> dict[str, Any]:
        """Return the config with what "auto" came to before: the free disk may be another now.

        Args:
            cfg: The resolved config.
        """
        return {**cfg, "keep_features": self.before["features"]} if self.before else cfg

    def check(self, facts: dict[str, Any]) -> None:
        """Compare what the numbers depend on, and let checkpoints hold it.

        Args:
            facts: Of this process.

        Raises:
            ConfigError: The training would be another one.
        """
        self.state.facts = facts
        differing = [name for name in facts if self.before and facts[name] != self.before.get(name)]
        if wrong := [name for name in differing if name in DECISIVE]:
            listed = ", ".join(f"{name} {self.before.get(name)!r} -> {facts[name]!r}" for name in wrong)
            raise ConfigError(
                f"`hydra.run.dir` must be a folder that this training can go on in, but {self.path} was "
                f"computed with {listed}; restore this, or name another folder"
            )
        if differing:
            log.warning("going on, but not to the last digit: other %s than before", ", ".join(differing))


def facts_of(
    built: BuiltRun, data: TextData, *, features: bool, threads: int, shared: SharedStart | None
) -> dict[str, Any]:
    """Return what a run's numbers depend on besides its config, as plain values.

    Args:
        built: What trains.
        data: Encoded.
        features: Whether features of frozen layers are kept.
        threads: On the CPU.
        shared: What other trials gave.
    """
    return {
        "data": data_hash(data),
        "precision": str(built.trainer.precision),
        "layout": built.module.encoder.layout,
        "features": features,
        "device": built.trainer.strategy.root_device.type,
        "trained_together": 1 if shared is None else shared.trials,
        "num_threads": threads,
        "torch": str(torch.__version__),
        "headway": __version__,
        "first tokens alone": built.module.encoder.trims,
        "cpu": str(torch.cpu.get_capabilities().get("cpu_name")),
    }


@contextmanager
def only_run_in(folder: Path) -> Iterator[None]:
    """Keep other processes out of a run's folder, and take out what killed ones have left unfinished.

    A record lock, since those of flock pass on to loader workers, which outlive a killed process for seconds.

    Args:
        folder: The run's; it is made.

    Raises:
        ConfigError: Another process runs in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            same = os.path.samestat(os.fstat(descriptor), path.stat())
        except OSError:
            same = False
        if not same:
            raise ConfigError(
                f"`hydra.run.dir` must be a folder in which nothing runs, but a process trains in {folder}; "
                "wait for it, or name another"
            )
        remove_unfinished(folder)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def data_hash(data: TextData) -> str:
    """Return a hash of all that train and validation give to a training.

    Args:
        data: Encoded.
    """
    digest = hashlib.sha256()
    for split in ("train", "validation"):
        if split in data.encoded:
            labels: np.ndarray = data.labels(split)
            digest.update(f"{split}:{data.encoded_keys.get(split)}:{labels.shape}:".encode())
            digest.update(labels.tobytes())
    return digest.hexdigest()


def take_over(earlier: Path, folder: Path) -> None:
    """Move an interrupted training into a new folder, so that it goes on there.

    Args:
        earlier: The folder of a run; one without a sound checkpoint is left alone, and so is one in which a
            process still trains: a cluster's job outlives the sweep that began it.
        folder: The new run's, with nothing of a run in it.
    """
    checkpoints = earlier / "checkpoints"
    path = last_checkpoint(checkpoints)
    if path is None or not (earlier / "config.yaml").is_file():
        return
    try:
        verify(path)
    except (CheckpointError, OSError) as error:
        log.warning("the training begins anew: %s", error)
        return
    try:
        with only_run_in(earlier):
            for name in ("config.yaml", CURVES):
                if (earlier / name).is_file():
                    shutil.copyfile(earlier / name, folder / name)
            checkpoints.rename(folder / "checkpoints")
    except ConfigError as error:
        log.warning("the training begins anew: %s", error)
