"""What `sweep` in the config says, checked."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from headway.config.build import bind
from headway.config.check import LARGEST_SEED
from headway.types import ConfigError, nearest

ON_FAIL = ("continue", "stop", "retry")


@dataclass(frozen=True)
class SweepSettings:
    """The keys of conf/sweep; the values stand there.

    Attributes:
        name: The sweep's folder.
        params: Key -> values in Hydra's grammar, beside those of the command line.
        n_trials: Points in all, over every command of this sweep; None for the whole grid.
        n_jobs: Trials at once.
        time_limit: Seconds a trial may take.
        on_fail: What a failed trial means for the others: "continue", "stop" or "retry".
        retries: Further attempts at a trial, where `on_fail` is "retry".
        seed: Of the sampler.
        storage: URL of an Optuna storage; None for a file in the sweep's folder.
        sampler: Node of an Optuna sampler; None for the grid.
        pruner: Node of an Optuna pruner; None lets every trial train to its end.
    """

    name: str
    params: Mapping[str, Any]
    n_trials: int | None
    n_jobs: int
    time_limit: float | None
    on_fail: str
    retries: int
    seed: int
    storage: str | None
    sampler: Mapping[str, Any] | None
    pruner: Mapping[str, Any] | None

    @property
    def needs_optuna(self) -> bool:
        """Whether points are chosen or trials stopped by Optuna; a plain grid needs none of it."""
        return self.sampler is not None or self.pruner is not None

    @property
    def attempts(self) -> int:
        """How often one command tries a trial."""
        return 1 + self.retries if self.on_fail == "retry" else 1


def sweep_settings(node: Any) -> SweepSettings:
    """Return the checked settings.

    Args:
        node: The config's `sweep`, plain values.

    Raises:
        ConfigError: A key is unknown or missing, a value is wrong, or Optuna is needed and isn't installed.
    """
    known = [field.name for field in fields(SweepSettings)]
    if not isinstance(node, Mapping):
        raise ConfigError(f"`sweep` must be an option of the group, got {node!r}; choose one: sweep=grid")
    for name in node:
        if name not in known:
            raise ConfigError(
                f"`sweep.{name}` is not a key of a sweep{nearest(str(name), known)}; there are {known}"
            )
    for name in known:
        if name not in node:
            raise ConfigError(
                f"`sweep.{name}` must be given, got nothing; add `defaults: [grid, _self_]` to "
                "the sweep's file"
            )
    _count(node, "n_trials", low=1, optional=True)
    _count(node, "n_jobs", low=1)
    _count(node, "retries", low=0)
    _count(node, "seed", low=0, high=LARGEST_SEED)
    _check_rest(node)
    settings = SweepSettings(**{name: node[name] for name in known})
    _check_optuna(settings)
    return settings


def _count(
    node: Mapping[str, Any], name: str, *, low: int, high: float = math.inf, optional: bool = False
) -> None:
    value = node[name]
    if value is None and optional:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        allowed = f"a whole number >= {low}" if high == math.inf else f"a whole number in [{low}, {high}]"
        raise ConfigError(
            f"`sweep.{name}` must be {allowed}{' or null' if optional else ''}, got {value!r}; correct the "
            "value"
        )


def _check_rest(node: Mapping[str, Any]) -> None:
    name, limit = node["name"], node["time_limit"]
    if not isinstance(name, str) or not name.strip() or name in (".", "..") or "/" in name:
        raise ConfigError(
            f"`sweep.name` must name a folder in <output_dir>/<name>, got {name!r}; set a name such as "
            "lr_search"
        )
    if not isinstance(node["params"], Mapping):
        raise ConfigError(
            f"`sweep.params` must be a mapping of keys to values, got {node['params']!r}; write e.g. "
            "{optimizer.lr: '1e-4,1e-3'}"
        )
    number = isinstance(limit, int | float) and not isinstance(limit, bool)
    if limit is not None and not (number and 0 < limit < math.inf):
        raise ConfigError(f"`sweep.time_limit` must be seconds > 0 or null, got {limit!r}; correct the value")
    if node["on_fail"] not in ON_FAIL:
        raise ConfigError(
            f"`sweep.on_fail` must be one of {list(ON_FAIL)}, got {node['on_fail']!r}"
            f"{nearest(str(node['on_fail']), ON_FAIL)}; choose one of these (retry: sweep.retries=2)"
        )
    if node["storage"] is not None and not isinstance(node["storage"], str):
        raise ConfigError(
            f"`sweep.storage` must be a URL or null, got {node['storage']!r}; write e.g. sqlite:///study.db"
        )


def _check_optuna(settings: SweepSettings) -> None:
    if not settings.needs_optuna:
        if settings.storage is not None:
            raise ConfigError(
                f"`sweep.storage` must be null for a plain grid, which needs none, got {settings.storage!r}; "
                "leave it out, or choose sweep=optuna"
            )
        return
    if importlib.util.find_spec("optuna") is None:
        raise ConfigError(
            "`sweep` must be a plain grid where Optuna isn't installed, got a sampler or a pruner; install "
            "it: pip install 'headway[sweeps]'"
        )
    if settings.sampler is not None:
        if settings.n_trials is None:
            raise ConfigError(
                "`sweep.n_trials` must be a whole number >= 1 where a sampler draws points, got None; set "
                "how many points there shall be"
            )
        bind(settings.sampler, key="sweep.sampler", runtime=("seed",))
    if settings.pruner is not None:
        bind(settings.pruner, key="sweep.pruner")


def replicate_seeds(seeds: Any, *, seed: int) -> list[int] | None:
    """Return the seeds of `seeds`.

    Args:
        seeds: A number of replicates, a list of seeds, or None.
        seed: The config's `seed`, where a number of replicates starts.

    Returns:
        The seeds, or None where the config's own `seed` is meant.

    Raises:
        ConfigError: It is neither, or a seed stands there twice.
    """
    if seeds is None:
        return None
    if isinstance(seeds, int) and not isinstance(seeds, bool) and seeds >= 1:
        return [seed + number for number in range(seeds)]
    whole = isinstance(seeds, list) and seeds and all(isinstance(each, int) for each in seeds)
    if not whole or len(set(seeds)) < len(seeds):
        raise ConfigError(
            f"`seeds` must be a number of replicates >= 1 or a list of different seeds, got {seeds!r}; write "
            "e.g. seeds=5 or 'seeds=[1,2,3]'"
        )
    return list(seeds)
