"""The likeliest tags that obey IOB2, against every sequence there is."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.evaluation.activations import log_softmax
from headway.evaluation.decoding import NOTHING, Argmax
from headway.evaluation.metrics import Entities
from headway.evaluation.span_decoding import SpanDecoding
from headway.evaluation.viterbi import best_sequences
from headway.types import ConfigError, DocumentLogits, Gold

TAGS = ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]
SPANS = SpanDecoding(TAGS, temperature=1.0)


def documents(logits, offsets, seen=None):
    logits = np.asarray(logits, np.float32)
    return DocumentLogits(logits, np.array(offsets), np.ones(len(logits), bool) if seen is None else seen)


def random_documents(seed, lengths, seen_share=1.0):
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    logits = rng.normal(scale=3.0, size=(offsets[-1], len(TAGS)))
    return documents(logits, offsets, rng.random(offsets[-1]) < seen_share)


def obeys(tags):
    """Whether tags are IOB2, by the plain reading of the rule."""
    before = [None, *tags][: len(tags)]
    pairs = zip(before, tags, strict=True)
    return all(not tag.startswith("I-") or last in (f"B-{tag[2:]}", tag) for last, tag in pairs)


def brute_force(scores):
    """The best of all sequences that obey, one document: (length,) label numbers."""
    every = product(range(len(TAGS)), repeat=len(scores))
    allowed = [each for each in every if obeys([TAGS[i] for i in each])]
    return max(allowed, key=lambda each: sum(scores[i, label] for i, label in enumerate(each)))


@given(st.integers(0, 10_000), st.lists(st.integers(0, 5), min_size=1, max_size=4))
def test_the_best_of_all_sequences_that_obey(seed, lengths):
    given_documents = random_documents(seed, lengths)
    values = SPANS(given_documents).values
    scores = log_softmax(given_documents.logits)
    for start, end in pairwise(given_documents.word_offsets):
        assert values[start:end].tolist() == list(brute_force(scores[start:end])) or start == end


@given(st.integers(0, 10_000), st.lists(st.integers(0, 12), min_size=1, max_size=6))
def test_strict_and_lenient_readers_agree(seed, lengths):
    lengths = [1, *lengths]
    given_documents = random_documents(seed, lengths, seen_share=0.8)
    prediction = SPANS(given_documents)
    assert (prediction.values[~given_documents.seen] == NOTHING).all()
    gold = Gold(SPANS(random_documents(seed + 1, lengths)).values, given_documents.word_offsets)
    metrics = Entities()(prediction, gold, TAGS)
    assert metrics["entity_f1"] == metrics["entity_f1_strict"]


@given(st.integers(0, 10_000))
def test_what_obeys_already_stays(seed):
    given_documents = random_documents(seed, [4, 3])
    plain = Argmax(temperature=1.0)(given_documents)
    if all(obeys([TAGS[i] for i in plain.values[a:b]]) for a, b in ((0, 4), (4, 7))):
        assert SPANS(given_documents).values.tolist() == plain.values.tolist()
    assert np.array_equal(SPANS(given_documents).probabilities, plain.probabilities)


def test_an_inside_tag_that_continues_nothing_becomes_what_is_likeliest():
    # O, then I-PER by a hair over B-PER: alone it would be no span to a strict reader.
    logits = [[0, 0, 0, 0, 9], [0, 4, 0, 5, 0], [0, 0, 0, 6, 0]]
    assert [TAGS[i] for i in SPANS(documents(logits, [0, 3])).values] == ["O", "B-PER", "I-PER"]


def test_no_span_reaches_over_a_word_that_no_window_held_or_into_the_next_document():
    logits = [[9, 0, 0, 0, 0], [0, 0, 9, 0, 0], [0, 0, 9, 0, 3], [0, 0, 9, 0, 3]]
    seen = np.array([True, False, True, True])
    values = SPANS(documents(logits, [0, 3, 4], seen)).values
    assert values.tolist() == [0, NOTHING, 4, 4]


def test_the_split_into_blocks_changes_nothing(monkeypatch):
    given_documents = random_documents(3, [7, 0, 5, 1, 9, 2])
    whole = SPANS(given_documents).values
    monkeypatch.setattr("headway.evaluation.viterbi._BLOCK", 2 * len(TAGS) ** 2)  # two sequences a block
    assert SPANS(given_documents).values.tolist() == whole.tolist()


def test_without_rules_it_is_the_argmax():
    scores = np.random.default_rng(0).normal(size=(50, 7))
    everything = {"may_follow": np.ones((7, 7), bool), "may_begin": np.ones(7, bool)}
    found = best_sequences(scores, offsets=np.array([0, 20, 50]), **everything)
    assert found.tolist() == scores.argmax(axis=1).tolist()


def test_tags_that_mark_no_spans_are_refused():
    with pytest.raises(ConfigError, match="`task.decoding` must be argmax for tags that mark no spans"):
        SpanDecoding(["NN", "VB"])


def test_it_survives_json():
    assert SpanDecoding.from_spec(SPANS.to_spec()) == SPANS
    assert SPANS.to_spec()["label_names"] == TAGS


def test_the_temperature_is_fitted_as_for_argmax():
    given_documents = random_documents(1, [30, 40])
    gold = Gold(np.random.default_rng(2).integers(0, 5, size=70), given_documents.word_offsets)
    fitted = SpanDecoding(TAGS).fit(given_documents, gold)
    assert fitted.temperature == Argmax().fit(given_documents, gold).temperature
    assert fitted.label_names == tuple(TAGS)
