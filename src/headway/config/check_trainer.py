"""Ranges of the trainer's values, which no class of ours checks."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from headway.types import ConfigError, nearest

# What would leave a run without its best checkpoint.
NOT_WITH_BEST = {
    "fast_dev_run": "set trainer.max_steps or trainer.limit_train_batches for a short run",
    "barebones": "leave it out",
    "enable_checkpointing": "the best epoch is what a run scores",
}
STRATEGIES = ("auto", "ddp", "fsdp")
ACCELERATORS = ("auto", "cpu", "gpu", "cuda", "mps", "tpu")


def check_number(
    cfg: Mapping[str, Any],
    key: str,
    *,
    low: float,
    high: float = math.inf,
    integer: bool = True,
    allow_none: bool = False,
) -> None:
    """Check that a value is a number in a range.

    Args:
        cfg: The resolved config.
        key: Dotted path of the value.
        low: Least value allowed.
        high: Greatest value allowed.
        integer: Whether it must be a whole number.
        allow_none: Whether null is allowed too.

    Raises:
        ConfigError: It isn't.
    """
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


def check_trainer(cfg: Mapping[str, Any]) -> None:
    """Check the trainer's values, of which Lightning would say little or something else.

    Args:
        cfg: The resolved config.

    Raises:
        ConfigError: A value is outside its range, or would leave a run without its best checkpoint.
    """
    trainer = cfg["trainer"]
    for key in ("max_epochs", "accumulate_grad_batches", "log_every_n_steps"):
        check_number(cfg, f"trainer.{key}", low=1)
    check_number(cfg, "trainer.max_steps", low=-1)
    if trainer["max_steps"] == 0:
        raise ConfigError(
            "`trainer.max_steps` must be -1 (no bound) or >= 1 optimizer steps, got 0; correct the value"
        )
    check_number(cfg, "trainer.gradient_clip_val", low=0.0, integer=False, allow_none=True)
    if trainer["gradient_clip_val"] == 0:
        raise ConfigError("`trainer.gradient_clip_val` must be > 0 or null for no clipping, got 0; set null")
    for name in ("train", "val", "test"):
        key = f"limit_{name}_batches"
        check_number(cfg, f"trainer.{key}", low=0, integer=False)
        limit = trainer[key]
        if limit == 0 or (isinstance(limit, float) and limit > 1):
            raise ConfigError(
                f"`trainer.{key}` must be a ratio in (0, 1] (float) or a count >= 1 (int), got {limit!r}; "
                "correct the value"
            )
    if not isinstance(trainer["profile"], bool):
        raise ConfigError(
            f"`trainer.profile` must be true or false, got {trainer['profile']!r}; correct the value"
        )
    _check_device(trainer)
    _check_strategy(trainer)
    for name, advice in NOT_WITH_BEST.items():
        off = name == "enable_checkpointing"
        if name in trainer and bool(trainer[name]) != off:
            raise ConfigError(
                f"`trainer.{name}` must be {str(off).lower()} or left out, got {trainer[name]!r}; {advice}"
            )


def _check_device(trainer: Mapping[str, Any]) -> None:
    from headway.models.precision import check_precision

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
    check_precision(trainer["precision"], accelerator=accelerator)


def _check_strategy(trainer: Mapping[str, Any]) -> None:
    """Refuse what Lightning would refuse late, or can't do."""
    strategy = trainer.get("strategy", "auto")
    if strategy not in STRATEGIES:
        raise ConfigError(
            f"`trainer.strategy` must be one of {list(STRATEGIES)}, got {strategy!r}"
            f"{nearest(str(strategy), list(STRATEGIES))}; choose one of these, or trainer=ddp"
        )
    if strategy != "fsdp":
        return
    if trainer["accelerator"] not in ("gpu", "cuda"):
        raise ConfigError(
            f"`trainer.accelerator` must be gpu with trainer.strategy=fsdp, got {trainer['accelerator']!r}: "
            "weights can't be shared out on a CPU; set trainer=ddp"
        )
    if trainer["gradient_clip_val"] is not None:
        raise ConfigError(
            f"`trainer.gradient_clip_val` must be null with trainer.strategy=fsdp, got "
            f"{trainer['gradient_clip_val']!r}: Lightning can't clip norms of what is shared out; set null"
        )
