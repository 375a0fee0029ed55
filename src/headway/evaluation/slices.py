"""What a split is worth part by part: where a model that looks good on the whole is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headway.evaluation.entity_slices import EntitySurfaces, by_surface, entity_surfaces
from headway.evaluation.metrics import Metrics
from headway.evaluation.slice_groups import DocumentFacts, Slice, by_documents, by_label_frequency
from headway.types import Gold, Prediction

__all__ = ["DocumentFacts", "EntitySurfaces", "Slice", "entity_surfaces", "slices", "slices_to_json"]


def slices(
    prediction: Prediction,
    gold: Gold,
    *,
    facts: DocumentFacts,
    metrics: Metrics,
    label_names: Sequence[str],
    train_label_counts: np.ndarray | Sequence[int] | None = None,
    surfaces: EntitySurfaces | None = None,
) -> list[Slice]:
    """Score a split by length, windows and truncation, and by frequency of labels or by surface form.

    The parts of one dimension of documents share no document and leave none out. A metric has on a part the
    meaning it has on a split; so Multilabel's f1_macro counts labels that the part lacks, as 0, and small
    parts have less of it.

    Args:
        prediction: The split's answers.
        gold: The right ones; one document at least.
        facts: What is known of each document.
        metrics: The task's.
        label_names: The labels by number; empty for scores.
        train_label_counts: (num_labels,) int64, how many documents or words of train have each label; None
            where that isn't known or there are no labels. Not used beside `surfaces`: a tag is half a label.
        surfaces: The split's words and the surface forms of train; None unless entities are tagged.

    Returns:
        The slices in the order of `Dimension`, and within one from least to most. See `by_documents`,
        `by_label_frequency` and `by_surface` for what is left out.

    Raises:
        ValueError: What is given isn't of the same documents, words or labels.
    """
    offsets = gold.word_offsets
    num_documents = len(gold.values) if offsets is None else len(offsets) - 1
    if len(facts.lengths) != num_documents:
        raise ValueError(f"facts must be of gold's {num_documents} documents, got {len(facts.lengths)}")
    found = by_documents(prediction, gold, facts=facts, metrics=metrics, label_names=label_names)
    if surfaces is not None:
        return found + by_surface(prediction, gold, surfaces=surfaces, label_names=label_names)
    if train_label_counts is None:
        return found
    if len(train_label_counts) != len(label_names):
        raise ValueError(
            f"train_label_counts must hold a count a label, {len(label_names)}, got {len(train_label_counts)}"
        )
    return found + by_label_frequency(prediction, gold, train_label_counts=train_label_counts)


def slices_to_json(slices: Sequence[Slice]) -> list[dict[str, Any]]:
    """Return the slices as values that JSON knows: by, name, counts and metrics of each."""
    return [
        {"by": each.by, "name": each.name, "counts": dict(each.counts), "metrics": dict(each.metrics)}
        for each in slices
    ]
