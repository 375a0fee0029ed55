"""What can be said of a config before any data or model is touched."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from headway.config.build import bind, nearest
from headway.types import ConfigError

SPLITS = ("train", "validation", "test")

# What the program itself passes when it builds a node, if the constructor takes it.
RUNTIME: dict[str, tuple[str, ...]] = {
    "backbone": ("cache_dir",),
    "data": ("target",),
    "task.head": ("hidden_size", "num_labels", "initializer_range"),
    "task.loss": ("num_labels", "class_counts"),
    "task.metrics": (),
    "task.aggregation": ("activation",),
    "task.decoding": (),
    "task.target": (),
    "batching": (),
    "optimizer": (),
    "schedule": (),
    "callbacks": ("monitor", "mode", "dirpath"),
    "logger": ("save_dir",),
    "trainer": ("callbacks", "logger", "plugins", "default_root_dir", "num_sanity_val_steps"),
}


def _node(cfg: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    node: Any = cfg
    for part in key.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    if not isinstance(node, Mapping):
        raise ConfigError(
            f"`{key}` must be a mapping with a `_target_`, got {node!r}; choose an option: {key}=<name>"
        )
    return node


def bind_all(cfg: Mapping[str, Any]) -> None:
    """Check every node of the config against its constructor, building nothing.

    Args:
        cfg: The resolved config.

    Raises:
        ConfigError: A node, or a key of one, is wrong.
    """
    for key, runtime in RUNTIME.items():
        if key == "callbacks":
            for name, node in (cfg["callbacks"] or {}).items():
                if node is not None:
                    bind(_node(cfg, f"callbacks.{name}"), key=f"callbacks.{name}", runtime=runtime)
        elif key != "logger" or cfg["logger"] is not None:
            bind(_node(cfg, key), key=key, runtime=runtime)


def _number(cfg: Mapping[str, Any], key: str, *, low: float, integer: bool, allow_none: bool = False) -> None:
    value: Any = cfg
    for part in key.split("."):
        value = value.get(part)
    if value is None and allow_none:
        return
    kind = "an integer" if integer else "a number"
    wrong = isinstance(value, bool) or not isinstance(value, int if integer else (int, float))
    if wrong or not math.isfinite(value) or value < low:
        raise ConfigError(f"`{key}` must be {kind} >= {low}{' or null' if allow_none else ''}, got {value!r}")


def check_values(cfg: Mapping[str, Any]) -> None:
    """Check the ranges of what no class of ours checks.

    Args:
        cfg: The resolved config.

    Raises:
        ConfigError: A value is outside its range; the message names the key and the range.
    """
    for key in ("seed", "data_seed"):
        _number(cfg, key, low=0, integer=True)
    _number(cfg, "num_threads", low=1, integer=True, allow_none=True)
    for key in ("max_epochs", "accumulate_grad_batches", "log_every_n_steps"):
        _number(cfg, f"trainer.{key}", low=1, integer=True)
    _number(cfg, "trainer.max_steps", low=-1, integer=True)
    if cfg["trainer"]["max_steps"] == 0:
        raise ConfigError("`trainer.max_steps` must be -1 (no bound) or >= 1 optimizer steps, got 0")
    clip = cfg["trainer"].get("gradient_clip_val")
    _number(cfg, "trainer.gradient_clip_val", low=0.0, integer=False, allow_none=True)
    if clip == 0:
        raise ConfigError("`trainer.gradient_clip_val` must be > 0 or null for no clipping, got 0")
    for name in ("train", "val", "test"):
        key = f"limit_{name}_batches"
        _number(cfg, f"trainer.{key}", low=0, integer=False)
        limit = cfg["trainer"][key]
        if limit == 0 or (isinstance(limit, float) and limit > 1):
            raise ConfigError(
                f"`trainer.{key}` must be a ratio in (0, 1] (float) or a count >= 1 (int), got {limit!r}"
            )
    for split in cfg["score_splits"]:
        if split not in SPLITS:
            raise ConfigError(
                f"`score_splits` must hold names of {list(SPLITS)}, got {split!r}{nearest(split, list(SPLITS))}"
            )


def monitored(cfg: Mapping[str, Any]) -> tuple[str, str]:
    """Return the monitored metric and its direction, by what the task's metrics declare.

    Args:
        cfg: The resolved config.

    Returns:
        The name as logged ("val/f1_macro"), and "max" or "min".

    Raises:
        ConfigError: The task's metrics have none of that name.
    """
    names: dict[str, str] = dict(bind(_node(cfg, "task.metrics"), key="task.metrics").names)  # type: ignore[attr-defined]
    names.setdefault("loss", "min")
    monitor = str(cfg["task"]["monitor"]).removeprefix("val/")
    if monitor not in names:
        raise ConfigError(
            f"`task.monitor` must be one of {sorted(names)}, got {monitor!r}{nearest(monitor, list(names))}"
        )
    return f"val/{monitor}", names[monitor]


def check_config(cfg: Mapping[str, Any]) -> None:
    """Check all that can be checked before data are loaded.

    Args:
        cfg: The resolved config.

    Raises:
        ConfigError: The first thing that is wrong.
    """
    known = {"target", "head", "loss", "metrics", "aggregation", "decoding", "monitor"}
    for name in cfg["task"]:
        if name not in known:
            raise ConfigError(
                f"`task.{name}` is not a key of a task{nearest(name, sorted(known))}; there are {sorted(known)}"
            )
    check_values(cfg)
    bind_all(cfg)
    monitored(cfg)
