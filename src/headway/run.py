"""One run, stage by stage: check, read, encode, build, fit, score, write."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
from rich.console import Console

from headway.assembly import encode_data
from headway.best_artifact import BestArtifact
from headway.built_run import announce, build_run, use_features
from headway.checked_config import checked
from headway.config.build import build
from headway.evaluation.collapse import collapse_reason
from headway.process import prepare_process
from headway.results import SplitResult, calibration_line
from headway.resume import GoingOn, facts_of, only_run_in
from headway.scoring import Scored, score, write_scored
from headway.stop_signals import StopSignals
from headway.threads import allowed_cores, read_cpus, set_threads
from headway.tracking.policy_table import policy_table
from headway.tracking.progress import EpochLosses
from headway.tracking.record import environment, write_config, write_json
from headway.tracking.stage_timer import StageTimer
from headway.tracking.summary import show_result
from headway.tracking.timing import Timing
from headway.tracking.training_clock import training_times

if TYPE_CHECKING:
    from headway.built_run import BuiltRun
    from headway.data.text_data import TextData
    from headway.feature_store import FeatureStore
    from headway.heads_together import SharedStart
    from headway.models.backbone import Backbone
    from headway.tracking.checkpoints import BestCheckpoint

log = logging.getLogger(__name__)


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


def run(
    cfg: dict[str, Any],
    folder: Path,
    *,
    overrides: Sequence[str] = (),
    callbacks: Sequence[pl.Callback] = (),
    shared: SharedStart | None = None,
    startup: float | None = None,
) -> RunResult:
    """Train, keep the best checkpoint, score it, and write the run's folder.

    Args:
        cfg: The resolved config, plain values; it is not changed.
        folder: The run's folder. A training of the same config that was interrupted in it goes on; nothing
            else of another run may lie in it.
        overrides: What the command line said, for the record.
        callbacks: Lightning's, beside those of the config.
        shared: What `train_together` gave this config: data, encoder and features that other trials use too,
            and the trained head.
        startup: Seconds that it took to get here from the start of the process, for the record; None: not
            known.

    Returns:
        The scores and where everything is.

    Raises:
        HeadwayError: The config, the data or the training is wrong; the message says what to do.
        Stopped: A signal asked for it; the message says how to go on.
    """
    with only_run_in(folder), StopSignals() as signals:
        return _run(
            cfg,
            folder,
            overrides=overrides,
            callbacks=callbacks,
            shared=shared,
            startup=startup,
            signals=signals,
        )


def _run(
    cfg: dict[str, Any],
    folder: Path,
    *,
    overrides: Sequence[str],
    callbacks: Sequence[pl.Callback],
    shared: SharedStart | None,
    startup: float | None,
    signals: StopSignals,
) -> RunResult:
    timer, start, load = StageTimer(), time.perf_counter(), read_cpus(allowed_cores())
    with timer.stage("check"):
        data, backbone, to_compare = checked(cfg)
        going_on = GoingOn.find(cfg, folder)
        prepare_process(cfg)
    with timer.stage("data"):
        data, backbone, tokenizer = _read(data, backbone, shared)
    threads = set_threads(going_on.num_threads(cfg), load)
    with timer.stage("model"):
        encoder = None if shared is None else shared.encoder
        history = EpochLosses()
        own = [history, going_on.state, *callbacks]
        built = build_run(going_on.config(cfg), folder, data, backbone, encoder=encoder, callbacks=own)
    module, loaders, trainer, best = built.module, built.loaders, built.trainer, built.best
    artifact = BestArtifact(cfg, folder, data=data, tokenizer=tokenizer)
    best.on_better = None if built.keeping.heads_only else artifact
    best.signals = signals
    announce(built, threads)
    with timer.stage("features"):
        store = use_features(cfg, built, data, shared=shared)
    going_on.check(facts_of(built, data, features=store is not None, threads=threads.count, shared=shared))
    write_config(folder, cfg, list(overrides))
    with timer.stage("fit"):
        trainer.fit(module, datamodule=loaders, ckpt_path=going_on.path, weights_only=True)
    with timer.stage("score"):
        scored = score(
            cfg, module, trainer=trainer, loaders=loaders, best=best, data=data, to_compare=to_compare
        )
    with timer.stage("write"):
        results = write_scored(cfg, folder, scored, module=module, data=data, artifact=artifact)
    outcome = _outcome(scored, best) | {"collapsed": _collapsed(scored, data, history.losses)}
    timing = _timing(trainer, timer, startup=startup, elapsed=time.perf_counter() - start)
    record = {
        **_computed(built, store, shared),
        "threads": asdict(threads),
        **outcome,
        "lengths": {name: asdict(report) for name, report in data.reports.items()},
        "seconds": timer.seconds,
        "timing": asdict(timing),
        "resumed_from_step": going_on.step,
    }
    write_json(folder / "record.json", record)
    _show(cfg, folder, scored, results, seconds=timer.seconds, timing=timing)
    return RunResult(folder, scored.value, outcome["metrics"], outcome["collapsed"])


def _computed(built: BuiltRun, store: FeatureStore | None, shared: SharedStart | None) -> dict[str, Any]:
    """Return what the record says of how the run was computed."""
    return {
        "environment": environment(),
        "precision": str(built.trainer.precision),
        "layout": built.module.encoder.layout,
        "total_steps": built.total_steps,
        "features": None if store is None else store.facts,
        "trained_together": 1 if shared is None else shared.trials,
    }


def _read(data: TextData, backbone: Backbone, shared: SharedStart | None) -> tuple[TextData, Backbone, Any]:
    """Read and encode, or take what other trials have read; return data, backbone and tokenizer."""
    if shared is not None:
        return shared.data, shared.backbone, shared.tokenizer
    data.read()
    tokenizer = backbone.load_tokenizer()
    encode_data(data, backbone, tokenizer)
    return data, backbone, tokenizer


def _timing(trainer: pl.Trainer, timer: StageTimer, *, startup: float | None, elapsed: float) -> Timing:
    """Return what the run cost, part by part."""
    return Timing.of(
        training_times(trainer),
        startup=startup,
        features=timer.seconds["features"],
        evaluation=timer.seconds["score"],
        run=elapsed,
    )


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
    *,
    seconds: dict[str, float],
    timing: Timing,
) -> None:
    title = build(cfg["task"]["metrics"], key="task.metrics").title
    if scored.comparison is not None:
        Console().print(policy_table(scored.comparison, title=title))
    show_result(
        folder,
        scored.evaluations,
        seconds,
        title=title,
        calibration=calibration_line(results),
        timing=timing.line(),
    )
