"""The top of a run's config: what is ours is typed, so a typo or a wrong type dies at composition."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MISSING: Any = "???"
"""OmegaConf's mark, written out: what checks plain configs needs no OmegaConf."""


@dataclass
class RunConfig:
    """The keys of conf/train.yaml; the values stand there.

    Attributes:
        name: Names the experiment: its runs lie in `<output_dir>/<name>/`.
        seed: Seeds the head's weights and dropout.
        data_seed: Seeds the order of the windows.
        seeds: Replicates, their number or a list of seeds; None for one run with `seed`.
        output_dir: Where runs are kept.
        cache_dir: Where encoded data and fetched packages are kept.
        score_splits: The splits that the best checkpoint is scored on, predictions written.
        compare_aggregations: "all" or names of task/aggregation, compared on validation at the end; the best
            one is kept. None: the task's own.
        keep_features: Whether what frozen layers compute is kept on disk; "auto": where it saves time and
            leaves most of the free disk.
        num_threads: CPU threads that torch uses; None: as many as are free.
        backbone: Which encoder; see headway.models.backbone.Backbone.
        data: Which rows; see headway.data.text_data.TextData.
        task: Target, head, loss, metrics, aggregation, decoding and the monitored metric.
        batching: How an epoch is cut into batches.
        optimizer: What takes the steps.
        schedule: The learning rate over the steps.
        trainer: Arguments of Lightning's Trainer.
        callbacks: Named callbacks; null turns one off.
        logger: Where curves are written; null (`~logger`): nowhere.
        sweep: How several runs are made of one command; see headway.sweeps.settings.
    """

    name: str = MISSING
    seed: int = MISSING
    data_seed: int = MISSING
    seeds: Any = None
    output_dir: str = MISSING
    cache_dir: str = MISSING
    score_splits: list[str] = field(default_factory=list)
    compare_aggregations: Any = None
    keep_features: Any = MISSING
    num_threads: int | None = None
    backbone: Any = MISSING
    data: Any = MISSING
    task: Any = MISSING
    batching: Any = MISSING
    optimizer: Any = MISSING
    schedule: Any = MISSING
    trainer: Any = MISSING
    callbacks: Any = MISSING
    logger: Any = None
    sweep: Any = None
