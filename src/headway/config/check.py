"""What can be said of a config before any data or model is touched."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import PurePath
from typing import Any

from headway.config.build import bind
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
MAY_SET = ("callbacks", "logger")
"""Nodes that may set themselves what the program would pass, such as an EarlyStopping's monitor."""

# What would leave a run without its best checkpoint.
NOT_WITH_BEST = {
    "fast_dev_run": "set trainer.max_steps or trainer.limit_train_batches for a short run",
    "barebones": "leave it out",
    "enable_checkpointing": "the best epoch is what a run scores",
}
ACCELERATORS = ("auto", "cpu", "gpu", "cuda", "mps", "tpu")
LARGEST_SEED = 2**32 - 1


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
            for name, node in cfg["callbacks"].items():
                if node is not None:
                    bind(_node(cfg, f"callbacks.{name}"), key=f"callbacks.{name}", runtime=runtime)
        elif key != "logger" or cfg["logger"] is not None:
            node = _node(cfg, key)
            bind(node, key=key, runtime=runtime)
            for name in runtime:
                if name in node and key not in MAY_SET:
                    raise ConfigError(
                        f"`{key}.{name}` must be left to headway, which passes it itself, got "
                        f"{node[name]!r}; leave it out"
                    )


def _number(
    cfg: Mapping[str, Any],
    key: str,
    *,
    low: float,
    high: float = math.inf,
    integer: bool = True,
    allow_none: bool = False,
) -> None:
    value: Any = cfg
    for part in key.split("."):
        value = value.get(part)
    if value is None and allow_none:
        return
    kind = "a whole number" if integer else "a number"
    wrong = isinstance(value, bool) or not isinstance(value, int if integer else (int, float))
    if wrong or not math.isfinite(value) or not low <= value <= high:
        allowed = f"{kind} >= {low}" if high == math.inf else f"{kind} in [{low}, {high}]"
        raise ConfigError(
            f"`{key}` must be {allowed}{' or null' if allow_none else ''}, got {value!r}; correct the value"
        )


def check_values(cfg: Mapping[str, Any]) -> None:
    """Check the ranges of what no class of ours checks.

    Args:
        cfg: The resolved config.

    Raises:
        ConfigError: A value is outside its range; the message names the key and the range.
    """
    for key in ("seed", "data_seed"):
        _number(cfg, key, low=0, high=LARGEST_SEED)
    _number(cfg, "num_threads", low=1, allow_none=True)
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
    _check_trainer(cfg)


def _check_trainer(cfg: Mapping[str, Any]) -> None:
    trainer = cfg["trainer"]
    for key in ("max_epochs", "accumulate_grad_batches", "log_every_n_steps"):
        _number(cfg, f"trainer.{key}", low=1)
    _number(cfg, "trainer.max_steps", low=-1)
    if trainer["max_steps"] == 0:
        raise ConfigError(
            "`trainer.max_steps` must be -1 (no bound) or >= 1 optimizer steps, got 0; correct the value"
        )
    _number(cfg, "trainer.gradient_clip_val", low=0.0, integer=False, allow_none=True)
    if trainer["gradient_clip_val"] == 0:
        raise ConfigError("`trainer.gradient_clip_val` must be > 0 or null for no clipping, got 0; set null")
    for name in ("train", "val", "test"):
        key = f"limit_{name}_batches"
        _number(cfg, f"trainer.{key}", low=0, integer=False)
        limit = trainer[key]
        if limit == 0 or (isinstance(limit, float) and limit > 1):
            raise ConfigError(
                f"`trainer.{key}` must be a ratio in (0, 1] (float) or a count >= 1 (int), got {limit!r}; "
                "correct the value"
            )
    _check_device(trainer)
    for name, advice in NOT_WITH_BEST.items():
        off = name == "enable_checkpointing"
        if name in trainer and bool(trainer[name]) != off:
            raise ConfigError(
                f"`trainer.{name}` must be {str(off).lower()} or left out, got {trainer[name]!r}; {advice}"
            )


def _check_device(trainer: Mapping[str, Any]) -> None:
    from headway.models.precision import resolve_precision

    accelerator, devices = trainer["accelerator"], trainer["devices"]
    if accelerator not in ACCELERATORS:
        raise ConfigError(
            f"`trainer.accelerator` must be one of {list(ACCELERATORS)}, got {accelerator!r}"
            f"{nearest(accelerator, list(ACCELERATORS))}; choose one of these"
        )
    count = isinstance(devices, int) and (devices == -1 or devices >= 1)
    listed = isinstance(devices, list) and devices and all(number >= 0 for number in devices)
    named = isinstance(devices, str) and re.fullmatch(r"auto|-1|\d+(,\d+)*,?", devices)
    if not (count or listed or named):
        raise ConfigError(
            f"`trainer.devices` must be a count >= 1, -1 or auto (all), or a list of device numbers, got "
            f"{devices!r}; correct the value"
        )
    resolve_precision(trainer["precision"], accelerator=accelerator)


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


def check_config(cfg: Mapping[str, Any]) -> None:
    """Check all that can be checked before data are loaded.

    Args:
        cfg: The resolved config.

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
    bind_all(cfg)
    check_values(cfg)
    monitored(cfg)
