"""The config that a command line composes, and where its run would be, without a folder being made."""

from __future__ import annotations

import os
from collections.abc import Sequence
from copy import deepcopy
from errno import EACCES, ENOTDIR
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from headway.cli.argument_errors import argument_error
from headway.cli.suggestions import composition_error
from headway.cli.train import run_hydra
from headway.config.plain import plain_config
from headway.run_folder import refuse_other_run
from headway.types import ConfigError

MULTIRUN = ("-m", "--multirun")
STOP = "++hydra.callbacks.stop._target_=headway.cli.composed.Stop"


class Composed(BaseException):
    """Takes the config out of Hydra before it makes a folder; of Exceptions its callbacks let none pass.

    Args:
        config: The whole config, Hydra's own part included.
    """

    def __init__(self, config: DictConfig) -> None:
        super().__init__()
        self.config = config


class Stop(Callback):
    """Hydra's callback that ends the command once the config is composed."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """End here, where Hydra would make the run's folder next."""
        raise Composed(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Likewise."""
        raise Composed(config)


class RunPlan(NamedTuple):
    """What a command line asks for.

    Attributes:
        cfg: The resolved config, plain values.
        folder: Where its run would be.
    """

    cfg: dict[str, Any]
    folder: Path


def compose(words: Sequence[str], *, program: str) -> RunPlan | int:
    """Compose one run's config as `headway train` does, with its messages.

    Args:
        words: Overrides and Hydra's flags.
        program: What Hydra calls the command.

    Returns:
        The config and its folder; or the status that Hydra's own flags (--cfg, --info, …) end with.

    Raises:
        ConfigError: The config can't be composed, is one of a sweep, or its run can have no folder.
    """
    try:
        if any(word in MULTIRUN for word in words):
            raise _is_sweep(program)
        return run_hydra(_no_job, words, program=program, more=(STOP, "seeds=null"))
    except Composed as composed:
        config = composed.config
    if str(config.hydra.mode).endswith("MULTIRUN"):
        raise _is_sweep(program)
    before = HydraConfig.instance().cfg
    try:
        folder = Path(config.hydra.run.dir)
        with read_write(config), open_dict(config):  # as Hydra itself does before a job
            config.hydra.runtime.output_dir = str(folder.absolute())
            HydraConfig.instance().set_config(config)
        job = deepcopy(config)
        with read_write(job), open_dict(job):
            del job["hydra"]
            job["sweep"] = None
        plan = RunPlan(plain_config(job), folder.absolute())
        _check_folder(plan.cfg, folder)
    except OmegaConfBaseException as error:
        raise composition_error(error, words) from error
    except OSError as error:
        raise argument_error(error, words) or error from error
    finally:
        HydraConfig.instance().cfg = before
    return plan


def _no_job(_: DictConfig) -> NoReturn:
    raise RuntimeError("Hydra must stop before a job")


def _is_sweep(program: str) -> ConfigError:
    return ConfigError(
        f"`{program}` must get one config, got -m, which makes several; leave it out, and check each of the "
        "sweep's values by itself"
    )


def _check_folder(cfg: dict[str, Any], folder: Path) -> None:
    """Raise what making the folder would, and what a run in it would."""
    refuse_other_run(cfg, folder.absolute())
    found = next(path for path in (folder, *folder.parents) if path.exists())
    if not found.is_dir():
        raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), str(found))
    if not os.access(found, os.W_OK | os.X_OK):
        raise PermissionError(EACCES, os.strerror(EACCES), str(found))
