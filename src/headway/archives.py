"""Read members of wheels, zips and tarballs; nothing in them is installed, built or executed."""

from __future__ import annotations

import difflib
import io
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, NamedTuple

from headway.types import DataError

ZIPS = (".whl", ".zip")
TARBALLS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
NESTED = "!"
"""Separates the member that is an archive itself from the member in it: outer.tar.gz!inner.txt."""


class Member(NamedTuple):
    """A file in an archive.

    Attributes:
        name: Its path in the archive.
        is_regular: False for links and devices, which are never read.
        open: Opens it for reading; valid until the next member is asked for.
    """

    name: str
    is_regular: bool
    open: Callable[[], IO[bytes]]


def list_members(archive: Path) -> list[str]:
    """Return the paths of all files in an archive, in its own order.

    Args:
        archive: A wheel, zip or tarball.
    """
    return [member.name for member in _members(archive, archive.name)]


def read_member(archive: Path, member: str) -> bytes:
    """Return the content of one file of an archive.

    Args:
        archive: A wheel, zip or tarball.
        member: The file's path in it; `outer.tar.gz!inner.txt` reads from an archive within.

    Raises:
        DataError: The archive has no such file; the message names the most similar ones.
    """
    outer, _, inner = member.partition(NESTED)
    content = _read(archive, archive.name, outer)
    return _read(io.BytesIO(content), outer, inner) if inner else content


def open_member(archive: Path, member: str) -> BinaryIO:
    """Return one file of an archive as a seekable binary stream; arguments and errors as of `read_member`."""
    return io.BytesIO(read_member(archive, member))


def read_folder(archive: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    """Yield path below `prefix` and content of every file there, in the archive's order, in a single pass.

    Args:
        archive: A wheel, zip or tarball.
        prefix: A folder in it.

    Raises:
        DataError: The archive has no file below `prefix`, or one of them is a link.
    """
    for below, member in _folder(archive, prefix):
        with member.open() as source:
            yield below, source.read()


def extract_folder(archive: Path, prefix: str, target: Path) -> None:
    """Write the files of a folder in an archive below `target`, which comes into being whole or not at all.

    Several processes may do it at once: each writes a folder of its own beside `target`, the first one to
    finish renames its folder, the others throw theirs away.

    Args:
        archive: A wheel, zip or tarball.
        prefix: A folder in it.
        target: The new folder.

    Raises:
        DataError: The archive has no file below `prefix`, or one of them is a link or points out of it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        for below, member in _folder(archive, prefix):
            path = draft / below
            path.parent.mkdir(parents=True, exist_ok=True)
            with member.open() as source, path.open("xb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
                sink.flush()
                os.fsync(sink.fileno())
        draft.chmod(0o755)  # mkdtemp's 0700 would shut others out of a shared cache
        try:
            draft.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _folder(archive: Path, prefix: str) -> Iterator[tuple[str, Member]]:
    folder = prefix.rstrip("/") + "/"
    found = False
    for member in _members(archive, archive.name):
        if not member.name.startswith(folder):
            continue
        below = member.name[len(folder) :]
        if not member.is_regular or not _stays_below(below):
            raise DataError(
                f"{archive.name}: {member.name!r} must be a plain file below {folder!r}, got a link or a "
                "path that leaves the folder; do not use this archive"
            )
        found = True
        yield below, member
    if not found:
        raise DataError(_no_such("folder", folder, archive.name, _folders(list_members(archive))))


def _stays_below(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and not set(path) & set("\\:\0")


def _folders(names: list[str]) -> list[str]:
    return sorted({f"{parent}/" for name in names for parent in PurePosixPath(name).parents})


def _read(archive: Path | BinaryIO, name: str, wanted: str) -> bytes:
    names = []
    for member in _members(archive, name):
        names.append(member.name)
        if member.name == wanted and member.is_regular:
            with member.open() as source:
                return source.read()
    raise DataError(_no_such("member", wanted, name, names))


def _no_such(what: str, wanted: str, archive: str, names: list[str]) -> str:
    similar = difflib.get_close_matches(wanted, names, n=5, cutoff=0.3)
    listed = ", ".join(repr(name) for name in similar) or "nothing like it"
    return (
        f"{archive}: the {what} must be one of the {len(names)} in it, got {wanted!r}; name one of these "
        f"(most similar: {listed})"
    )


def _members(archive: Path | BinaryIO, name: str) -> Iterator[Member]:
    try:
        if name.endswith(ZIPS):
            yield from _zip_members(archive)
        elif name.endswith(TARBALLS):
            yield from _tar_members(archive)
        else:
            raise DataError(f"{name}: an archive must end in one of {ZIPS + TARBALLS}; name such a file")
    except (zipfile.BadZipFile, tarfile.ReadError) as error:
        raise DataError(
            f"{name} must be a whole archive, got a damaged one ({error}); fetch it again"
        ) from error


def _zip_members(archive: Path | BinaryIO) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            if not info.is_dir():
                is_link = stat.S_ISLNK(info.external_attr >> 16)
                yield Member(info.filename, not is_link, partial(opened.open, info))


def _tar_members(archive: Path | BinaryIO) -> Iterator[Member]:
    name, stream = (archive, None) if isinstance(archive, Path) else (None, archive)
    with tarfile.open(name=name, fileobj=stream, mode="r:*") as opened:
        for info in opened:
            if not info.isdir():
                yield Member(info.name, info.isreg(), partial(_extract, opened, info))


def _extract(opened: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = opened.extractfile(info)
    if stream is None:
        raise DataError(f"{info.name!r} must be a plain file; name another member")
    return stream
