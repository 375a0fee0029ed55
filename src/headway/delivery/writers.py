"""How rows of answers are written: jsonl, csv, or what becomes parquet, a chunk at a time."""

from __future__ import annotations

import csv
import io
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

Rows = Sequence[dict[str, Any]]
# What a spreadsheet takes for a formula; a sign before a number, or alone, is none.
_FORMULA = re.compile(r"[=+\-@\t\r](?!$)(?!(?<=[+-])\d*\.?\d+(?:[eE][+-]?\d+)?$)")


class Bytes(Protocol):
    """Where bytes go: a file, or what also sums them."""

    def write(self, content: bytes, /) -> Any:
        """Append bytes.

        Args:
            content: All of it is written.
        """

    def flush(self) -> None:
        """Hand over what is still held back."""


class Writer(ABC):
    """Takes rows chunk by chunk; all rows have the keys of the schema."""

    @abstractmethod
    def write(self, rows: Rows) -> None:
        """Append rows.

        Args:
            rows: At least one.
        """


class JsonlWriter(Writer):
    """One JSON object a line, in UTF-8 whatever the terminal's encoding is.

    Args:
        stream: Where to; left open.
    """

    def __init__(self, stream: Bytes) -> None:
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
        begun: Whether the stream has the header already.
    """

    def __init__(self, stream: Bytes, columns: Sequence[str], *, begun: bool = False) -> None:
        self._stream = stream
        self._columns = list(columns)
        if not begun:
            self._append([self._columns])

    def write(self, rows: Rows) -> None:
        """Append rows."""
        self._append([[_csv_cell(row[name]) for name in self._columns] for row in rows])

    def _append(self, rows: list[list[Any]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        self._stream.write(text.getvalue().encode())
        self._stream.flush()


def _csv_cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return "'" + value if isinstance(value, str) and _FORMULA.match(value) else value


class ArrowWriter(Writer):
    """A record batch a chunk, one behind the other: a file that breaks off is good up to its last whole one.

    parquet isn't: nothing can be read of it without the footer, which is written last. `to_parquet` makes it.

    Args:
        stream: Where to; left open.
        schema: Of the rows; known beforehand, since a chunk may hold nothing but empty lists.
    """

    def __init__(self, stream: Bytes, schema: pa.Schema) -> None:
        self._stream = stream
        self._schema = schema

    def write(self, rows: Rows) -> None:
        """Append rows as one batch."""
        import pyarrow as pa

        batch = pa.RecordBatch.from_pylist(list(rows), schema=self._schema)
        self._stream.write(batch.serialize().to_pybytes())
        self._stream.flush()


def to_parquet(batches: Path, target: Path, schema: pa.Schema) -> None:
    """Write what an ArrowWriter wrote as parquet, a row group a batch; one batch is in memory at a time.

    Args:
        batches: The file of an ArrowWriter.
        target: Replaced as a whole, once all is written.
        schema: Of the rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    partial = target.with_name(f".{target.name}.partial")
    size = batches.stat().st_size
    with pa.OSFile(str(batches)) as stream, pq.ParquetWriter(partial, schema) as writer:
        while stream.tell() < size:
            message = pa.ipc.read_message(stream)
            writer.write_batch(pa.ipc.read_record_batch(message, schema))
    partial.replace(target)


def answer_schema(
    role: str, label_names: Sequence[str], *, spans: bool = False, probabilities: bool = True
) -> pa.Schema:
    """Return the columns of written answers.

    Args:
        role: What the task learns from: label, labels, score or tags.
        label_names: The labels in order; empty for scores.
        spans: Whether tags name spans.
        probabilities: Whether answers hold them.
    """
    import pyarrow as pa

    chances = pa.struct([(name, pa.float32()) for name in label_names])
    words = pa.list_(pa.string())
    span = [("label", pa.string()), ("text", pa.string())]
    span += [(name, pa.int64()) for name in ("start", "end", "start_word", "end_word")]
    span += [("probability", pa.float32())] if probabilities else []
    columns = {
        "label": [("prediction", pa.string())],
        "labels": [("prediction", words)],
        "score": [("prediction", pa.float64())],
        "tags": [
            ("prediction", words),
            *([("spans", pa.list_(pa.struct(span)))] if spans else []),
            ("tokens", words),
        ],
    }[role]
    if probabilities and role != "score":
        columns.append(("probabilities", pa.list_(pa.float32()) if role == "tags" else chances))
    return pa.schema([("id", pa.string()), *columns])
