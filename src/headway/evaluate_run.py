"""Scores a finished run on a split, with the artifact alone deciding how texts become answers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from headway.assembly import build_data
from headway.config.build import build
from headway.data.text_data import examples_of
from headway.delivery.artifact import artifact_folder
from headway.delivery.predictor import load
from headway.evaluation.evaluator import Evaluation, evaluate
from headway.tracking.predictions import write_predictions
from headway.tracking.record import write_json
from headway.tracking.summary import score_table
from headway.types import ConfigError, HeadwayError

log = logging.getLogger(__name__)
ENCODING_KEYS = ("max_length", "truncation", "overlap", "subword_labels")


def evaluate_run(
    run: str | Path, overrides: Sequence[str] = (), *, split: str = "test", output: str | Path | None = None
) -> Evaluation:
    """Score a run and write metrics.json and the predictions.

    Args:
        run: The run's folder.
        overrides: `data=<name>` and `data.<key>=<value>`; nothing else can be changed.
        split: Which split.
        output: Where results go; None: evaluations/<data>-<split> in the run's folder.

    Returns:
        The scores and answers.

    Raises:
        HeadwayError: The folder, an override, or the data is wrong.
    """
    artifact = artifact_folder(run)
    folder = artifact.parent
    cfg = _config(folder, overrides)
    predictor = load(artifact)
    data = build_data(cfg)
    data.read_one(split, predictor.label_names)
    documents = predictor.document_logits(examples_of(data.tables[split]))
    task = cfg["task"]
    evaluation = evaluate(
        documents,
        data.gold[split],
        decoding=predictor.decoding,
        metrics=build(task["metrics"], key="task.metrics"),
        label_names=predictor.label_names,
    )
    target = Path(output) if output else folder / "evaluations" / f"{data.name}-{split}"
    write_predictions(target, split, evaluation, data)
    write_json(target / "metrics.json", {split: evaluation.metrics})
    from rich.console import Console

    Console().print(score_table({split: evaluation.metrics}))
    print(f"results: {target}")
    return evaluation


def _config(folder: Path, overrides: Sequence[str]) -> dict[str, Any]:
    path = folder / "config.yaml"
    if not path.is_file():
        raise HeadwayError(f"RUN must be a run's folder with a config.yaml, got {folder}; name the run, not model/")
    cfg: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    foreign = [word for word in overrides if not word.lstrip("+").startswith(("data=", "data."))]
    if foreign:
        raise ConfigError(
            f"headway evaluate can change only data=<name> and data.<key>=<value>, got {foreign[0]!r}; what the model "
            "is was decided in training"
        )
    if overrides:
        cfg["data"] = _other_data(cfg, overrides)
    return cfg


def _other_data(cfg: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Return the data node with overrides applied; how documents are encoded stays the run's."""
    from hydra import compose, initialize_config_module
    from omegaconf import OmegaConf

    from headway.cli.suggestions import composition_error
    from headway.config.search_path import register

    register()
    named = any(word.startswith("data=") for word in overrides)
    try:
        with initialize_config_module("headway.conf", version_base="1.3"):
            if named:
                composed = compose("train", overrides=[*overrides, f"cache_dir={cfg['cache_dir']}"])
                node: dict[str, Any] = OmegaConf.to_container(composed.data, resolve=True)  # type: ignore[assignment]
                return {**node, **{key: cfg["data"][key] for key in ENCODING_KEYS}}
        base = OmegaConf.create({"data": cfg["data"]})
        OmegaConf.set_struct(base, True)
        base.merge_with_dotlist(list(overrides))
    except Exception as error:
        raise composition_error(error) from error
    changed: dict[str, Any] = OmegaConf.to_container(base.data, resolve=True)  # type: ignore[assignment]
    return {**changed, **{key: cfg["data"][key] for key in ENCODING_KEYS}}


