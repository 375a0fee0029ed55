"""From what a caller or a file gives to the columns that a model reads, each cell checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from headway.data.words import split_words
from headway.types import DataError

if TYPE_CHECKING:
    from headway.data.encoding import Examples

Input = str | tuple[str, str] | Sequence[str] | Mapping[str, Any]
_WANTED = {
    "text": "a text",
    "text_pair": "a pair of texts",
    "tokens": "a list of words, or a text that is split at blanks",
}


def examples_from(inputs: Sequence[Input], names: Sequence[str]) -> Examples:
    """Return inputs as columns.

    Args:
        inputs: Texts, pairs, lists of words, or mappings with the columns `names`.
        names: The canonical columns that the model reads: text; text and text_pair; or tokens.

    Returns:
        Columns, a row an input.

    Raises:
        DataError: An input is not of the kind that the model was trained on, or is blank.
    """
    rows = [_row(value, names, f"input {number}") for number, value in enumerate(inputs)]
    return columns_of(rows, names)


def texts_of(inputs: Sequence[Input], names: Sequence[str]) -> list[str | None]:
    """Return the texts that words are split from, None for an input that gives words.

    Args:
        inputs: As of `examples_from`, which has checked them.
        names: The canonical columns that the model reads.
    """
    if list(names) != ["tokens"]:
        return [None] * len(inputs)
    given = [value["tokens"] if isinstance(value, Mapping) else value for value in inputs]
    return [value if isinstance(value, str) else None for value in given]


def columns_of(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Examples:
    """Return rows as columns.

    Args:
        rows: Each with `names`, checked.
        names: The canonical columns.
    """
    return {name: [row[name] for row in rows] for name in names}  # type: ignore[return-value]


def with_replacements(
    examples: Examples,
    replace: Mapping[str, Mapping[str, str | None]],
    *,
    where: Callable[[int], str],
) -> Examples:
    """Return columns with the values changed that training changed as it read them (data.replace).

    Args:
        examples: Columns, checked.
        replace: Column -> {old: new}; a text is changed as a whole, of words each.
        where: Names a row for messages, by its number.

    Raises:
        DataError: A value is one that training took out.
    """
    changed: dict[str, Any] = dict(examples)
    for name, changes in replace.items():
        column = [
            [changes.get(word, word) for word in value] if name == "tokens" else changes.get(value, value)
            for value in changed[name]
        ]
        for number, value in enumerate(column):
            if value is None or (name == "tokens" and None in value):
                raise DataError(
                    f"{where(number)}, {name!r} must not be a value that data.replace took out of train, got "
                    f"{changed[name][number]!r:.60}; leave it out"
                )
        changed[name] = column
    return changed  # type: ignore[return-value]


def _row(value: Input, names: Sequence[str], place: str) -> dict[str, Any]:
    if isinstance(value, Mapping):
        missing = [name for name in names if name not in value]
        if missing:
            raise DataError(
                f"{place} must have the keys {list(names)}, which this model reads, got {list(value)}; "
                f"add {missing[0]!r}"
            )
        given: Sequence[Any] = [value[name] for name in names]
    elif len(names) == 1:
        given = [value]
    elif isinstance(value, list | tuple) and len(value) == len(names):
        given = value
    else:
        raise DataError(
            f"{place} must be {_WANTED[names[-1]]}, which this model reads, got {value!r:.60}; give "
            "(text, text_pair)"
        )
    cells = {}
    for name, content in zip(names, given, strict=True):
        cells[name] = cell(content, name, place=partial("{}, {!r}".format, place, name))
    return cells


def cell(value: object, name: str, *, place: Callable[[], str]) -> str | list[str]:
    """Return the value of one column of one row, as it was read in training.

    Args:
        value: What stands there.
        name: The canonical column.
        place: Names the row and column for the message.

    Returns:
        The text, or for `tokens` at least one word.

    Raises:
        DataError: It is something else, or blank.
    """
    found: str | list[str] | None = None
    if name == "tokens":
        found = None if value is None else split_words(_as_list(value), place=place)
    elif isinstance(value, str) and value and not value.isspace():
        found = value
    if found is None:
        wanted = _WANTED["tokens" if name == "tokens" else "text"]
        raise DataError(
            f"{place()} must hold {wanted} that isn't blank, got {value!r:.60}; fill it in or leave it out"
        )
    return found


def _as_list(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
