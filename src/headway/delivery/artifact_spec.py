"""headway.json: all that turns a text into an answer besides weights and tokenizer, signed and checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from headway.tracking.record import plain, write_json
from headway.types import HeadwayError, nearest
from headway.version import __version__

SCHEMA_VERSION = 2
UNSIGNED_VERSION = 1
"""The schema before files had sums; such artifacts are read, and nothing can be said of their bytes."""
SPEC_FILE = "headway.json"
CARD_FILE = "README.md"
SIGNATURE = "sha256"
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
        about: What the model card tells: data, results, provenance; no answer depends on it.
        files: The folder's other files -> their sha256. README.md isn't among them: people edit it.
        onnx: The fields of OnnxFacts in an ONNX export, else {}.
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
    about: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    onnx: dict[str, Any] = field(default_factory=dict)


def read_spec(folder: Path) -> ArtifactSpec:
    """Read headway.json and check that it is as it was written.

    Args:
        folder: The artifact's folder.

    Raises:
        HeadwayError: It is damaged, changed, or of a schema that this version doesn't know.
    """
    spec = parse_spec(folder)
    check_signature(folder, spec)
    return spec


def parse_spec(folder: Path) -> ArtifactSpec:
    """Read headway.json; whoever goes on to compare it with other files calls `check_signature` at the end.

    Damage that has a meaning, such as labels that don't fit the weights, is then told as that.

    Args:
        folder: The artifact's folder.

    Raises:
        HeadwayError: It is damaged, or of a schema that this version doesn't know.
    """
    path = folder / SPEC_FILE
    values = _read_object(path)
    version = values.get("schema_version")
    known = (UNSIGNED_VERSION, SCHEMA_VERSION)
    if isinstance(version, bool) or version not in known:
        raise HeadwayError(
            f"{path}: `schema_version` must be one of {list(known)}, got {version!r}; load it with the "
            f"headway that wrote it ({values.get('headway')!r})"
        )
    values.pop(SIGNATURE, None)
    _check_types(path, values)
    _check_names(path, values)
    spec = ArtifactSpec(**values)
    _check_files_key(path, spec)
    return spec


def write_spec(folder: Path, spec: ArtifactSpec) -> None:
    """Write headway.json with a signature of its own content.

    Args:
        folder: The artifact's folder.
        spec: What is written; its `files` are taken as they are.
    """
    values = plain(asdict(replace(spec, schema_version=SCHEMA_VERSION)))
    write_json(folder / SPEC_FILE, {**values, SIGNATURE: _signature(values)})


def check_signature(folder: Path, spec: ArtifactSpec) -> None:
    """Refuse a headway.json that isn't as it was written.

    Args:
        folder: The artifact's folder.
        spec: As parsed.

    Raises:
        HeadwayError: It was changed.
    """
    if spec.schema_version == UNSIGNED_VERSION:
        return
    values = _read_object(folder / SPEC_FILE)
    found = values.pop(SIGNATURE, None)
    wanted = _signature(values)
    if found != wanted:
        raise HeadwayError(
            f"{folder / SPEC_FILE} must be as headway wrote it, with `{SIGNATURE}` {wanted[:12]}… of its "
            f"content, got {found!r:.14}…; {AGAIN}"
        )


def _signature(values: Mapping[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _read_object(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HeadwayError(f"{path} must be JSON as headway wrote it, got {error}; {AGAIN}") from error
    if not isinstance(values, dict):
        raise HeadwayError(f"{path} must hold an object, got {values!r:.40}; {AGAIN}")
    return values


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


def _check_files_key(path: Path, spec: ArtifactSpec) -> None:
    """Refuse names that lead out of the folder, and sums where the schema has none."""
    signed = spec.schema_version != UNSIGNED_VERSION
    if signed != bool(spec.files):
        raise HeadwayError(
            f"{path}: `files` must hold the folder's files in schema {SCHEMA_VERSION} and nothing in "
            f"{UNSIGNED_VERSION}, got {len(spec.files)} in schema {spec.schema_version}; {AGAIN}"
        )
    for name, value in spec.files.items():
        if Path(name).name != name or name in ("", ".", "..") or "\\" in name or not isinstance(value, str):
            raise HeadwayError(
                f"{path}: `files` must hold names of files in the folder with their sha256, got "
                f"{name!r:.60}: {value!r:.20}; {AGAIN}"
            )
