"""How a file's bytes become records; the options that the sources which read files share."""

from __future__ import annotations

import codecs
import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, BinaryIO

from headway.data.sources.folder_format import read_texts
from headway.data.sources.formats import FORMATS, NAMES, SUFFIXES, by_suffix, options_of
from headway.data.sources.renaming import renamed
from headway.data.sources.selection import Selection, selected
from headway.data.sources.source import Record
from headway.data.sources.text_lines import decode_lines
from headway.data.table import Table
from headway.types import ConfigError, DataError, nearest

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
_TYPES = {
    "format": str,
    "delimiter": str,
    "header": bool,
    "skip_rows": int,
    "quoted": bool,
    "by_document": bool,
    "encoding": str,
    "fallback_encoding": str,
}
_OPTIONAL = ("format", "delimiter", "fallback_encoding")


@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """How files are read; the base of the sources that read files.

    Attributes:
        format: csv, tsv, json, jsonl, parquet, conll, lines (a text a line) or folder (<class>/<name>.txt);
            None to go by the file's suffix.
        delimiter: Of csv, tsv and conll: a character, or its name (comma, semicolon, tab, bar), as shells and
            Hydra take no bare ";"; None for a comma, a tab, and any run of spaces and tabs.
        header: Of csv and tsv: whether the first row names the columns.
        columns: Of csv and tsv without header, and conll: the columns' names; None for "0", "1", …
        skip_rows: Of csv and tsv: rows to leave out at the top, before the header.
        quoted: Of csv and tsv: whether fields may stand in double quotes.
        by_document: Of conll: whether a row is a document, from one -DOCSTART- line to the next, and not a
            sentence.
        encoding: Of all text.
        fallback_encoding: Of lines that aren't in `encoding`; None if there are none.
        rename: {old: new} names of columns, where the files of a data set differ; None for no change.
    """

    format: str | None = None
    delimiter: str | None = None
    header: bool = True
    columns: Sequence[str] | None = None
    skip_rows: int = 0
    quoted: bool = True
    by_document: bool = False
    encoding: str = "utf-8"
    fallback_encoding: str | None = None
    rename: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        self._check_types()
        if self.format is not None and self.format not in NAMES:
            raise ConfigError(
                f"`data.source.format` must be null or one of {list(NAMES)}, got {self.format!r}"
                f"{nearest(self.format, NAMES)}; name one of them"
            )
        if self.delimiter is not None and len(self.delimiter) != 1 and self.delimiter not in DELIMITERS:
            raise ConfigError(
                f"`data.source.delimiter` must be null, one character or one of {list(DELIMITERS)}, got "
                f"{self.delimiter!r}; set one of these"
            )
        if self.skip_rows < 0:
            raise ConfigError(
                f"`data.source.skip_rows` must be 0 or more rows, got {self.skip_rows}; count them from the "
                "top"
            )
        if self.columns is not None and (not self.columns or len(set(self.columns)) != len(self.columns)):
            raise ConfigError(
                f"`data.source.columns` must be null or names that differ, got {list(self.columns)}; rename "
                "them"
            )
        self._check_encoding()
        if self.format is not None:
            self._check_options(self.format)

    def _check_types(self) -> None:
        for name, kind in _TYPES.items():
            value = getattr(self, name)
            # Not isinstance(): to Python, true is an int.
            if type(value) is not kind and not (value is None and name in _OPTIONAL):
                called = kind.__name__ + (" or null" if name in _OPTIONAL else "")
                raise ConfigError(f"`data.source.{name}` must be {called}, got {value!r}; correct its type")
        if isinstance(self.columns, str) or any(not isinstance(name, str) for name in self.columns or ()):
            raise ConfigError(
                f"`data.source.columns` must be null or a list of str, got {self.columns!r}; quote its "
                "numbers"
            )
        if self.rename is not None and not isinstance(self.rename, Mapping):
            raise ConfigError(
                f"`data.source.rename` must be null or a mapping of old to new names, got {self.rename!r}; "
                "write {old: new}"
            )

    def _check_encoding(self) -> None:
        for name in ("encoding", "fallback_encoding"):
            value = getattr(self, name)
            try:
                codecs.lookup(value or "utf-8")
            except LookupError as error:
                raise ConfigError(
                    f"`data.source.{name}` must be an encoding that Python knows, got {value!r}; mostly it "
                    "is utf-8, cp1252 or utf-16"
                ) from error

    def _check_options(self, name: str) -> None:
        allowed = options_of(name)
        for option, value in self._given().items():
            if option not in allowed:
                raise ConfigError(
                    f"`data.source.{option}` must be left out for the format {name}, which reads "
                    f"{list(allowed)} alone, got {value!r}; leave it out or correct data.source.format"
                )
        if "header" in allowed and self.header and self.columns is not None:
            raise ConfigError(
                f"`data.source.columns` must be null where data.source.header is true, got "
                f"{list(self.columns)}; leave it out, or set data.source.header=false"
            )

    def _given(self) -> dict[str, Any]:
        """Return the options that were set, but for the format."""
        values = {option.name: getattr(self, option.name) for option in fields(FileOptions)[1:]}
        defaults = {option.name: option.default for option in fields(FileOptions)}
        return {name: value for name, value in values.items() if value != defaults[name]}

    def format_of(self, name: str) -> str:
        """Return the format that a file is read in: the one that was set, or else the suffix's.

        Args:
            name: The file's name.

        Raises:
            ConfigError: No format is set and the suffix tells none, or the format has no option that is set.
        """
        if self.format is not None:
            return self.format
        found = by_suffix(name)
        if found is None:
            raise ConfigError(
                f"`data.source.format` must be set for {name!r}, whose suffix is none of {list(SUFFIXES)}, "
                f"got null; set one of {list(NAMES)}"
            )
        self._check_options(found)
        return found

    def records(self, stream: BinaryIO, *, name: str, origin: str | None = None) -> Iterator[Record]:
        """Yield the records of a stream, which may be compressed if its name ends in .gz.

        Args:
            stream: Read from where it stands, and left open.
            name: Its file's name; the suffix tells the format, unless one is set.
            origin: What error messages name; None for the name.

        Raises:
            ConfigError: As `format_of`.
            DataError: As the format's reader.
        """
        origin = origin or name
        form = FORMATS[self.format_of(name)]
        source: Any = gzip.GzipFile(fileobj=stream) if name.lower().endswith(".gz") else stream
        if form.newline is not None:
            source = decode_lines(source, origin=origin, newline=form.newline, **self._encodings())
        given = {option: value for option, value in self._given().items() if option in form.options}
        if "delimiter" in given:
            given["delimiter"] = DELIMITERS.get(given["delimiter"], given["delimiter"])
        records = form.read(source, origin=origin, **given)
        return renamed(records, self.rename, origin) if self.rename else records

    def _encodings(self) -> dict[str, Any]:
        return {"encoding": self.encoding, "fallback_encoding": self.fallback_encoding}

    def table(self, stream: BinaryIO, *, name: str, origin: str, selection: Selection | None) -> Table:
        """Return the rows of a stream.

        Args:
            stream: As of `records`.
            name: As of `records`.
            origin: What error messages name.
            selection: The rows to take; None for all.

        Raises:
            ConfigError: As `format_of`.
            DataError: As the format's reader; or there is no row.
        """
        records = self.records(stream, name=name, origin=origin)
        if selection is not None:
            records = selected(records, selection, origin)
        return Table.from_records(records, origin=origin, unit=FORMATS[self.format_of(name)].unit)

    def folder(
        self, files: Iterable[tuple[str, bytes]], *, origin: str, selection: Selection | None
    ) -> Table:
        """Return the texts of a folder.

        Args:
            files: As of `read_texts`.
            origin: What error messages name.
            selection: None; a folder has no column to select by.

        Raises:
            DataError: Rows were selected, or as `read_texts`.
        """
        if selection is not None:
            raise DataError(
                f"{origin} must be named without '@', got '@{selection.column}:{selection.value}'; a folder "
                "has no columns to select by"
            )
        return read_texts(files, origin=origin, **self._encodings())
