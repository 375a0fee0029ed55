"""Rows of local files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from headway.data.sources.folder_format import files_below, names_below
from headway.data.sources.formats import FOLDER
from headway.data.sources.options import FileOptions
from headway.data.sources.selection import split_spec
from headway.data.sources.source import Record
from headway.data.table import Table
from headway.file_digests import file_sha256
from headway.types import DataError, nearest


@dataclass(frozen=True, kw_only=True)
class Files(FileOptions):
    """Local files, read as text: no value is coerced, and each error names file and line."""

    def read(self, spec: str) -> Table:
        """Return the rows of a file.

        Args:
            spec: A path, absolute or from the current folder, of a file (.gz too) or of a folder of texts;
                `all.csv@split:train` takes the rows whose column `split` holds `train`.

        Raises:
            ConfigError: The format can't be told, or has no option that is set.
            DataError: There is no such file, or something in it is wrong.
        """
        name, selection = split_spec(spec)
        path = existing(name)
        options = replace(self, format=FOLDER) if path.is_dir() and self.format is None else self
        if options.format == FOLDER:
            return options.folder(files_below(path), origin=name, selection=selection)
        if path.is_dir():
            raise DataError(f"{name} must be a {self.format} file, got a folder; name a file in it")
        with path.open("rb") as stream:
            return self.table(stream, name=path.name, origin=name, selection=selection)

    def digests(self, spec: str) -> dict[str, str]:
        """Return the sha256 of every file that `read` reads, by the name that the spec gives it.

        Args:
            spec: As `read` takes it.
        """
        name, _ = split_spec(spec)
        path = existing(name)
        if not path.is_dir():
            return {name: file_sha256(path)}
        return {f"{name.rstrip('/')}/{part}": file_sha256(path / part) for part in sorted(names_below(path))}


def iter_records(path: str | Path, options: FileOptions | None = None) -> Iterator[Record]:
    """Yield the rows of a file as they are read, a few in memory at a time (but for .json: all of them).

    Args:
        path: The file.
        options: How it is read; None to go by the suffix.

    Raises:
        ConfigError: The format can't be told, or has no option that is set.
        DataError: There is no such file, or something in it is wrong.
    """
    options = options or FileOptions()
    file = existing(str(path))
    with file.open("rb") as stream:
        yield from options.records(stream, name=file.name, origin=str(path))


def existing(name: str) -> Path:
    """Return the path of a file or folder that is there.

    Args:
        name: A path; ~ is the home folder.

    Raises:
        DataError: There is nothing; the message names the most similar neighbour.
    """
    path = Path(name).expanduser()
    if path.exists():
        return path
    parent = path.parent
    if not parent.is_dir():
        raise DataError(
            f"{name} must be an existing file, got none, nor its folder {parent}; correct the path"
        )
    neighbours = nearest(path.name, (neighbour.name for neighbour in parent.iterdir()))
    raise DataError(f"{name} must be an existing file, got none{neighbours}; correct the path")
