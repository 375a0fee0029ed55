"""Windows -> documents and words: by hand, by loops, and whatever the order of the rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.evaluation.activations import sigmoid, softmax
from headway.evaluation.aggregation import (
    MajorityVote,
    MaxLogits,
    MeanLogits,
    MeanProbabilities,
    TopKMean,
    WordFarthest,
)
from headway.types import ConfigError, WindowLogits

DOCUMENT_AGGREGATIONS = [
    MeanLogits(),
    MaxLogits(),
    TopKMean(2),
    MeanProbabilities("softmax"),
    MeanProbabilities("sigmoid"),
    MeanProbabilities("identity"),
    MajorityVote("softmax"),
    MajorityVote("sigmoid"),
]


def windows_of(logits, documents, *, words=None, edges=None, windows=None):
    return WindowLogits(
        logits=np.array(logits, dtype=np.float32),
        documents=np.array(documents),
        windows=np.arange(len(documents)) if windows is None else np.array(windows),
        words=None if words is None else np.array(words),
        edge_distances=None if edges is None else np.array(edges),
    )


def take(rows, order):
    return WindowLogits(
        **{name: None if value is None else value[order] for name, value in vars(rows).items()}
    )


def aggregate(aggregation, rows, num_documents):
    return aggregation(rows, num_documents=num_documents, word_offsets=None)


def probabilities(values):
    return np.log(np.array(values))  # logits whose softmax these are


def test_mean_logits_by_hand_leaves_the_unseen_document_zero():
    rows = windows_of([[1, 3], [5, 1], [2, 2]], documents=[2, 2, 0])
    documents = aggregate(MeanLogits(), rows, 3)
    np.testing.assert_array_equal(documents.logits, [[2, 2], [0, 0], [3, 2]])
    np.testing.assert_array_equal(documents.seen, [True, False, True])
    assert documents.logits.dtype == np.float32


def test_max_logits_by_hand():
    rows = windows_of([[1, 3], [5, 1]], documents=[0, 0])
    np.testing.assert_array_equal(aggregate(MaxLogits(), rows, 1).logits, [[5, 3]])


def test_mean_probabilities_is_the_mean_of_softmax():
    rows = windows_of(probabilities([[0.9, 0.1], [0.3, 0.7]]), documents=[0, 0])
    documents = aggregate(MeanProbabilities("softmax"), rows, 1)
    np.testing.assert_allclose(softmax(documents.logits), [[0.6, 0.4]], rtol=1e-6)


def test_mean_probabilities_is_the_mean_of_sigmoid():
    rows = windows_of([[0.0, 100.0], [100.0, 100.0]], documents=[0, 0])
    documents = aggregate(MeanProbabilities("sigmoid"), rows, 1)
    np.testing.assert_allclose(sigmoid(documents.logits), [[0.75, 1.0]], rtol=1e-6)
    assert np.isfinite(documents.logits).all()


def test_mean_probabilities_of_scores_is_their_mean():
    rows = windows_of([[1.0], [4.0]], documents=[0, 0])
    assert aggregate(MeanProbabilities("identity"), rows, 1).logits.item() == 2.5


def test_majority_outvotes_the_surer_window():
    rows = windows_of(probabilities([[0.6, 0.4], [0.6, 0.4], [0.001, 0.999]]), documents=[0, 0, 0])
    assert aggregate(MeanProbabilities("softmax"), rows, 1).logits.argmax() == 1
    vote = softmax(aggregate(MajorityVote("softmax"), rows, 1).logits)
    np.testing.assert_allclose(vote, [[(2 + 1.201 / 3) / 4, (1 + 1.799 / 3) / 4]], rtol=1e-6)


def test_equal_votes_are_decided_by_the_summed_probability():
    rows = windows_of(probabilities([[0.6, 0.4], [0.1, 0.9]]), documents=[0, 0])
    assert aggregate(MajorityVote("softmax"), rows, 1).logits.argmax() == 1


@pytest.mark.parametrize(
    ("logits", "wins"), [([1, 1, -9], True), ([9, -1, -1], False), ([3, -1], True), ([1, -3], False)]
)
def test_majority_over_a_label_by_itself(logits, wins):
    rows = windows_of([[value] for value in logits], documents=[0] * len(logits))
    assert (aggregate(MajorityVote("sigmoid"), rows, 1).logits.item() > 0) == wins


def test_word_farthest_takes_the_middle_of_a_window_and_the_earlier_of_equals():
    # Two documents of two and one words; word 1 of document 0 and word 0 of document 1 are in two windows.
    rows = windows_of(
        [[1], [2], [3], [4], [5]],
        documents=[0, 0, 0, 1, 1],
        windows=[0, 0, 1, 3, 2],
        words=[0, 1, 1, 0, 0],
        edges=[1, 1, 6, 4, 4],
    )
    documents = WordFarthest()(rows, num_documents=2, word_offsets=np.array([0, 2, 3]))
    np.testing.assert_array_equal(documents.logits, [[1], [3], [5]])


def test_mean_logits_averages_a_word_over_the_overlap():
    rows = windows_of(
        [[1], [2], [4]], documents=[1, 1, 1], words=[0, 1, 1], edges=[1, 1, 1], windows=[0, 0, 1]
    )
    documents = MeanLogits()(rows, num_documents=2, word_offsets=np.array([0, 1, 4]))
    np.testing.assert_array_equal(documents.logits, [[0], [1], [3], [0]])
    np.testing.assert_array_equal(documents.seen, [False, True, True, False])


@st.composite
def split(draw):
    num_documents = draw(st.integers(1, 6))
    documents = draw(st.lists(st.integers(0, num_documents - 1), min_size=0, max_size=20))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    return (
        num_documents,
        windows_of(rng.normal(0, 4, (len(documents), 3)), documents),
        rng.permutation(len(documents)),
    )


@pytest.mark.parametrize("aggregation", DOCUMENT_AGGREGATIONS, ids=repr)
@settings(max_examples=40, deadline=None)
@given(case=split())
def test_order_of_rows_changes_no_bit(aggregation, case):
    num_documents, rows, order = case
    first = aggregate(aggregation, rows, num_documents)
    second = aggregate(aggregation, take(rows, order), num_documents)
    np.testing.assert_array_equal(first.logits, second.logits)
    np.testing.assert_array_equal(first.seen, second.seen)


@pytest.mark.parametrize("aggregation", DOCUMENT_AGGREGATIONS[:6], ids=repr)
def test_one_window_keeps_its_probabilities(aggregation):
    logits = np.random.default_rng(0).normal(0, 3, (5, 4)).astype(np.float32)
    activation = sigmoid if getattr(aggregation, "activation", "softmax") == "sigmoid" else softmax
    documents = aggregate(aggregation, windows_of(logits, documents=range(5)), 5)
    np.testing.assert_allclose(activation(documents.logits), activation(logits), rtol=1e-6)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_one_window_keeps_its_answer_in_a_vote(activation):
    logits = np.random.default_rng(0).normal(0, 3, (50, 4)).astype(np.float32)
    documents = aggregate(MajorityVote(activation), windows_of(logits, documents=range(50)), 50)
    np.testing.assert_array_equal(documents.logits.argmax(axis=1), logits.argmax(axis=1))
    if activation == "sigmoid":
        np.testing.assert_array_equal(documents.logits > 0, logits > 0)


def test_word_farthest_is_the_same_in_any_order():
    rng = np.random.default_rng(0)
    rows = windows_of(
        rng.normal(size=(40, 2)),
        documents=[0] * 40,
        windows=np.repeat(np.arange(4), 10),
        words=np.tile(np.arange(10), 4),
        edges=rng.integers(0, 3, 40),
    )
    offsets = np.array([0, 10])
    first = WordFarthest()(rows, num_documents=1, word_offsets=offsets)
    for _ in range(20):
        second = WordFarthest()(take(rows, rng.permutation(40)), num_documents=1, word_offsets=offsets)
        np.testing.assert_array_equal(first.logits, second.logits)


def test_a_window_that_comes_twice_is_refused():
    rows = windows_of([[1.0], [1.0]], documents=[0, 0], windows=[7, 7])
    with pytest.raises(ValueError, match="window 7 gave row 0 twice"):
        aggregate(MeanLogits(), rows, 1)


@pytest.mark.parametrize("document", [-1, 2])
def test_a_document_outside_the_split_is_refused(document):
    with pytest.raises(ValueError, match=r"documents must be in \[0, 2\)"):
        aggregate(MeanLogits(), windows_of([[1.0]], documents=[document]), 2)


@pytest.mark.parametrize("word", [-1, 2])
def test_a_word_outside_its_document_is_refused(word):
    rows = windows_of([[1.0]], documents=[0], words=[word], edges=[1])
    with pytest.raises(ValueError, match="word must be in its document"):
        WordFarthest()(rows, num_documents=2, word_offsets=np.array([0, 2, 9]))


def test_words_without_offsets_are_refused():
    rows = windows_of([[1.0]], documents=[0], words=[0], edges=[1])
    with pytest.raises(ValueError, match="word_offsets"):
        aggregate(WordFarthest(), rows, 1)


def test_word_farthest_refuses_rows_without_edges():
    with pytest.raises(ValueError, match="edge_distances"):
        aggregate(WordFarthest(), windows_of([[1.0]], documents=[0]), 1)


def test_scores_have_no_majority():
    with pytest.raises(
        ConfigError, match="`task.aggregation` must be .* choose task/aggregation=mean_logits"
    ):
        MajorityVote("identity")


@pytest.mark.parametrize("kind", [MajorityVote, MeanProbabilities])
def test_unknown_activation_names_the_nearest(kind):
    with pytest.raises(
        ConfigError, match="`activation` must be one of softmax, .* got sofmax; the nearest is softmax"
    ):
        kind("sofmax")
