"""One run, stage by stage: check, read, encode, build, fit, score, write."""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytorch_lightning as pl
import torch
from rich.console import Console

from headway.allocator import keep_freed_memory
from headway.assembly import build_backbone, build_data, build_module, build_trainer, encode_data
from headway.config.build import build
from headway.config.check import check_config
from headway.evaluation.collapse import collapse_reason
from headway.results import SplitResult, calibration_line
from headway.scoring import Candidates, Scored, aggregations_to_compare, score, write_scored
from headway.tracking.policy_table import policy_table
from headway.tracking.progress import EpochLosses
from headway.tracking.record import environment, write_config, write_json
from headway.tracking.summary import show_result
from headway.types import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from headway.data.text_data import TextData
    from headway.models.backbone import Backbone
    from headway.models.module import FineTuner
    from headway.tracking.checkpoints import BestCheckpoint

log = logging.getLogger(__name__)
QUIET = (
    ".*does not have many workers.*",  # meant: batches are slices of a memory map
    ".*exists and is not empty.*",  # the run's folder holds its config before its curves
    ".*smaller than the logging interval.*",
    ".*in eval mode at the start of training.*",  # meant: what is frozen
    ".*isinstance.treespec, LeafSpec.*",  # Lightning's own use of torch
)
"""Warnings of Lightning's that say nothing about the run."""


@dataclass(frozen=True)
class RunResult:
    """What came of a run.

    Attributes:
        folder: Where everything is.
        best_value: The monitored metric's best value on validation.
        metrics: Split -> metric -> value, of the best checkpoint.
        collapsed: Why it counts as collapsed, such as one answer for all of validation; None: it doesn't.
    """

    folder: Path
    best_value: float
    metrics: dict[str, dict[str, float]]
    collapsed: str | None


@dataclass
class Timer:
    """Seconds of each stage, in order."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of a block to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - start, 3)


class Checked(NamedTuple):
    """What a config describes, before anything is read.

    Attributes:
        data: The rows.
        backbone: The encoder.
        to_compare: Aggregations to choose from, or None.
    """

    data: TextData
    backbone: Backbone
    to_compare: Candidates | None


def checked(cfg: dict[str, Any]) -> Checked:
    """Build all that can be built without reading data or weights.

    Args:
        cfg: The resolved config, plain values.

    Raises:
        ConfigError: The first thing that is wrong.
    """
    check_config(cfg)
    data, backbone = build_data(cfg), build_backbone(cfg)
    for key in ("batching", "optimizer", "schedule"):
        build(cfg[key], key=key)
    return Checked(data, backbone, aggregations_to_compare(cfg))


def run(
    cfg: dict[str, Any],
    folder: Path,
    *,
    overrides: Sequence[str] = (),
    callbacks: Sequence[pl.Callback] = (),
) -> RunResult:
    """Train, keep the best checkpoint, score it, and write the run's folder.

    Args:
        cfg: The resolved config, plain values; it is not changed.
        folder: The run's folder; nothing of another run may lie in it.
        overrides: What the command line said, for the record.
        callbacks: Lightning's, beside those of the config.

    Returns:
        The scores and where everything is.

    Raises:
        HeadwayError: The config, the data or the training is wrong; the message says what to do.
    """
    timer = Timer()
    _refuse_used_folder(folder)
    with timer.stage("check"):
        data, backbone, to_compare = checked(cfg)
        _prepare_process(cfg)
    with timer.stage("data"):
        data.read()
        tokenizer = backbone.load_tokenizer()
        encode_data(data, backbone, tokenizer)
    with timer.stage("model"):
        history = EpochLosses()
        trainer, best = build_trainer(cfg, folder, callbacks=[history, *callbacks])
        module, loaders, total_steps = build_module(cfg, data, backbone, num_processes=trainer.world_size)
    write_config(folder, cfg, list(overrides))
    _announce(module, total_steps, precision=str(trainer.precision))
    with timer.stage("fit"):
        trainer.fit(module, datamodule=loaders)
    with timer.stage("score"):
        scored = score(
            cfg, module, trainer=trainer, loaders=loaders, best=best, data=data, to_compare=to_compare
        )
    with timer.stage("write"):
        results = write_scored(cfg, folder, scored, module=module, data=data, tokenizer=tokenizer)
    outcome = _outcome(scored, best) | {"collapsed": _collapsed(scored, data, history.losses)}
    record = {
        "environment": environment(),
        "precision": str(trainer.precision),
        "layout": module.encoder.layout,
        "total_steps": total_steps,
        **outcome,
        "lengths": {name: asdict(report) for name, report in data.reports.items()},
        "seconds": timer.seconds,
    }
    write_json(folder / "record.json", record)
    _show(cfg, folder, scored, results, timer.seconds)
    return RunResult(folder, scored.value, outcome["metrics"], outcome["collapsed"])


def _outcome(scored: Scored, best: BestCheckpoint) -> dict[str, Any]:
    """Return what the record says of the scores; `headway evaluate --aggregations` keeps these keys right."""
    return {
        "monitor": {
            "name": best.monitor,
            "mode": best.mode,
            "value": scored.value,
            "epoch": best.best_epoch + 1,
        },
        "aggregation": scored.aggregation.to_spec(),
        "decoding": scored.validation.decoding.to_spec(),
        "metrics": {split: dict(evaluation.metrics) for split, evaluation in scored.evaluations.items()},
    }


def _collapsed(scored: Scored, data: TextData, losses: Sequence[tuple[float, float]]) -> str | None:
    reason = collapse_reason(
        scored.validation.prediction, data.gold["validation"], losses, label_names=data.label_names
    )
    if reason:
        log.warning("warning: the training has collapsed: %s", reason)
    return reason


def _show(
    cfg: dict[str, Any],
    folder: Path,
    scored: Scored,
    results: dict[str, SplitResult],
    seconds: dict[str, float],
) -> None:
    title = build(cfg["task"]["metrics"], key="task.metrics").title
    if scored.comparison is not None:
        Console().print(policy_table(scored.comparison, title=title))
    show_result(folder, scored.evaluations, seconds, title=title, calibration=calibration_line(results))


def _refuse_used_folder(folder: Path) -> None:
    used = [name for name in ("config.yaml", "record.json", "checkpoints") if (folder / name).exists()]
    if used:
        raise ConfigError(
            f"`hydra.run.dir` must be a folder without a run, but {folder} holds {used}; name another"
        )


def _prepare_process(cfg: dict[str, Any]) -> None:
    # Forked loader workers and threads of the tokenizer don't go together.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false" if cfg["data"]["num_workers"] else "true")
    if cfg["num_threads"] is not None:
        torch.set_num_threads(cfg["num_threads"])
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in QUIET:
        warnings.filterwarnings("ignore", message=message)
    keep_freed_memory()
    pl.seed_everything(cfg["seed"], verbose=False)


def _announce(module: FineTuner, total_steps: int, *, precision: str) -> None:
    parameters = [p for part in (module.encoder, module.head) for p in part.parameters()]
    trained = sum(p.numel() for p in parameters if p.requires_grad)
    log.info(
        "model: %s, %s layout, %s, %.1f M of %.1f M parameters train",
        type(module.encoder.model).__name__,
        module.encoder.layout,
        precision,
        trained / 1e6,
        sum(p.numel() for p in parameters) / 1e6,
    )
    log.info("training: %d optimizer steps, %d threads", total_steps, torch.get_num_threads())
