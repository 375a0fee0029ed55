"""Where streamed predictions go: jsonl, csv or parquet, a chunk at a time."""

from __future__ import annotations

import csv
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from headway.types import ConfigError

Rows = Sequence[dict[str, Any]]


class Writer(ABC):
    """Takes rows chunk by chunk; all rows have the same keys."""

    @abstractmethod
    def write(self, rows: Rows) -> None:
        """Append rows."""

    @abstractmethod
    def close(self) -> None:
        """Finish the file; what was written before is valid."""


class JsonlWriter(Writer):
    """One JSON object a line.

    Args:
        stream: Where to; left open if it isn't ours.
        owned: Whether to close it.
    """

    def __init__(self, stream: TextIO, *, owned: bool) -> None:
        self._stream = stream
        self._owned = owned

    def write(self, rows: Rows) -> None:
        """Append rows, whole lines at a time."""
        self._stream.write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        self._stream.flush()

    def close(self) -> None:
        """Close the file."""
        if self._owned:
            self._stream.close()


class CsvWriter(Writer):
    """A header and a row an answer; lists and mappings stand as JSON, so that they can be read back.

    Args:
        path: Where to.
    """

    def __init__(self, path: Path) -> None:
        self._stream = path.open("w", newline="", encoding="utf-8")
        self._writer: csv.DictWriter[str] | None = None

    def write(self, rows: Rows) -> None:
        """Append rows."""
        if self._writer is None:
            self._writer = csv.DictWriter(self._stream, fieldnames=list(rows[0]))
            self._writer.writeheader()
        for row in rows:
            self._writer.writerow(
                {
                    name: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
                    for name, value in row.items()
                }
            )
        self._stream.flush()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


class ParquetWriter(Writer):
    """A row group a chunk; probabilities of labels become a struct.

    Args:
        path: Where to.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, rows: Rows) -> None:
        """Append rows as one row group."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = None if self._writer is None else self._writer.schema
        table = pa.Table.from_pylist(list(rows), schema=schema)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)

    def close(self) -> None:
        """Write the footer."""
        if self._writer is not None:
            self._writer.close()


WRITERS = {".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet"}


@contextmanager
def open_writer(path: str | None) -> Iterator[Writer]:
    """Open what a suffix names.

    Args:
        path: A file ending in .jsonl, .csv or .parquet; None for jsonl on stdout.

    Yields:
        The writer; closed at the end, also after an error.

    Raises:
        ConfigError: Another suffix, or the folder isn't there.
    """
    if path is None:
        yield JsonlWriter(sys.stdout, owned=False)
        return
    target = Path(path)
    if target.suffix not in WRITERS:
        raise ConfigError(f"--output must end in one of {list(WRITERS)}, got {path!r}; rename it")
    if not target.parent.is_dir():
        raise ConfigError(f"--output must lie in a folder that exists, got {path!r}; create {target.parent}")
    writer: Writer
    if target.suffix == ".jsonl":
        writer = JsonlWriter(target.open("w", encoding="utf-8"), owned=True)
    else:
        writer = CsvWriter(target) if target.suffix == ".csv" else ParquetWriter(target)
    try:
        yield writer
    finally:
        writer.close()
