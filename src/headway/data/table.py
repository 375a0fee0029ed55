"""The rows of one split as they came, with the place that each came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from headway.types import DataError, nearest

if TYPE_CHECKING:
    from datasets import Dataset
    from pyarrow import Array, DataType

    from headway.data.sources.source import Record

ROWS_PER_CHUNK = 1000
_CALLED = {"text": "text", "list": "a list of text"}


@dataclass(frozen=True)
class Table:
    """Rows of one split, with nothing coerced.

    Attributes:
        rows: The columns under the names they came with. What local files and packages gave is text, None or
            a list of text; the hub's columns may be nested.
        origin: The file, member or hub split that error messages name.
        lines: (num_rows,) int64, the line (or 1-based row) of each row in `origin`.
        unit: What `lines` counts: "line" or "row".
        files: Each row's own file below `origin`, where every row is a file.
        flaws: Columns that hold something other than text, with what is wrong. They do no harm as long as no
            role of the data node names them; `column` raises the message when one does.
    """

    rows: Dataset
    origin: str
    lines: np.ndarray
    unit: str = "line"
    files: tuple[str, ...] | None = None
    flaws: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def column_names(self) -> list[str]:
        """The columns in the order they came in."""
        return list(self.rows.column_names)

    def column(self, name: str) -> list[Any]:
        """Return one column's values, a row each.

        Args:
            name: The column.

        Returns:
            (num_rows,) values: text, None or a list of text; for the hub whatever the hub holds.

        Raises:
            DataError: There is no such column (lists those there are), or it holds something other than text.
        """
        if name not in self.rows.column_names:
            raise DataError(
                f"{self.origin}: the column must be one of {self.column_names}, got {name!r}"
                f"{nearest(name, self.column_names)}; name an existing column"
            )
        if name in self.flaws:
            raise DataError(self.flaws[name])
        values: list[Any] = self.rows[name][:]  # a list at once; iterating the column decodes it row by row
        return values

    def where(self, index: int) -> str:
        """Return the place a row came from, as error messages name it.

        Args:
            index: The row's number in this table, from 0.
        """
        if self.files is not None:
            return f"{self.origin.rstrip('/')}/{self.files[index]}"
        return f"{self.origin}, {self.unit} {self.lines[index]}"

    def select(self, indices: Sequence[int] | np.ndarray) -> Table:
        """Return a table of some rows, which remember where they came from.

        Args:
            indices: (num_selected,) int64, row numbers in this table, in the order wanted.
        """
        chosen = np.asarray(indices, dtype=np.int64)
        files = None if self.files is None else tuple(self.files[index] for index in chosen)
        return replace(self, rows=self.rows.select(chosen), lines=self.lines[chosen], files=files)

    @classmethod
    def from_records(cls, records: Iterable[Record], *, origin: str, unit: str = "line") -> Table:
        """Collect records into a table, a chunk at a time, so that Python objects of few rows live at once.

        Args:
            records: Rows; a row without a key that others have gets None there.
            origin: What error messages name.
            unit: What the records' lines count: "line" or "row".

        Raises:
            DataError: There is no record.
        """
        builder = _Builder(origin, unit)
        for record in records:
            builder.add(record)
        return builder.table()


class _Builder:
    """Grows Arrow columns by chunks of rows; the first value decides whether a column is text or lists."""

    def __init__(self, origin: str, unit: str) -> None:
        self._origin = origin
        self._unit = unit
        self._lines: list[int] = []
        self._pending: list[Record] = []
        self._chunks: dict[str, list[Array]] = {}
        self._kinds: dict[str, str | None] = {}
        self._flaws: dict[str, str] = {}

    def add(self, record: Record) -> None:
        """Take in the next record."""
        self._pending.append(record)
        if len(self._pending) == ROWS_PER_CHUNK:
            self._flush()

    def table(self) -> Table:
        """Return all records so far as a table."""
        import pyarrow as pa
        from datasets import Dataset
        from datasets.table import InMemoryTable

        self._flush()
        if not self._lines:
            raise DataError(f"{self._origin} must hold at least one row, got none; name a file that has rows")
        columns = {}
        for name, chunks in self._chunks.items():
            kind = self._arrow_type(name)
            # A flaw found late leaves chunks of another kind; nobody may read the column, so it is emptied.
            flawed = name in self._flaws
            casted = [pa.nulls(len(chunk), type=kind) if flawed else chunk.cast(kind) for chunk in chunks]
            columns[name] = pa.chunked_array(casted, type=kind)
        lines = np.asarray(self._lines, dtype=np.int64)
        rows = Dataset(InMemoryTable(pa.table(columns)))
        return Table(rows=rows, origin=self._origin, lines=lines, unit=self._unit, flaws=self._flaws)

    def _flush(self) -> None:
        import pyarrow as pa

        for record in self._pending:
            for name in record.values:
                if name not in self._kinds:
                    if "\0" in name:  # Arrow would cut it there
                        raise DataError(
                            f"{self._origin}, {self._unit} {record.line}: a column's name must be "
                            f"text without NUL, got {name!r}; rename the column"
                        )
                    self._kinds[name] = None
                    self._chunks[name] = [pa.nulls(len(self._lines))]
        for name in self._kinds:
            self._chunks[name].append(self._chunk(name))
        self._lines.extend(record.line for record in self._pending)
        self._pending = []

    def _chunk(self, name: str) -> Array:
        import pyarrow as pa

        for record in self._pending:
            self._examine(name, record)
        if name in self._flaws or self._kinds[name] is None:
            return pa.nulls(len(self._pending))
        return pa.array([record.values.get(name) for record in self._pending], type=self._arrow_type(name))

    def _examine(self, name: str, record: Record) -> None:
        value = record.values.get(name)
        if value is None or name in self._flaws:
            return
        kind = _kind(value)
        expected = self._kinds[name] or kind
        self._kinds[name] = expected
        if kind == expected and kind in _CALLED:
            return
        allowed = _CALLED.get(expected, "text or a list of text")
        self._flaws[name] = (
            f"{self._origin}, {self._unit} {record.line}, column {name!r} must hold {allowed} in every row, "
            f"got {_CALLED.get(kind) or format(repr(value), '.60')}; correct the row or name another column"
        )

    def _arrow_type(self, name: str) -> DataType:
        import pyarrow as pa

        # 64-bit offsets: a column of long documents may exceed the 2 GB that Arrow's plain strings can hold.
        is_list = self._kinds[name] == "list" and name not in self._flaws
        return pa.large_list(pa.large_string()) if is_list else pa.large_string()


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, list) and all(item is None or isinstance(item, str) for item in value):
        return "list"
    return "nested"
