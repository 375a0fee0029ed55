"""A frozen encoder's weights, kept once and linked into each artifact that uses them.

Trials that tune a head alone share their encoder to the bit. A copy in each would take hundreds of megabytes
of disk a trial, and most of a trial's time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from headway.delivery.file_sums import sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from headway.models.encoder import Encoder

ENCODER_FILE = "encoder.safetensors"
_digests: WeakKeyDictionary[Encoder, str] = WeakKeyDictionary()
_checked: dict[Path, str] = {}


def encoder_state(encoder: Encoder) -> dict[str, Tensor]:
    """Return an encoder's weights under the names that an artifact gives them, on the CPU."""
    return {
        f"encoder.{name}": value.detach().cpu().contiguous()
        for name, value in encoder.model.state_dict().items()
    }


def link_encoder(encoder: Encoder, folder: Path, *, kept: Path) -> None:
    """Put a frozen encoder's weights into a folder, as a link to the one file that is kept of them.

    Args:
        encoder: Frozen: its weights are looked at once.
        folder: Gets `ENCODER_FILE`; a copy where the file system can't link.
        kept: Folder of the files that are linked to; it is made.
    """
    source = _kept(encoder, kept)
    try:
        os.link(source, folder / ENCODER_FILE)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, folder / ENCODER_FILE)


def _kept(encoder: Encoder, kept: Path) -> Path:
    """Return the kept file, written first unless a whole one is there.

    Its name holds the sum of the weights, by which it's found, and that of its bytes, by which a damaged one
    is told.
    """
    digest = _digests.get(encoder)
    if digest is None:
        digest = _digests[encoder] = _digest(encoder_state(encoder))
    for path in kept.glob(f"{digest}.*.safetensors"):
        wanted = path.name.split(".")[1]
        if _checked.get(path) == wanted and path.is_file():
            return path
        if sha256_of(path) == wanted:
            _checked[path] = wanted
            return path
        with suppress(FileNotFoundError):  # another process found it damaged, too
            path.unlink()
    return _write(encoder_state(encoder), digest, kept)


def _write(state: Mapping[str, Tensor], digest: str, kept: Path) -> Path:
    from safetensors.torch import save_file

    kept.mkdir(parents=True, exist_ok=True)
    partial = kept / f".{uuid.uuid4().hex}"
    try:
        save_file(dict(state), partial)
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())
        found = sha256_of(partial)
        path = kept / f"{digest}.{found}.safetensors"
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _checked[path] = found
    return path


def _digest(state: Mapping[str, Tensor]) -> str:
    """Return the sha256 of names, types, shapes and bits."""
    import torch

    sha = hashlib.sha256()
    for name, value in sorted(state.items()):
        sha.update(f"{name}:{value.dtype}:{tuple(value.shape)};".encode())
        sha.update(value.view(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()
