"""`headway train`: Hydra composes the config, headway runs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from headway.cli.argument_errors import argument_error
from headway.cli.folders import NewFolders
from headway.cli.resumed import resumed_words
from headway.cli.suggestions import composition_error
from headway.config.plain import plain_config
from headway.config.search_path import register
from headway.early_check import refuse_early
from headway.run_folder import refuse_other_run
from headway.tracking.console import steady_output
from headway.tracking.timing import process_age
from headway.types import ConfigError, HeadwayError, Stopped

FLAGS = ("-m", "--multirun", "-r", "--run", "--resolve")
"""Hydra's flags that take no value, and so may stand anywhere."""


def run_job(cfg: DictConfig) -> float:
    """Run one composed config in the folder that Hydra made for it.

    Args:
        cfg: The composed config.

    Returns:
        The best value of the monitored metric, for sweepers.

    Raises:
        SystemExit: The config, the data or the training is wrong, by the cause of this exception. It passes
            through Hydra, which would print any other exception itself.
    """
    job = HydraConfig.get()
    # As they were written: an override may hold a ${...}, which means nothing in Hydra's own config.
    overrides: Any = OmegaConf.to_container(job.overrides.task, resolve=False)
    with refusals(overrides):
        plain = early_config(cfg)
        folder = Path(job.runtime.output_dir)
        refuse_other_run(plain, folder)
        is_first = "headway.run" not in sys.modules  # of a sweep's jobs, only this one waits for imports
        from headway.run import run  # torch takes seconds

        _check_launched(job)
        startup = process_age() if is_first else 0.0
        result = run(plain, folder, overrides=overrides, startup=startup)
    return result.best_value


def early_config(cfg: DictConfig) -> dict[str, Any]:
    """Return a composed config as plain values, checked as far as that takes no time.

    Args:
        cfg: The composed config; the settings of a sweep are taken out of it.

    Raises:
        ConfigError: It is wrong.
        OmegaConfBaseException: What stands in a ${} can't be resolved.
    """
    with read_write(cfg), open_dict(cfg):
        cfg["sweep"] = None  # says nothing of one run
    plain = plain_config(cfg)
    refuse_early(plain)
    return plain


@contextmanager
def refusals(overrides: Sequence[str]) -> Iterator[None]:
    """Let what is wrong pass through Hydra, which would print any other exception itself.

    Args:
        overrides: The command line's words.

    Raises:
        SystemExit: Something is wrong, by the cause of this exception.
    """
    try:
        yield
    except HeadwayError as error:
        raise SystemExit(error.exit_status) from error
    except OmegaConfBaseException as error:
        refused = composition_error(error, overrides)
        refused.__cause__ = error
        raise SystemExit(refused.exit_status) from refused


def _check_launched(job: Any) -> None:
    """Refuse several processes that would each make a folder of its own; torch is imported by now."""
    from headway.processes import started_by_others

    named = any(str(word).partition("=")[0] == "hydra.run.dir" for word in job.overrides.hydra)
    if started_by_others() and not named:
        raise ConfigError(
            "`hydra.run.dir` must be given where torchrun or srun starts several processes, got nothing: "
            "each would make a folder of its own; add hydra.run.dir=<folder>"
        )


def main(words: Sequence[str], *, program: str = "headway train") -> int:
    """Compose and run; takes all that a Hydra program takes.

    Args:
        words: Overrides and Hydra's flags; or `--resume RUN`, which says again what began that run.
        program: What Hydra calls the command.

    Returns:
        0, or what Hydra's own flags end with.

    Raises:
        HeadwayError: The config can't be composed, or the run was refused or failed by a user's mistake. A
            run that was refused leaves no folder.
    """
    with steady_output():
        if any(word.partition("=")[0] == "--from" for word in words):
            from headway.cli.rerun import rerun, split_words

            asked = split_words(words)
            if asked is not None:
                return rerun(*asked, program=program)
        words, more = resumed_words(words)
        return run_hydra(run_job, words, program=program, more=more)


def run_hydra(
    job: Callable[[DictConfig], Any],
    words: Sequence[str],
    *,
    program: str,
    more: Sequence[str] = (),
    primary: str = "train",
) -> int:
    """Let Hydra compose the config and run a job with it.

    Args:
        job: Takes the composed config.
        words: Overrides and Hydra's flags, as the user wrote them.
        program: What Hydra calls the command.
        more: Overrides of the program's own, of which no message speaks.
        primary: The config that is composed.

    Returns:
        0, or what Hydra's own flags end with.

    Raises:
        HeadwayError: The config can't be composed, or the job ended with a SystemExit that it caused.
    """
    register()
    NewFolders.forget()
    # With full errors Hydra raises instead of printing and exiting with status 1, so that the message and
    # the status are ours.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    # Hydra's parser wants all overrides side by side: `a=1 -m b=1,2` is an error to it.
    flags = [word for word in words if word in FLAGS]
    others = [word for word in words if word not in FLAGS]
    overrides = [number for number, word in enumerate(others) if "=" in word and word[0] != "-"]
    place = overrides[-1] + 1 if overrides else len(others)  # after the user's, so that the program's hold
    sys.argv = [program, *flags, *others[:place], *more, *others[place:]]
    decorated = hydra.main(version_base="1.3", config_path="pkg://headway.conf", config_name=primary)(job)
    try:
        decorated()
    except SystemExit as stop:
        if isinstance(stop.__cause__, HeadwayError):
            NewFolders.remove()
            raise stop.__cause__ from stop.__cause__.__cause__
        return stop.code if isinstance(stop.code, int) else int(bool(stop.code))
    except Stopped:
        NewFolders.remove()
        raise
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        NewFolders.remove()
        raise composition_error(error, words) from error
    except (ValueError, OSError) as error:
        refused = argument_error(error, words) if not NewFolders.started else None
        if refused is None:
            raise
        NewFolders.remove()
        raise refused from error
    return 0
