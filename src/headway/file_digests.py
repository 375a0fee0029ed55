"""The sha256 of files, each read once in a process as long as it doesn't change."""

from __future__ import annotations

import hashlib
from pathlib import Path

_known: dict[tuple[int, ...], str] = {}


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file, 64 hexadecimal digits.

    Args:
        path: The file; a link is followed.
    """
    about = path.stat()
    # Not by its path: a file that is linked to from many folders is one.
    key = about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns
    if key not in _known:
        with path.open("rb") as stream:
            _known[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _known[key]
