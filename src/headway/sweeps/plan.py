"""What a command asks a sweep to do, checked before anything is trained or written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from headway.config.identity import run_id
from headway.sweeps.composer import Composer
from headway.sweeps.index import read_index
from headway.sweeps.processes import check_configs
from headway.sweeps.settings import SweepSettings, replicate_seeds, sweep_settings
from headway.sweeps.space import Dimension, grid, overrides_of, split, star
from headway.types import ConfigError

OWN_LAUNCHER = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
"""Hydra's default, which runs jobs in its own process; in its place trials get processes of their own."""


@dataclass(frozen=True)
class SweepPlan:
    """What a command asks for.

    Attributes:
        settings: The keys of `sweep`.
        dimensions: What is swept.
        seeds: Of the replicates; (None,) for one run of each point.
        composer: Makes the trials' configs.
        folder: The sweep's.
        launched: Whether a launcher of Hydra's runs the jobs.
        command: The overrides, as they were written.
        monitor: The monitored metric, as logged.
        mode: "max" or "min".
        signature: Hash of all that decides what a point comes to.
    """

    settings: SweepSettings
    dimensions: Sequence[Dimension]
    seeds: tuple[int | None, ...]
    composer: Composer
    folder: Path
    launched: bool
    command: Sequence[str]
    monitor: str
    mode: str
    signature: str


def make_plan(
    config: DictConfig, loader: ConfigLoader, *, arguments: Sequence[str], params: Mapping[str, Any]
) -> SweepPlan:
    """Check a sweep, a run of each value among it, and plan it.

    Args:
        config: The sweep's, with Hydra's part.
        loader: Hydra's.
        arguments: The command's overrides.
        params: Key -> values, beside those of `sweep.params`.

    Raises:
        ConfigError: The sweep, or a run of it, is refused.
        HydraException: A run of it can't be composed.
    """
    node: Any = OmegaConf.to_container(config.sweep, resolve=True) if config.sweep is not None else None
    settings = sweep_settings(node)
    words = [f"{key}={_written(value)}" for key, value in {**params, **settings.params}.items()]
    parser = OverridesParser.create(config_loader=loader)
    fixed, dimensions = split(parser.parse_overrides([*words, *arguments]))
    if settings.sampler is None:
        next(grid(dimensions), None)  # refuses intervals
    launched = config.hydra.launcher._target_ != OWN_LAUNCHER
    _check_together(settings, dimensions, launched=launched)
    seeds = _seeds(config, dimensions)
    composer = Composer(config, loader, fixed)
    configs = [
        composer(
            [*overrides_of(point), *(f"seed={seed}" for seed in seeds[:1] if seed is not None)],
            number=0,
            folder_of=Path,
        ).cfg
        for point in star(dimensions)
    ]
    kept = [[run_id(cfg) for cfg in configs], [asdict(each) for each in dimensions], seeds]
    signature = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]
    folder = Path(config.hydra.sweep.dir).absolute()
    # What was checked once needs no second check, which takes the seconds of importing torch.
    monitor, mode = read_index(folder)[1].get(signature) or _monitored(configs)
    return SweepPlan(
        settings=settings,
        dimensions=dimensions,
        seeds=seeds,
        composer=composer,
        folder=folder,
        launched=launched,
        command=list(arguments),
        monitor=monitor,
        mode=mode,
        signature=signature,
    )


def _written(value: Any) -> str:
    return "null" if value is None else str(value)


def _seeds(config: DictConfig, dimensions: Sequence[Dimension]) -> tuple[int | None, ...]:
    given = OmegaConf.to_container(config.seeds) if OmegaConf.is_config(config.seeds) else config.seeds
    seeds = replicate_seeds(given, seed=config.seed)
    if seeds is None:
        return (None,)
    if any(each.key.lstrip("+") == "seed" for each in dimensions):
        raise ConfigError(
            f"`seeds` must be null where `seed` is swept, got {given!r}; leave out one of the two: with "
            "seeds each result is a mean, with seed=1,2 each seed is a point"
        )
    return tuple(seeds)


def _check_together(settings: SweepSettings, dimensions: Sequence[Dimension], *, launched: bool) -> None:
    if settings.sampler is not None and not dimensions:
        raise ConfigError(
            "`sweep.params` must name what is searched where a sampler draws points, got nothing; add e.g. "
            "'optimizer.lr=tag(log,interval(1e-5,1e-3))'"
        )
    if launched and settings.pruner is not None:
        raise ConfigError(
            "`sweep.pruner` must be null with a hydra/launcher, whose jobs tell nothing before they end; "
            "leave out one of the two"
        )
    if launched and settings.time_limit is not None:
        raise ConfigError(
            f"`sweep.time_limit` must be null with a hydra/launcher, got {settings.time_limit!r}; set the "
            "launcher's own, such as hydra.launcher.timeout_min"
        )


def _monitored(configs: Sequence[dict[str, Any]]) -> tuple[str, str]:
    """Check the configs; return the metric that they share, and its direction."""
    answer = check_configs(configs)
    if isinstance(answer, str):
        raise ConfigError(answer)
    if len(set(answer)) > 1:
        raise ConfigError(
            f"`task.monitor` must be one metric for all trials, got {sorted({name for name, _ in answer})}; "
            "set it to one that all of them have"
        )
    return answer[0]
