"""Read delimited text: RFC 4180, every value as the text it is."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from headway.data.sources.source import Record
from headway.types import DataError

LARGEST_FIELD = 2**31 - 1
"""Characters; the most that the csv module accepts on every platform."""
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def read_csv(
    lines: Iterable[str],
    *,
    origin: str,
    delimiter: str = ",",
    header: bool = True,
    columns: Sequence[str] | None = None,
    skip_rows: int = 0,
    quoted: bool = True,
) -> Iterator[Record]:
    """Yield the rows of delimited text; NA, 01 and True stay the texts they are, blank lines are skipped.

    Args:
        lines: With their line ends, whichever they are.
        origin: What error messages name.
        delimiter: One character.
        header: Whether the first row that isn't skipped names the columns.
        columns: The columns' names where there is no header; None for "0", "1", …
        skip_rows: Rows to leave out at the top, before the header.
        quoted: Whether a field may stand in double quotes, with delimiters and line ends in it.

    Raises:
        DataError: The file is empty, a row's number of columns differs, a quote isn't closed, a column's name
            comes twice, or the delimiter is likely another one.
    """
    rows = islice(_rows(lines, origin, delimiter, quoted=quoted), skip_rows, None)
    first = next(rows, None)
    if first is None:
        raise DataError(
            f"{origin} must hold rows, got none after {skip_rows} skipped; name a file that has rows"
        )
    if header:
        names = first[1]
        _check_header(names, f"{origin}, line {first[0]}", delimiter)
    else:
        names = list(columns) if columns else [str(number) for number in range(len(first[1]))]
        yield _record(first, names, origin, delimiter)
    for row in rows:
        yield _record(row, names, origin, delimiter)


def _rows(
    lines: Iterable[str], origin: str, delimiter: str, *, quoted: bool
) -> Iterator[tuple[int, list[str]]]:
    """Yield the line that each row starts on, and its fields."""
    # The limit is the process's; the module's 131,072 characters are too few for a long document.
    csv.field_size_limit(LARGEST_FIELD)
    current: list[str] = []
    reader = csv.reader(
        _remember(lines, current),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        strict=True,
    )
    while True:
        start = reader.line_num + 1
        current.clear()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            line = start + _lines_before_bad_field(current, delimiter)
            raise DataError(
                f"{origin}, line {line}: a quoted field must be closed and followed by {delimiter!r} or the "
                f"end of the row, got one that isn't ({error}); double the quotes in it, or set "
                "data.source.quoted=false if quotes mean nothing in this file"
            ) from error
        if row:
            yield start, row


def _remember(lines: Iterable[str], current: list[str]) -> Iterator[str]:
    for line in lines:
        current.append(line)
        yield line


def _lines_before_bad_field(lines: list[str], delimiter: str) -> int:
    """Return how many line ends of a broken row stand before the field that breaks it."""
    mark = re.escape(delimiter)
    field = re.compile(rf'(?:"[^"]*+(?:""[^"]*+)*+"|[^"{mark}\r\n][^{mark}\r\n]*+|){mark}')
    text = "".join(lines)
    position = 0
    while match := field.match(text, position):
        position = match.end()
    ends = 0
    for line in lines:
        position -= len(line)
        if position < 0:
            break
        ends += 1
    return ends


def _check_header(names: list[str], place: str, delimiter: str) -> None:
    if len(names) == 1:
        likely = [name for mark, name in _NAMES.items() if mark in names[0] and mark != delimiter]
        if likely:
            raise DataError(
                f"{place}: the columns must be divided by {_called(delimiter)}, got the single column "
                f"{names[0]!r}; set data.source.delimiter={likely[0]}"
            )
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(
            f"{place}: each column must have a name of its own, got {repeated} more than once; rename them, "
            "or set data.source.header=false if this row isn't a header"
        )


def _record(row: tuple[int, list[str]], names: list[str], origin: str, delimiter: str) -> Record:
    line, fields = row
    if len(fields) != len(names):
        raise DataError(
            f"{origin}, line {line} must have {len(names)} columns {names}, got {len(fields)}; quote fields "
            f"that hold {_called(delimiter)}, or correct data.source.delimiter"
        )
    return Record(line, dict(zip(names, fields, strict=True)))


def _called(delimiter: str) -> str:
    return f"a {_NAMES[delimiter]}" if delimiter in _NAMES else repr(delimiter)
