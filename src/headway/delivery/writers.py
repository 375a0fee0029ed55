"""Where streamed predictions go: jsonl, csv or parquet, a chunk at a time."""

from __future__ import annotations

import csv
import json
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from headway.types import ConfigError, nearest

if TYPE_CHECKING:
    import pyarrow as pa

Rows = Sequence[dict[str, Any]]
SUFFIXES = (".jsonl", ".csv", ".parquet")
# What a spreadsheet takes for a formula; a sign before a number, or alone, is none.
_FORMULA = re.compile(r"[=+\-@\t\r](?!$)(?!(?<=[+-])\d*\.?\d+(?:[eE][+-]?\d+)?$)")


class Writer(ABC):
    """Takes rows chunk by chunk; all rows have the keys of the schema."""

    @abstractmethod
    def write(self, rows: Rows) -> None:
        """Append rows.

        Args:
            rows: At least one.
        """

    def close(self) -> None:  # noqa: B027 - most have nothing to finish
        """Finish the file, so that what was written before is valid."""


class JsonlWriter(Writer):
    """One JSON object a line, in UTF-8 whatever the terminal's encoding is.

    Args:
        stream: Where to; left open.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, rows: Rows) -> None:
        """Append rows, whole lines at a time."""
        text = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
        self._stream.write(text.encode())
        self._stream.flush()


class CsvWriter(Writer):
    """A header and a row an answer; lists and mappings stand as JSON, so that they can be read back.

    An id or a label that a spreadsheet would run as a formula (=cmd(), @x) gets an apostrophe before it, as
    one types it there. jsonl and parquet hold every text as it is.

    Args:
        stream: Where to; left open.
        columns: The header.
    """

    def __init__(self, stream: BinaryIO, columns: Sequence[str]) -> None:
        self._stream = stream
        self._columns = list(columns)
        self._append([self._columns])

    def write(self, rows: Rows) -> None:
        """Append rows."""
        self._append([[_csv_cell(row[name]) for name in self._columns] for row in rows])

    def _append(self, rows: list[list[Any]]) -> None:
        import io

        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        self._stream.write(text.getvalue().encode())
        self._stream.flush()


def _csv_cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return "'" + value if isinstance(value, str) and _FORMULA.match(value) else value


class ParquetWriter(Writer):
    """A row group a chunk; probabilities of labels are a struct.

    Args:
        stream: Where to; left open.
        schema: Of the rows; known beforehand, since a chunk may hold nothing but empty lists.
    """

    def __init__(self, stream: BinaryIO, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self._schema = schema
        self._writer = pq.ParquetWriter(stream, schema)

    def write(self, rows: Rows) -> None:
        """Append rows as one row group."""
        import pyarrow as pa

        self._writer.write_table(pa.Table.from_pylist(list(rows), schema=self._schema))

    def close(self) -> None:
        """Write the footer, without which nothing can be read."""
        self._writer.close()


def answer_schema(role: str, label_names: Sequence[str]) -> pa.Schema:
    """Return the columns of written answers.

    Args:
        role: What the task learns from: label, labels, score or tags.
        label_names: The labels in order; empty for scores.
    """
    import pyarrow as pa

    chances = pa.struct([(name, pa.float32()) for name in label_names])
    words, numbers = pa.list_(pa.string()), pa.list_(pa.float32())
    columns = {
        "label": [("prediction", pa.string()), ("probabilities", chances)],
        "labels": [("prediction", words), ("probabilities", chances)],
        "score": [("prediction", pa.float64())],
        "tags": [("prediction", words), ("tokens", words), ("probabilities", numbers)],
    }
    return pa.schema([("id", pa.string()), *columns[role]])


def check_output(path: str | None, *, source: str, overwrite: bool) -> None:
    """Check where predictions shall go, before anything is loaded; nothing is written.

    Args:
        path: --output; None for stdout.
        source: The file that is read, or "-".
        overwrite: Whether a file may be replaced.

    Raises:
        ConfigError: The suffix is unknown, the folder isn't there, or the file is and may not be replaced.
    """
    if path is None:
        return
    target = Path(path)
    if target.suffix not in SUFFIXES:
        raise ConfigError(
            f"--output must end in one of {list(SUFFIXES)}, got {path!r}"
            f"{nearest(target.suffix, list(SUFFIXES))}; rename it"
        )
    if not target.parent.is_dir():
        raise ConfigError(f"--output must lie in a folder that exists, got {path!r}; create {target.parent}")
    if not target.exists():
        return
    if source != "-" and target.samefile(source):
        raise ConfigError(f"--output must not be FILE itself, got {path!r}; name another file")
    if target.is_dir() or not overwrite:
        what = "a folder" if target.is_dir() else "one that is there; give --overwrite to replace it"
        raise ConfigError(f"--output must be a new file, got {path!r}, {what}; or name another")


@contextmanager
def open_writer(path: str | None, schema: Callable[[], pa.Schema], *, overwrite: bool) -> Iterator[Writer]:
    """Open what a suffix names.

    Args:
        path: A file ending in .jsonl, .csv or .parquet, as `check_output` wants it; None for jsonl on stdout.
        schema: Gives that of the rows; called only for a file, so that stdout doesn't wait for pyarrow.
        overwrite: Whether a file may be replaced.

    Yields:
        The writer; closed at the end, also after an error.

    Raises:
        ConfigError: The file can't be opened.
    """
    if path is None:
        sys.stdout.flush()
        yield JsonlWriter(sys.stdout.buffer)
        return
    try:
        stream = Path(path).open("wb" if overwrite else "xb")  # noqa: SIM115 - closed by the with below
    except OSError as error:
        raise ConfigError(f"--output must be a file that can be written, got {path!r} ({error})") from error
    with stream:
        writer = _writer_to(stream, Path(path).suffix, schema())
        try:
            yield writer
        finally:
            writer.close()


def _writer_to(stream: BinaryIO, suffix: str, schema: pa.Schema) -> Writer:
    if suffix == ".jsonl":
        return JsonlWriter(stream)
    return CsvWriter(stream, schema.names) if suffix == ".csv" else ParquetWriter(stream, schema)
