"""Keep pinned, checksummed package archives in a cache; nothing in them is installed or executed."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from headway import archives, package_index
from headway.types import ConfigError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PackagePin:
    """One archive on a package index, told apart by its content.

    Attributes:
        name: The project's name on the index.
        version: Its version.
        filename: The wheel's or sdist's file name.
        sha256: Of the file, 64 hexadecimal digits.
    """

    name: str
    version: str
    filename: str
    sha256: str

    def __post_init__(self) -> None:
        allowed = archives.ZIPS + archives.TARBALLS
        if not self.filename.endswith(allowed) or Path(self.filename).name != self.filename:
            raise ConfigError(
                f"`filename` of package {self.name} must be a plain file name that ends in one of {allowed}, "
                f"got {self.filename!r}; copy it from the index"
            )
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ConfigError(
                f"`sha256` of package {self.name} must be 64 lower-case hexadecimal digits, got "
                f"{self.sha256!r}; copy it from the index"
            )


def cache_folder() -> Path:
    """Return where archives are kept: `packages` in $HEADWAY_CACHE, or else in ~/.cache/headway.

    Raises:
        ConfigError: The variable isn't set, and the user has no home.
    """
    root = os.environ.get("HEADWAY_CACHE")
    try:
        return (Path(root).expanduser() if root else Path.home() / ".cache" / "headway") / "packages"
    except RuntimeError as error:
        raise ConfigError(
            "$HEADWAY_CACHE must be set where a user has no home folder, got nothing; set it to a folder"
        ) from error


def fetch(pin: PackagePin, cache_dir: Path | None = None) -> Path:
    """Return the path of a pinned archive, downloaded first unless the cache holds it.

    The file is looked up on the index (and the extra indexes) that pip is configured with. It stands in the
    cache only after its content was checked, and it is checked again at every call: a damaged file is
    fetched anew. Several processes may fetch the same archive at once.

    Args:
        pin: The archive.
        cache_dir: The cache; None for `cache_folder()`.

    Raises:
        ConfigError: No index has the file, or what it has isn't what was pinned.
        DataError: No index could be reached.
    """
    folder = cache_folder() if cache_dir is None else cache_dir
    path = folder / pin.filename
    if path.is_file():
        if _sha256(path) == pin.sha256:
            return path
        _LOG.warning("%s is not what was pinned; fetching it anew", path)
    folder.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=folder, prefix=f".{pin.filename}.")
    os.close(handle)
    try:
        host = package_index.download(pin.name, pin.filename, Path(draft), alternative=path)
        _check(pin, Path(draft), host)
        Path(draft).chmod(0o644)  # mkstemp's 0600 would shut others out of a shared cache
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)
    return path


def extract_folder(pin: PackagePin, member_prefix: str, cache_dir: Path | None = None) -> Path:
    """Return a folder that holds what a pinned archive has below a path, extracted once into the cache.

    Args:
        pin: The archive.
        member_prefix: A folder in it, for example that of a model.
        cache_dir: The cache; None for `cache_folder()`.

    Raises:
        ConfigError: As `fetch`.
        DataError: As `fetch`; or the archive has no such folder, or a link in it.
    """
    folder = cache_folder() if cache_dir is None else cache_dir
    slug = re.sub(r"[^\w.-]+", "-", member_prefix.strip("/"))
    target = folder / f"{pin.name}-{pin.version}-{pin.sha256[:12]}" / slug
    if not target.is_dir():
        archives.extract_folder(fetch(pin, cache_dir), member_prefix, target)
    return target


def _check(pin: PackagePin, draft: Path, host: str) -> None:
    actual = _sha256(draft)
    if actual != pin.sha256:
        raise ConfigError(
            f"`sha256` of package {pin.name} must be that of {pin.filename}, got {pin.sha256}, but the file "
            f"from {host} has {actual}; correct the pin, or do not use this index"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
