"""Cells that hold one item a word: lists, or text in which blanks part the items."""

from __future__ import annotations

from collections.abc import Callable

from headway.data.table import Table
from headway.types import DataError

# How a list looks that a spreadsheet or pandas wrote as text; splitting it at blanks would make nonsense.
_WRITTEN_LISTS = ("['", '["')


def words_of(table: Table, column: str, values: list[object]) -> list[list[str] | None]:
    """Return each row's words, or its tags.

    Args:
        table: Where the values stand, for messages.
        column: Their column.
        values: (num_rows,) lists of text; text, split at blanks; or None.

    Returns:
        (num_rows,) lists of at least one item; None for rows with none, or with blank ones only.

    Raises:
        DataError: A value is neither, a list holds something other than text, or the text is a written list.
    """
    return [
        None
        if value is None
        else split_words(value, place=lambda row=row: f"{table.where(row)}, column {column!r}")  # type: ignore[misc]
        for row, value in enumerate(values)
    ]


def split_words(value: object, *, place: Callable[[], str]) -> list[str] | None:
    """Return the words, or the tags, of one cell.

    Args:
        value: A list of text; or text, split at blanks.
        place: Names the cell's row and column for the message.

    Returns:
        At least one item; None if there is none, or blank ones only.

    Raises:
        DataError: The value is neither, the list holds something other than text, or the text is a written
            list.
    """
    if isinstance(value, str):
        if value.startswith(_WRITTEN_LISTS):
            raise DataError(
                f"{place()} must hold words parted by blanks, got a list written as text, {value!r:.40}; "
                "keep lists in jsonl or parquet"
            )
        return value.split() or None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise DataError(f"{place()} must hold a list of text, got {value!r:.60}; correct the row")
    return value if any(item.strip() for item in value) else None
