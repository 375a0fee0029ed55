"""From an artifact's files to the objects that they describe, each checked against the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.config.build import build, resolve
from headway.delivery.artifact import WEIGHTS_FILE
from headway.delivery.artifact_spec import AGAIN, SPEC_FILE, ArtifactSpec, check_signature, parse_spec
from headway.delivery.encoder_file import ENCODER_FILE
from headway.delivery.file_sums import check_files
from headway.types import ConfigError, HeadwayError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from headway.evaluation.aggregation import Aggregation
    from headway.evaluation.decoding import Decoding
    from headway.models.encoder import Encoder

NEEDED = (SPEC_FILE, "config.json", "tokenizer.json", WEIGHTS_FILE)


@dataclass(frozen=True)
class Artifact:
    """What an artifact describes.

    Attributes:
        spec: As written.
        encoder: With its weights, in float32 on the CPU.
        head: Likewise.
        aggregation: Windows -> document.
        decoding: Logits -> answers.
        tokenizer: The backbone's.
    """

    spec: ArtifactSpec
    encoder: Encoder
    head: nn.Module
    aggregation: Aggregation
    decoding: Decoding
    tokenizer: PreTrainedTokenizerBase


def read_artifact(folder: Path, *, layout: str | None = None, attention: str | None = None) -> Artifact:
    """Read an artifact; only data are read, and only classes on the allowlist are built.

    Args:
        folder: With headway.json in it.
        layout: Of the encoder; None: as in training.
        attention: Of the encoder, as transformers names it; None: as in training.

    Returns:
        All its parts.

    Raises:
        HeadwayError: A file is missing or damaged, or two of them don't fit.
    """
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise HeadwayError(f"{folder} must hold {list(NEEDED)}, got none of the name {missing[0]}; {AGAIN}")
    spec = parse_spec(folder)
    try:
        check_files(folder, spec.files)
    except HeadwayError:
        check_signature(folder, spec)  # the sum itself may be what was damaged
        raise
    used = replace(spec, layout=layout or spec.layout, attention=attention or spec.attention)
    aggregation, decoding = document_parts(folder, spec)
    model, tokenizer, state = _read(folder, used)
    encoder = _encoder(
        folder, used, model, has_pooler=any(name.startswith("encoder.pooler.") for name in state)
    )
    head = _head(folder, spec, encoder)
    parts = {"encoder.": encoder.model, "head.": head}
    foreign = [name for name in state if not name.startswith(tuple(parts))]
    if foreign:
        raise HeadwayError(
            f"{folder / WEIGHTS_FILE} must hold encoder.* and head.* alone, got {foreign[0]!r}"
        )
    for prefix, module in parts.items():
        own = {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}
        _check_shapes(folder, prefix, own, module.state_dict())
        module.load_state_dict(own)
    check_signature(folder, spec)
    return Artifact(spec, encoder, head, aggregation, decoding, tokenizer)


def document_parts(folder: Path, spec: ArtifactSpec) -> tuple[Aggregation, Decoding]:
    """Return aggregation and decoding; they need no weights, so a wrong one is told at once.

    Args:
        folder: The artifact's, for messages.
        spec: Describes them.

    Raises:
        ConfigError: One of them, or the encoding, is wrong or doesn't fit the labels.
    """
    from headway.data.encoding import EncodingSpec
    from headway.evaluation.aggregation import Aggregation
    from headway.evaluation.decoding import Decoding
    from headway.evaluation.document import blank_document

    place = folder / SPEC_FILE
    try:
        EncodingSpec(**spec.encoding)
        aggregation = build(spec.aggregation, key="aggregation")
        decoding = build(spec.decoding, key="decoding")
        if isinstance(decoding, Decoding):
            num_labels = max(1, len(spec.label_names))
            decoding(blank_document(num_labels))
    except (ConfigError, TypeError) as error:
        raise ConfigError(f"{place}: {error}") from error
    for key, value, kind, called in (
        ("aggregation", aggregation, Aggregation, "an Aggregation"),
        ("decoding", decoding, Decoding, "a Decoding"),
    ):
        if not isinstance(value, kind):
            raise ConfigError(
                f"{place}: `{key}._target_` must be {called}, got {type(value).__name__}; {AGAIN}"
            )
    return aggregation, decoding


def _read(
    folder: Path, spec: ArtifactSpec
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, dict[str, Tensor]]:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    try:
        state = load_file(folder / WEIGHTS_FILE)
        linked = load_file(folder / ENCODER_FILE) if ENCODER_FILE in spec.files else {}
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        # Without dtype the weights would be rounded to whatever precision config.json names.
        model = AutoModel.from_config(  # type: ignore[no-untyped-call]
            config, attn_implementation=spec.attention, dtype=torch.float32
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        reason = str(error).strip().split("\n")[0]
        raise HeadwayError(
            f"{folder} must be an artifact as headway wrote it, got {type(error).__name__}: {reason}; {AGAIN}"
        ) from error
    foreign = [name for name in linked if name in state or not name.startswith("encoder.")]
    if foreign:
        raise HeadwayError(f"{folder / ENCODER_FILE} must hold encoder.* alone, got {foreign[0]!r}; {AGAIN}")
    return model, tokenizer, {**state, **linked}


def _encoder(folder: Path, spec: ArtifactSpec, model: PreTrainedModel, *, has_pooler: bool) -> Encoder:
    from headway.models.encoder import Encoder

    try:
        encoder = Encoder(model, trainable="none", layout=spec.layout)
        encoder.keep_pooler(wanted=has_pooler)
    except ConfigError as error:
        raise ConfigError(f"{folder / SPEC_FILE}: {error}") from error
    return encoder


def _head(folder: Path, spec: ArtifactSpec, encoder: Encoder) -> nn.Module:
    from torch import nn

    place = folder / SPEC_FILE
    try:
        target: Any = resolve(spec.target.get("_target_"), key="target")
        head = build(
            spec.head,
            key="head",
            hidden_size=encoder.hidden_size,
            num_labels=max(1, len(spec.label_names)),
            initializer_range=encoder.initializer_range,
        )
    except (ConfigError, TypeError) as error:
        raise ConfigError(f"{place}: {error}") from error
    wanted = getattr(target, "token_level", None)
    if not isinstance(head, nn.Module) or getattr(head, "token_level", None) is not wanted:
        raise ConfigError(
            f"{place}: `head._target_` must be a head for {spec.target.get('_target_')}, got "
            f"{type(head).__name__}; {AGAIN}"
        )
    return head


def _check_shapes(
    folder: Path, prefix: str, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]
) -> None:
    """Refuse weights of another model; load_state_dict would list every tensor."""
    shared = prefix == "encoder." and (folder / ENCODER_FILE).is_file()
    place = folder / (ENCODER_FILE if shared else WEIGHTS_FILE)
    differing = sorted(found.keys() ^ wanted.keys())
    if differing:
        state = "nothing" if differing[0] in wanted else "one more tensor"
        raise HeadwayError(
            f"{place} must hold the weights that config.json and {SPEC_FILE} describe, got {state} at "
            f"{prefix + differing[0]!r}; {AGAIN}"
        )
    for name, value in wanted.items():
        if found[name].shape != value.shape:
            raise HeadwayError(
                f"{place}: {prefix + name!r} must have the shape {tuple(value.shape)} that config.json and "
                f"the label_names of {SPEC_FILE} ask for, got {tuple(found[name].shape)}; {AGAIN}"
            )
