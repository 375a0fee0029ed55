"""Checkpoint files: whole or not there, with their sha256 beside them, holding tensors and scalars only.

Lightning stages a checkpoint in the temporary folder and moves it, which from another file system is a copy
that a full disk cuts short (#21253); in a read-only folder it says nothing (#21800).
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import torch
from pytorch_lightning.plugins.io import CheckpointIO

from headway.types import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterable

SUM_SUFFIX = ".sha256"
BEST, LAST = "best.ckpt", "last.ckpt"
CHUNK = 1 << 22
"""Bytes read at a time for a checksum."""


class AtomicCheckpointIO(CheckpointIO):
    """Lightning's way to checkpoints: `save` and `load` below."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Save tensors and scalars to `path`."""
        save(checkpoint, Path(path))

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Load tensors and scalars; objects are refused whatever the caller asks for."""
        return load(Path(path), map_location=map_location)

    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove a checkpoint that a better one replaced."""
        Path(path).unlink(missing_ok=True)
        sum_file(Path(path)).unlink(missing_ok=True)


class _HashingStream:
    """Writes to a file, and knows the sha256 of what was written and what the system answered.

    Args:
        stream: The file.

    Attributes:
        digest: Of what was written.
        error: The system's first refusal: torch raises one of its own instead.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write some bytes; torch calls it with pieces in their order."""
        self.digest.update(data)
        try:
            return self._stream.write(data)
        except OSError as error:
            self.error = self.error or error
            raise

    def flush(self) -> None:
        """Flush the file."""
        self._stream.flush()


def sum_file(path: Path) -> Path:
    """Return the file with a checkpoint's sha256, in the format of the command sha256sum."""
    return path.with_name(path.name + SUM_SUFFIX)


def save(checkpoint: dict[str, Any], path: Path) -> None:
    """Write a checkpoint: at every moment there is one under its name that loads.

    It is written beside its place, synced and renamed. So that the checksum fits before and after the
    renaming, its file names both the new content and the old one until that is done.

    Args:
        checkpoint: Tensors and scalars.
        path: Its place; what is there is replaced only when the new one is safe.

    Raises:
        CheckpointError: The system refuses to write: the disk is full, or the folder read-only.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    stream = None
    try:
        path.parent.mkdir(exist_ok=True)  # not its parents: a run's folder that is gone takes the run with it
        _remove_partials(path)
        with partial.open("wb") as file:
            stream = _HashingStream(file)
            torch.save(checkpoint, stream)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        _put_in_place(partial, path, digest=stream.digest.hexdigest())
    except (OSError, RuntimeError) as error:
        cause = stream.error if stream is not None and stream.error is not None else error
        if not isinstance(cause, OSError):
            raise
        kept = " the one before it is still there;" if path.exists() else ""
        raise CheckpointError(
            f"the checkpoint {path} can't be written: {cause.strerror or cause};{kept} make room or choose "
            "another hydra.run.dir, then start again: the run goes on from its last checkpoint"
        ) from error
    finally:
        with suppress(NotADirectoryError):
            partial.unlink(missing_ok=True)


def _remove_partials(path: Path) -> None:
    """Remove what a process that was killed while it wrote has left."""
    for left in path.parent.glob(f".{path.name}.*"):
        left.unlink(missing_ok=True)


def _put_in_place(partial: Path, path: Path, *, digest: str) -> None:
    sums = sum_file(path)
    before = _read_sums(sums) if path.exists() and sums.exists() else []
    _write_sums(sums, [digest, *before])
    partial.replace(path)
    sync_folder(path.parent)
    _write_sums(sums, [digest])


def _write_sums(sums: Path, digests: Iterable[str]) -> None:
    name = sums.name.removesuffix(SUM_SUFFIX)
    partial = sums.with_name(f".{sums.name}.{os.getpid()}")
    try:
        with partial.open("w", encoding="ascii") as file:
            file.write("".join(f"{digest}  {name}\n" for digest in dict.fromkeys(digests)))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(sums)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(sums.parent)


def _read_sums(sums: Path) -> list[str]:
    lines = sums.read_bytes().decode("ascii", "replace").splitlines()
    return [line.split()[0] for line in lines if line.strip()]


def sync_folder(folder: Path) -> None:
    """Wait until a folder's names are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def verify(path: Path) -> None:
    """Compare a checkpoint with its checksum.

    Args:
        path: The checkpoint.

    Raises:
        CheckpointError: It has changed since it was written, or there is no checksum.
    """
    sums = sum_file(path)
    if not sums.is_file():
        raise CheckpointError(
            f"the checkpoint {path} can't be trusted: {sums.name} is missing beside it; restore both files "
            "from where they come from"
        )
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    if digest.hexdigest() not in _read_sums(sums):
        raise CheckpointError(
            f"the checkpoint {path} is damaged: its sha256 is {digest.hexdigest()[:16]}…, and {sums.name} "
            "says otherwise; remove both, and the run goes on from its other checkpoint or from the start"
        )


def load(path: Path, *, map_location: Any = None) -> dict[str, Any]:
    """Load a checkpoint, once it is known to be what was written.

    Args:
        path: The checkpoint.
        map_location: As torch has it.

    Returns:
        Tensors and scalars; anything else in it is refused.

    Raises:
        CheckpointError: It has changed since it was written, or there is no checksum.
    """
    verify(path)
    loaded: dict[str, Any] = torch.load(path, map_location=map_location, weights_only=True)
    return loaded


def last_checkpoint(folder: Path) -> Path | None:
    """Return the checkpoint that a run goes on from; None where it has none.

    Args:
        folder: Of checkpoints.
    """
    for name in (LAST, BEST):
        path = folder / name
        if path.is_file() or sum_file(path).is_file():
            return path
    return None
