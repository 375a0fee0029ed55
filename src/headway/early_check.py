"""Refuses most wrong configs in half a second: by all checks that need neither torch nor Lightning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.assembly import build_backbone, build_data
from headway.config.build import bind_early, build, is_slow
from headway.config.check import check_config


def refuse_early(cfg: dict[str, Any]) -> None:
    """Check a config before the seconds that torch takes to import; the run checks all of it again.

    Args:
        cfg: The resolved config.

    Raises:
        ConfigError: What is wrong, in the words of the run's own checks. Ranges that heads and losses check
            themselves aren't known here, nor anything of a class of the user's own that its source doesn't
            show.
    """
    check_config(cfg, bind_early)
    task = cfg["task"]
    if not any(_is_slow(node) for node in (task["target"], cfg["data"])):
        build_data(cfg, early=True)
    if not _is_slow(cfg["backbone"]):
        build_backbone(cfg)
    for key in ("batching", "optimizer", "schedule"):
        if not _is_slow(cfg[key]):
            build(cfg[key], key=key)
    if cfg["compare_aggregations"] is not None:
        from headway.aggregation_choice import candidates

        candidates(cfg, cfg["compare_aggregations"], key="compare_aggregations")


def _is_slow(node: Mapping[str, Any]) -> bool:
    """Say whether building a node may import what takes seconds."""
    inner = [value for value in node.values() if isinstance(value, Mapping) and "_target_" in value]
    return is_slow(node["_target_"]) or any(map(_is_slow, inner))
