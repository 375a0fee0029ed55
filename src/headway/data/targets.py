"""From the target column of a canonical table to numbers: one class for each kind of target."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from headway.data.roles import as_text
from headway.data.tag_schemes import is_spans, paired
from headway.types import ConfigError, DataError, Gold, nearest

if TYPE_CHECKING:
    from headway.data.table import Table


class Target(Protocol):
    """What a task learns; the task's yaml names one by its dotted path.

    Attributes:
        role: The canonical column it reads: label, labels, score or tags.
        token_level: Whether each word has an answer of its own.
    """

    role: ClassVar[str]
    token_level: ClassVar[bool]

    def learn(self, table: Table, *, label_names: Sequence[str] | None) -> tuple[str, ...]:
        """Return the label names in the order of the logits, to be frozen before other splits are encoded.

        Args:
            table: The train split, canonical.
            label_names: data.label_names, or the columns of 0 and 1; None learns them from the table.

        Returns:
            Names as declared, else as they occur, sorted (whole numbers by value); () for scores.

        Raises:
            ConfigError: The declared names repeat, are too few or do not fit the kind of target.
            DataError: The table holds too few names to learn anything from.
        """
        ...

    def encode(self, table: Table, label_names: Sequence[str]) -> Gold:
        """Return the right answers of a split as numbers.

        Args:
            table: Any split, canonical.
            label_names: What `learn` returned for the train split.

        Raises:
            DataError: A row holds a label that is not among the names.
        """
        ...


class ClassTarget:
    """One class a document; Gold.values is (num_documents,) int64."""

    role: ClassVar[str] = "label"
    token_level: ClassVar[bool] = False

    def learn(self, table: Table, *, label_names: Sequence[str] | None) -> tuple[str, ...]:
        """See Target.learn; at least two classes."""
        if label_names is not None:
            return _declared(label_names, least=2)
        return _enough(table, _in_order(table.column(self.role)), role=self.role, least=2)

    def encode(self, table: Table, label_names: Sequence[str]) -> Gold:
        """See Target.encode."""
        numbers = {name: number for number, name in enumerate(label_names)}
        values = _ids([numbers.get(label, -1) for label in table.column(self.role)])
        for row in np.flatnonzero(values < 0)[:1].tolist():
            raise _undeclared(table, row, table.column(self.role)[row], label_names, role=self.role)
        return Gold(values)


class MultiTarget:
    """Any number of labels a document; Gold.values is (num_documents, num_labels) int64 of 0 and 1."""

    role: ClassVar[str] = "labels"
    token_level: ClassVar[bool] = False

    def learn(self, table: Table, *, label_names: Sequence[str] | None) -> tuple[str, ...]:
        """See Target.learn; at least one label."""
        if label_names is not None:
            return _declared(label_names, least=1)
        return _enough(table, _in_order(_flat(table.column(self.role))), role=self.role, least=1)

    def encode(self, table: Table, label_names: Sequence[str]) -> Gold:
        """See Target.encode."""
        numbers = {name: number for number, name in enumerate(label_names)}
        values = np.zeros((len(table), len(label_names)), dtype=np.int64)
        for row, labels in enumerate(table.column(self.role)):
            for label in labels:
                if label not in numbers:
                    raise _undeclared(table, row, label, label_names, role=self.role)
                values[row, numbers[label]] = 1
        return Gold(values)


class ScoreTarget:
    """A number a document; Gold.values is (num_documents,) float64 and there are no label names."""

    role: ClassVar[str] = "score"
    token_level: ClassVar[bool] = False

    def learn(self, table: Table, *, label_names: Sequence[str] | None) -> tuple[str, ...]:
        """See Target.learn."""
        if label_names is not None:
            raise ConfigError(
                f"`data.label_names` must be null for data.score, got {list(label_names)}; remove it"
            )
        if len(table) == 0:
            raise DataError(f"{table.origin} must hold at least one row, got none; name a file that has rows")
        return ()

    def encode(self, table: Table, label_names: Sequence[str]) -> Gold:
        """See Target.encode; scores need no names."""
        return Gold(np.asarray(table.column(self.role), dtype=np.float64))


class TagTarget:
    """A tag a word; Gold.values is (num_words,) int64, with Gold.word_offsets.

    Tags that name spans are IOB2 here, whatever they came in: their names are O first, then B- and I- of each
    type side by side. Other tags (parts of speech) are sorted.
    """

    role: ClassVar[str] = "tags"
    token_level: ClassVar[bool] = True

    def learn(self, table: Table, *, label_names: Sequence[str] | None) -> tuple[str, ...]:
        """See Target.learn; at least two tags, and of each type of span both."""
        if label_names is None:
            seen = set(_flat(table.column(self.role)))
            return _enough(
                table, paired(seen) if is_spans(seen) else _in_order(seen), role=self.role, least=2
            )
        names = _declared(label_names, least=2)
        missing = sorted(set(paired(names)) - set(names)) if is_spans(names) else []
        if missing:
            raise ConfigError(
                f"`data.label_names` must hold O, and B- and I- of each type of span, got none of "
                f"{', '.join(missing)}; add them or leave data.label_names null"
            )
        return names

    def encode(self, table: Table, label_names: Sequence[str]) -> Gold:
        """See Target.encode."""
        numbers = {name: number for number, name in enumerate(label_names)}
        rows = table.column(self.role)
        offsets = np.concatenate([[0], np.cumsum([len(tags) for tags in rows], dtype=np.int64)]).astype(
            np.int64
        )
        values = _ids([numbers.get(tag, -1) for tags in rows for tag in tags])
        for word in np.flatnonzero(values < 0)[:1].tolist():
            row = int(np.searchsorted(offsets, word, side="right")) - 1
            tag = rows[row][word - offsets[row]]
            raise _undeclared(table, row, tag, label_names, role=self.role)
        return Gold(values, offsets)


def _ids(numbers: list[int]) -> np.ndarray:
    return np.asarray(numbers, dtype=np.int64)


def _flat(rows: Iterable[Sequence[str]]) -> Iterable[str]:
    return (item for items in rows for item in items)


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct names, sorted; by value if all are whole numbers, so that 10 comes after 9."""
    distinct = set(names)
    if all(re.fullmatch(r"-?[0-9]+", name) for name in distinct):
        return tuple(sorted(distinct, key=lambda name: (int(name), name)))
    return tuple(sorted(distinct))


def _declared(label_names: Sequence[str], *, least: int) -> tuple[str, ...]:
    """Return declared names as text: yaml has numbers where files have text."""
    names = tuple(as_text(name) for name in label_names)
    if len(names) < least or len(set(names)) < len(names):
        raise ConfigError(
            f"`data.label_names` must hold {least} or more different names, got {list(label_names)}; "
            "correct the list, or set it to null to learn it from train"
        )
    return names


def _enough(table: Table, names: tuple[str, ...], *, role: str, least: int) -> tuple[str, ...]:
    if len(names) < least:
        raise DataError(
            f"`data.{role}` must hold {least} or more different names in {table.origin}, got "
            f"{list(names)} in {len(table)} rows; name the right column or add rows"
        )
    return names


def _undeclared(table: Table, row: int, label: str, label_names: Sequence[str], *, role: str) -> DataError:
    return DataError(
        f"{table.where(row)}: data.{role} must be one of {', '.join(label_names)}, got {label!r}"
        f"{nearest(label, label_names)}; correct the row, or declare all labels in data.label_names"
    )
