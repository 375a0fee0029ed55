"""The part of a run folder that others load: weights, tokenizer, config and how to decode, and no code.

RUN/model/  config.json  model.safetensors  tokenizer*.json  headway.json
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.config.build import nearest
from headway.types import HeadwayError
from headway.version import __version__

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from headway.data.text_data import TextData
    from headway.models.encoder import Encoder

SCHEMA_VERSION = 1
SPEC_FILE = "headway.json"
WEIGHTS_FILE = "model.safetensors"


@dataclass(frozen=True)
class ArtifactSpec:
    """Everything besides weights and tokenizer that turns a text into an answer.

    Attributes:
        target: The task's target node; says what kind of answer it is.
        label_names: The labels in the order of the logits; empty for scores.
        columns: Canonical input column ("text", "text_pair", "tokens") -> the column's name in training.
        encoding: The fields of EncodingSpec.
        head: The head's node.
        layout: The encoder's layout: "auto", "packed" or "padded".
        attention: The attention implementation that the weights were trained with.
        aggregation: The aggregation, as its to_spec gave it.
        decoding: The fitted decoding, as its to_spec gave it.
        precision: Lightning's name of the precision that the test was scored in.
        eval_batch_size: Windows a batch.
        headway: The version that wrote it.
        schema_version: Of this file.
    """

    target: dict[str, Any]
    label_names: list[str]
    columns: dict[str, str]
    encoding: dict[str, Any]
    head: dict[str, Any]
    layout: str
    attention: str
    aggregation: dict[str, Any]
    decoding: dict[str, Any]
    precision: str
    eval_batch_size: int
    headway: str = field(default=__version__)
    schema_version: int = SCHEMA_VERSION


def artifact_folder(path: str | Path) -> Path:
    """Return the artifact's folder.

    Args:
        path: A run's folder, or the artifact in it.

    Raises:
        HeadwayError: There is no artifact.
    """
    given = Path(path)
    for folder in (given, given / "model"):
        if (folder / SPEC_FILE).is_file():
            return folder
    siblings = [str(p) for p in given.parent.iterdir() if p.is_dir()] if given.parent.is_dir() else []
    what = "has no finished model" if given.is_dir() else "is not a folder"
    raise HeadwayError(
        f"RUN must be a run's folder or the model/ in it, but {given} {what}{nearest(str(given), siblings)}; "
        "name the folder that `headway train` printed"
    )


def write_artifact(
    folder: Path,
    *,
    spec: ArtifactSpec,
    encoder: Encoder,
    head: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    """Write the artifact.

    Args:
        folder: Where to; made if needed.
        spec: All besides weights and tokenizer.
        encoder: Its model's config and weights are kept.
        head: Its weights are kept.
        tokenizer: The backbone's.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    encoder.model.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    state = {f"encoder.{name}": value for name, value in encoder.model.state_dict().items()}
    state |= {f"head.{name}": value for name, value in head.state_dict().items()}
    save_file(
        {name: value.detach().cpu().contiguous() for name, value in state.items()}, folder / WEIGHTS_FILE
    )
    text = json.dumps(asdict(spec), indent=2, ensure_ascii=False)
    # Last: a folder with this file is whole.
    (folder / SPEC_FILE).write_text(text + "\n", encoding="utf-8")


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
    names = [name for name in ("text", "text_pair", "tokens") if getattr(data.roles, name) is not None]
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
    )


def read_spec(folder: Path) -> ArtifactSpec:
    """Read headway.json.

    Args:
        folder: The artifact's folder.

    Raises:
        HeadwayError: It is damaged, or of a schema that this version doesn't know.
    """
    path = folder / SPEC_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        version = values.get("schema_version")
        if version != SCHEMA_VERSION:
            raise HeadwayError(
                f"{path}: schema_version must be {SCHEMA_VERSION}, got {version}; load it with the headway that "
                f"wrote it ({values.get('headway')})"
            )
        return ArtifactSpec(**values)
    except (ValueError, TypeError, AttributeError) as error:
        raise HeadwayError(f"{path} must be what headway wrote, got {error}; export the run again") from error
