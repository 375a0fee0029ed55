"""What a finished training leaves for its artifact to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from headway.data.roles import as_text
from headway.delivery.artifact import INPUT_COLUMNS, ArtifactSpec
from headway.delivery.file_options import training_options

if TYPE_CHECKING:
    from headway.data.text_data import TextData


def describe_artifact(
    cfg: Mapping[str, Any],
    data: TextData,
    *,
    aggregation: Mapping[str, Any],
    decoding: Mapping[str, Any],
    precision: str,
) -> ArtifactSpec:
    """Return what a run's artifact must know besides weights and tokenizer.

    Args:
        cfg: The resolved config.
        data: Encoded.
        aggregation: As its to_spec gave it.
        decoding: The fitted one, as its to_spec gave it.
        precision: That the test was scored in.
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
    )


def _replacements(data: TextData, names: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """Return what data.replace changes in the columns that the model reads."""
    by_column = {as_text(column): changes for column, changes in data.rules.replace.items()}
    return {
        name: {as_text(old): None if new is None else as_text(new) for old, new in changes.items()}
        for name in names
        if (changes := by_column.get(data.roles.columns_of(name)[0]))
    }
