"""Take some rows of a file that holds several splits: `data.train=all.csv@split:train`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from headway.data.sources.source import Record
from headway.types import DataError, nearest


class Selection(NamedTuple):
    """The rows to take.

    Attributes:
        column: The column that tells.
        value: What it holds in the rows wanted.
    """

    column: str
    value: str


def split_spec(spec: str) -> tuple[str, Selection | None]:
    """Return the file (or member) of a spec, and the rows to take from it; None for all.

    Args:
        spec: `<file>` or `<file>@<column>:<value>`.
    """
    match = re.fullmatch(r"(.+)@([^@:/\\]+):(.*)", spec)
    if match is None:
        return spec, None
    return match[1], Selection(match[2], match[3])


def selected(records: Iterator[Record], selection: Selection, origin: str) -> Iterator[Record]:
    """Yield the records that a selection asks for.

    Args:
        records: All records.
        selection: The rows to take.
        origin: What error messages name.

    Raises:
        DataError: A record lacks the column, or at the end none held the value; lists what there is.
    """
    found = False
    others: set[str] = set()
    for record in records:
        if selection.column not in record.values:
            names = list(record.values)
            raise DataError(
                f"{origin}, line {record.line}: the column before ':{selection.value}' must be one of "
                f"{names}, got {selection.column!r}{nearest(selection.column, names)}; name one of these"
            )
        value = record.values[selection.column]
        if value == selection.value:
            found = True
            yield record
        else:
            others.add(str(value))
    if not found:
        listed = sorted(others)[:20]
        raise DataError(
            f"{origin}: column {selection.column!r} must hold {selection.value!r} in some row, got {listed}"
            f"{nearest(selection.value, others)}; ask for one of these"
        )
