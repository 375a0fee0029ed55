"""Which trials one process runs: heads on the same frozen backbone at once, all else by itself."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from typing import Any

from headway.sweeps.jobs import Job, Trial

MOST = 64
"""Trials of a process: beyond it a step's cost grows with their number as one by one."""
OWN_KEYS = (
    "name", "output_dir", "seed", "data_seed", "score_splits", "compare_aggregations", "schedule",
    "callbacks", "logger", "task.loss", "task.monitor", "task.metrics", "task.decoding", "task.aggregation",
    "task.head.dropout", "optimizer.lr", "optimizer.head_lr", "optimizer.weight_decay", "optimizer.no_decay",
    "optimizer.betas", "optimizer.eps", "trainer.gradient_clip_val", "trainer.log_every_n_steps",
    "trainer.enable_progress_bar", "sweep", "seeds",
)  # fmt: skip
"""What trials that are trained at once may each have of their own."""


def group_key(cfg: Mapping[str, Any]) -> str | None:
    """Return what trials must have in common for their heads to be trained at once.

    Args:
        cfg: A resolved config.

    Returns:
        Equal for those that may be; None for one that trains more than a head, or keeps no features.
    """
    if cfg["backbone"]["trainable"] != "none" or cfg["keep_features"] is False:
        return None
    common: Any = deepcopy(dict(cfg))
    for key in OWN_KEYS:
        *path, last = key.split(".")
        node = common
        for part in path:
            node = node.get(part, {})
        if isinstance(node, dict):
            node.pop(last, None)
    return json.dumps(common, sort_keys=True, default=str)


def group_trials(trials: Sequence[Trial], *, alone: Collection[str] = ()) -> list[Job]:
    """Return the jobs that trials are run in.

    Args:
        trials: All that could start now, in order.
        alone: Ids of those that must be by themselves: what ended others with it before may do so again.

    Returns:
        Every trial in exactly one job; jobs in the order of their first trials.
    """
    jobs: list[list[Trial]] = []
    open_jobs: dict[str, list[Trial]] = {}
    for trial in trials:
        key = None if trial.id in alone else group_key(trial.cfg)
        job = open_jobs.get(key) if key is not None else None
        if job is None or len(job) >= MOST:
            job = []
            jobs.append(job)
            if key is not None:
                open_jobs[key] = job
        job.append(trial)
    return [tuple(job) for job in jobs]
