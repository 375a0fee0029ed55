"""The sha256 of files, each read once in a process as long as it doesn't change."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file, 64 hexadecimal digits.

    Args:
        path: The file; a link is followed.
    """
    real = path.resolve()
    about = real.stat()
    return _sha256(real, about.st_size, about.st_mtime_ns, about.st_ino)


@lru_cache(maxsize=4096)
def _sha256(path: Path, *about: int) -> str:
    """Return the sha256; what stands behind the path tells a file from what was there before."""
    del about
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
