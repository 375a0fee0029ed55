"""Whether a config may run in a folder: it is new, or holds the same training, not finished yet."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from headway.config.identity import differing_keys
from headway.tracking.record import is_finished, plain, redact
from headway.types import ConfigError

UNFINISHED = re.compile(r"\.(.+)\.(\d+)")
"""Name of what is written beside its place and then renamed, with the process that writes it."""
WRITTEN = {
    ".": ("record.json", "config.yaml", "overrides.yaml", "metrics.csv", "metrics.json", "slices.json",
          "calibration.json", "aggregations.json", "model"),
    "checkpoints": ("*.ckpt", "*.ckpt.sha256"),
    "predictions": ("*.parquet",),
    "logits": ("*",),
}  # fmt: skip
"""What a training writes so, by the folder in the run's. Of other names a user's own may be, and exports."""


def remove_unfinished(folder: Path) -> None:
    """Remove what trainings that were killed while they wrote have left.

    Args:
        folder: The run's, in which no other process trains.
    """
    for place, names in WRITTEN.items():
        for path in (folder / place).glob(".*.*"):
            found = UNFINISHED.fullmatch(path.name)
            if found is None or _runs(int(found[2])) or not any(fnmatch(found[1], name) for name in names):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    """Say whether a process is there, other than this one, which has left nothing yet."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def refuse_other_run(cfg: Mapping[str, Any], folder: Path) -> None:
    """Refuse a folder that holds a finished run, or another training; needs nothing that takes seconds.

    Args:
        cfg: The resolved config.
        folder: The run's.

    Raises:
        ConfigError: It does; the message names the keys that differ.
    """
    if is_finished(folder):
        raise ConfigError(
            f"`hydra.run.dir` must be a folder without a run that is finished, but {folder} holds one; name "
            "another"
        )
    if not (folder / "config.yaml").exists():
        if any((folder / "checkpoints").glob("*.ckpt")):
            raise ConfigError(
                f"`hydra.run.dir` must be a folder that headway made, but {folder} holds checkpoints and no "
                "config.yaml; name another"
            )
        return
    before = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    differing = differing_keys(before, plain(redact(dict(cfg))))
    if differing:
        raise ConfigError(
            f"`hydra.run.dir` must be a folder of the same training, but the one in {folder} differs in "
            f"{'; '.join(differing)}; take these back to go on, or name another folder"
        )
