"""The part of a run folder that others load: weights, tokenizer, config and how to decode, and no code.

RUN/model/  config.json  model.safetensors  tokenizer*.json  headway.json
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin, get_type_hints

from headway.tracking.record import write_json
from headway.types import HeadwayError, nearest
from headway.version import __version__

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from headway.models.encoder import Encoder

SCHEMA_VERSION = 1
SPEC_FILE = "headway.json"
WEIGHTS_FILE = "model.safetensors"
INPUT_COLUMNS = ("text", "text_pair", "tokens")
AGAIN = "copy the folder again, or train again"


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
        file_options: The training file's format and how it was read, where that isn't the default; {} if it
            was no local file.
        replace: Canonical input column -> {old: new}, values that were changed as they were read.
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
    file_options: dict[str, Any] = field(default_factory=dict)
    replace: dict[str, dict[str, str | None]] = field(default_factory=dict)


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
    around = given.parent.iterdir() if given.parent.is_dir() else ()
    siblings = [str(path) for path in around if path.is_dir() and path != given]
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
    """Write the artifact; it is whole or not there.

    Args:
        folder: Where to; there must be nothing yet.
        spec: All besides weights and tokenizer.
        encoder: Its model's config and weights are kept.
        head: Its weights are kept.
        tokenizer: The backbone's.

    Raises:
        HeadwayError: There is something at `folder`.
    """
    from safetensors.torch import save_file

    if folder.exists():
        raise HeadwayError(f"{folder} must not exist yet, got one; remove it or name another folder")
    state = {f"encoder.{name}": value for name, value in encoder.model.state_dict().items()}
    state |= {f"head.{name}": value for name, value in head.state_dict().items()}
    # Beside the target: a rename within one file system is all or nothing.
    partial = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        encoder.model.config.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        save_file(
            {name: value.detach().cpu().contiguous() for name, value in state.items()},
            partial / WEIGHTS_FILE,
        )
        write_json(partial / SPEC_FILE, asdict(spec))
        for path in partial.iterdir():
            _flush(path)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _flush(path: Path) -> None:
    """Wait until a file is on the disk: after a crash, a rename may outlive the bytes it names."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def update_spec(folder: Path, *, aggregation: Mapping[str, Any], decoding: Mapping[str, Any]) -> None:
    """Change how an artifact puts windows together and decodes; the weights stay.

    Args:
        folder: The artifact's folder.
        aggregation: As its to_spec gave it.
        decoding: The fitted one, as its to_spec gave it.

    Raises:
        HeadwayError: headway.json is damaged.
    """
    spec = replace(read_spec(folder), aggregation=dict(aggregation), decoding=dict(decoding))
    write_json(folder / SPEC_FILE, asdict(spec))


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
    except (OSError, ValueError) as error:
        raise HeadwayError(f"{path} must be JSON as headway wrote it, got {error}; {AGAIN}") from error
    if not isinstance(values, dict):
        raise HeadwayError(f"{path} must hold an object, got {values!r:.40}; {AGAIN}")
    version = values.get("schema_version")
    if version != SCHEMA_VERSION:
        raise HeadwayError(
            f"{path}: `schema_version` must be {SCHEMA_VERSION}, got {version!r}; load it with the headway "
            f"that wrote it ({values.get('headway')!r})"
        )
    _check_types(path, values)
    _check_names(path, values)
    return ArtifactSpec(**values)


def _check_types(path: Path, values: Mapping[str, Any]) -> None:
    types = {name: get_origin(hint) or hint for name, hint in get_type_hints(ArtifactSpec).items()}
    for name, value in values.items():
        if name not in types:
            raise HeadwayError(
                f"{path}: `{name}` must be left out, got {value!r:.60}{nearest(name, list(types))}; {AGAIN}"
            )
    for entry in fields(ArtifactSpec):
        needed = entry.default_factory is MISSING
        if (needed or entry.name in values) and not isinstance(values.get(entry.name), types[entry.name]):
            raise HeadwayError(
                f"{path}: `{entry.name}` must be a {types[entry.name].__name__}, got "
                f"{values.get(entry.name)!r:.60}; {AGAIN}"
            )


def _check_names(path: Path, values: Mapping[str, Any]) -> None:
    labels, columns = values["label_names"], list(values["columns"])
    if len(set(map(str, labels))) < len(labels) or not all(isinstance(name, str) for name in labels):
        raise HeadwayError(f"{path}: `label_names` must be texts that differ, got {labels!r:.60}; {AGAIN}")
    if columns not in (["text"], ["text", "text_pair"], ["tokens"]):
        raise HeadwayError(
            f"{path}: `columns` must be of text, of text and text_pair, or of tokens, got {columns}; {AGAIN}"
        )
