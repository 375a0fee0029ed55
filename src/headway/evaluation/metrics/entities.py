"""Entities made of tagged words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from headway.evaluation.metrics.counts import Counts
from headway.evaluation.metrics.metrics import Direction, Metrics
from headway.evaluation.metrics.words import Words
from headway.evaluation.spans import SpanTable, find_spans, tag_set
from headway.evaluation.statistics.document_metric import DocumentCounts, DocumentMetric
from headway.types import Gold, Prediction


class Entities(Metrics):
    """Entity F1, precision and recall, micro over all entities, and token accuracy; equal to seqeval's.

    An entity is right if its first word, its last word and its type are. The two readings differ in what an
    entity is where tags break the scheme (IOB2: every entity begins with a B-):

    - entity_f1_strict, as seqeval's mode="strict" with scheme=IOB2: what begins with an I- is no entity.
    - entity_f1, as conlleval and seqeval's default mode: what begins with an I- is an entity too.

    f1/<type> is strict, for each type in the labels. Words that no window held are O to the prediction, so
    the gold entities on them are missed; in token_accuracy they are wrong. entity_coverage is the share of
    gold entities (lenient) of which windows held every word: no recall can be above it.
    """

    roles: ClassVar[frozenset[str]] = frozenset({"tags"})
    scheme: ClassVar[str] = "IOB2"
    names: ClassVar[Mapping[str, Direction]] = {
        "entity_f1_strict": "max",
        "entity_precision_strict": "max",
        "entity_recall_strict": "max",
        "entity_f1": "max",
        "entity_precision": "max",
        "entity_recall": "max",
        "token_accuracy": "max",
        "entity_coverage": "max",
    }

    def __call__(self, prediction: Prediction, gold: Gold, label_names: Sequence[str]) -> dict[str, float]:
        """Return the values of `names` and f1/<type>; see the class.

        Raises:
            ValueError: The labels aren't IOB2 tags.
        """
        strict = _count(prediction, gold, label_names, strict=True)
        lenient = _count(prediction, gold, label_names, strict=False)
        values: dict[str, float] = {}
        for suffix, total in (("_strict", strict.total()), ("", lenient.total())):
            values[f"entity_f1{suffix}"] = float(total.f1[0])
            values[f"entity_precision{suffix}"] = float(total.precision[0])
            values[f"entity_recall{suffix}"] = float(total.recall[0])
        values["token_accuracy"] = float(np.mean(prediction.values == gold.values))
        values["entity_coverage"] = _coverage(prediction, gold, label_names)
        types = tag_set(label_names).names
        return values | {f"f1/{name}": float(value) for name, value in zip(types, strict.f1, strict=True)}

    def title(self, name: str) -> str:
        """Return the metric's name with the scheme and the reading, which move the value by points."""
        if name.startswith("entity_") and name != "entity_coverage":
            reading = "strict" if name.endswith("_strict") else "lenient, as conlleval"
            return f"{name} ({self.scheme}, {reading})"
        return f"{name} ({self.scheme}, strict)" if name.startswith("f1/") else name

    def by_document(
        self, name: str, prediction: Prediction, gold: Gold, label_names: Sequence[str]
    ) -> DocumentMetric | None:
        """Return a metric as a function of how often each document counts; see Metrics."""
        if name == "token_accuracy":
            return Words().by_document("accuracy", prediction, gold, label_names)
        if name == "entity_coverage":
            return None
        strict = name.endswith("_strict") or name.startswith("f1/")
        counts = count_entities(prediction, gold, label_names, strict=strict)
        types = tag_set(label_names).names
        if name.startswith("f1/") and name.removeprefix("f1/") in types:
            return counts.of_class(types.index(name.removeprefix("f1/")))
        kind = name.removeprefix("entity_").removesuffix("_strict")
        known = {"f1": counts.micro, "precision": counts.precision, "recall": counts.recall}
        return known[kind]() if kind in known else None


def count_entities(
    prediction: Prediction, gold: Gold, label_names: Sequence[str], *, strict: bool
) -> DocumentCounts:
    """Count the entities of each document by type, in the order of the tag set's names.

    Args:
        prediction: What decoding made of the split.
        gold: The right answers.
        label_names: IOB2 tags by number.
        strict: Whether an entity must begin with a B-.

    Raises:
        ValueError: The labels aren't IOB2 tags, or gold isn't of words.
    """
    if gold.word_offsets is None:
        raise ValueError("entities need word_offsets: gold must be tags, not labels of whole documents")
    tagged, offsets = tag_set(label_names), gold.word_offsets
    shape = len(offsets) - 1, len(tagged.names)
    wanted = find_spans(gold.values, word_offsets=offsets, tagged=tagged, strict=strict)
    given = find_spans(prediction.values, word_offsets=offsets, tagged=tagged, strict=strict)
    _, at_wanted, at_given = np.intersect1d(
        wanted.starts, given.starts, assume_unique=True, return_indices=True
    )
    same = wanted.ends[at_wanted] == given.ends[at_given]
    same &= wanted.types[at_wanted] == given.types[at_given]

    def table(starts: np.ndarray, types: np.ndarray) -> np.ndarray:
        """Count entities by document and type."""
        cells = (np.searchsorted(offsets, starts, side="right") - 1) * shape[1] + types
        return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float32)

    kept = at_wanted[same]
    return DocumentCounts(
        hits=table(wanted.starts[kept], wanted.types[kept]),
        predicted=table(given.starts, given.types),
        actual=table(wanted.starts, wanted.types),
    )


def _count(prediction: Prediction, gold: Gold, label_names: Sequence[str], *, strict: bool) -> Counts:
    if gold.word_offsets is None:
        raise ValueError("entities need word_offsets: gold must be tags, not labels of whole documents")
    tagged = tag_set(label_names)
    offsets = gold.word_offsets
    wanted = find_spans(gold.values, word_offsets=offsets, tagged=tagged, strict=strict)
    given = find_spans(prediction.values, word_offsets=offsets, tagged=tagged, strict=strict)
    return Counts(
        hits=np.bincount(_common_types(wanted, given), minlength=len(tagged.names)),
        predicted=np.bincount(given.types, minlength=len(tagged.names)),
        actual=np.bincount(wanted.types, minlength=len(tagged.names)),
    )


def _coverage(prediction: Prediction, gold: Gold, label_names: Sequence[str]) -> float:
    """Return the share of gold entities whose words all have a prediction; 1 where there is no entity."""
    if gold.word_offsets is None:
        raise ValueError("entities need word_offsets: gold must be tags, not labels of whole documents")
    tagged = tag_set(label_names)
    wanted = find_spans(gold.values, word_offsets=gold.word_offsets, tagged=tagged, strict=False)
    unseen = np.concatenate([[0], np.cumsum(prediction.values < 0)])
    held = unseen[wanted.ends] == unseen[wanted.starts]
    return float(held.mean()) if len(held) else 1.0


def _common_types(left: SpanTable, right: SpanTable) -> np.ndarray:
    """Return the types of the entities that are in both tables, (num_common,) int64."""
    # Entities of one table never overlap, so the first word alone says which two to compare.
    _, at_left, at_right = np.intersect1d(left.starts, right.starts, assume_unique=True, return_indices=True)
    same = (left.ends[at_left] == right.ends[at_right]) & (left.types[at_left] == right.types[at_right])
    common: np.ndarray = left.types[at_left][same]
    return common
