"""Puts runs together that differ in nothing but their seeds, and names configs by what they differ in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headway.config.identity import FOLDERS, run_id
from headway.reports.run_folders import FINISHED, PRUNED, Run

SEEDS = ("seed", "data_seed")
NOT_OF_CONFIG = ("num_threads", "cache_dir", "logger", "score_splits", "keep_features", *SEEDS)
"""Keys that say where and how a run was computed, or which replicate it is."""
NOT_OF_PARTS = (("data", "cache_dir"), ("trainer", "enable_progress_bar"), ("trainer", "log_every_n_steps"))
ORIGINS = ("backbone.package", "backbone.member", "backbone.revision", "data.source.")
"""How keys begin that say where something comes from."""
CLASS = "_target_"


@dataclass(frozen=True, eq=False)
class Config:
    """Runs that are replicates of each other.

    Attributes:
        id: Hash of what they share.
        runs: All of them, however they ended.
        differences: Key -> value, what tells it from the other configs beside it.
    """

    id: str
    runs: tuple[Run, ...]
    differences: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Return what a table calls it: its differences, or its experiment's name where it stands alone."""
        if self.differences:
            return " ".join(f"{short(key)}={text(value)}" for key, value in self.differences.items())
        cfg = self.runs[0].cfg
        return str(cfg.get("name") or self.runs[0].folder.name)

    def replicates(self) -> list[Run]:
        """Return the finished runs, the newest of those with the same seeds."""
        newest: dict[tuple[Any, Any], Run] = {}
        for run in self.runs:
            if run.status == FINISHED:
                newest[run.seeds] = run
        return list(newest.values())

    def repeated(self) -> int:
        """Return how many finished runs repeat another one's seeds; they say nothing new."""
        return sum(run.status == FINISHED for run in self.runs) - len(self.replicates())

    def failed(self) -> list[Run]:
        """Return the runs that neither finished nor were pruned."""
        return [run for run in self.runs if run.status not in (FINISHED, PRUNED)]

    def count(self, status: str) -> int:
        """Return how many runs have a status."""
        return sum(run.status == status for run in self.runs)

    def collapsed(self) -> int:
        """Return how many of the replicates collapsed; their values are in the mean."""
        return sum(run.collapsed is not None for run in self.replicates())


def config_id(run: Run) -> str:
    """Return the hash of what a run shares with its replicates.

    Args:
        run: One without a config is known by what its sweep varied.
    """
    if set(run.cfg) <= set(SEEDS):
        params = {key: value for key, value in run.params.items() if key not in SEEDS}
        return run_id({"params": params} if params else {"folder": str(run.folder)})
    return run_id(_of_config(run.cfg))


def _of_config(cfg: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in cfg.items() if key not in NOT_OF_CONFIG}
    for part, key in NOT_OF_PARTS:
        if isinstance(kept.get(part), Mapping):
            kept[part] = {name: value for name, value in kept[part].items() if name != key}
    return kept


def group(runs: Sequence[Run]) -> list[Config]:
    """Return runs as configs, in the order of their first runs.

    A trial that failed before it wrote its config joins the config of the same point of its sweep.

    Args:
        runs: Of one table.
    """
    by_id: dict[str, list[Run]] = {}
    points: dict[str, str] = {}
    for run in runs:
        if run.params and set(run.cfg) - set(SEEDS):
            points[_point(run)] = config_id(run)
    for run in runs:
        nameless = not set(run.cfg) - set(SEEDS)
        identity = points.get(_point(run), config_id(run)) if nameless and run.params else config_id(run)
        by_id.setdefault(identity, []).append(run)
    found = differences(list(by_id.values()))
    return [
        Config(identity, tuple(members), found[place])
        for place, (identity, members) in enumerate(by_id.items())
    ]


def _point(run: Run) -> str:
    return json.dumps({key: run.params[key] for key in sorted(run.params) if key not in SEEDS}, default=str)


def differences(configs: Sequence[Sequence[Run]]) -> list[dict[str, Any]]:
    """Return what each config differs in from the others.

    Args:
        configs: The runs of each.

    Returns:
        Key -> value for each, the same keys for all that have them. Where a class differs, its arguments
        stand only where they differ among configs of that class.
    """
    flat = [_named(flatten(_of_config(runs[0].cfg))) or _only_params(runs[0]) for runs in configs]
    keys = list(dict.fromkeys(key for each in flat for key in each))
    found: list[dict[str, Any]] = [{} for _ in configs]
    for key in keys:
        node = key.rpartition(".")[0]
        groups: dict[Any, set[str]] = {}
        for each in flat:
            if key in each:
                groups.setdefault(text(each.get(f"{node}.{CLASS}")), set()).add(text(each[key]))
        of_all = {value for values in groups.values() for value in values}
        everywhere = all(key in each for each in flat)
        differs = len(of_all) > 1 if everywhere else any(len(values) > 1 for values in groups.values())
        if key.endswith(CLASS):
            differs = len({text(each.get(key)) for each in flat}) > 1
        if differs:
            for place, each in enumerate(flat):
                if key in each:
                    found[place][key.removesuffix(f".{CLASS}")] = each[key]
    return found


def _named(flat: dict[str, Any]) -> dict[str, Any]:
    """Return a flat config without where things come from, which a name says well enough."""
    found = {key: value for key, value in flat.items() if key not in FOLDERS}
    package = found.get("backbone.package.name")
    if package is not None:
        found["backbone.name"] = package
    return {key: value for key, value in found.items() if not key.startswith(ORIGINS)}


def _only_params(run: Run) -> dict[str, Any]:
    return {key.replace("/", "."): value for key, value in run.params.items() if key not in SEEDS}


def flatten(value: Any, key: str = "") -> dict[str, Any]:
    """Return the leaves of a config by their dotted keys.

    Args:
        value: A config, or a part of one.
        key: Where it stands.
    """
    if not isinstance(value, Mapping):
        return {key: value}
    found: dict[str, Any] = {}
    for name, inner in value.items():
        found |= flatten(inner, f"{key}.{name}" if key else str(name))
    return found


def short(key: str) -> str:
    """Return the last part of a key that says something, which is what people call it."""
    return re.split("[./]", key.removesuffix(".name"))[-1]


def text(value: Any) -> str:
    """Return a value of a config as people write it: a class by its name, a number in few digits."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str) and value.startswith(("headway.", "pytorch_lightning.")):
        return value.rpartition(".")[2]
    return (
        json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    )
