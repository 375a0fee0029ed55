"""Texts that are timed have the length that the table says."""

from __future__ import annotations

import pytest

import headway
from headway.delivery.latency import timed_texts, timings


@pytest.mark.parametrize("pooling", ["token", "cls"])
@pytest.mark.parametrize("length", [5, 17, 60])
def test_texts_fill_their_length_but_for_a_word(pooling, length, random_artifact, corpus_words):
    predictor = headway.load(random_artifact("bert", pooling), device="cpu")
    texts = timed_texts(predictor, corpus_words * 5, length, 3)
    (column,) = texts.values()
    assert len(column) == 3
    assert len(set(map(str, column))) == 3
    lengths = predictor.encode(texts).lengths
    longest_word = 12
    assert all(length - longest_word < each <= length for each in lengths)
    assert predictor.encode(texts).num_windows == 3


def test_a_pair_shares_the_length(random_artifact, corpus_words):
    folder = random_artifact("bert", "cls", columns={"text": "question", "text_pair": "passage"})
    predictor = headway.load(folder, device="cpu")
    texts = timed_texts(predictor, corpus_words * 5, 40, 2)
    assert all(25 < each <= 40 for each in predictor.encode(texts).lengths)
    assert all(text for column in texts.values() for text in column)


def test_texts_without_words_cant_be_timed(random_artifact):
    predictor = headway.load(random_artifact("bert", "cls"), device="cpu")
    with pytest.raises(ValueError, match="without words"):
        timings({"torch": predictor}, {"text": [" ", ""]}, lengths=[8], batch_sizes=[1], repeats=1)
