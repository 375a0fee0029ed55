"""Lets Hydra find experiments/ and knows the schema, without a file that has to be installed elsewhere."""

from __future__ import annotations

import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf

from headway.config.identity import sweep_hash
from headway.config.schema import RunConfig
from headway.types import ConfigError
from hydra_plugins.headway_sweeper import HeadwaySweeper

EXPERIMENTS_VARIABLE = "HEADWAY_EXPERIMENTS"


def experiments_dir() -> Path | None:
    """Return the folder that configs of the user's own are read from.

    Returns:
        `$HEADWAY_EXPERIMENTS`, else `experiments` in the current folder, else None.

    Raises:
        ConfigError: The variable names a folder that isn't there.
    """
    named = os.environ.get(EXPERIMENTS_VARIABLE)
    if named:
        if not Path(named).is_dir():
            raise ConfigError(f"${EXPERIMENTS_VARIABLE} must be a folder, got {named!r}; create or unset it")
        return Path(named).resolve()
    local = Path("experiments")
    return local.resolve() if local.is_dir() else None


class ExperimentsSearchPath(SearchPathPlugin):
    """Adds the experiments folder behind the packaged configs."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append the folder, if there is one."""
        folder = experiments_dir()
        if folder is not None:
            search_path.append(provider="headway-experiments", path=f"file://{folder}")


def new_run_id() -> str:
    """Return a name that sorts by time and that no other run has: two may start in the same second."""
    return f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def cache_home() -> str:
    """Return `$HEADWAY_CACHE`, else `headway` in the user's cache folder.

    Raises:
        ConfigError: The user has no home, as in a container that runs under a number without a name.
    """
    named = os.environ.get("HEADWAY_CACHE")
    if named:
        return named
    try:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    except RuntimeError as error:
        raise ConfigError(
            "`cache_dir` must be a folder, got none: this user has no home folder; set cache_dir=<folder> or "
            "$HEADWAY_CACHE"
        ) from error
    return str(Path(base) / "headway")


def run_mode(seeds: Any, params: Any) -> str | None:
    """Return Hydra's mode where a config alone makes several runs; None leaves it to the command line.

    Args:
        seeds: The key `seeds`.
        params: The key `sweep.params`.
    """
    return "MULTIRUN" if seeds is not None or params else None


def _hash_of_root(*, _root_: DictConfig) -> str:
    return sweep_hash(_root_)


def register() -> None:
    """Make the schema, the resolvers and the search path known to Hydra; safe to call again."""
    ConfigStore.instance().store(name="run_schema", node=RunConfig)
    OmegaConf.register_new_resolver("headway.run_id", new_run_id, use_cache=True, replace=True)
    OmegaConf.register_new_resolver("headway.cache_home", cache_home, replace=True)
    OmegaConf.register_new_resolver("headway.mode", run_mode, replace=True)
    OmegaConf.register_new_resolver("headway.sweep_hash", _hash_of_root, replace=True)
    plugins = Plugins.instance()
    if ExperimentsSearchPath not in plugins.discover(SearchPathPlugin):
        plugins.register(ExperimentsSearchPath)
    # Hydra finds it by itself in a wheel, but can't list the folder of an editable install.
    plugins.register(HeadwaySweeper)
