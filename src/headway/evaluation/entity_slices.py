"""Entities that train has shown word for word, and entities that it has not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headway.evaluation.metrics.counts import Counts
from headway.evaluation.slice_groups import Slice, pooled
from headway.evaluation.spans import SpanTable, find_spans, tag_set
from headway.types import Gold, Prediction

_NAMES = ("entity_f1", "entity_precision", "entity_recall")  # as Entities calls the lenient reading


@dataclass(frozen=True)
class EntitySurfaces:
    """The words of a split, and what stands for an entity somewhere in train.

    Attributes:
        tokens: (num_documents,) the words of each document of the split that is scored.
        train: The surface forms of train's entities, from `entity_surfaces`.
    """

    tokens: Sequence[Sequence[str]]
    train: frozenset[str]


def entity_surfaces(
    tokens: Sequence[Sequence[str]], gold: Gold, label_names: Sequence[str]
) -> frozenset[str]:
    """Return the surface forms of a split's entities: their words as they are, joined by a blank.

    Args:
        tokens: (num_documents,) the words of each document.
        gold: Its tags.
        label_names: The tags by number, IOB2.

    Returns:
        The forms, whatever the type of the entity.

    Raises:
        ValueError: The tags aren't IOB2, or the words aren't those that are tagged.
    """
    words, offsets = _words(tokens, gold)
    spans = find_spans(gold.values, word_offsets=offsets, tagged=tag_set(label_names), strict=False)
    return frozenset(_surfaces(spans, words))


def by_surface(
    prediction: Prediction, gold: Gold, *, surfaces: EntitySurfaces, label_names: Sequence[str]
) -> list[Slice]:
    """Score the entities whose surface form is an entity in train, of any type, apart from the others.

    Entities are read leniently, as by conlleval. An answer belongs where its own surface form does, so that
    each gold and each predicted entity counts in one slice.

    Args:
        prediction: The split's tags.
        gold: The right ones.
        surfaces: The split's words and train's surface forms.
        label_names: The tags by number, IOB2.

    Returns:
        "seen surface form" and "unseen surface form", unless gold and prediction have no such entity.

    Raises:
        ValueError: The tags aren't IOB2, or the words aren't those that are tagged.
    """
    words, offsets = _words(surfaces.tokens, gold)
    tagged = tag_set(label_names)
    wanted, given = (
        find_spans(values, word_offsets=offsets, tagged=tagged, strict=False)
        for values in (gold.values, prediction.values)
    )
    wanted_seen, given_seen = (_seen(spans, words, surfaces.train) for spans in (wanted, given))
    right = set(_keys(wanted)) & set(_keys(given))
    # What is right is the same words in both, so it is seen in both or in neither.
    right_seen = np.array(
        [known for key, known in zip(_keys(given), given_seen, strict=True) if key in right]
    )
    slices = []
    for name, seen in (("seen surface form", True), ("unseen surface form", False)):
        hits, predicted, actual = (
            np.array([np.sum(flags == seen)]) for flags in (right_seen, given_seen, wanted_seen)
        )
        if predicted[0] or actual[0]:
            counts = {"gold": int(actual[0]), "predicted": int(predicted[0])}
            values = pooled(Counts(hits, predicted, actual), names=_NAMES)
            slices.append(Slice("entity", name, counts, values))
    return slices


def _words(tokens: Sequence[Sequence[str]], gold: Gold) -> tuple[list[str], np.ndarray]:
    """Return the words of all documents end to end, and gold's offsets into them."""
    if gold.word_offsets is None:
        raise ValueError("entities need word_offsets: gold must be tags, not labels of whole documents")
    sizes = [len(document) for document in tokens]
    if sizes != np.diff(gold.word_offsets).tolist():
        raise ValueError(
            f"tokens must be the words that gold tags, got {len(sizes)} documents of {sum(sizes)} words for "
            f"{len(gold.word_offsets) - 1} of {gold.word_offsets[-1]}"
        )
    return [word for document in tokens for word in document], gold.word_offsets


def _surfaces(spans: SpanTable, words: Sequence[str]) -> list[str]:
    """Return the surface form of each entity, (num_spans,)."""
    bounds = zip(spans.starts.tolist(), spans.ends.tolist(), strict=True)
    return [" ".join(words[start:end]) for start, end in bounds]


def _seen(spans: SpanTable, words: Sequence[str], train: frozenset[str]) -> np.ndarray:
    """Return whether train has each entity's surface form, (num_spans,) bool."""
    return np.array([surface in train for surface in _surfaces(spans, words)], dtype=bool)


def _keys(spans: SpanTable) -> list[tuple[int, int, int]]:
    """Return what makes each entity the same as another: its first word, the word after it, its type."""
    return list(zip(spans.starts.tolist(), spans.ends.tolist(), spans.types.tolist(), strict=True))
