"""Entities that train has shown word for word and those that it has not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from headway.evaluation.metrics import Entities
from headway.evaluation.slices import DocumentFacts, EntitySurfaces, entity_surfaces, slices
from headway.types import Gold, Prediction

TAGS = ["O", "B-X", "I-X", "B-Y", "I-Y"]
NUMBER = {name: number for number, name in enumerate(TAGS)} | {"?": -1}


def flat(documents):
    offsets = np.concatenate([[0], np.cumsum([len(tags) for tags in documents])]).astype(np.int64)
    return np.array([NUMBER[tag] for tags in documents for tag in tags], dtype=np.int64), offsets


def by_surface(tokens, predicted, gold, train, **options):
    (answers, offsets), (right, _) = flat(predicted), flat(gold)
    ones = np.ones(len(gold), dtype=np.int64)
    found = slices(
        Prediction(answers, None, offsets),
        Gold(right, offsets),
        facts=DocumentFacts(ones, ones, np.zeros(len(gold), dtype=bool)),
        metrics=Entities(),
        label_names=TAGS,
        surfaces=EntitySurfaces(tokens, frozenset(train)),
        **options,
    )
    return {each.name: each for each in found if each.by == "entity"}


def test_by_hand():
    tokens = [["New", "York", "met", "Ada"], ["Ada", "saw", "new", "York"]]
    gold = [["B-X", "I-X", "O", "B-Y"], ["B-Y", "O", "B-X", "I-X"]]
    predicted = [["B-X", "I-X", "O", "B-X"], ["B-Y", "O", "O", "B-X"]]
    found = by_surface(tokens, predicted, gold, {"New York", "Ada"})
    # Seen: New York is right, the first Ada of the wrong type, the second right.
    assert found["seen surface form"].counts == {"gold": 3, "predicted": 3}
    assert found["seen surface form"].metrics == pytest.approx(
        {"entity_f1": 2 / 3, "entity_precision": 2 / 3, "entity_recall": 2 / 3}
    )
    # Unseen: "new York" differs by a capital, and what was found is only its second word.
    assert found["unseen surface form"].counts == {"gold": 1, "predicted": 1}
    assert found["unseen surface form"].metrics == {
        "entity_f1": 0.0,
        "entity_precision": 0.0,
        "entity_recall": 0.0,
    }


def test_an_answer_belongs_where_its_own_words_do():
    found = by_surface([["Bank", "of", "Ada"]], [["O", "O", "B-Y"]], [["B-X", "I-X", "I-X"]], {"Ada"})
    assert found["seen surface form"].counts == {"gold": 0, "predicted": 1}
    assert found["seen surface form"].metrics == {"entity_f1": 0.0, "entity_precision": 0.0}
    assert found["unseen surface form"].counts == {"gold": 1, "predicted": 0}
    assert found["unseen surface form"].metrics == {"entity_f1": 0.0, "entity_recall": 0.0}


def test_a_slice_without_entities_is_left_out():
    assert list(by_surface([["Ada"]], [["B-X"]], [["B-X"]], {"Ada"})) == ["seen surface form"]
    assert by_surface([["so"]], [["O"]], [["O"]], {"Ada"}) == {}


def test_words_that_no_window_held_are_missed():
    found = by_surface([["Ada", "Ada"]], [["?", "B-X"]], [["B-X", "B-X"]], {"Ada"})
    assert found["seen surface form"].metrics == pytest.approx(
        {"entity_f1": 2 / 3, "entity_precision": 1.0, "entity_recall": 0.5}
    )


def test_tags_are_not_divided_by_frequency_as_well():
    found = by_surface([["Ada"]], [["B-X"]], [["B-X"]], {"Ada"}, train_label_counts=[1] * len(TAGS))
    assert list(found) == ["seen surface form"]


@st.composite
def tagged_documents(draw):
    """Draw words, predicted and gold tags of some documents; the tags often break the scheme."""
    row = st.tuples(st.sampled_from("abc"), st.sampled_from(TAGS), st.sampled_from(TAGS))
    rows = draw(st.lists(st.lists(row, max_size=8), min_size=1, max_size=6))
    return tuple([[word[column] for word in document] for document in rows] for column in range(3))


def entities(tags, tokens):
    """Return the entities as seqeval reads them, with their words: {(document, type, first, last): words}."""
    return {
        (number, *entity): " ".join(tokens[number][entity[1] : entity[2] + 1])
        for number, document in enumerate(tags)
        for entity in get_entities(document)
    }


@settings(max_examples=200, deadline=None)
@given(documents=tagged_documents(), train=st.sets(st.sampled_from(["a", "b", "a b", "b c", "a a"])))
def test_counts_equal_seqevals_entities_and_sum_to_the_total(documents, train):
    tokens, predicted, gold = documents
    found = by_surface(tokens, predicted, gold, train)
    wanted, given = entities(gold, tokens), entities(predicted, tokens)
    for name, kept in (("seen surface form", True), ("unseen surface form", False)):
        here_wanted = {key for key, words in wanted.items() if (words in train) == kept}
        here_given = {key for key, words in given.items() if (words in train) == kept}
        if not here_wanted | here_given:
            assert name not in found
            continue
        hits = len(here_wanted & here_given)
        assert found[name].counts == {"gold": len(here_wanted), "predicted": len(here_given)}
        assert found[name].metrics["entity_f1"] == pytest.approx(
            2 * hits / (len(here_wanted) + len(here_given))
        )
        assert found[name].metrics.get("entity_recall", 0) * len(here_wanted) == pytest.approx(hits)
        assert found[name].metrics.get("entity_precision", 0) * len(here_given) == pytest.approx(hits)
    assert sum(each.counts["gold"] for each in found.values()) == len(wanted)
    assert sum(each.counts["predicted"] for each in found.values()) == len(given)


@settings(max_examples=100, deadline=None)
@given(documents=tagged_documents(), train=st.sets(st.sampled_from(["a", "b", "a b", "b c", "a a"])))
def test_weighted_recall_and_precision_are_the_splits(documents, train):
    tokens, predicted, gold = documents
    found = by_surface(tokens, predicted, gold, train).values()
    (answers, offsets), (right, _) = flat(predicted), flat(gold)
    if not len(right):
        return
    overall = Entities()(Prediction(answers, None, offsets), Gold(right, offsets), TAGS)
    for metric, count in (("entity_recall", "gold"), ("entity_precision", "predicted")):
        hits = sum(each.metrics.get(metric, 0) * each.counts[count] for each in found)
        assert hits == pytest.approx(overall[metric] * sum(each.counts[count] for each in found))


def test_surface_forms_of_train():
    tokens = [["Ada", "of", "New", "York"], [], ["York", "Ada"]]
    tags, offsets = flat([["B-X", "O", "B-Y", "I-Y"], [], ["B-X", "B-X"]])
    assert entity_surfaces(tokens, Gold(tags, offsets), TAGS) == {"Ada", "New York", "York"}


def test_the_words_must_be_those_that_are_tagged():
    with pytest.raises(ValueError, match="got 1 documents of 1 words for 1 of 2"):
        by_surface([["Ada"]], [["B-X", "O"]], [["B-X", "O"]], {"Ada"})
    with pytest.raises(ValueError, match="word_offsets"):
        entity_surfaces([["Ada"]], Gold(np.array([1])), TAGS)
