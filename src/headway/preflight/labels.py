"""How the answers are spread over the splits, and what of it makes training or its score doubtful."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headway.data.checks import Finding

if TYPE_CHECKING:
    from headway.types import Gold

FEW_DOCUMENTS = 5
"""A label of fewer documents in train is reported."""

IMBALANCE = 20
"""Times that train may hold the most frequent label for each of the rarest before it is reported."""

NAMED = 5
"""Labels that a message names at most."""


@dataclass(frozen=True)
class Spread:
    """How a split's scores are spread."""

    mean: float
    sd: float
    min: float
    median: float
    max: float


@dataclass(frozen=True)
class SplitLabels:
    """The answers of one split.

    Attributes:
        total: What shares are of: documents, words or entities.
        counts: How often each of `LabelFacts.names` occurs.
        documents: How many documents hold each.
        absent: Those that train holds and this split doesn't.
        without: Documents that hold none.
        scores: The spread of numbers; None for labels.
    """

    total: int
    counts: tuple[int, ...]
    documents: tuple[int, ...]
    absent: tuple[str, ...]
    without: int
    scores: Spread | None


@dataclass(frozen=True)
class LabelFacts:
    """The schema of the answers and their balance.

    Attributes:
        role: The target: label, labels, score or tags.
        scheme: How tags came: IOB1, IOB2 or BIOES; None for others.
        num_labels: Labels by the model's count; 0 for scores.
        unit: What is counted: "documents", "words" or "entities".
        names: What `counts` count: labels, or types of entities; () for scores.
        splits: Split -> its answers.
    """

    role: str
    scheme: str | None
    num_labels: int
    unit: str
    names: tuple[str, ...]
    splits: dict[str, SplitLabels]


def label_facts(
    gold: Mapping[str, Gold], *, label_names: Sequence[str], role: str, scheme: str | None
) -> LabelFacts:
    """Return how the answers are spread.

    Args:
        gold: Split -> answers, train among them.
        label_names: (num_labels,) the labels by number; empty for scores.
        role: The target's role.
        scheme: That of the data node.
    """
    if not label_names:
        splits = {name: _scores(each.values) for name, each in gold.items()}
        return LabelFacts(role, scheme, 0, "documents", (), splits)
    spans = [name[2:] for name in label_names if name.startswith("B-")]
    wanted = [number for number, name in enumerate(label_names) if not spans or name.startswith("B-")]
    names = tuple(spans or label_names)
    held = {split: _held(each, len(label_names))[:, wanted] for split, each in gold.items()}
    known = held["train"].any(axis=0)
    splits = {}
    for split, counts in held.items():
        absent = np.flatnonzero(known & ~counts.any(axis=0)).tolist()
        each = counts.sum(axis=0)
        # Where a document may hold several labels or none, a share is one of documents.
        total = len(counts) if role == "labels" else int(each.sum())
        splits[split] = SplitLabels(
            total=total,
            counts=tuple(each.tolist()),
            documents=tuple((counts > 0).sum(axis=0).tolist()),
            absent=tuple(names[number] for number in absent),
            without=int((~counts.any(axis=1)).sum()),
            scores=None,
        )
    unit = "entities" if spans else "words" if role == "tags" else "documents"
    return LabelFacts(role, scheme, len(label_names), unit, names, splits)


def _held(gold: Gold, num_labels: int) -> np.ndarray:
    """Return how often each document holds each label, (num_documents, num_labels) int64."""
    values = gold.values
    if values.ndim == 2:
        return values
    if gold.word_offsets is None:
        document, count = np.arange(len(values)), len(values)
    else:
        count = len(gold.word_offsets) - 1
        document = np.repeat(np.arange(count), np.diff(gold.word_offsets))
    flat = np.bincount(document * num_labels + values, minlength=count * num_labels)
    counts: np.ndarray = flat.reshape(count, num_labels)
    return counts


def _scores(values: np.ndarray) -> SplitLabels:
    spread = Spread(
        mean=float(values.mean()),
        sd=float(values.std()),
        min=float(values.min()),
        median=float(np.median(values)),
        max=float(values.max()),
    )
    return SplitLabels(len(values), (), (), (), 0, spread)


def label_findings(facts: LabelFacts, *, class_weights: object = ...) -> Iterator[Finding]:
    """Find labels that train or a split that scores holds too rarely.

    Args:
        facts: Of all splits.
        class_weights: task.loss.class_weights; leave it out where the loss has none.
    """
    train = facts.splits["train"]
    key = f"data.{facts.role}"
    rare = [
        f"{name} {count}"
        for name, count in zip(facts.names, train.documents, strict=True)
        if 0 < count < FEW_DOCUMENTS
    ]
    if rare:
        yield Finding(
            "warning",
            f"`{key}` should hold each label in {FEW_DOCUMENTS} documents of train or more, got fewer for "
            f"{len(rare)} of {len(facts.names)} ({_some(rare)}); add rows, or make labels one with "
            "data.replace",
        )
    for split, each in facts.splits.items():
        if each.absent:
            remedy = "raise data.validation_ratio, or name" if split == "validation" else "name"
            yield Finding(
                "warning",
                f"`data.{split}` should hold every label of train, got none of {len(each.absent)} of "
                f"{len(facts.names)} ({_some(each.absent)}), which its scores say nothing of; {remedy} rows "
                "that hold them",
            )
    if facts.role == "label" and class_weights is None:
        yield from _imbalance(facts.names, train.counts)


def _imbalance(names: Sequence[str], counts: Sequence[int]) -> Iterator[Finding]:
    held = sorted((count, name) for name, count in zip(names, counts, strict=True) if count)
    (least, rarest), (most, commonest) = held[0], held[-1]
    if most > IMBALANCE * least:
        yield Finding(
            "warning",
            f"`task.loss.class_weights` is null, and train holds {commonest} {most / least:.0f} times as "
            f"often as {rarest} ({most} to {least} rows); if rare labels matter to you, try "
            "task.loss.class_weights=auto",
        )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
