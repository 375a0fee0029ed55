"""The part of a run folder that others load: weights, tokenizer, config and how to decode, and no code.

RUN/model/  config.json  model.safetensors  tokenizer*.json  headway.json  README.md
            encoder.safetensors where the encoder was frozen, and model.safetensors holds the head alone
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from headway.delivery.artifact_spec import CARD_FILE, SPEC_FILE, ArtifactSpec, read_spec, write_spec
from headway.delivery.card import model_card
from headway.delivery.encoder_file import ENCODER_FILE, encoder_state, link_encoder
from headway.delivery.file_sums import file_sums
from headway.tracking.record import write_text
from headway.types import HeadwayError, nearest

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from headway.models.encoder import Encoder

log = logging.getLogger(__name__)
WEIGHTS_FILE = "model.safetensors"
PREVIOUS = ".model.previous"
"""Where an artifact is for the moment in which a better one takes its place."""


def artifact_folder(path: str | Path) -> Path:
    """Return the artifact's folder.

    Args:
        path: A run's folder, or the artifact in it.

    Raises:
        HeadwayError: There is no artifact.
    """
    given = Path(path)
    for folder in (given, given / "model", given / PREVIOUS):
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
    overwrite: bool = False,
    link: Path | None = None,
) -> None:
    """Write the artifact; it is whole or not there.

    Args:
        folder: Where to.
        spec: All besides weights and tokenizer; its `files` are filled in.
        encoder: Its model's config and weights are kept.
        head: Its weights are kept.
        tokenizer: The backbone's.
        overwrite: Whether an artifact that is there is replaced, at the end and at once.
        link: Folder where a frozen encoder's weights are kept once, and linked to by all its artifacts; None:
            they stand in this one's own file.

    Raises:
        HeadwayError: There is something at `folder`, and it isn't to be replaced.
    """
    from safetensors.torch import save_file

    if folder.exists() and not overwrite:
        raise HeadwayError(f"{folder} must not exist yet, got one; remove it or name another folder")
    state = {f"head.{name}": value.detach().cpu().contiguous() for name, value in head.state_dict().items()}
    # Beside the target: a rename within one file system is all or nothing.
    partial = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        encoder.model.config.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        sums = {} if link is None or not encoder.frozen else _linked(encoder, partial, kept=link)
        if not sums:
            state |= encoder_state(encoder)
        save_file(state, partial / WEIGHTS_FILE)
        seal(partial, spec, sums=sums)
        put_in_place(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _linked(encoder: Encoder, folder: Path, *, kept: Path) -> dict[str, str]:
    """Link a frozen encoder's file and return its sum; nothing where the cache is out of order.

    The artifact then holds the weights itself: a cache must not end a training.
    """
    try:
        return {ENCODER_FILE: link_encoder(encoder, folder, kept=kept)}
    except OSError as error:
        log.info("%s keeps no encoder (%s); its weights stand in each artifact", kept, error)
        (folder / ENCODER_FILE).unlink(missing_ok=True)
        return {}


def seal(folder: Path, spec: ArtifactSpec, *, sums: Mapping[str, str] = MappingProxyType({})) -> ArtifactSpec:
    """Write headway.json with the sums of the files that are there, and the model card, and flush them all.

    Args:
        folder: With every other file in it.
        spec: Its `files` are filled in.
        sums: File -> sha256, as far as they are known.

    Returns:
        The spec as written.
    """
    sealed = replace(spec, files=file_sums(folder, known=sums))
    write_spec(folder, sealed)
    write_text(folder / CARD_FILE, model_card(sealed))
    for path in folder.iterdir():
        _flush(path)
    return sealed


def put_in_place(partial: Path, folder: Path) -> None:
    """Give a finished folder its name, in the place of one that has it.

    Args:
        partial: Beside `folder`.
        folder: The name it gets. What was there is kept aside for the moment between two renames, where
            `artifact_folder` finds it should the process die just then.
    """
    aside = folder.with_name(PREVIOUS)
    if folder.exists():
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
    partial.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)


def _flush(path: Path) -> None:
    """Wait until a file is on the disk: after a crash, a rename may outlive the bytes it names."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def rewrite_spec(folder: Path, spec: ArtifactSpec) -> None:
    """Write headway.json and the model card of an artifact anew; the weights stay.

    Args:
        folder: The artifact's folder.
        spec: All but `files`, which stay what they are.

    Raises:
        HeadwayError: headway.json is damaged.
    """
    files = read_spec(folder).files or file_sums(folder)
    written = replace(spec, files=files)
    write_spec(folder, written)
    write_text(folder / CARD_FILE, model_card(written))


def update_spec(
    folder: Path,
    *,
    aggregation: Mapping[str, Any],
    decoding: Mapping[str, Any],
    results: Mapping[str, Mapping[str, float]],
) -> None:
    """Change how an artifact puts windows together and decodes; the weights stay.

    Args:
        folder: The artifact's folder.
        aggregation: As its to_spec gave it.
        decoding: The fitted one, as its to_spec gave it.
        results: Split -> metric -> value, with both.

    Raises:
        HeadwayError: headway.json is damaged.
    """
    spec = read_spec(folder)
    about = {**spec.about, "results": {split: dict(values) for split, values in results.items()}}
    rewrite_spec(folder, replace(spec, aggregation=dict(aggregation), decoding=dict(decoding), about=about))
