"""Labels and counts as the losses take them, for every kind of gold."""

from __future__ import annotations

import numpy as np
import pytest

from headway.data.encoding import EncodingSpec, encode
from headway.data.loss_labels import count_labels, loss_labels
from headway.types import IGNORE_INDEX, Gold


@pytest.fixture(scope="module")
def encoded(wordpiece_tokenizer):
    spec = EncodingSpec(20, "longest_first", 0, "first", token_type_ids=False)
    return encode(wordpiece_tokenizer, {"tokens": [["the", "dog"], ["a", "fox", "over"]]}, spec)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.array([1, 0]), np.int64),
        (np.array([[1, 0], [1, 1]]), np.float32),
        (np.array([0.5, -2.0]), np.float32),
    ],
)
def test_documents_keep_their_values_in_the_type_of_the_loss(encoded, values, dtype):
    labels = loss_labels(Gold(values), encoded, label_names=("a", "b"), subword_labels="first")
    assert labels.dtype == dtype
    assert labels.tolist() == values.tolist()


def test_words_become_tokens(encoded):
    gold = Gold(np.array([1, 0, 0, 1, 1]), np.array([0, 2, 5]))
    labels = loss_labels(gold, encoded, label_names=("a", "b"), subword_labels="first")
    assert labels[labels != IGNORE_INDEX].tolist() == [1, 0, 0, 1, 1]
    assert labels[0] == labels[-1] == IGNORE_INDEX


def test_counts():
    assert count_labels(Gold(np.array([2, 0, 2])), ("a", "b", "c")) == [1, 0, 2]
    assert count_labels(Gold(np.array([[1, 0], [1, 1], [0, 0]])), ("a", "b")) == ([2, 1], 3)
    assert count_labels(Gold(np.array([0.5, 1.0])), ()) is None
    assert count_labels(Gold(np.array([1, 1, 0]), np.array([0, 1, 3])), ("a", "b")) == [1, 2]
