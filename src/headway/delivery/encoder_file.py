"""A frozen encoder's weights, kept once and linked into each artifact that uses them.

Trials that tune a head alone share their encoder to the bit. A copy in each would take hundreds of megabytes
of disk a trial, and most of a trial's time.
"""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from headway.delivery.file_sums import sha256_of
from headway.file_digests import file_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from headway.models.encoder import Encoder

ENCODER_FILE = "encoder.safetensors"
READ_ONLY = 0o444
"""Mode of a kept file: an edit in place would reach every artifact that links to it."""
_digests: WeakKeyDictionary[Encoder, tuple[tuple[object, ...], str]] = WeakKeyDictionary()


def encoder_state(encoder: Encoder) -> dict[str, Tensor]:
    """Return an encoder's weights under the names that an artifact gives them, on the CPU."""
    return {
        f"encoder.{name}": value.detach().cpu().contiguous()
        for name, value in encoder.model.state_dict().items()
    }


def link_encoder(encoder: Encoder, folder: Path, *, kept: Path) -> str:
    """Put a frozen encoder's weights into a folder, as a link to the one file that is kept of them.

    Args:
        encoder: Frozen.
        folder: Gets `ENCODER_FILE`; a copy where the file system can't link.
        kept: Folder of the files that are linked to; it is made.

    Returns:
        The file's sha256.

    Raises:
        OSError: The kept files can't be read or written, or one vanished meanwhile.
    """
    target = folder / ENCODER_FILE
    for source, wanted in _kept(encoder, kept):
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without links
            shutil.copyfile(source, target)
        if file_sha256(target) == wanted:
            return wanted
        target.unlink()
        with suppress(FileNotFoundError):  # another process found it damaged, too
            source.unlink()
    raise OSError(f"{kept} keeps no file as it was written")


def _kept(encoder: Encoder, kept: Path) -> Iterator[tuple[Path, str]]:
    """Yield the kept files of an encoder's weights and their sums, and then one that is written anew.

    A name holds the sum of the weights, by which a file is found, and that of its bytes, which tells damage.
    """
    digest = _digest(encoder)
    for path in sorted(kept.glob(f"{digest}.*.safetensors")):
        yield path, path.name.split(".")[1]
    yield _write(encoder_state(encoder), digest, kept)


def _write(state: Mapping[str, Tensor], digest: str, kept: Path) -> tuple[Path, str]:
    from safetensors.torch import save_file

    kept.mkdir(parents=True, exist_ok=True)
    partial = kept / f".{uuid.uuid4().hex}"
    try:
        save_file(dict(state), partial)
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())
        found = sha256_of(partial)
        partial.chmod(READ_ONLY)
        path = kept / f"{digest}.{found}.safetensors"
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path, found


def _digest(encoder: Encoder) -> str:
    """Return the sha256 of names, types, shapes and bits; kept as long as no weight is written to."""
    from headway.models.tensor_digest import tensor_digest

    weights = encoder.model.state_dict()
    versions = tuple((value.data_ptr(), value._version) for value in weights.values())
    known = _digests.get(encoder)
    if known is not None and known[0] == versions:
        return known[1]
    digest = tensor_digest(encoder_state(encoder))
    _digests[encoder] = versions, digest
    return digest
