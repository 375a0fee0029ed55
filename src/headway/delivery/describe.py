"""What a finished training leaves for its artifact to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from headway.data.roles import as_text
from headway.delivery.artifact_spec import INPUT_COLUMNS, ArtifactSpec
from headway.delivery.card import without_folders
from headway.delivery.file_options import training_options
from headway.tracking.record import PACKAGES, commit, package_version

if TYPE_CHECKING:
    from headway.data.text_data import TextData


def describe_artifact(
    cfg: Mapping[str, Any],
    data: TextData,
    *,
    aggregation: Mapping[str, Any],
    decoding: Mapping[str, Any],
    precision: str,
    results: Mapping[str, Mapping[str, float]],
) -> ArtifactSpec:
    """Return what a run's artifact must know besides weights and tokenizer.

    Args:
        cfg: The resolved config.
        data: Encoded.
        aggregation: As its to_spec gave it.
        decoding: The fitted one, as its to_spec gave it.
        precision: That the test was scored in.
        results: Split -> metric -> value, as far as they are known.
    """
    task, backbone = cfg["task"], cfg["backbone"]
    names = [name for name in INPUT_COLUMNS if getattr(data.roles, name) is not None]
    return ArtifactSpec(
        target=dict(task["target"]),
        label_names=list(data.label_names),
        columns={name: data.roles.columns_of(name)[0] for name in names},
        encoding=asdict(data.spec),
        head=dict(task["head"]),
        layout=backbone["layout"],
        attention=backbone["attention"],
        aggregation=dict(aggregation),
        decoding=dict(decoding),
        precision=precision,
        eval_batch_size=data.eval_batch_size,
        file_options=training_options(data),
        replace=_replacements(data, names),
        about=_about(cfg, data, results),
    )


def _about(
    cfg: Mapping[str, Any], data: TextData, results: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    """Return what the model card tells; no folder of this machine is in it."""
    backbone = cfg["backbone"]
    package = backbone["package"]
    origin = f"{package['filename']} {backbone['member']}" if package else without_folders(backbone["name"])
    kept = ("documents", "tokens", "truncated_documents", "tokens_lost")
    return {
        "name": cfg["name"],
        "monitor": cfg["task"]["monitor"],
        "results": {split: dict(values) for split, values in results.items()},
        "data": {
            "name": data.name,
            "splits": {
                split: {name: getattr(report, name) for name in kept}
                for split, report in data.reports.items()
            },
        },
        "provenance": {
            "backbone": origin,
            "backbone_revision": backbone["revision"],
            "backbone_sha256": package["sha256"] if package else None,
            "seed": cfg["seed"],
            "data_seed": cfg["data_seed"],
            "commit": commit(),
            "packages": ", ".join(f"{name} {package_version(name)}" for name in PACKAGES[:3]),
        },
    }


def _replacements(data: TextData, names: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """Return what data.replace changes in the columns that the model reads."""
    by_column = {as_text(column): changes for column, changes in data.rules.replace.items()}
    return {
        name: {as_text(old): None if new is None else as_text(new) for old, new in changes.items()}
        for name in names
        if (changes := by_column.get(data.roles.columns_of(name)[0]))
    }
