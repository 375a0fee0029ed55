"""Which labels are taken for which, and precision, recall and F1 a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headway.evaluation.metrics.counts import Counts, count_classes
from headway.evaluation.metrics.entities import count_entities
from headway.evaluation.spans import tag_set
from headway.reports.answers import Answers

MOST = 12
"""Labels of a matrix; the others are one row and one column together."""
LEVELS = 10
OTHERS, NONE = "all others", "no answer"


@dataclass(frozen=True)
class Cell:
    """A cell of a confusion matrix.

    Attributes:
        count: How often.
        level: Its share of the row, in tenths, for the colour.
        right: Whether it is on the diagonal.
    """

    count: int
    level: int
    right: bool


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix, a row a right label and a column a given one.

    Attributes:
        unit: What is counted.
        rows: Names of the right labels.
        columns: Names of the given ones.
        cells: By row and column.
        worst: The most frequent mistakes: right, given, how often.
    """

    unit: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    worst: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class ClassRow:
    """What one label is worth.

    Attributes:
        name: Of the label.
        actual: How often it is right.
        predicted: How often it was given.
        precision: In [0, 1].
        recall: In [0, 1].
        f1: In [0, 1].
    """

    name: str
    actual: int
    predicted: int
    precision: float
    recall: float
    f1: float


def confusion(answers: Answers) -> Confusion | None:
    """Return the confusion matrix; None where documents have scores or any number of labels.

    Tags of entities are counted by their type, word by word.

    Args:
        answers: Of one run.
    """
    if answers.kind in ("scores", "labels"):
        return None
    gold, given, names = answers.gold.values, answers.prediction.values, list(answers.label_names)
    if answers.kind == "words" and _is_iob2(names):
        tagged = tag_set(names)
        gold, given = (np.where(tags >= 0, tagged.types[tags] + 1, -1) for tags in (gold, given))
        names = ["O", *tagged.names]
    number = len(names)
    column = np.where(given < 0, number, given)
    table = np.bincount(gold * (number + 1) + column, minlength=number * (number + 1))
    table = table.reshape(number, number + 1)
    unit = "documents" if answers.kind == "label" else "words"
    return _shown(table, names, unit)


def _shown(table: np.ndarray, names: list[str], unit: str) -> Confusion:
    wrong = table.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(wrong, axis=None, kind="stable")[::-1][:8]
    columns = [*names, NONE]
    pairs = [divmod(int(place), table.shape[1]) for place in order]
    worst = [(names[row], columns[column], int(wrong[row, column])) for row, column in pairs]
    if len(names) > MOST:
        errors = wrong.sum(axis=1) + wrong.sum(axis=0)[: len(names)]
        kept = sorted(np.argsort(-errors, kind="stable")[: MOST - 1].tolist())
        groups = np.full(table.shape[1], len(kept))
        groups[kept] = np.arange(len(kept))
        groups[-1] = len(kept) + 1
        folded = np.zeros((len(kept) + 1, len(kept) + 2), dtype=np.int64)
        np.add.at(folded, (groups[:-1, None], groups[None, :]), table)
        table, names = folded, [*(names[each] for each in kept), OTHERS]
        columns = [*names, NONE]
    if not table[:, -1].any():
        table, columns = table[:, :-1], columns[:-1]
    totals = np.maximum(table.sum(axis=1, keepdims=True), 1)
    levels = np.where(table > 0, np.maximum(np.ceil(LEVELS * table / totals), 1), 0).astype(int)
    cells = tuple(
        tuple(Cell(int(count), int(levels[r, c]), r == c) for c, count in enumerate(row))
        for r, row in enumerate(table)
    )
    return Confusion(unit, tuple(names), tuple(columns), cells, tuple(each for each in worst if each[2]))


def class_rows(answers: Answers) -> list[ClassRow]:
    """Return what each label is worth, in the order of the labels; entities by type, read strictly.

    Args:
        answers: Of one run.
    """
    names: Sequence[str] = answers.label_names
    if answers.kind == "scores":
        return []
    if answers.kind == "labels":
        given, right = answers.prediction.values == 1, answers.gold.values == 1
        counts = Counts((given & right).sum(axis=0), given.sum(axis=0), right.sum(axis=0))
    elif answers.kind == "words" and _is_iob2(names):
        by_document = count_entities(answers.prediction, answers.gold, names, strict=True)
        names = tag_set(names).names
        counts = Counts(
            *(
                part.sum(axis=0).astype(np.int64)
                for part in (by_document.hits, by_document.predicted, by_document.actual)
            )
        )
    else:
        counts = count_classes(answers.prediction.values, answers.gold.values, num_classes=len(names))
    columns = (counts.actual, counts.predicted, counts.precision, counts.recall, counts.f1)
    return [
        ClassRow(name, int(actual), int(predicted), float(precision), float(recall), float(f1))
        for name, actual, predicted, precision, recall, f1 in zip(names, *columns, strict=True)
    ]


def _is_iob2(names: Sequence[str]) -> bool:
    return "O" in names and all(name == "O" or name[:2] in ("B-", "I-") for name in names)
