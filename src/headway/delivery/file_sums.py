"""The sums of an artifact's files, by which a flipped byte is told from a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from headway.delivery.artifact_spec import AGAIN, CARD_FILE, SPEC_FILE, parse_spec
from headway.types import HeadwayError


def file_sums(folder: Path, *, known: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Return the sha256 of every file that headway.json answers for: all but itself and the model card.

    Args:
        folder: The artifact's folder.
        known: File -> sha256 that was computed a moment ago.
    """
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    answered = [name for name in names if name not in (SPEC_FILE, CARD_FILE)]
    return {name: known.get(name) or sha256_of(folder / name) for name in answered}


def identity_of(folder: Path) -> str:
    """Return a hash of all that decides an artifact's answers.

    Args:
        folder: The artifact's folder.
    """
    found = hashlib.sha256((folder / SPEC_FILE).read_bytes())
    if not parse_spec(folder).files:  # an old artifact, which has no sums in it
        found.update(json.dumps(file_sums(folder), sort_keys=True).encode())
    return found.hexdigest()


def check_files(folder: Path, files: Mapping[str, str]) -> None:
    """Refuse an artifact of which a file is missing or has other bytes.

    Args:
        folder: The artifact's folder.
        files: Name -> sha256 when it was written.

    Raises:
        HeadwayError: A file is missing or has changed.
    """
    for name, wanted in files.items():
        check_file(folder / name, wanted)


def check_file(path: Path, wanted: str) -> None:
    """Refuse a file that is missing or has other bytes.

    Args:
        path: The file.
        wanted: Its sha256 when it was written.

    Raises:
        HeadwayError: It is missing or has changed.
    """
    if not path.is_file():
        raise HeadwayError(f"{path.parent} must hold {path.name!r}, got no such file; {AGAIN}")
    found = sha256_of(path)
    if found != wanted:
        raise HeadwayError(
            f"{path} must be as headway wrote it, with the sha256 {wanted[:12]}…, got {found[:12]}…; {AGAIN}"
        )


def sha256_of(path: Path) -> str:
    """Return a file's sha256 in hexadecimal.

    Args:
        path: The file.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
