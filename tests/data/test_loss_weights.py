"""Each right answer counts once in the loss, however many windows show it; or what is asked for instead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.encoding import EncodingSpec, encode
from headway.data.loss_weights import (
    UNITS,
    LossWeighting,
    sum_windows,
    token_weights,
    too_many,
    window_weights,
    windows_each,
)
from headway.data.plans import draw_windows
from headway.types import IGNORE_INDEX, ConfigError

WORDS = [["Germany", "beat", "the", "Czech", "Republic", "in", "the", "final"], ["the", "dog"], ["fox"]]


@pytest.fixture(scope="module")
def words(wordpiece_tokenizer):
    spec = EncodingSpec(8, "windows", 3, "first", token_type_ids=False)
    return encode(wordpiece_tokenizer, {"tokens": WORDS}, spec)


@pytest.fixture(scope="module")
def texts(wordpiece_tokenizer):
    spec = EncodingSpec(8, "windows", 3, "first", token_type_ids=False)
    return encode(wordpiece_tokenizer, {"text": [" ".join(row) for row in WORDS]}, spec)


def _labels(encoded, every_piece=False):
    labels = np.full(encoded.num_tokens, IGNORE_INDEX)
    labels[encoded.words >= 0 if every_piece else encoded.first_pieces] = 1
    return labels


def _per_word(encoded, weights):
    """Sum the weights of each (document, word), by hand."""
    sums = {}
    for window, document in enumerate(encoded.documents):
        for token in range(encoded.offsets[window], encoded.offsets[window + 1]):
            if encoded.words[token] >= 0:
                key = int(document), int(encoded.words[token])
                sums[key] = sums.get(key, 0.0) + float(weights[token])
    return sums


def test_the_windows_of_a_document_share_its_weight(texts):
    assert texts.windows_per_document.tolist()[0] > 2
    for by in ("label", "document"):
        weights = window_weights(texts, weighting=LossWeighting(by))
        assert np.bincount(texts.documents, weights=weights) == pytest.approx([1, 1, 1])
    assert window_weights(texts, weighting=LossWeighting("window")).tolist() == [1] * texts.num_windows


def test_the_windows_that_are_drawn_share_it(texts):
    weights = window_weights(texts, weighting=LossWeighting("label", windows_each=2))
    drawn = draw_windows(texts.documents, 2, rng=np.random.default_rng(0))
    assert np.bincount(texts.documents[drawn], weights=weights[drawn]) == pytest.approx([1, 1, 1])


def test_a_word_in_an_overlap_counts_once(words):
    held = _per_word(words, words.first_pieces.astype(float))
    assert max(held.values()) == 2  # some word is in two windows
    sums = _per_word(words, token_weights(words, _labels(words), weighting=LossWeighting("label")))
    assert sums == pytest.approx(dict.fromkeys(held, 1.0))


def test_every_labelled_piece_counts_once_where_all_are_labelled(words):
    weights = token_weights(words, _labels(words, every_piece=True), weighting=LossWeighting("label"))
    pieces = _per_word(words, (words.words >= 0).astype(float))
    windows = _per_word(words, words.first_pieces.astype(float))
    assert _per_word(words, weights) == pytest.approx({key: pieces[key] / windows[key] for key in pieces})


def test_a_document_counts_once_with_document(words):
    weights = token_weights(words, _labels(words), weighting=LossWeighting("document"))
    by_document = np.bincount(words.documents, weights=sum_windows(weights, words))
    assert by_document == pytest.approx([1, 1, 1])


def test_each_labelled_token_counts_with_window(words):
    labels = _labels(words)
    weights = token_weights(words, labels, weighting=LossWeighting("window"))
    assert weights.tolist() == (labels != IGNORE_INDEX).tolist()


@pytest.mark.parametrize("by", UNITS)
def test_what_has_no_label_weighs_nothing(words, by):
    labels = _labels(words)
    weights = token_weights(words, labels, weighting=LossWeighting(by))
    assert (weights[labels == IGNORE_INDEX] == 0).all()
    expected = [weights[a:b].sum() for a, b in zip(words.offsets, words.offsets[1:], strict=False)]
    assert sum_windows(weights, words) == pytest.approx(expected)


def test_a_wrong_unit_names_the_key():
    with pytest.raises(
        ConfigError, match=r"`data\.loss_weight` must be one of .* \(did you mean 'document'\?\)"
    ):
        LossWeighting("documents")


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "every", None])
def test_a_wrong_number_of_windows_names_the_key(value):
    with pytest.raises(ConfigError, match=r"`data\.train_windows` must be all or a whole number"):
        windows_each(value, truncation="windows")


def test_windows_are_drawn_only_where_there_are_windows():
    assert windows_each("all", truncation="longest_first") is None
    assert windows_each(3, truncation="windows") == 3
    with pytest.raises(
        ConfigError, match=r"`data\.train_windows` must be all for data\.truncation=longest_first"
    ):
        windows_each(3, truncation="longest_first")


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 10), st.integers(0, 99))
def test_each_document_gives_as_many_windows_as_asked_or_all_it_has(counts, each, seed):
    documents = np.repeat(np.arange(len(counts)), counts)
    drawn = draw_windows(documents, each, rng=np.random.default_rng(seed))
    assert len(set(drawn.tolist())) == len(drawn)
    assert (np.diff(drawn) > 0).all()
    assert np.bincount(documents[drawn], minlength=len(counts)).tolist() == [min(n, each) for n in counts]


def test_every_window_is_as_likely_as_another():
    documents = np.repeat([0, 1], [5, 2])
    rng = np.random.default_rng(0)
    times = np.bincount(np.concatenate([draw_windows(documents, 2, rng=rng) for _ in range(4000)]))
    # 2 of 5: standard error of 0.4 over 4000 draws is 0.0077; five of them are allowed.
    assert times[:5] / 4000 == pytest.approx([0.4] * 5, abs=0.04)
    assert times[5:].tolist() == [4000, 4000]


def test_more_windows_than_any_document_has_is_said_and_means_all():
    assert too_many(None, 3) == too_many(3, 3) == []
    (message,) = too_many(4, 3)
    assert message.startswith("`data.train_windows` is 4, and no document of train has more than 3 windows")
    documents = np.repeat([0, 1], [3, 1])
    assert draw_windows(documents, 4, rng=np.random.default_rng(0)).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("by", ["label", "document"])
def test_drawn_windows_of_words_stand_for_their_document(words, by):
    """On average over epochs each word, or each document, counts once: the documents differ in windows."""
    assert len(set(words.windows_per_document.tolist())) > 1
    weighting = LossWeighting(by, windows_each=1)
    weights = sum_windows(token_weights(words, _labels(words), weighting=weighting), words)
    rng = np.random.default_rng(0)
    totals = np.zeros(words.num_documents)
    for _ in range(4000):
        drawn = draw_windows(words.documents, 1, rng=rng)
        totals += np.bincount(words.documents[drawn], weights=weights[drawn], minlength=words.num_documents)
    expected = [1, 1, 1] if by == "document" else words.num_words
    assert totals / 4000 == pytest.approx(expected, rel=0.03)
