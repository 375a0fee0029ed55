"""One run, stage by stage: check, read, encode, build, fit, score, write."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import nullcontext
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
from headway.process import let_go_of_earlier_runs, prepare_process
from headway.processes import local_processes, process_rank, training_together
from headway.results import SplitResult, calibration_line
from headway.resume import GoingOn, facts_of, only_run_in
from headway.run_facts import facts_after, facts_before
from headway.scoring import Scored, score, write_scored
from headway.sharded import is_sharded, whole_again
from headway.stop_signals import StopSignals
from headway.threads import allowed_cores, read_cpus, set_threads
from headway.tracking.log_config import log_config
from headway.tracking.policy_table import policy_table
from headway.tracking.progress import EpochLosses
from headway.tracking.record import write_config
from headway.tracking.run_record import RecordProgress, RunRecord
from headway.tracking.stage_timer import StageTimer
from headway.tracking.summary import show_result
from headway.tracking.timing import Timing, TrainingTimes
from headway.tracking.training_clock import training_times

if TYPE_CHECKING:
    from headway.built_run import BuiltRun
    from headway.data.text_data import TextData
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
    let_go_of_earlier_runs()
    first = process_rank() == 0  # of several that train together it writes the folder, and takes the signals
    record = RunRecord(folder, active=first)
    with (
        only_run_in(folder) if first else nullcontext(),
        StopSignals() if first else nullcontext() as signals,
        record.closing(),
        training_together(cfg, folder),
    ):
        return _run(
            cfg,
            folder,
            record,
            overrides=overrides,
            callbacks=callbacks,
            shared=shared,
            startup=startup,
            signals=signals,
        )


def _run(
    cfg: dict[str, Any],
    folder: Path,
    record: RunRecord,
    *,
    overrides: Sequence[str],
    callbacks: Sequence[pl.Callback],
    shared: SharedStart | None,
    startup: float | None,
    signals: StopSignals | None,
) -> RunResult:
    """Do what `run` does, and note it in the record."""
    timer, start, load = StageTimer(), time.perf_counter(), read_cpus(allowed_cores())
    with timer.stage("check"):
        data, backbone, to_compare = checked(cfg)
        going_on = GoingOn.find(cfg, folder)
        prepare_process(cfg)
    with timer.stage("data"):
        data, backbone, tokenizer = _read(data, backbone, shared)
    threads = set_threads(going_on.num_threads(cfg), load, processes=local_processes(cfg["trainer"]))
    with timer.stage("model"):
        encoder = None if shared is None else shared.encoder
        history = EpochLosses()
        own = [history, RecordProgress(record), going_on.state, *callbacks]
        built = build_run(going_on.config(cfg), folder, data, backbone, encoder=encoder, callbacks=own)
        built.best.signals, built.best.resumable = signals, shared is None
        artifact = _artifact(cfg, folder, built, data, tokenizer, active=record.active)
    announce(built, threads)
    with timer.stage("features"):
        store = use_features(cfg, built, data, shared=shared)
    going_on.check(facts_of(built, data, features=store is not None, threads=threads.count, shared=shared))
    parts: dict[str, Any] = {"built": built, "data": data, "backbone": backbone}
    if record.active:
        facts = facts_before(cfg, overrides, threads=threads, shared=shared, **parts)
        _begin(record, cfg, folder, facts | {"resumed_from_step": going_on.step}, built.trainer.logger)
    with timer.stage("fit"):
        built.trainer.fit(built.module, datamodule=built.loaders, ckpt_path=going_on.path, weights_only=True)
    times = training_times(built.trainer)
    if is_sharded(cfg):
        built = whole_again(cfg, folder, **parts)
    with timer.stage("score"):
        scored = score(cfg, built, data=data, to_compare=to_compare)
    outcome = _outcome(scored, built.best) | {"collapsed": _collapsed(scored, data, history.losses)}
    if record.active:
        with timer.stage("write"):
            results = write_scored(cfg, folder, scored, module=built.module, data=data, artifact=artifact)
        timing = _timing(times, timer, startup=startup, elapsed=time.perf_counter() - start)
        record.add(
            **outcome, **facts_after(folder, built, store), seconds=timer.seconds, timing=asdict(timing)
        )
        _show(cfg, folder, scored, results, seconds=timer.seconds, timing=timing)
    return RunResult(folder, scored.value, outcome["metrics"], outcome["collapsed"])


def _artifact(
    cfg: dict[str, Any], folder: Path, built: BuiltRun, data: TextData, tokenizer: Any, *, active: bool
) -> BestArtifact:
    """Return what writes the artifact, with every new best checkpoint where that can be done in training."""
    artifact = BestArtifact(cfg, folder, data=data, tokenizer=tokenizer)
    if active and not built.keeping.heads_only and not is_sharded(cfg):
        built.best.on_better = artifact
    return artifact


def _begin(record: RunRecord, cfg: dict[str, Any], folder: Path, facts: dict[str, Any], logger: Any) -> None:
    """Write what is known before the training."""
    record.begin(facts)
    write_config(folder, cfg, facts["overrides"])
    log_config(logger, cfg)


def _read(data: TextData, backbone: Backbone, shared: SharedStart | None) -> tuple[TextData, Backbone, Any]:
    """Read and encode, or take what other trials have read; return data, backbone and tokenizer."""
    if shared is not None:
        return shared.data, shared.backbone, shared.tokenizer
    data.read()
    tokenizer = backbone.load_tokenizer()
    encode_data(data, backbone, tokenizer)
    return data, backbone, tokenizer


def _timing(times: TrainingTimes, timer: StageTimer, *, startup: float | None, elapsed: float) -> Timing:
    """Return what the run cost, part by part."""
    features, evaluation = timer.seconds["features"], timer.seconds["score"]
    return Timing.of(times, startup=startup, features=features, evaluation=evaluation, run=elapsed)


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
