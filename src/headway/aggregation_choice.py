"""Which aggregations are compared on validation: names of the config's group to objects that fit the task."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from headway.config.build import build, resolve
from headway.config.check import monitored
from headway.config.options import option_nodes
from headway.evaluation.aggregation import Aggregation
from headway.evaluation.policy import Comparison, compare
from headway.types import Gold, UnfitError, WindowLogits

log = logging.getLogger(__name__)
GROUP = "task/aggregation"
ALL = "all"
CURRENT = "current"
"""The name of an aggregation that is no option as it stands, such as one with a changed argument."""


def candidates(
    cfg: Mapping[str, Any],
    asked: str | Sequence[str],
    *,
    key: str,
    current: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Aggregation], str]:
    """Return the aggregations to compare, the current one among them.

    Args:
        cfg: The resolved config; its task decides what fits.
        asked: "all", which leaves out what has no meaning for the task, or names of options.
        key: What `asked` came from, for messages.
        current: The node of the one in use; None: the config's.

    Returns:
        Name -> aggregation, and the name of the current one.

    Raises:
        ConfigError: A name is unknown, or one that was named doesn't fit the task.
    """
    names = None if asked == ALL else [asked] if isinstance(asked, str) else list(asked)
    nodes = option_nodes(GROUP, names, key=key)
    fitting: dict[str, Aggregation] = {}
    unfit = []
    for name, node in nodes.items():
        try:
            fitting[name] = _fitting(cfg, node)
        except UnfitError:
            if names is not None and name in names:
                raise
            unfit.append(name)
    if unfit and names is None:
        log.info("aggregations that don't fit this task: %s", ", ".join(unfit))
    used = _fitting(cfg, cfg["task"]["aggregation"] if current is None else current)
    in_use = next((name for name, each in fitting.items() if each == used), CURRENT)
    wanted = fitting if names is None else {name: fitting[name] for name in names}
    return {in_use: used, **wanted}, in_use


def _fitting(cfg: Mapping[str, Any], node: Mapping[str, Any]) -> Aggregation:
    activation = resolve(cfg["task"]["decoding"]["_target_"], key="task.decoding").activation  # type: ignore[attr-defined]
    aggregation: Aggregation = build(node, key="task.aggregation", activation=activation)
    if aggregation.needs_words and cfg["data"]["tags"] is None:
        raise UnfitError(
            f"`task.aggregation` must be one for whole documents without data.tags, got "
            f"{type(aggregation).__name__}, which puts words together; leave it out"
        )
    return aggregation


def compare_on_validation(
    cfg: Mapping[str, Any],
    windows: WindowLogits,
    gold: Gold,
    *,
    aggregations: Mapping[str, Aggregation],
    current: str,
    label_names: Sequence[str],
) -> Comparison:
    """Score the aggregations on validation's logits by the metric that the run monitors.

    Args:
        cfg: The resolved config.
        windows: Of validation.
        gold: Its right answers.
        aggregations: As `candidates` gave them.
        current: The name of the one in use.
        label_names: The labels by number.
    """
    monitor, mode = monitored(cfg)
    return compare(
        windows,
        gold,
        aggregations=aggregations,
        current=current,
        decoding=build(cfg["task"]["decoding"], key="task.decoding", label_names=list(label_names)),
        metrics=build(cfg["task"]["metrics"], key="task.metrics"),
        label_names=label_names,
        monitor=monitor.removeprefix("val/"),
        mode=mode,
    )
