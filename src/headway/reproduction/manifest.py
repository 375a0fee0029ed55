"""What a reproduction's manifest says: experiments/reproduce/<name>.yaml."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from headway.types import ConfigError, nearest

FOLDER = "reproduce"


@dataclass(frozen=True)
class Manifest:
    """A published value and how it is to be reached.

    Attributes:
        name: The file's.
        paper: Authors, year, title.
        table: Where in the paper the value stands.
        model: Whose value it is.
        ours: What the experiment does differently; "" for nothing.
        overrides: The experiment, as `headway train` takes it.
        split: What it is scored on, as headway names it.
        metric: Of the task.
        value: The published one.
        tolerance: How far the mean over the seeds may fall short of it, >= 0.
        higher_is_better: Whether more of the metric is better.
        seeds: At least one.
        minutes: What a seed takes.
        machine: On what.
    """

    name: str
    paper: str
    table: str
    model: str
    ours: str
    overrides: list[str]
    split: str
    metric: str
    value: float
    tolerance: float
    higher_is_better: bool
    seeds: list[int]
    minutes: float
    machine: str

    @property
    def bound(self) -> float:
        """The worst mean that still passes."""
        return self.value - self.tolerance if self.higher_is_better else self.value + self.tolerance

    def reached_by(self, mean: float) -> bool:
        """Say whether a mean over the seeds comes within the tolerance, or is better.

        Args:
            mean: Of the metric.
        """
        short = self.bound - mean if self.higher_is_better else mean - self.bound
        return short <= 1e-12  # rounding: 0.978 - 0.01 may be a little more than 0.968


_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,), "float": (int, float), "bool": (bool,), "list[str]": (list,), "list[int]": (list,),
}  # fmt: skip
_ITEMS: dict[str, type] = {"list[str]": str, "list[int]": int}


def read_manifest(path: Path) -> Manifest:
    """Return a manifest.

    Args:
        path: The file.

    Raises:
        ConfigError: A key is missing, unknown or wrong.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} must be a manifest in YAML, got {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must be a mapping, got {type(values).__name__}")
    kinds = {field.name: str(field.type) for field in fields(Manifest) if field.name != "name"}
    for key in values:
        if key not in kinds:
            raise ConfigError(
                f"{path}: `{key}` is not a key of a manifest{nearest(str(key), kinds)}; there are "
                f"{list(kinds)}"
            )
    for key, kind in kinds.items():
        _check(values, key, kind, path)
    manifest = Manifest(name=path.stem, **values)
    _check_ranges(manifest, path)
    return manifest


def _check(values: dict[str, Any], key: str, kind: str, path: Path) -> None:
    if key not in values:
        raise ConfigError(f"{path}: `{key}` must be given, got nothing; add it")
    value = values[key]
    right = isinstance(value, _KINDS[kind]) and (kind == "bool" or not isinstance(value, bool))
    if right and kind in _ITEMS:
        right = all(isinstance(item, _ITEMS[kind]) and not isinstance(item, bool) for item in value)
    if not right:
        raise ConfigError(f"{path}: `{key}` must be of type {kind}, got {value!r}; correct it")


def _check_ranges(manifest: Manifest, path: Path) -> None:
    for key in ("seeds", "overrides"):
        if not getattr(manifest, key):
            raise ConfigError(f"{path}: `{key}` must hold at least one, got none; add one")
    if len(set(manifest.seeds)) < len(manifest.seeds):
        raise ConfigError(f"{path}: `seeds` must differ, got {manifest.seeds}; leave out what is there twice")
    if not math.isfinite(manifest.value):
        raise ConfigError(f"{path}: `value` must be a finite number, got {manifest.value}; correct it")
    if not 0 <= manifest.tolerance < math.inf:
        raise ConfigError(f"{path}: `tolerance` must be >= 0, got {manifest.tolerance}; correct it")


def manifests(experiments: Path | None) -> dict[str, Path]:
    """Return the manifests there are, by name.

    Args:
        experiments: The folder of experiments, or None where there is none.

    Raises:
        ConfigError: There is no such folder, or no manifest in it.
    """
    found = {} if experiments is None else {p.stem: p for p in (experiments / FOLDER).glob("*.yaml")}
    if not found:
        raise ConfigError(
            f"headway reproduce needs manifests in experiments/{FOLDER}/, got none "
            f"{'there' if experiments is None else f'in {experiments}'}; run it in headway's checkout, or "
            "set $HEADWAY_EXPERIMENTS to its experiments folder"
        )
    return dict(sorted(found.items()))
