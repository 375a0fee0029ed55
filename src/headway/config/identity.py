"""What makes two runs, or two sweeps, the same: hashes of what decides their numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

FOLDERS = ("output_dir", "cache_dir", "name")
"""Keys that say where a run is kept, not what it is."""
OF_SWEEP = ("sweep", "seeds")
EXECUTION = ("name", "params", "n_trials", "n_jobs", "time_limit", "on_fail", "retries", "storage")
"""Keys of `sweep` that may change from one command to the next of the same sweep."""


def run_id(cfg: Mapping[str, Any]) -> str:
    """Return the hash of a resolved config, without its folders: the same for the same training.

    Args:
        cfg: The resolved config, plain values.

    Returns:
        16 hexadecimal digits.
    """
    return _digest({name: value for name, value in cfg.items() if name not in (*FOLDERS, *OF_SWEEP)})


def sweep_hash(root: DictConfig) -> str:
    """Return what names a sweep's folder: the hash of its config and of what is swept.

    Args:
        root: The whole config, with Hydra's own part where Hydra composed it for a sweep.

    Returns:
        8 hexadecimal digits.
    """
    plain: Any = OmegaConf.to_container(root, resolve=False)
    hydra = plain.pop("hydra", {})
    sweep = plain.pop("sweep", None) or {}
    seeds = plain.pop("seeds", None)
    params = {**((hydra.get("sweeper") or {}).get("params") or {}), **(sweep.get("params") or {})}
    # By key, so that the order of words on the command line doesn't matter.
    swept = {str(key): f"{key}={value}" for key, value in params.items()} | _swept(hydra)
    kept = {name: value for name, value in sweep.items() if name not in EXECUTION}
    return _digest([_resolved(plain, root), kept, seeds, swept])[:8]


def _swept(hydra: Mapping[str, Any]) -> dict[str, str]:
    words = list((hydra.get("overrides") or {}).get("task") or ())
    try:
        overrides = OverridesParser.create().parse_overrides(words)
    except HydraException:  # Hydra has said so, or will
        return {word: word for word in words}
    return {
        override.get_key_element(): str(override.input_line)
        for override in overrides
        if override.is_sweep_override()
    }


def _resolved(plain: dict[str, Any], root: DictConfig) -> dict[str, Any]:
    """Return the values of the config, or what stands there where they can't be resolved."""
    values: dict[str, Any] = {}
    for name in plain:
        if name in FOLDERS:
            continue
        try:
            node = root[name]
            values[name] = OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
        except OmegaConfBaseException:
            values[name] = plain[name]
    return values


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


FREE = (
    *FOLDERS,
    *OF_SWEEP,
    "score_splits",
    "compare_aggregations",
    "num_threads",
    "logger",
    "callbacks.epoch_lines",
    "callbacks.checkpoint.save_last",
    "callbacks.checkpoint.every_n_steps",
    "callbacks.checkpoint.every_minutes",
    "trainer.enable_progress_bar",
    "trainer.log_every_n_steps",
    "trainer.profile",
    "trainer.limit_test_batches",
    "data.num_workers",
    "data.test",
)
"""Keys that may change while a training is interrupted: none decides a step or a choice of its."""


def differing_keys(before: Any, now: Any, *, key: str = "") -> list[str]:
    """Return where two configs describe different trainings.

    Args:
        before: Plain values.
        now: Plain values.
        key: Where in the config both stand.

    Returns:
        A text a key that differs, "key: before -> now", without those that may change.
    """
    if key in FREE or before == now:
        return []
    if isinstance(before, dict) and isinstance(now, dict):
        found: list[str] = []
        for name in dict.fromkeys([*before, *now]):
            path = f"{key}.{name}" if key else str(name)
            found += differing_keys(before.get(name), now.get(name), key=path)
        return found
    return [f"{key}: {json.dumps(before, default=str)} -> {json.dumps(now, default=str)}"]
