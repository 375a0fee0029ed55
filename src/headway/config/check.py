"""What can be said of a config before any data or model is touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import PurePath
from typing import Any

from headway.config.build import bind
from headway.config.check_logger import check_logger
from headway.config.check_trainer import check_number, check_trainer
from headway.config.schema import RunConfig
from headway.types import ConfigError, nearest

TOP = [field.name for field in fields(RunConfig)]
GROUPS = ("backbone", "data", "task", "batching", "optimizer", "schedule", "trainer", "callbacks")
TASK = ["target", "head", "loss", "metrics", "aggregation", "decoding", "monitor"]
SPLITS = ("train", "validation", "test")

# What the program itself passes when it builds a node, if the constructor takes it.
RUNTIME: dict[str, tuple[str, ...]] = {
    "backbone": ("cache_dir",),
    "data": ("target",),
    "task.head": ("hidden_size", "num_labels", "initializer_range"),
    "task.loss": ("num_labels", "class_counts"),
    "task.metrics": (),
    "task.aggregation": ("activation",),
    "task.decoding": ("label_names",),
    "task.target": (),
    "batching": (),
    "optimizer": (),
    "schedule": (),
    "callbacks": ("monitor", "mode", "dirpath"),
    "logger": ("save_dir",),
    "trainer": (
        "callbacks",
        "logger",
        "profiler",
        "plugins",
        "default_root_dir",
        "num_sanity_val_steps",
        "enable_model_summary",
        "use_distributed_sampler",
        "reload_dataloaders_every_n_epochs",
    ),
}
OWN_KEYS = {"trainer": ("profile",)}
"""Keys that headway reads itself and the constructor doesn't know."""
MAY_SET = ("callbacks", "logger")
"""Nodes that may set themselves what the program would pass, such as an EarlyStopping's monitor."""

LARGEST_SEED = 2**32 - 1


Bind = Callable[..., Any]


def _node(cfg: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    node: Any = cfg
    for part in key.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    if not isinstance(node, Mapping):
        raise ConfigError(
            f"`{key}` must be a mapping with a `_target_`, got {node!r}; choose an option: {key}=<name>"
        )
    return node


def bind_all(cfg: Mapping[str, Any], bind: Bind = bind) -> None:
    """Check every node of the config against its constructor, building nothing.

    Args:
        cfg: The resolved config.
        bind: What checks a node.

    Raises:
        ConfigError: A node, or a key of one, is wrong.
    """
    for key, runtime in RUNTIME.items():
        if key == "callbacks":
            for name, node in cfg["callbacks"].items():
                if node is not None:
                    bind(_node(cfg, f"callbacks.{name}"), key=f"callbacks.{name}", runtime=runtime)
        elif key != "logger" or cfg["logger"] is not None:
            node = {n: v for n, v in _node(cfg, key).items() if n not in OWN_KEYS.get(key, ())}
            bind(node, key=key, runtime=runtime)
            for name in runtime:
                if name in node and key not in MAY_SET:
                    raise ConfigError(
                        f"`{key}.{name}` must be left to headway, which passes it itself, got "
                        f"{node[name]!r}; leave it out"
                    )


def check_values(cfg: Mapping[str, Any]) -> None:
    """Check the ranges of what no class of ours checks.

    Args:
        cfg: The resolved config.

    Raises:
        ConfigError: A value is outside its range; the message names the key and the range.
    """
    for key in ("seed", "data_seed"):
        check_number(cfg, key, low=0, high=LARGEST_SEED)
    check_number(cfg, "num_threads", low=1, allow_none=True)
    if not cfg["name"].strip() or ".." in PurePath(cfg["name"]).parts or PurePath(cfg["name"]).is_absolute():
        raise ConfigError(
            f"`name` must name a folder in output_dir, got {cfg['name']!r}; set a name such as my_runs"
        )
    for split in cfg["score_splits"]:
        if split not in SPLITS:
            raise ConfigError(
                f"`score_splits` must hold names of {list(SPLITS)}, got {split!r}"
                f"{nearest(split, list(SPLITS))}; correct the name"
            )
    asked = cfg["compare_aggregations"]
    listed = isinstance(asked, list) and asked and all(isinstance(name, str) for name in asked)
    if not (asked is None or isinstance(asked, str) or listed):
        raise ConfigError(
            f"`compare_aggregations` must be null, all, or names of task/aggregation, got {asked!r}; "
            "correct the value"
        )
    kept = cfg["keep_features"]
    if kept not in ("auto", True, False) or (kept in (0, 1) and not isinstance(kept, bool)):
        raise ConfigError(f"`keep_features` must be auto, true or false, got {kept!r}; correct the value")
    checkpoint = cfg["callbacks"].get("checkpoint") or {}
    for name, low in (("every_n_steps", 1), ("every_minutes", 0.001)):
        if name in checkpoint:
            key = f"callbacks.checkpoint.{name}"
            check_number(cfg, key, low=low, integer=name == "every_n_steps", allow_none=True)
    check_trainer(cfg)
    check_logger(cfg)


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
            f"`task.monitor` must be one of {sorted(names)}, got {monitor!r}{nearest(monitor, list(names))}; "
            "choose one of these"
        )
    return f"val/{monitor}", names[monitor]


def check_config(cfg: Mapping[str, Any], bind: Bind = bind) -> None:
    """Check all that can be checked before data are loaded.

    Args:
        cfg: The resolved config.
        bind: What checks a node; `bind_early` imports nothing that takes seconds.

    Raises:
        ConfigError: The first thing that is wrong.
    """
    for name in cfg:
        if name not in TOP:
            raise ConfigError(
                f"`{name}` is not a key of the config{nearest(str(name), TOP)}; at the top there are {TOP}"
            )
    for key in GROUPS:
        _node(cfg, key)
    for name in cfg["task"]:
        if name not in TASK:
            raise ConfigError(
                f"`task.{name}` is not a key of a task{nearest(str(name), TASK)}; there are {TASK}"
            )
    bind_all(cfg, bind)
    check_values(cfg)
    monitored(cfg)
