"""Spans are where their words stand in the text, whatever parts the words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.delivery.span_answers import spans_of_documents, tags_of_spans, word_places

LABELS = ("B-LOC", "B-PER", "I-LOC", "I-PER", "O")
B_LOC, B_PER, I_LOC, I_PER, OUT = range(5)


def spans(tags, words, texts=None, chances=None):
    offsets = np.cumsum([0, *map(len, words)])
    return spans_of_documents(
        np.array(tags),
        word_offsets=offsets,
        label_names=LABELS,
        words=words,
        texts=texts or [None] * len(words),
        chances=None if chances is None else np.array(chances, dtype=np.float32),
    )


def test_by_hand():
    text = " Peter  Blackburn, of\tNew York "
    words = [text.split(), ["Bonn"]]
    found = spans([B_PER, I_PER, OUT, B_LOC, I_LOC, B_LOC], words, [text, None], [0.5, 0.25, 1, 1, 0.75, 1])
    by_hand = [
        ("PER", "Peter  Blackburn,", 1, 18, 0, 2, 0.25),
        ("LOC", "New York", 22, 30, 3, 5, 0.75),
        ("LOC", "Bonn", 0, 4, 0, 1, 1.0),
    ]
    names = ("label", "text", "start", "end", "start_word", "end_word", "probability")
    first, second, third = (dict(zip(names, values, strict=True)) for values in by_hand)
    assert found == [[first, second], [third]]


def test_words_alone_count_as_joined_by_blanks():
    (found,) = spans([OUT, B_LOC, I_LOC], [["in", "New", "York"]])
    assert found == [
        {"label": "LOC", "text": "New York", "start": 3, "end": 11, "start_word": 1, "end_word": 3}
    ]
    assert "in New York"[3:11] == "New York"


def test_characters_are_code_points():
    text = "\U0001f600 Zoë"
    (found,) = spans([OUT, B_PER], [text.split()], [text])
    assert [(span["start"], span["end"]) for span in found] == [(2, 5)]


def test_a_word_that_no_window_held_ends_a_span():
    (found,) = spans([B_PER, -1, I_PER], [["a", "b", "c"]])
    assert [(span["start_word"], span["end_word"]) for span in found] == [(0, 1), (2, 3)]


@pytest.mark.parametrize("names", [("NN", "VB"), ("O",)])
def test_tags_that_name_no_spans_give_none(names):
    assert tags_of_spans(names) is None
    found = spans_of_documents(
        np.array([0]),
        word_offsets=np.array([0, 1]),
        label_names=names,
        words=[["a"]],
        texts=[None],
        chances=None,
    )
    assert found is None


@given(st.text(alphabet=st.sampled_from("ab \t\n\u00a0\u2003\x1cé\U0001f600"), max_size=30))
def test_each_word_is_found_where_it_stands(text):
    words = text.split()
    places = word_places(words, text)
    assert [text[start:end] for start, end in places] == words
    assert all(before[1] < after[0] for before, after in zip(places, places[1:], strict=False))
