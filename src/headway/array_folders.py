"""Folders of arrays that appear whole or not at all, are mapped into memory, and are checked before use.

What is computed once is kept in them: encoded splits and the features of frozen layers. A folder is named by
what decides its content, so that several processes that want the same can each write it: the first to finish
wins.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import shutil
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headway.types import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import IO

_META = "meta.json"
ABANDONED = 24 * 3600.0
"""Seconds without a change after which what is half written is nobody's any more."""

# More than the writers that could each set aside what another has just written.
_ATTEMPTS = 100

# What opening a file fails with where a process, or the machine, has too many open.
_NO_HANDLES = (errno.EMFILE, errno.ENFILE)
# What renaming to an existing folder or file fails with.
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


def save(folder: Path, write: Callable[[Path], None], *, format: int) -> None:
    """Let arrays be written to a folder that does not exist yet, so that it appears complete or not at all.

    Args:
        folder: Where to; its parents are made.
        write: Writes .npy files into the folder that it gets.
        format: Version of what is written; `load` takes no other.

    Raises:
        FileExistsError: `folder` exists already and is not empty; it is left as it is.
        OSError: It cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target: a rename across file systems is no rename. Not tempfile: its folders are private
    # to one user, a cache may be shared.
    _remove_abandoned(folder)
    staging = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    staging.mkdir()
    try:
        write(staging)
        _seal(staging, format=format)
        try:
            staging.rename(folder)
        except OSError as error:
            if error.errno in _TAKEN:
                raise FileExistsError(error.errno, "exists already", str(folder)) from error
            raise
        _sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _remove_abandoned(folder: Path) -> None:
    """Remove what writers of the same folder have left that were killed a long time ago."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.*"):
        with suppress(OSError):  # another process may remove it just now
            newest = max(path.stat().st_mtime for path in (left, *left.iterdir()))
            if time.time() - newest > ABANDONED:
                shutil.rmtree(left, ignore_errors=True)


def _seal(folder: Path, *, format: int) -> None:
    """Write what the arrays must be, and wait until all is on the disk."""
    digests = {}
    for path in sorted(folder.glob("*.npy")):
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
        digests[path.name] = _sha256(path)
    with (folder / _META).open("w", encoding="utf-8") as text:
        json.dump({"format": format, "sha256": digests}, text, indent=1)
        _sync(text)
    _sync_folder(folder)


def save_array(path: Path, array: np.ndarray) -> None:
    """Write one array, from within `save`.

    Args:
        path: Ends in .npy.
        array: Of any plain dtype.
    """
    with path.open("wb") as stream:
        np.save(stream, array, allow_pickle=False)


def load(folder: Path, *, format: int, needed: Collection[str]) -> dict[str, np.ndarray]:
    """Map the arrays of a folder into memory after checking that they are what was written.

    Args:
        folder: A folder that `save` wrote.
        format: As `save` had it.
        needed: Names of arrays that must be there.

    Returns:
        The arrays by name, as read-only memory maps.

    Raises:
        DataError: A file is missing or is not what was written.
        OSError: This process may open no more files, which says nothing of these.
    """
    try:
        meta = json.loads((folder / _META).read_text(encoding="utf-8"))
        digests: dict[str, str] = meta["sha256"]
        damaged = [name for name, digest in digests.items() if _sha256(folder / name) != digest]
        if meta["format"] != format or damaged:
            raise ValueError(", ".join(damaged) or f"format {meta['format']}")
        arrays = {Path(name).stem: np.load(folder / name, mmap_mode="r") for name in digests}
        if not arrays.keys() >= set(needed):
            raise ValueError(f"no array {', '.join(sorted(set(needed) - arrays.keys()))}")
        return arrays
    except (OSError, ValueError, KeyError, TypeError) as error:
        if getattr(error, "errno", None) in _NO_HANDLES:
            raise
        raise DataError(f"{folder} must hold intact arrays, got {error}; delete the folder") from error


def cached(
    folder: Path,
    prepare: Callable[[], Callable[[Path], None]],
    *,
    format: int,
    needed: Collection[str],
) -> dict[str, np.ndarray]:
    """Return the arrays kept in a folder, making and keeping them if they are absent or damaged.

    Several processes may do so at once: each works in a folder of its own, the first to finish wins, and
    the others use what it left.

    Args:
        folder: Named by all that decides what is in it; its parent is the cache.
        prepare: Gives what `save` calls to write the arrays; called only where nothing intact is kept. What
            it raises itself is no matter of the cache.
        format: As in `save`.
        needed: As in `load`.

    Returns:
        The arrays by name, as read-only memory maps.

    Raises:
        ConfigError: The cache cannot be written.
        OSError: This process may open no more files.
    """
    with suppress(DataError):
        return load(folder, format=format, needed=needed)
    write = prepare()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(_ATTEMPTS):
            with suppress(FileExistsError):  # another process was faster, or what is there is damaged
                save(folder, write, format=format)
            with suppress(DataError):
                return load(folder, format=format, needed=needed)
            _set_aside(folder)
        raise OSError(f"{folder} cannot be read back")
    except OSError as error:
        if error.errno in _NO_HANDLES:
            raise
        raise ConfigError(
            f"cache_dir must be a folder that can be written and has room, got {folder.parent} ({error}); "
            "set cache_dir"
        ) from error


def _set_aside(folder: Path) -> None:
    """Remove a damaged folder; renamed first, so that no other process sees it half removed."""
    aside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    with suppress(FileNotFoundError):
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(stream: IO[str]) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
