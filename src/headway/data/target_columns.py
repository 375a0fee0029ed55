"""Reads the four kinds of target: one class, several labels, a number, a tag a word. None is "unlabelled"."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from headway.data.roles import Roles
from headway.data.table import Table
from headway.data.tag_schemes import SCHEMES, is_spans, to_iob2
from headway.data.words import words_of
from headway.types import DataError

# Files write a truth as 0 and 1; json and parquet have booleans, which sources give as these words.
_TRUTH = {"0": False, "1": True, "false": False, "true": True, "False": False, "True": True}


def read_label(table: Table, roles: Roles, columns: list[list[object]]) -> list[str | None]:
    """Return each row's class; blank is unlabelled.

    Args:
        table: Where the values stand, for messages.
        roles: The column roles.
        columns: One column of (num_rows,) values.

    Returns:
        (num_rows,) classes, as they are written.

    Raises:
        DataError: A value is not text.
    """
    (values,) = columns
    labels: list[str | None] = []
    for row, value in enumerate(values):
        if value is None or isinstance(value, str):
            labels.append(value if value and not value.isspace() else None)
        else:
            hint = "; for several labels a row use data.labels"
            raise _wrong(table, row, roles.columns_of("label")[0], "one class (data.label)", value, hint)
    return labels


def read_labels(table: Table, roles: Roles, columns: list[list[object]]) -> list[list[str] | None]:
    """Return each row's labels, from columns of 0 and 1 or from one column of names.

    Args:
        table: Where the values stand, for messages.
        roles: The column roles.
        columns: A column of (num_rows,) values for each label, or one column of lists or delimited names.

    Returns:
        (num_rows,) lists of labels, each once. In a delimited column a blank cell says "none of them" and
        only None is unlabelled; among columns of 0 and 1 a row is unlabelled if all of its cells are blank.

    Raises:
        DataError: A cell is not 0 or 1, or not a list or text.
    """
    if roles.label_columns is not None:
        return _from_truths(table, dict(zip(roles.label_columns, columns, strict=True)))
    (values,) = columns
    (column,) = roles.columns_of("labels")
    delimiter = roles.label_delimiter or ","
    found: list[list[str] | None] = []
    for row, value in enumerate(values):
        names = value.split(delimiter) if isinstance(value, str) else value
        if names is None:
            found.append(None)
        elif isinstance(names, list) and all(isinstance(name, str) for name in names):
            stripped = (name.strip() for name in names)
            found.append(list(dict.fromkeys(name for name in stripped if name)))
        else:
            raise _wrong(table, row, column, "names of labels (data.labels)", value, "; correct the row")
    return found


def read_score(table: Table, roles: Roles, columns: list[list[object]]) -> list[float | None]:
    """Return each row's number; blank is unlabelled.

    Args:
        table: Where the values stand, for messages.
        roles: The column roles.
        columns: One column of (num_rows,) values.

    Returns:
        (num_rows,) finite numbers.

    Raises:
        DataError: A value is no finite number.
    """
    (values,) = columns
    (column,) = roles.columns_of("score")
    scores: list[float | None] = []
    for row, value in enumerate(values):
        if value is None or (isinstance(value, str) and not value.strip()):
            scores.append(None)
            continue
        score = _number(value)
        if not math.isfinite(score):
            hint = "; write it with a decimal point, or name another column"
            raise _wrong(table, row, column, "a finite number (data.score)", value, hint)
        scores.append(score)
    return scores


def read_tags(table: Table, roles: Roles, columns: list[list[object]]) -> list[list[str] | None]:
    """Return each row's tags, those that name spans in IOB2; no tags at all is unlabelled.

    Args:
        table: Where the values stand, for messages.
        roles: The column roles, with the scheme that the tags come in.
        columns: One column of (num_rows,) values.

    Returns:
        (num_rows,) lists of tags.

    Raises:
        DataError: A value is no list of text, a tag is blank, or the tags break their scheme; or there is no
            scheme although they name spans.
    """
    (column,) = roles.columns_of("tags")
    rows = words_of(table, column, columns[0])
    for row, tags in enumerate(rows):
        if tags is not None and not all(tag.strip() for tag in tags):
            raise _wrong(table, row, column, "a tag for every word (data.tags)", tags, "; fill it in")
    if roles.scheme is None:
        if is_spans(tag for tags in rows if tags for tag in tags):
            raise DataError(
                f"`data.scheme` must be one of {', '.join(SCHEMES)} for tags that name spans, got null for "
                f"column {column!r} of {table.origin}; set data.scheme=IOB2 if each span opens with B-"
            )
        return rows
    return [
        None if tags is None else _iob2(table, row, column, tags, roles.scheme)
        for row, tags in enumerate(rows)
    ]


def _from_truths(table: Table, columns: Mapping[str, list[object]]) -> list[list[str] | None]:
    """Return the names of the columns that hold 1; values are looked at one by one only where one is odd."""
    found: list[list[str]] = [[] for _ in range(len(table))]
    blanks = [0] * len(table)
    for name, values in columns.items():
        for row, value in enumerate(values):
            truth = _TRUTH.get(value) if isinstance(value, str) else None
            if truth:
                found[row].append(name)
            elif truth is None:
                if value is not None and (not isinstance(value, str) or value.strip()):
                    hint = f'; correct it, or say what it means: data.replace.{name}={{"{value}": "1"}}'
                    raise _wrong(table, row, name, "0 or 1 (data.labels)", value, hint)
                blanks[row] += 1
    for row, count in enumerate(blanks):
        if 0 < count < len(columns):
            empty = next(name for name, values in columns.items() if not str(values[row] or "").strip())
            raise _wrong(table, row, empty, "0 or 1 (data.labels)", columns[empty][row], "; fill it in")
    return [None if count else labels for labels, count in zip(found, blanks, strict=True)]


def _number(value: object) -> float:
    """Return the number that text writes, NaN for anything else (Python alone would take 1_000 for one)."""
    if not isinstance(value, str) or "_" in value:
        return math.nan
    try:
        return float(value)
    except ValueError:
        return math.nan


def _iob2(table: Table, row: int, column: str, tags: list[str], scheme: str) -> list[str]:
    try:
        return to_iob2(tags, scheme)
    except ValueError as error:
        raise DataError(
            f"{table.where(row)}, column {column!r} must hold tags of data.scheme={scheme}, got {error}; "
            "correct the row or set another scheme (IOB1 reads every sequence of B- and I- tags)"
        ) from error


def _wrong(table: Table, row: int, column: str, allowed: str, value: object, hint: str) -> DataError:
    return DataError(f"{table.where(row)}, column {column!r} must hold {allowed}, got {value!r:.60}{hint}")


READERS: Mapping[str, Callable[[Table, Roles, list[list[object]]], Sequence[object]]] = {
    "label": read_label,
    "labels": read_labels,
    "score": read_score,
    "tags": read_tags,
}
