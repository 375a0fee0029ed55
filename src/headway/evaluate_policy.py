"""Chooses a finished run's aggregation on the validation logits that it kept, and scores it anew."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from headway.aggregation_choice import candidates, compare_on_validation
from headway.config.build import build
from headway.delivery.artifact import artifact_folder, update_spec
from headway.delivery.artifact_spec import ArtifactSpec, read_spec
from headway.evaluate_run import run_config
from headway.evaluation.evaluator import Evaluation, Evaluator
from headway.results import calibration_line, split_result, write_results
from headway.tracking.logit_store import StoredSplit, has_split, read_split, read_train_facts
from headway.tracking.policy_table import policy_table
from headway.tracking.prediction_digest import prediction_digests
from headway.tracking.predictions import replace_predictions, with_answers
from headway.tracking.record import write_json
from headway.tracking.summary import score_table

if TYPE_CHECKING:
    import pyarrow as pa

    from headway.evaluation.policy import Candidate, Comparison
    from headway.tracking.logit_store import TrainFacts

SPLITS = ("train", "validation", "test")


def choose_aggregation(run: str | Path, asked: str | Sequence[str]) -> Comparison:
    """Compare aggregations on validation, keep the best, and bring every score of the run into line with it.

    No text is read and no encoder run: the logits of the windows lie in the run's folder.

    Args:
        run: The run's folder.
        asked: "all", or names of task/aggregation.

    Returns:
        What each is worth. The choice is in the artifact, where predict and every export read it.

    Raises:
        HeadwayError: The folder isn't a run's, keeps no logits of validation, or a name is wrong.
    """
    artifact = artifact_folder(run)
    folder, spec = artifact.parent, read_spec(artifact)
    cfg = run_config(folder)
    aggregations, current = candidates(cfg, asked, key="--aggregations", current=spec.aggregation)
    stored = {split: read_split(folder, split) for split in SPLITS if has_split(folder, split)}
    validation = stored["validation"] if "validation" in stored else read_split(folder, "validation")
    comparison = compare_on_validation(
        cfg,
        validation.windows,
        validation.gold,
        aggregations=aggregations,
        current=current,
        label_names=spec.label_names,
    )
    chosen = comparison.candidates[comparison.chosen]
    evaluations = {
        split: chosen.evaluation if split == "validation" else _score(cfg, spec, each, chosen)
        for split, each in stored.items()
    }
    # All that may fail comes before anything is written.
    tables = {
        split: with_answers(folder, split, each, spec.label_names) for split, each in evaluations.items()
    }
    train = read_train_facts(folder)
    _write(cfg, folder, spec, evaluations, stored, comparison, tables=tables, train=train)
    decoding = chosen.evaluation.decoding.to_spec()
    update_spec(
        artifact,
        aggregation=chosen.aggregation.to_spec(),
        decoding=decoding,
        results={split: each.metrics for split, each in evaluations.items()},
    )
    return comparison


def _score(cfg: Mapping[str, Any], spec: ArtifactSpec, stored: StoredSplit, chosen: Candidate) -> Evaluation:
    """Score another split with what was chosen and fitted on validation."""
    evaluator = Evaluator(
        stored.gold,
        aggregation=chosen.aggregation,
        decoding=chosen.evaluation.decoding,
        metrics=build(cfg["task"]["metrics"], key="task.metrics"),
        label_names=spec.label_names,
    )
    evaluator.update(stored.windows)
    return evaluator.compute()


def _write(
    cfg: Mapping[str, Any],
    folder: Path,
    spec: ArtifactSpec,
    evaluations: Mapping[str, Evaluation],
    stored: Mapping[str, StoredSplit],
    comparison: Comparison,
    *,
    tables: Mapping[str, pa.Table],
    train: TrainFacts,
) -> None:
    """Write predictions and scores anew, and print them."""
    metrics = build(cfg["task"]["metrics"], key="task.metrics")
    results = {}
    for split, evaluation in evaluations.items():
        replace_predictions(folder, split, tables[split])
        results[split] = split_result(
            evaluation,
            stored[split].gold,
            facts=stored[split].facts,
            metrics=metrics,
            label_names=spec.label_names,
            train=train,
            tokens=tables[split]["tokens"].to_pylist() if train.surfaces is not None else None,
        )
    scores = {split: dict(evaluation.metrics) for split, evaluation in evaluations.items()}
    write_json(folder / "metrics.json", scores)
    write_results(folder, results, comparison=comparison)
    _update_record(folder, scores, comparison)
    console = Console()
    console.print(policy_table(comparison, title=metrics.title))
    console.print(score_table(scores, title=metrics.title))
    line = calibration_line(results)
    if line:
        print(line)
    print(f"{comparison.chosen} is now in {folder / 'model'}; the table: {folder / 'aggregations.json'}")


def _update_record(folder: Path, scores: Mapping[str, Mapping[str, float]], comparison: Comparison) -> None:
    path = folder / "record.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    chosen = comparison.candidates[comparison.chosen]
    changed = {
        "metrics": scores,
        "aggregation": chosen.aggregation.to_spec(),
        "decoding": chosen.evaluation.decoding.to_spec(),
    }
    monitor = {**record.get("monitor", {}), "value": comparison.value(comparison.chosen)}
    results = {**record.get("results", {}), "predictions": prediction_digests(folder)}
    write_json(path, {**record, **changed, "monitor": monitor, "results": results})
