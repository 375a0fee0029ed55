"""What a finished training is worth: splits scored with the best checkpoint, and what is written of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.aggregation_choice import candidates, compare_on_validation
from headway.assembly import build_evaluator
from headway.config.build import build
from headway.evaluation.policy import monitored
from headway.evaluation.slices import entity_surfaces
from headway.results import SplitResult, document_facts, entity_tokens, split_result, write_results
from headway.tracking.checkpoint_io import load
from headway.tracking.logit_store import StoredSplit, TrainFacts, write_split, write_train_facts
from headway.tracking.predictions import write_predictions
from headway.tracking.record import write_json
from headway.types import ConfigError

if TYPE_CHECKING:
    import pytorch_lightning as pl

    from headway.best_artifact import BestArtifact
    from headway.built_run import BuiltRun
    from headway.data.datamodule import DataModule
    from headway.data.text_data import TextData
    from headway.evaluation.aggregation import Aggregation
    from headway.evaluation.evaluator import Evaluation
    from headway.evaluation.policy import Comparison
    from headway.models.module import FineTuner
    from headway.tracking.checkpoints import BestCheckpoint

log = logging.getLogger(__name__)
Candidates = tuple[dict[str, "Aggregation"], str]


@dataclass(frozen=True)
class Scored:
    """The scores of the best checkpoint.

    Attributes:
        best: What the best checkpoint scored on validation when it was written.
        validation: The same with the aggregation that was chosen; what was fitted was fitted on it.
        evaluations: Split -> scores, of the splits asked for.
        aggregation: What puts windows together from now on.
        comparison: How it was chosen; None where it is the config's.
        value: The monitored metric on validation.
    """

    best: Evaluation
    validation: Evaluation
    evaluations: dict[str, Evaluation]
    aggregation: Aggregation
    comparison: Comparison | None
    value: float


def aggregations_to_compare(cfg: Mapping[str, Any]) -> Candidates | None:
    """Return the candidates of `compare_aggregations`, or None where it is null.

    Args:
        cfg: The resolved config.

    Raises:
        ConfigError: A name is unknown or doesn't fit the task.
    """
    asked = cfg["compare_aggregations"]
    return None if asked is None else candidates(cfg, asked, key="compare_aggregations")


def best_evaluation(
    best: BestCheckpoint, module: FineTuner, *, trainer: pl.Trainer, loaders: DataModule
) -> Evaluation:
    """Return what the best checkpoint scored on validation.

    An earlier process may have found it; then it is scored again, with the same weights to the bit.

    Args:
        best: Of a finished training.
        module: Trained.
        trainer: That trained it.
        loaders: Of the splits.

    Raises:
        ConfigError: No epoch was validated.
    """
    if best.best_evaluation is None and best.best_model_path:
        module.load_state_dict(load(Path(best.best_model_path), map_location="cpu")["state_dict"])
        loggers, trainer.loggers = trainer.loggers, []  # the curves have this validation already
        trainer.validate(module, dataloaders=loaders.eval_dataloader("validation"), verbose=False)
        trainer.loggers = loggers
        best.best_evaluation = module.evaluations["val"]
    if best.best_evaluation is None or not best.best_model_path:
        raise ConfigError(
            "no epoch was validated, so there is no best checkpoint; raise trainer.max_steps or "
            "trainer.max_epochs until an epoch ends"
        )
    return best.best_evaluation


def score(cfg: dict[str, Any], built: BuiltRun, *, data: TextData, to_compare: Candidates | None) -> Scored:
    """Score the splits asked for with the best weights, and with what was chosen and fitted on validation.

    Args:
        cfg: The resolved config.
        built: Trained; its module gets the best weights.
        data: Read and encoded.
        to_compare: Aggregations to choose from, or None.
    """
    module, trainer, loaders, best = built.module, built.trainer, built.loaders, built.best
    comparison, first = None, best_evaluation(best, module, trainer=trainer, loaders=loaders)
    validation = first
    aggregation = module.evaluators["val"].aggregation
    if to_compare is not None and validation.windows is not None:
        aggregations, current = to_compare
        comparison = compare_on_validation(
            cfg,
            validation.windows,
            data.gold["validation"],
            aggregations=aggregations,
            current=current,
            label_names=data.label_names,
        )
        chosen = comparison.candidates[comparison.chosen]
        validation, aggregation = chosen.evaluation, chosen.aggregation
    module.load_state_dict(load(Path(best.best_model_path), map_location="cpu")["state_dict"])
    evaluations = {}
    for split in cfg["score_splits"]:
        if split == "validation":  # its logits are kept from the best epoch: nothing is computed twice
            evaluations[split] = validation
        elif split in data.gold:
            module.evaluators["test"] = build_evaluator(
                cfg, data, split, decoding=validation.decoding, aggregation=aggregation
            )
            trainer.test(module, dataloaders=loaders.eval_dataloader(split), verbose=False)
            evaluations[split] = module.evaluations["test"]
    # From the evaluation itself: Lightning's copy is rounded to float32.
    value = monitored(validation, str(best.monitor).removeprefix("val/"))
    return Scored(first, validation, evaluations, aggregation, comparison, value)


def write_scored(
    cfg: dict[str, Any],
    folder: Path,
    scored: Scored,
    *,
    module: FineTuner,
    data: TextData,
    artifact: BestArtifact,
) -> dict[str, SplitResult]:
    """Write logits, predictions and scores, and into the artifact what was chosen at the end.

    Args:
        cfg: The resolved config.
        folder: The run's folder.
        scored: The scores.
        module: With the best weights.
        data: Read and encoded.
        artifact: The run's.

    Returns:
        Split -> what there is to say of it beside its metrics.
    """
    train = _train_facts(data)
    write_train_facts(folder, train)
    metrics = build(cfg["task"]["metrics"], key="task.metrics")
    results = {}
    for split, evaluation in scored.evaluations.items():
        write_predictions(folder, split, evaluation, data)
        facts = document_facts(data, split)
        if evaluation.windows is not None:
            write_split(folder, split, StoredSplit(evaluation.windows, data.gold[split], facts))
        results[split] = split_result(
            evaluation,
            data.gold[split],
            facts=facts,
            metrics=metrics,
            label_names=data.label_names,
            train=train,
            tokens=entity_tokens(data, split),
        )
    write_json(folder / "metrics.json", {name: dict(e.metrics) for name, e in scored.evaluations.items()})
    write_results(folder, results, comparison=scored.comparison)
    artifact.finish(
        module,
        scored.best,
        aggregation=scored.aggregation,
        validation=scored.validation,
        results={"validation": scored.validation.metrics}
        | {split: evaluation.metrics for split, evaluation in scored.evaluations.items()},
    )
    return results


def _train_facts(data: TextData) -> TrainFacts:
    counts = data.class_counts
    plain = counts[0] if isinstance(counts, tuple) else counts
    surfaces = None
    if data.roles.scheme is not None:
        surfaces = entity_surfaces(
            data.tables["train"].column("tokens"), data.gold["train"], data.label_names
        )
    return TrainFacts(plain, surfaces)
