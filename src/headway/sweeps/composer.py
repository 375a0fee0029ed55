"""Composes the configs of trials as Hydra does, reading files once for each choice of groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from headway.config.plain import plain_config


@dataclass(frozen=True)
class ComposedTrial:
    """The config of one trial.

    Attributes:
        cfg: Resolved, plain values.
        overrides: What made it, as a command line would have it.
        folder: The run's folder.
        job_logging: Resolved, for logging.config; its file is in the folder.
        environment: Variables that hydra.job.env_set and env_copy set for the job.
        chdir: Whether the job runs in its folder, by hydra.job.chdir.
    """

    cfg: dict[str, Any]
    overrides: tuple[str, ...]
    folder: Path
    job_logging: dict[str, Any]
    environment: dict[str, str]
    chdir: bool


class Composer:
    """Makes the configs of a sweep's trials.

    Hydra takes 0.1 s and more for each. It merges files by the choices of groups first and sets single values
    last, so the first part is kept for each choice and only the second is done again, by Hydra's own code.

    Args:
        master: The sweep's config, with Hydra's part.
        loader: Hydra's.
        fixed: Overrides that all trials share.
    """

    def __init__(self, master: DictConfig, loader: ConfigLoader, fixed: Sequence[str]) -> None:
        self._master = master
        self._loader = loader
        self._fixed = [*fixed, "seeds=null"]
        self._merged: dict[tuple[str, ...], DictConfig] = {}
        self._groups: dict[str, bool] = {}

    def __call__(
        self, point: Sequence[str], *, number: int, folder_of: Callable[[str], Path]
    ) -> ComposedTrial:
        """Compose one trial.

        Args:
            point: Its overrides beside the fixed ones.
            number: What `hydra.job.num` shall be.
            folder_of: Takes the subfolder that Hydra's config names; returns the run's folder.

        Raises:
            HydraException: It can't be composed.
            ConfigError: A key that must be given is missing.
        """
        config = self.config(point)
        with read_write(config), open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
            with _current(config):
                folder = folder_of(str(config.hydra.sweep.subdir))
                with read_write(config.hydra.runtime):
                    config.hydra.runtime.output_dir = str(folder)
            overrides = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
            with _current(config):
                job_logging = OmegaConf.to_container(config.hydra.job_logging, resolve=True)
                environment = {str(k): str(v) for k, v in config.hydra.job.env_set.items()}
                chdir = bool(config.hydra.job.chdir)
                del config["hydra"]
                config["sweep"] = None
                plain = plain_config(config)
        return ComposedTrial(plain, tuple(overrides), folder, job_logging, environment, chdir)  # type: ignore[arg-type]

    def config(self, point: Sequence[str]) -> DictConfig:
        """Return the config of one trial, not resolved, with Hydra's part.

        Args:
            point: Its overrides beside the fixed ones.
        """
        hydras = OmegaConf.to_container(self._master.hydra.overrides.hydra)
        words = [*self._fixed, *point]
        parsed = OverridesParser.create().parse_overrides([*hydras, *words])  # type: ignore[misc]
        chosen = tuple(str(each.input_line) for each in parsed if self._chooses(each))
        if chosen not in self._merged:
            self._merged[chosen] = self._loader.load_configuration(
                config_name=self._master.hydra.job.config_name, overrides=list(chosen), run_mode=RunMode.RUN
            )
        config = deepcopy(self._merged[chosen])
        values = [each for each in parsed if not self._chooses(each)]
        ConfigLoaderImpl._apply_overrides_to_config(values, config)
        tasks = [each for each in parsed if not each.is_hydra_override()]
        config.hydra.overrides.hydra, config.hydra.overrides.task = list(hydras), words  # type: ignore[arg-type]
        rules = config.hydra.job.config.override_dirname
        config.hydra.job.override_dirname = get_overrides_dirname(
            overrides=tasks, kv_sep=rules.kv_sep, item_sep=rules.item_sep, exclude_keys=rules.exclude_keys
        )
        OmegaConf.copy_cache(from_config=self._master, to_config=config)
        return config

    def _chooses(self, override: Override) -> bool:
        """Return whether an override chooses an option of a group, rather than setting a value."""
        key = override.key_or_group
        if key not in self._groups:
            options = self._loader.get_group_options(key, results_filter=ObjectType.CONFIG)
            self._groups[key] = bool(options or self._loader.list_groups(key))
        is_search_path = override.get_key_element() == "hydra.searchpath"
        return is_search_path or (self._groups[key] and not isinstance(override.value(), dict))


@contextmanager
def _current(config: DictConfig) -> Iterator[None]:
    """Let ${hydra:...} mean this config for the block."""
    before = HydraConfig.instance().cfg
    HydraConfig.instance().set_config(config)
    try:
        yield
    finally:
        HydraConfig.instance().cfg = before
