"""Scores a finished run on a split, with the artifact alone deciding how texts become answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Console

from headway.assembly import build_data
from headway.config.build import build
from headway.delivery.artifact import artifact_folder
from headway.delivery.artifact_spec import ArtifactSpec, read_spec
from headway.delivery.predictor import load
from headway.evaluation.evaluator import Evaluation, evaluate
from headway.other_data import with_overrides
from headway.results import (
    SplitResult,
    calibration_line,
    document_facts,
    entity_tokens,
    split_result,
    write_results,
)
from headway.tracking.logit_store import read_train_facts
from headway.tracking.predictions import write_predictions
from headway.tracking.record import redact, write_json, write_text
from headway.tracking.slice_table import slice_tables
from headway.tracking.summary import score_table
from headway.types import ConfigError, HeadwayError

if TYPE_CHECKING:
    from headway.data.text_data import TextData
    from headway.evaluation.metrics import Metrics


def evaluate_run(
    run: str | Path,
    overrides: Sequence[str] = (),
    *,
    split: str = "test",
    output: str | Path | None = None,
    overwrite: bool = False,
    show_slices: bool = False,
) -> Evaluation:
    """Score a run; write metrics.json, the predictions, and data.yaml, which says on what.

    Args:
        run: The run's folder.
        overrides: `data=<name>` and `data.<key>=<value>`; nothing else can be changed.
        split: "train", "validation" or "test".
        output: Folder for the results; None: evaluations/<data>-<split> in the run's folder.
        overwrite: Whether results that are there may be replaced.
        show_slices: Whether the scores of each part are printed; they are written in any case.

    Returns:
        The scores and answers.

    Raises:
        HeadwayError: The folder, an override, or the data is wrong, or there are results already.
    """
    folder = artifact_folder(run)
    spec = read_spec(folder)
    cfg = run_config(folder.parent)
    cfg["data"] = with_overrides(cfg, overrides, split=split)
    data = build_data(cfg)
    check_inputs(data, spec)
    target = Path(output) if output else folder.parent / "evaluations" / f"{data.name}-{split}"
    _check_target(target, overwrite=overwrite)
    metrics = build(cfg["task"]["metrics"], key="task.metrics")
    data.read_one(split, spec.label_names)
    predictor = load(folder)
    data.encode(
        predictor.tokenization,
        token_type_ids=bool(spec.encoding["token_type_ids"]),
        model_limit=predictor.max_positions,
    )
    evaluation = evaluate(
        predictor.document_logits(data.encoded[split]),
        data.gold[split],
        decoding=predictor.decoding,
        metrics=metrics,
        label_names=predictor.label_names,
    )
    write_predictions(target, split, evaluation, data)
    write_text(target / "data.yaml", yaml.safe_dump(redact(cfg["data"]), sort_keys=False, allow_unicode=True))
    write_json(target / "metrics.json", {split: evaluation.metrics})
    results = {split: _result(folder.parent, data, evaluation, split=split, metrics=metrics)}
    write_results(target, results)
    console = Console()
    console.print(score_table({split: evaluation.metrics}, title=metrics.title))
    if show_slices:
        monitor = str(cfg["task"]["monitor"]).removeprefix("val/")
        for table in slice_tables(results[split].slices, split=split, monitor=monitor):
            console.print(table)
    line = calibration_line(results)
    if line:
        print(line)
    print(f"results: {target}")
    return evaluation


def _result(
    folder: Path, data: TextData, evaluation: Evaluation, *, split: str, metrics: Metrics
) -> SplitResult:
    return split_result(
        evaluation,
        data.gold[split],
        facts=document_facts(data, split),
        metrics=metrics,
        label_names=data.label_names,
        train=read_train_facts(folder),
        tokens=entity_tokens(data, split),
    )


def run_config(folder: Path) -> dict[str, Any]:
    """Return the config of a finished run.

    Args:
        folder: The run's folder.

    Raises:
        HeadwayError: It holds none, or a damaged one.
    """
    path = folder / "config.yaml"
    if not path.is_file():
        raise HeadwayError(
            f"RUN must be a run's folder, whose config.yaml says which data it is scored on, got {folder} "
            "without one; for answers alone use headway predict"
        )
    try:
        cfg = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError) as error:
        raise HeadwayError(f"{path} must be YAML as headway wrote it, got {error}") from error
    for key in ("data", "task"):
        if not isinstance(cfg, dict) or not isinstance(cfg.get(key), dict):
            raise HeadwayError(f"{path} must hold the mapping `{key}`, got none; restore the file")
    return dict(cfg)


def check_inputs(data: TextData, spec: ArtifactSpec) -> None:
    """Refuse data whose columns aren't those that the model reads.

    Args:
        data: Built.
        spec: Of the artifact.

    Raises:
        ConfigError: They aren't.
    """
    given = [name for name in ("text", "text_pair", "tokens") if getattr(data.roles, name) is not None]
    if given != list(spec.columns):
        raise ConfigError(
            f"`data` must name the columns that the model reads, {list(spec.columns)}, got {given}; set "
            f"{' '.join(f'data.{name}=<column>' for name in spec.columns)} and null for others"
        )


def _check_target(target: Path, *, overwrite: bool) -> None:
    if (target / "record.json").exists():
        raise ConfigError(f"--output must not be a run's folder, got {target}; name another folder")
    if target.exists() and not target.is_dir():
        raise ConfigError(f"--output must be a folder, got the file {target}; name another")
    if target.is_dir() and any(target.iterdir()) and not overwrite:
        raise ConfigError(
            f"{target} must not hold results yet, got some; name another folder with --output, or give "
            "--overwrite"
        )
