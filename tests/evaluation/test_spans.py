"""Entities in IOB2 tags, against seqeval's own reading of the same tags."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, Entities

from headway.evaluation.spans import Span, find_spans, spans, tag_set

TAGS = ["O", "B-X", "I-X", "B-Y", "I-Y", "B-Y-Z", "I-Y-Z"]
tag_lists = st.lists(st.sampled_from(TAGS), min_size=0, max_size=25)


def test_by_hand():
    tags = ["B-X", "I-X", "O", "I-Y", "I-Y", "B-Y", "I-X"]
    assert spans(tags, strict=True) == [Span("X", 0, 2), Span("Y", 5, 6)]
    assert spans(tags, strict=False) == [Span("X", 0, 2), Span("Y", 3, 5), Span("Y", 5, 6), Span("X", 6, 7)]


@settings(max_examples=300, deadline=None)
@given(tags=tag_lists)
def test_lenient_is_seqevals_default(tags):
    expected = [Span(kind, start, last + 1) for kind, start, last in get_entities(tags)]
    assert spans(tags, strict=False) == expected


@settings(max_examples=300, deadline=None)
@given(tags=tag_lists)
def test_strict_is_seqevals_strict_iob2(tags):
    found = Entities([tags], IOB2).entities[0]
    assert spans(tags, strict=True) == [Span(each.tag, each.start, each.end) for each in found]


@settings(max_examples=100, deadline=None)
@given(documents=st.lists(tag_lists, min_size=1, max_size=5), strict=st.booleans())
def test_documents_end_to_end_are_read_one_by_one(documents, strict):
    offsets = np.concatenate([[0], np.cumsum([len(tags) for tags in documents])])
    numbers = np.array([TAGS.index(tag) for tags in documents for tag in tags], dtype=np.int64)
    tagged = tag_set(TAGS)
    table = find_spans(numbers, word_offsets=offsets, tagged=tagged, strict=strict)
    expected = [
        (each.type, each.start + offset, each.end + offset)
        for tags, offset in zip(documents, offsets[:-1], strict=True)
        for each in spans(tags, strict=strict)
    ]
    names = [tagged.names[kind] for kind in table.types]
    assert list(zip(names, table.starts.tolist(), table.ends.tolist(), strict=True)) == expected


def test_a_word_without_an_answer_is_outside():
    # Also where label 0 or the last label is a tag that begins an entity.
    labels = ["B-X", "O", "I-X", "B-Y"]
    tags = np.array([0, -1, 2, -1, 3])
    table = find_spans(tags, word_offsets=np.array([0, 5]), tagged=tag_set(labels), strict=False)
    assert list(zip(table.starts.tolist(), table.ends.tolist(), strict=True)) == [(0, 1), (2, 3), (4, 5)]


@pytest.mark.parametrize("tag", ["NOUN", "S-X", "E-X", "O-X", ""])
def test_a_tag_of_another_scheme_is_named(tag):
    with pytest.raises(ValueError, match=f"IOB2.*got {tag}; convert them first"):
        tag_set(["O", tag])
