"""The parts of a split that are scored by themselves: documents that are alike, labels that are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from headway.evaluation.metrics import Metrics
from headway.evaluation.metrics.counts import Counts, count_classes
from headway.types import Gold, Prediction

Dimension = Literal["length", "windows", "truncated", "label_frequency", "entity"]
Buckets = tuple[tuple[int, str], ...]

LENGTHS: Buckets = (
    (0, "<=64 tokens"),
    (65, "65-128 tokens"),
    (129, "129-256 tokens"),
    (257, "257-512 tokens"),
    (513, "513-1024 tokens"),
    (1025, ">1024 tokens"),
)
"""The least value of each bucket, ascending, and what it is called; so with the others."""

WINDOWS: Buckets = ((1, "1 window"), (2, "2-3 windows"), (4, "4-7 windows"), (8, "8 or more windows"))

TRUNCATED: Buckets = ((0, "not truncated"), (1, "truncated"))

FREQUENCIES: Buckets = (
    (0, "0 in train"),
    (1, "1-9 in train"),
    (10, "10-99 in train"),
    (100, "100-999 in train"),
    (1000, "1000 or more in train"),
)

_CORRELATIONS = ("mcc", "pearson", "spearman")


@dataclass(frozen=True)
class Slice:
    """What a part of a split is worth.

    Attributes:
        by: What the split was divided by.
        name: Which part this is, unique within `by`.
        counts: What it holds, the most telling first: "documents" (and their "words", where words are
            labelled); or the "gold" and "predicted" items of it and, by label frequency, its "labels". An
            item is an entity, or a label of a document or word.
        metrics: Values by name; one that isn't defined on this part is left out.
    """

    by: Dimension
    name: str
    counts: dict[str, int]
    metrics: dict[str, float]


@dataclass(frozen=True)
class DocumentFacts:
    """What is known of each document of a split beside its answer.

    Attributes:
        lengths: (num_documents,) int64, tokens before cutting, special tokens included.
        windows: (num_documents,) int64, the windows it was cut into, one at least.
        truncated: (num_documents,) bool, whether something of it was cut off.

    Raises:
        ValueError: The arrays aren't equally long, or a document has no window.
    """

    lengths: np.ndarray
    windows: np.ndarray
    truncated: np.ndarray

    def __post_init__(self) -> None:
        sizes = [len(self.lengths), len(self.windows), len(self.truncated)]
        if len(set(sizes)) != 1:
            raise ValueError(f"lengths, windows and truncated must be of the same documents, got {sizes}")
        if np.any(self.windows < 1):
            raise ValueError("windows must be at least 1 for every document, got 0")


def by_documents(
    prediction: Prediction, gold: Gold, *, facts: DocumentFacts, metrics: Metrics, label_names: Sequence[str]
) -> list[Slice]:
    """Score documents of like length, of like number of windows, and what was truncated.

    Args:
        prediction: The split's answers.
        gold: The right ones.
        facts: What is known of each document.
        metrics: Scores each part; it must bear any part that has a row.
        label_names: The labels by number; empty for scores.

    Returns:
        The buckets that hold documents; by windows only where some document has several, by truncated only
        where there are both kinds.
    """
    dimensions: list[tuple[Dimension, np.ndarray, Buckets]] = [("length", facts.lengths, LENGTHS)]
    if np.any(facts.windows > 1):
        dimensions.append(("windows", facts.windows, WINDOWS))
    if np.any(facts.truncated) and not np.all(facts.truncated):
        dimensions.append(("truncated", facts.truncated, TRUNCATED))
    slices = []
    for by, values, buckets in dimensions:
        for name, inside in _divide(values, buckets):
            answers, right = _of_documents(prediction, gold, inside)
            counts = {"documents": int(inside.sum())}
            if right.word_offsets is not None:
                counts["words"] = len(right.values)
            slices.append(Slice(by, name, counts, _defined(metrics, answers, right, label_names)))
    return slices


def by_label_frequency(
    prediction: Prediction, gold: Gold, *, train_label_counts: np.ndarray | Sequence[int]
) -> list[Slice]:
    """Score labels that are about equally frequent in train, each label against the rest.

    f1_micro, precision and recall pool the labels of a bucket. f1_macro is their plain mean over the labels
    that the task's own f1_macro is over: of single labels those in gold or prediction, else all. So the
    buckets' f1_macro, weighted by their "labels", average to the split's.

    Args:
        prediction: The split's answers, of classes, of several labels a document, or of words.
        gold: The right ones.
        train_label_counts: (num_labels,) int64, how many documents or words of train have each label.

    Returns:
        The buckets that hold labels.
    """
    frequencies = np.asarray(train_label_counts)
    counts = _count(prediction, gold, num_labels=len(frequencies))
    averaged = counts.occurring | (gold.values.ndim == 2)
    slices = []
    for name, inside in _divide(frequencies, FREQUENCIES):
        rows = inside & averaged
        if not rows.any():
            continue
        part = Counts(counts.hits[rows], counts.predicted[rows], counts.actual[rows])
        values = pooled(part, names=("f1_micro", "precision", "recall"))
        if part.occurring.any():
            values["f1_macro"] = float(part.f1.mean())
        sizes = {
            "labels": int(rows.sum()),
            "gold": int(part.actual.sum()),
            "predicted": int(part.predicted.sum()),
        }
        slices.append(Slice("label_frequency", name, sizes, values))
    return slices


def pooled(counts: Counts, *, names: tuple[str, str, str]) -> dict[str, float]:
    """Return the micro averages that have a denominator.

    Unlike a task's metrics, which must have a value, a slice leaves out what nothing can be said of.

    Args:
        counts: Of any number of classes.
        names: What to call F1, precision and recall.

    Returns:
        F1 unless nothing is wanted or given, precision if something is given, recall if something is wanted.
    """
    total = counts.total()
    wanted, given = bool(total.actual[0]), bool(total.predicted[0])
    values = (
        (names[0], total.f1, wanted or given),
        (names[1], total.precision, given),
        (names[2], total.recall, wanted),
    )
    return {name: float(value[0]) for name, value, defined in values if defined}


def _divide(values: np.ndarray, buckets: Buckets) -> list[tuple[str, np.ndarray]]:
    """Return the name of each bucket that isn't empty and which values are in it, bool as `values`."""
    bucket = np.searchsorted([least for least, _ in buckets], values, side="right") - 1
    return [(name, bucket == at) for at, (_, name) in enumerate(buckets) if np.any(bucket == at)]


