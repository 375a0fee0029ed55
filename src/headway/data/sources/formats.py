"""The formats by name and by suffix: which function reads each, and which options it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from headway.data.sources.conll_format import read_conll
from headway.data.sources.csv_format import read_csv
from headway.data.sources.json_format import read_json, read_jsonl
from headway.data.sources.lines_format import read_lines
from headway.data.sources.parquet_format import read_parquet
from headway.data.sources.source import Record

FOLDER = "folder"
"""The one format that isn't a stream; see folder_format."""


class Format(NamedTuple):
    """A way of writing records in a stream.

    Attributes:
        read: Yields records from lines, or from the stream itself where `newline` is None.
        options: The keywords of `read` that a config may set.
        newline: What ends a line, as `decode_lines` takes it; None for a binary format.
        unit: What a record's line counts.
    """

    read: Callable[..., Iterator[Record]]
    options: tuple[str, ...] = ()
    newline: str | None = "\n"
    unit: str = "line"


_DELIMITED = ("delimiter", "header", "columns", "skip_rows", "quoted")
FORMATS = {
    "csv": Format(read_csv, _DELIMITED, newline=""),
    "tsv": Format(partial(read_csv, delimiter="\t"), _DELIMITED, newline=""),
    "json": Format(read_json),
    "jsonl": Format(read_jsonl),
    "parquet": Format(read_parquet, newline=None, unit="row"),
    "conll": Format(read_conll, ("delimiter", "columns", "by_document")),
    "lines": Format(read_lines),
}
NAMES = (*FORMATS, FOLDER)
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".conll": "conll",
}


def by_suffix(name: str) -> str | None:
    """Return the format that a file's suffix tells, .gz apart; None if it tells none.

    Args:
        name: The file's name.
    """
    stem = name.lower().removesuffix(".gz")
    return next((form for suffix, form in SUFFIXES.items() if stem.endswith(suffix)), None)


def options_of(name: str) -> tuple[str, ...]:
    """Return the options that a format reads.

    Args:
        name: One of NAMES.
    """
    text = ("encoding", "fallback_encoding")
    if name == FOLDER:
        return text
    form = FORMATS[name]
    return (*form.options, *(text if form.newline is not None else ()), "rename")
