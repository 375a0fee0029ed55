"""Whether a config may run in a folder: it is new, or holds the same training, not finished yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from headway.config.identity import differing_keys
from headway.tracking.record import is_finished, plain, redact
from headway.types import ConfigError


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