def _of_documents(prediction: Prediction, gold: Gold, inside: np.ndarray) -> tuple[Prediction, Gold]:
    """Return the answers and gold of some documents; inside: (num_documents,) bool."""
    rows, offsets = inside, None
    if gold.word_offsets is not None:
        num_words = np.diff(gold.word_offsets)
        rows = np.repeat(inside, num_words)  # (num_words,) of all documents
        offsets = np.concatenate([[0], np.cumsum(num_words[inside])]).astype(np.int64)
    chances = prediction.probabilities
    answers = Prediction(prediction.values[rows], None if chances is None else chances[rows], offsets)
    return answers, Gold(gold.values[rows], offsets)


def _defined(
    metrics: Metrics, prediction: Prediction, gold: Gold, label_names: Sequence[str]
) -> dict[str, float]:
    if not len(gold.values):  # documents without words
        return {}
    values = metrics(prediction, gold, label_names)
    # Metrics call a correlation 0 where it isn't defined. Where gold never varies no model could have one,
    # and 0 would read as a bad one.
    unknown = _CORRELATIONS if np.all(gold.values == gold.values[0]) else ()
    return {name: value for name, value in values.items() if np.isfinite(value) and name not in unknown}


def _count(prediction: Prediction, gold: Gold, *, num_labels: int) -> Counts:
    if gold.values.ndim == 1:
        return count_classes(prediction.values, gold.values, num_classes=num_labels)
    given, wanted = prediction.values == 1, gold.values == 1  # (num_documents, num_labels) bool
    return Counts(hits=(given & wanted).sum(axis=0), predicted=given.sum(axis=0), actual=wanted.sum(axis=0))
