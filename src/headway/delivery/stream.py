"""Answers for records as they come: in order, a few rows in memory at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from headway.delivery.inputs import cell, columns_of
from headway.types import DataError, nearest

if TYPE_CHECKING:
    from headway.data.sources.source import Record
    from headway.delivery.predictor import Predictor

Outcome = tuple[list[dict[str, Any]], DataError | None]
"""Answers of a chunk, and the error of the row behind the last of them."""
ROWS_AT_ONCE = 1024
"""Rows read, answered and written together: enough to sort by length, few enough to keep memory flat."""
CHARACTERS_AT_ONCE = 4_000_000
"""Likewise, where rows are long documents."""


@dataclass(frozen=True)
class RecordReader:
    """Takes what a model reads out of the records of one file.

    Attributes:
        columns: Canonical column -> the file's column.
        id: The column that names rows; None: their line.
        origin: The file, for messages.
        unit: What a record's line counts: "line" or "row".
    """

    columns: Mapping[str, str]
    id: str | None
    origin: str
    unit: str

    def where(self, line: int) -> str:
        """Return the place of a record, as error messages name it.

        Args:
            line: Of the record.
        """
        return f"{self.origin}, {self.unit} {line}"

    def read(self, record: Record) -> InputRow:
        """Return a record's checked cells.

        Args:
            record: As the file's reader gave it.

        Raises:
            DataError: A column is missing, or a cell is blank or of the wrong kind.
        """
        cells = {
            name: cell(self._value(record, column, f"--{name.replace('_', '-')}"), name, place=place)
            for name, column in self.columns.items()
            for place in [self._place(record, column)]
        }
        words = record.values[self.columns["tokens"]] if "tokens" in self.columns else None
        text = words if isinstance(words, str) else None
        if self.id is None:
            return InputRow(record.line, str(record.line), cells, text)
        found = self._value(record, self.id, "--id")
        if not isinstance(found, str) or not found.strip():
            place = self._place(record, self.id)
            raise DataError(
                f"{place()} must hold a name (--id), got {found!r:.60}; fill it in or leave out --id"
            )
        return InputRow(record.line, found, cells, text)

    def _place(self, record: Record, column: str) -> Callable[[], str]:
        return lambda: f"{self.where(record.line)}, column {column!r}"

    def _value(self, record: Record, column: str, option: str) -> object:
        if column not in record.values:
            names = list(record.values)
            raise DataError(
                f"{self.where(record.line)} must have the column {column!r}, got {names}"
                f"{nearest(column, names)}; name the right one with {option}"
            )
        return record.values[column]


class InputRow(NamedTuple):
    """One row to be answered.

    Attributes:
        line: Of its file.
        id: Its name in the output.
        cells: Canonical column -> what stands there.
        text: What words were split from; None where words were given, or none are read.
    """

    line: int
    id: str
    cells: dict[str, str | list[str]]
    text: str | None = None


@dataclass(frozen=True)
class Answering:
    """How rows are answered.

    Attributes:
        batch_size: Windows a batch; None: as in the test.
        probabilities: Whether answers hold them.
        workers: Threads that each answer a chunk of rows.
    """

    batch_size: int | None = None
    probabilities: bool = True
    workers: int = 1


def answers(
    predictor: Predictor, records: Iterable[Record], reader: RecordReader, how: Answering | None = None
) -> Generator[list[dict[str, Any]], None, None]:
    """Yield the answers of each chunk of records, in order.

    A bad row doesn't take the good ones before it along: they are answered first, then its error is raised.

    Args:
        predictor: The model.
        records: Read as they are needed: a chunk, or one more than there are workers.
        reader: Takes the cells out of them.
        how: They are answered; None: on one thread, with probabilities.

    Yields:
        id, prediction, probabilities (and spans and tokens) of each row.

    Raises:
        DataError: A row or the file is wrong; the message names file and line.
    """
    used = how or Answering()
    answered = partial(_answered_or_failed, predictor, reader, used)
    chunks = _chunks(map(reader.read, records))
    found = map(answered, chunks) if used.workers == 1 else _side_by_side(answered, chunks, used.workers)
    for rows, failure in found:
        if rows:
            yield rows
        if failure is not None:
            raise failure


def _side_by_side(
    answered: Callable[[list[InputRow]], Outcome], chunks: Iterator[list[InputRow]], workers: int
) -> Iterator[Outcome]:
    """Yield what threads make of chunks, in the chunks' order; only so many are read as can be worked on."""
    waiting: deque[Future[Outcome]] = deque()
    failure: DataError | None = None
    with ThreadPoolExecutor(workers, thread_name_prefix="predict") as pool:
        try:
            while failure is None:
                try:
                    chunk = next(chunks)
                except StopIteration:
                    break
                except DataError as error:
                    failure = error
                    break
                waiting.append(pool.submit(answered, chunk))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:  # whoever stops reading doesn't wait for what nobody will see
            pool.shutdown(wait=False, cancel_futures=True)
    if failure is not None:
        yield [], failure


def _answered_or_failed(
    predictor: Predictor, reader: RecordReader, how: Answering, rows: list[InputRow]
) -> Outcome:
    """Return a chunk's answers, or those before its first bad row and that row's error."""
    try:
        return _answered(predictor, rows, reader, how), None
    except DataError:
        pass
    # A row that reads well may still not fit, such as a pair whose shorter text fills the window.
    found: list[dict[str, Any]] = []
    for row in rows:
        try:
            found += _answered(predictor, [row], reader, how)
        except DataError as error:
            return found, error
    return found, None


def _answered(
    predictor: Predictor, rows: Sequence[InputRow], reader: RecordReader, how: Answering
) -> list[dict[str, Any]]:
    examples = columns_of([row.cells for row in rows], list(reader.columns))
    found = predictor.answer(
        examples,
        batch_size=how.batch_size,
        where=lambda number: reader.where(rows[number].line),
        texts=[row.text for row in rows],
        probabilities=how.probabilities,
    )
    return [{"id": row.id, **answer} for row, answer in zip(rows, found, strict=True)]


def _chunks(rows: Iterator[InputRow]) -> Iterator[list[InputRow]]:
    chunk: list[InputRow] = []
    characters = 0
    failure: DataError | None = None
    while failure is None:
        try:
            row = next(rows)
        except StopIteration:
            break
        except DataError as error:
            failure = error
            break
        chunk.append(row)
        characters += sum(_size(value) for value in row.cells.values())
        if len(chunk) == ROWS_AT_ONCE or characters >= CHARACTERS_AT_ONCE:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk
    if failure is not None:
        raise failure


def _size(value: str | list[str]) -> int:
    return len(value) if isinstance(value, str) else sum(map(len, value))
