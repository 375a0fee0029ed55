"""The mean of each label's largest logits: by hand, by a loop, and between the largest and the mean."""

import time

import numpy as np
import pytest

from headway.evaluation.aggregation import MaxLogits, MeanLogits, TopKMean
from headway.types import ConfigError, WindowLogits


def windows_of(logits, documents, words=None):
    count = len(documents)
    return WindowLogits(
        logits=np.array(logits, dtype=np.float32),
        documents=np.array(documents),
        windows=np.arange(count),
        words=None if words is None else np.array(words),
        edge_distances=None if words is None else np.ones(count, dtype=np.int64),
    )


def random_windows(num_documents, *, labels=4, seed=0):
    rng = np.random.default_rng(seed)
    documents = np.repeat(np.arange(num_documents), rng.integers(0, 8, num_documents))
    return windows_of(rng.normal(0, 5, (len(documents), labels)), documents)


def test_by_hand():
    # Document 0 has three windows, 1 has none, 2 has one; each label has largest logits of its own.
    rows = windows_of([[1, 9], [5, 1], [2, 3], [7, -7]], documents=[0, 0, 0, 2])
    documents = TopKMean(2)(rows, num_documents=3, word_offsets=None)
    np.testing.assert_array_equal(documents.logits, [[3.5, 6], [0, 0], [7, -7]])
    np.testing.assert_array_equal(documents.seen, [True, False, True])


def test_of_words_by_hand():
    # Document 0 has words 0 and 1, document 1 has one; word 1 is in three windows.
    rows = windows_of([[1], [2], [6], [4], [3]], documents=[0, 0, 0, 0, 1], words=[0, 1, 1, 1, 0])
    documents = TopKMean(2)(rows, num_documents=2, word_offsets=np.array([0, 2, 3]))
    np.testing.assert_array_equal(documents.logits, [[1], [5], [3]])


@pytest.mark.parametrize("k", [1, 2, 3, 7, 100])
def test_is_what_a_loop_gives(k):
    rows = random_windows(60)
    found = TopKMean(k)(rows, num_documents=60, word_offsets=None)
    for document in range(60):
        mine = rows.logits[rows.documents == document].astype(float)
        assert found.seen[document] == (len(mine) > 0)
        for label in range(4 if len(mine) else 0):
            largest = sorted(mine[:, label].tolist(), reverse=True)[:k]
            assert found.logits[document, label] == pytest.approx(sum(largest) / len(largest), rel=1e-6)


def test_one_is_the_largest_and_very_many_are_the_mean():
    rows = random_windows(60)
    one, largest = (each(rows, num_documents=60, word_offsets=None) for each in (TopKMean(1), MaxLogits()))
    np.testing.assert_array_equal(one.logits, largest.logits)
    many, mean = (each(rows, num_documents=60, word_offsets=None) for each in (TopKMean(10**9), MeanLogits()))
    np.testing.assert_allclose(many.logits, mean.logits, rtol=1e-6)


def test_a_hundred_thousand_documents_take_no_time():
    rows = random_windows(100_000)
    start = time.process_time()
    TopKMean(2)(rows, num_documents=100_000, word_offsets=None)
    # A loop over documents takes several seconds; this takes a tenth of one.
    assert time.process_time() - start < 1.5


@pytest.mark.parametrize("k", [0, -3])
def test_less_than_one_is_refused(k):
    with pytest.raises(ConfigError, match=f"`task.aggregation.k` must be at least 1, got {k}; use 1"):
        TopKMean(k)
