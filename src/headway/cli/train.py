"""`headway train`: Hydra composes the config, headway runs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from headway.cli.suggestions import composition_error
from headway.config.search_path import register
from headway.types import HeadwayError


def task(cfg: DictConfig) -> float:
    """Run one composed config in the folder that Hydra made for it.

    Args:
        cfg: The composed config.

    Returns:
        The best value of the monitored metric, for sweepers.
    """
    from headway.run import run

    job = HydraConfig.get()
    folder = Path(job.runtime.output_dir)
    try:
        plain = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
        result = run(plain, folder, overrides=list(job.overrides.task))
    except (HeadwayError, OmegaConfBaseException) as error:
        _remove_if_empty(folder)
        if os.environ.get("HEADWAY_TRACEBACK"):
            raise
        # SystemExit passes through Hydra untouched, an exception would be printed twice.
        wrapped = error if isinstance(error, HeadwayError) else composition_error(error)
        print(f"error: {wrapped}", file=sys.stderr)
        sys.exit(wrapped.exit_status)
    return result.best_value


def _remove_if_empty(folder: Path) -> None:
    """Leave no empty folder behind a run that was refused."""
    with suppress(OSError):
        folder.rmdir()
        folder.parent.rmdir()


def main(words: Sequence[str]) -> int:
    """Compose and run; takes all that a Hydra program takes.

    Args:
        words: Overrides and Hydra's flags.

    Returns:
        0.

    Raises:
        HeadwayError: The config can't be composed.
    """
    register()
    # With full errors Hydra raises instead of printing and exiting with status 1, so that the message and
    # the status are ours.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    sys.argv = ["headway train", *words]
    program = hydra.main(version_base="1.3", config_path="pkg://headway.conf", config_name="train")(task)
    try:
        program()
    except (HydraException, OmegaConfBaseException) as error:
        if os.environ.get("HEADWAY_TRACEBACK"):
            raise
        raise composition_error(error) from error
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(bool(stop.code))
    return 0
